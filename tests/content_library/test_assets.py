"""Assets and their versions: saved, compared, refused, retired; nothing typed is ever lost."""

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import Conflict, Invalid
from content_library import assets, media, versions, where_used
from content_library.kinds import AssetFields, MediaUse
from content_library.models import AssetStatus, AssetVersion, IndexTask
from content_library.where_used import AssetUses, Use
from tests import factories
from tests.content_library.pictures import png

FIELDS = AssetFields(
    title="面试准备清单", body="# 开始\n\n先写简历，再投递。\n", summary="一份清单"
)


@pytest.fixture
def planner(app: Flask):
    return factories.user()


def made(fields: AssetFields = FIELDS, by=None):
    with transaction():
        return assets.create("article", fields, by=by)


def test_a_new_article_is_a_draft_with_its_text_rendered_once(planner):
    asset = made(by=planner)
    version = assets.current(asset)
    assert (asset.status, asset.latest_number, asset.owner_id) == (AssetStatus.DRAFT, 1, planner.id)
    assert "<p>先写简历，再投递。</p>" in version.html
    assert version.body == FIELDS.body


def test_the_summary_is_taken_from_the_text_when_none_is_written(planner):
    version = assets.current(made(replace(FIELDS, summary=""), by=planner))
    assert version.summary.startswith("先写简历")


def test_every_save_that_says_something_new_is_a_version_and_no_other(planner):
    asset = made(by=planner)
    first = assets.current(asset)
    with transaction():
        same = assets.revise(asset, FIELDS, expected_number=1, by=planner)
        assert same.id == first.id
        second = assets.revise(
            asset, replace(FIELDS, title="新标题"), expected_number=1, by=planner
        )
    assert (second.number, asset.title, asset.latest_number) == (2, "新标题", 2)
    assert session.get(AssetVersion, first.id).title == "面试准备清单"


def test_source_and_dates_change_without_a_new_version(planner):
    asset = made(by=planner)
    with transaction():
        assets.revise(asset, replace(FIELDS, source="学员投稿"), expected_number=1, by=planner)
    assert (asset.source, asset.latest_number) == ("学员投稿", 1)


def test_a_save_over_somebody_elses_is_refused_and_both_texts_live(planner):
    asset = made(by=planner)
    with transaction():
        assets.revise(asset, replace(FIELDS, body="甲的文字"), expected_number=1, by=planner)
    with pytest.raises(Conflict) as refused, transaction():
        assets.revise(asset, replace(FIELDS, body="乙的文字"), expected_number=1, by=planner)
    assert refused.value.problem.code == "changed_meanwhile"
    assert refused.value.problem.params["number"] == 2
    assert assets.current(asset).body == "甲的文字"


def test_an_old_version_comes_back_as_a_new_one(planner):
    asset = made(by=planner)
    with transaction():
        assets.revise(asset, replace(FIELDS, title="B"), expected_number=1, by=planner)
        third = assets.restore(asset, 1, expected_number=2, by=planner)
    assert (third.number, third.title, third.body) == (3, FIELDS.title, FIELDS.body)


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"title": " \u200b\u3000"}, "title", "content_empty"),
        ({"title": "题" * 201}, "title", "content_too_long"),
        ({"body": "\u200b \n"}, "body", "content_empty"),
        ({"summary": "s" * 501}, "summary", "content_too_long"),
        ({"lang": "fr"}, "lang", "bad_language"),
        ({"body": "a" * 200_001}, "body", "content_too_long"),
    ],
)
def test_faults_are_told_by_field(app, fields, field, code):
    with pytest.raises(Invalid) as refused, transaction():
        assets.create("article", replace(FIELDS, **fields), by=None)
    assert refused.value.fields[field].code == code


def test_all_faults_are_told_at_once(app):
    with pytest.raises(Invalid) as refused, transaction():
        assets.create("article", AssetFields(title="", body="", lang="xx"), by=None)
    assert set(refused.value.fields) == {"title", "body", "lang"}


def test_scripts_are_taken_out_and_the_author_is_told(app):
    body = 'x <script>alert(1)</script> <a href="javascript:alert(1)">y</a> {{7*7}}'
    version = assets.current(made(replace(FIELDS, body=body)))
    assert "script" not in version.html
    assert "{{7*7}}" in version.html
    assert {problem.code for problem in assets.problems_told(version)} >= {"removed_tag"}


def test_pictures_in_a_text_are_resolved_and_remembered(app):
    with transaction():
        picture = media.store(png(), "a.png", by=None)
    body = f"![一张图](images/a.png)\n\n![又](/media/{picture.sha256}/full)\n\n![无](missing.png)"
    fields = replace(FIELDS, body=body, images={"images/a.png": picture.sha256})
    version = assets.current(made(fields))
    assert version.html.count(f'src="/media/{picture.sha256}/full"') == 2
    assert [problem.code for problem in assets.problems_told(version)] == ["image_missing"]
    assert [(link.media_id, link.role) for link in version.media_links] == [(picture.id, "inline")]
    assert version.content["images"] == {"images/a.png": picture.sha256}


def test_a_poster_needs_a_picture_and_words_for_it(app):
    with pytest.raises(Invalid) as refused, transaction():
        assets.create("poster", AssetFields(title="海报"), by=None)
    assert refused.value.fields["file"].code == "file_missing"
    with transaction():
        picture = media.store(png(), "a.png", by=None)
    fields = AssetFields(title="海报", poster=MediaUse(picture, "poster", "  "))
    with pytest.raises(Invalid) as silent, transaction():
        assets.create("poster", fields, by=None)
    assert silent.value.fields["alt"].code == "alt_missing"
    with transaction():
        good = assets.create(
            "poster", replace(fields, poster=MediaUse(picture, "poster", "开放日海报")), by=None
        )
    assert assets.current(good).media_links[0].alt == "开放日海报"


def test_only_the_pictures_content_decides_what_it_is(app):
    with pytest.raises(Invalid) as refused:
        media.prepare(b"<html><script>1</script>", "holiday.png")
    assert refused.value.fields["file"].code == "not_an_image"


def test_the_same_picture_is_kept_once(app):
    with transaction():
        first = media.store(png(), "a.png", by=None)
        assert media.store(png(), "b.png", by=None).id == first.id
    assert media.served(first, "thumb").path.is_file()


class Busy(AssetUses):
    slug = "busy"

    def of(self, asset_id):
        return [Use("post", 1, "周一早上", now(), "scheduled", 1, is_pending=True)]

    def last_used(self, asset_ids):
        return {}


@pytest.fixture
def busy(monkeypatch):
    registry = type(where_used.USES)("use of assets", Busy())
    monkeypatch.setattr(where_used, "USES", registry)


def test_an_asset_that_posts_wait_for_is_neither_retired_nor_deleted(busy, planner):
    asset = made(by=planner)
    for act in (assets.retire, assets.delete):
        with pytest.raises(assets.AssetInUse) as refused, transaction():
            act(asset, by=planner)
        assert refused.value.problem.code == "asset_in_use"
        assert [use.title for use in refused.value.uses] == ["周一早上"]
    assert assets.get(asset.id).status is AssetStatus.DRAFT


def test_a_scheduled_post_is_a_use_that_blocks(planner):
    asset = factories.asset()
    factories.post(asset=asset)
    with pytest.raises(assets.AssetInUse), transaction():
        assets.delete(asset, by=planner)


def test_an_unused_asset_can_be_retired_brought_back_and_deleted(planner):
    asset = made(by=planner)
    with transaction():
        assets.retire(asset, by=planner)
    assert asset.status is AssetStatus.RETIRED
    number = asset.id
    with transaction():
        assets.set_status(asset, AssetStatus.READY, by=planner)
        assets.delete(asset, by=planner)
    assert session.get(type(asset), number) is None


def test_each_change_stands_in_the_outbox_of_its_own_transaction(planner):
    asset = made(by=planner)
    tasks = session.scalars(select(IndexTask.asset_id)).all()
    assert set(tasks) == {asset.id}
    with pytest.raises(RuntimeError), transaction():
        assets.create("article", FIELDS, by=planner)
        raise RuntimeError
    assert session.scalars(select(IndexTask.asset_id)).all() == tasks


def test_versions_are_compared_line_by_line():
    lines = versions.compare("a\nb\nc", "a\nx\nc")
    assert [(line.sign, line.text) for line in lines] == [
        ("same", "a"),
        ("removed", "b"),
        ("added", "x"),
        ("same", "c"),
    ]


def test_a_video_is_known_by_its_address_alone(app):
    fields = AssetFields(title="直播回放", url="https://b23.tv/BV1xx411c7mD?share=1")
    with transaction():
        asset = assets.create("video", fields, by=None)
    content = assets.current(asset).content
    assert content["host"] == "bilibili"
    for url in ("javascript:alert(1)", "", "http://127.0.0.1/v"):
        with pytest.raises(Invalid) as refused, transaction():
            assets.create("video", replace(fields, url=url), by=None)
        assert set(refused.value.fields) == {"url"}, url
