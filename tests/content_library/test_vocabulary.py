"""The words assets are tagged with: matched in any spelling, mirrored from stages, merged without loss."""

import pytest
from flask import Flask
from sqlalchemy import select

from audience import stages
from audience.stages import StageFields
from cms.core.db import session, transaction
from cms.core.errors import Invalid
from content_library import jobs, taggers, tags, vocabulary
from content_library.models import IndexTask, TagSource
from content_library.taggers import Words
from content_library.vocabulary import TagFields
from tests import factories


@pytest.mark.parametrize(
    "word", ["dry-goods", "Dry Goods", "ＤＲＹ goods", "干货", "硬核", "dry_goods"]
)
def test_a_tag_is_meant_by_slug_name_and_alias_however_spelled(app: Flask, word):
    tag = factories.tag(slug="dry-goods", name_en="Dry goods", name_zh="干货")
    with transaction():
        vocabulary.rename(tag, TagFields("Dry goods", "干货", ("硬核",)), by=None)
    assert vocabulary.match(word).id == tag.id
    assert vocabulary.match("湿货") is None


def test_saving_a_stage_keeps_its_tag_in_step(app):
    with transaction():
        stages.save_stage("silent", StageFields("Silent", "沉默"), by=None)
    tag = vocabulary.find("silent")
    assert (tag.group.slug, tag.name_zh) == ("stage", "沉默")
    asset = factories.asset(tag)
    with transaction():
        session.query(IndexTask).delete()
        stages.save_stage("silent", StageFields("Silent", "静默", is_active=False), by=None)
    assert (tag.name_zh, tag.is_active) == ("静默", False)
    assert session.scalars(select(IndexTask.asset_id)).all() == [asset.id]


def test_a_stage_does_not_take_over_a_tag_of_another_group(app):
    factories.tag("theme", slug="silent")
    with pytest.raises(Invalid), transaction():
        stages.save_stage("silent", StageFields("Silent", "沉默"), by=None)


def test_merging_moves_assets_and_names_and_marks_every_asset(app):
    old, kept = factories.tag("theme", name_zh="薪水"), factories.tag("theme", name_zh="薪资")
    one, both = factories.asset(old), factories.asset(old, kept)
    with transaction():
        session.query(IndexTask).delete()
        assert vocabulary.merge(old, into=kept, by=None) == 2
    assert [[link.tag_id for link in tags.of(asset)] for asset in (one, both)] == [[kept.id]] * 2
    assert vocabulary.match("薪水").id == kept.id
    assert not old.is_active
    assert set(session.scalars(select(IndexTask.asset_id))) == {one.id, both.id}


@pytest.mark.parametrize("group", ["scene", "stage"])
def test_only_tags_of_one_group_and_no_stages_are_merged(app, group):
    first = factories.tag(group)
    second = factories.tag("stage" if group == "stage" else "theme")
    with pytest.raises(Invalid), transaction():
        vocabulary.merge(first, into=second, by=None)


def test_names_are_unique_in_every_spelling(app):
    taken = factories.tag(name_en="Trust", name_zh="信任")
    for fields in (
        TagFields("TRUST", "别的"),
        TagFields("x", "y", ("ｔｒｕｓｔ",)),
        TagFields("", "空"),
    ):
        with pytest.raises(Invalid), transaction():
            vocabulary.create(taken.group, fields, by=None, slug="other")


def test_keywords_propose_with_evidence_and_whole_words_only(app):
    salary = factories.tag("theme", name_en="Pay", name_zh="薪资")
    factories.tag("stage", name_en="Silent", name_zh="沉默")
    proposed = taggers.propose(Words("薪资怎么谈"))
    assert [(one.tag.id, one.evidence["words"]) for one in proposed] == [(salary.id, ["薪资"])]
    assert taggers.propose(Words("Payment systems", text="silent silent silent")) == []
    [found] = taggers.propose(Words("x", text="your pay is pay"))
    assert found.evidence == {"tagger": "keywords", "where": "text", "words": ["pay"], "hits": 2}
    assert 0.5 <= found.confidence < taggers.propose(Words("pay"))[0].confidence


def test_automatic_tags_are_a_rules_word_and_run_again_changes_nothing(app):
    factories.tag("theme", name_en="Pay", name_zh="薪资")
    asset = factories.asset(title="薪资怎么谈")
    with transaction():
        assert len(taggers.tag_automatically(asset)) == 1
        assert taggers.tag_automatically(asset) == []
    assert tags.of(asset)[0].source is TagSource.RULE


def test_the_tick_asks_for_work_only_when_there_is_some(app, monkeypatch):
    asked = []
    for name in ("index_assets", "rebuild_index"):
        job = getattr(jobs, name)
        monkeypatch.setattr(type(job), "enqueue", lambda self, *a, key=None: asked.append(key))
    index = jobs.projection.index()
    index.drop()
    jobs.hint_index()
    jobs.rebuild()
    jobs.hint_index()
    factories.asset()
    asked.remove("index-assets")
    jobs.hint_index()
    index.drop()
    assert asked == ["rebuild-index", "index-assets"]
