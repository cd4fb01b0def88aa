"""Writing, comparing, tagging and retiring through the pages, as a browser without scripts would."""

import io
import zipfile

import pytest
from sqlalchemy import select

from cms.core.db import session, transaction
from content_library import assets, media, tags
from content_library.models import Asset, AssetStatus, TagChange, TagSource
from tests import factories
from tests.content_library.pictures import png

ARTICLE = {"title": "周末怎么学", "body": "## 上午\n\n两小时。", "lang": "zh", "do": "save"}


def only() -> Asset:
    return session.scalars(select(Asset)).one()


def picture_file(content: bytes = b"", name: str = "p.png"):
    return (io.BytesIO(content or png()), name)


def test_an_article_is_written_with_its_tags(planner, read):
    tag = factories.tag()
    read(planner.get("/library/new/article"))
    answer = planner.post("/library/new/article", data=ARTICLE | {"tags": [str(tag.id), "99999"]})
    assert answer.status_code == 302
    page = read(planner.get(answer.location))
    assert page.h1.text == "周末怎么学"
    assert page.select_one(".prose h3, .prose h2").text == "上午"
    assert [link.tag_id for link in tags.of(only())] == [tag.id]


@pytest.mark.parametrize(
    ("kind", "typed", "field"),
    [
        ("article", {"title": " \u200b", "body": "保留这段"}, "title"),
        (
            "article",
            {"title": "保留", "body": "保留这段", "valid_from": "2026-02-30"},
            "valid_from",
        ),
        ("article", {"title": "题" * 201, "body": "保留这段"}, "title"),
        ("video", {"title": "保留", "url": "javascript:alert(1)"}, "url"),
        ("poster", {"title": "保留", "alt": "保留"}, "file"),
    ],
)
def test_a_fault_is_told_beside_its_field_and_all_typed_words_stay(
    planner, read, kind, typed, field
):
    answer = planner.post(f"/library/new/{kind}", data={"lang": "zh"} | typed)
    assert answer.status_code == 422
    page = read(answer)
    assert page.select_one(f"#{field}")["aria-invalid"] == "true"
    assert page.select_one(f"#{field}-error")
    for name, text in typed.items():
        entry = page.select_one(f"[name={name}]")
        assert (entry.get("value") or entry.text.strip("\r\n")) == text, name
    assert session.scalar(select(Asset)) is None


def test_an_unknown_kind_is_not_found(planner):
    assert planner.get("/library/new/song").status_code == 404
    assert planner.get("/library/999999").status_code == 404


def test_a_poster_is_uploaded_served_and_never_asked_for_twice(planner, read):
    first = planner.post(
        "/library/new/poster",
        data={"title": "海报", "lang": "zh", "alt": "", "file": picture_file()},
    )
    assert first.status_code == 422
    page = read(first)
    kept = page.select_one("[name=picture]")["value"]
    assert len(kept) == 64
    again = planner.post(
        "/library/new/poster",
        data={"title": "海报", "lang": "zh", "alt": "开放日", "picture": kept},
    )
    shown = read(planner.get(again.location))
    image = shown.select_one(".library-figure img")
    assert image["alt"] == "开放日"
    with planner.get(image["src"]) as sent:
        assert sent.status_code == 200
        assert sent.mimetype.startswith("image/")
        assert sent.headers["X-Content-Type-Options"] == "nosniff"
        assert "immutable" in sent.headers["Cache-Control"]
    assert planner.get(f"/media/{kept}/huge").status_code == 404
    assert planner.get(f"/media/{'0' * 64}/full").status_code == 404


@pytest.mark.parametrize(
    "content", [b"<html><script>1</script></html>", b"<svg onload='x'/>", png()[:60], b"\x00"]
)
def test_what_is_no_picture_is_refused_whatever_its_name_says(planner, read, content):
    data = {"title": "海报", "lang": "zh", "alt": "x", "file": picture_file(content)}
    answer = planner.post("/library/new/poster", data=data)
    assert answer.status_code == 422
    assert read(answer).select_one("#file-error")


def test_a_video_needs_only_its_address_and_title(planner, read):
    data = {"title": "回放", "lang": "zh", "url": "https://www.bilibili.com/video/BV1xx411c7mD"}
    page = read(planner.get(planner.post("/library/new/video", data=data).location))
    link = page.select_one('a[target="_blank"]')
    assert link["href"].startswith("https://www.bilibili.com/video/BV1xx411c7mD")
    assert "noopener" in link["rel"]


def test_preview_and_pictures_work_without_a_script(planner, read):
    page = read(planner.post("/library/new/article", data=ARTICLE | {"do": "preview"}))
    assert "两小时" in page.select_one("[data-preview] .prose").text
    data = ARTICLE | {"do": "picture", "inline": picture_file(), "inline_alt": "课表"}
    page = read(planner.post("/library/new/article", data=data))
    assert "![课表](/media/" in page.select_one("textarea[name=body]").text
    empty = planner.post("/library/new/article", data=ARTICLE | {"do": "picture"})
    assert read(empty).select_one("#inline-error")
    assert session.scalar(select(Asset)) is None


def test_the_editors_own_requests_answer_in_their_shape(planner):
    preview = planner.post("/library/preview", data={"body": "**a** <script>x</script>"})
    assert "<strong>a</strong>" in preview.get_data(as_text=True)
    assert "<script>" not in preview.get_data(as_text=True)
    good = planner.post("/library/pictures", data={"file": picture_file()})
    assert good.json["address"].startswith("/media/")
    headers = {"X-Requested-With": "fetch"}
    bad = planner.post("/library/pictures", data={"file": picture_file(b"no")}, headers=headers)
    assert bad.status_code == 422
    assert set(bad.json) >= {"error", "message", "field", "request_id"}
    long = planner.post("/library/preview", data={"body": "x" * 200_001}, headers=headers)
    assert long.status_code == 422


def test_editing_saves_a_version_and_shows_the_difference(planner, read):
    planner.post("/library/new/article", data=ARTICLE)
    asset = only()
    page = read(planner.get(f"/library/{asset.id}/edit"))
    assert page.select_one("textarea[name=body]").text.strip() == ARTICLE["body"]
    changed = ARTICLE | {"body": "## 上午\n\n三小时。", "expected_number": "1"}
    assert planner.post(f"/library/{asset.id}/edit", data=changed).status_code == 302
    version = read(planner.get(f"/library/{asset.id}/versions/2"))
    assert "三小时" in version.select_one("ins").text
    assert "两小时" in version.select_one("del").text
    assert planner.get(f"/library/{asset.id}/versions/9").status_code == 404
    back = planner.post(f"/library/{asset.id}/versions/1/restore", data={"expected_number": "2"})
    assert back.status_code == 302
    assert assets.current(assets.get(asset.id)).body == ARTICLE["body"]
    read(planner.get(f"/library/{asset.id}/versions"))


def test_two_people_editing_lose_neither_text(planner, read):
    planner.post("/library/new/article", data=ARTICLE)
    asset = only()
    theirs = ARTICLE | {"body": "他们的文字", "expected_number": "1"}
    mine = ARTICLE | {"body": "我的文字", "expected_number": "1"}
    planner.post(f"/library/{asset.id}/edit", data=theirs)
    answer = planner.post(f"/library/{asset.id}/edit", data=mine)
    assert answer.status_code == 409
    page = read(answer)
    assert page.select_one("textarea[name=body]").text.strip() == "我的文字"
    assert "他们的文字" in page.select_one(".difference del").text
    number = page.select_one("[name=expected_number]")["value"]
    saved = planner.post(f"/library/{asset.id}/edit", data=mine | {"expected_number": number})
    assert saved.status_code == 302
    bodies = [version.body for version in assets.get(asset.id).versions]
    assert bodies == ["我的文字", "他们的文字", ARTICLE["body"]]


def test_an_asset_in_use_is_not_retired_and_the_posts_are_named(planner, read):
    asset = factories.asset()
    post = factories.post(asset=asset)
    for path, data in (("status", {"status": "retired"}), ("delete", {})):
        answer = planner.post(f"/library/{asset.id}/{path}", data=data)
        assert answer.status_code == 409
        refusal = read(answer).select_one('[role="alert"]')
        assert post.pool.name in refusal.text
    assert assets.get(asset.id).status is AssetStatus.READY
    assert planner.post(f"/library/{asset.id}/status", data={"status": "gone"}).status_code == 422


def test_an_unused_asset_is_retired_and_deleted(planner):
    asset = factories.asset()
    number = asset.id
    planner.post(f"/library/{number}/status", data={"status": "retired"})
    assert assets.get(number).status is AssetStatus.RETIRED
    planner.post(f"/library/{number}/delete")
    assert planner.get(f"/library/{number}").status_code == 404


def test_tags_are_put_on_taken_off_and_undone(planner, read):
    asset, tag = factories.asset(), factories.tag(name_zh="干货")
    planner.post(f"/library/{asset.id}/tags", data={"tag": "干货"})
    assert [link.tag_id for link in tags.of(asset)] == [tag.id]
    planner.post(f"/library/{asset.id}/tags/{tag.id}/remove")
    assert tags.of(asset) == []
    change = session.scalars(select(TagChange).order_by(TagChange.id.desc())).first()
    other = factories.asset()
    assert planner.post(f"/library/{other.id}/changes/{change.id}/undo").status_code == 404
    planner.post(f"/library/{asset.id}/changes/{change.id}/undo")
    assert [link.tag_id for link in tags.of(asset)] == [tag.id]
    page = read(planner.get(f"/library/{asset.id}"))
    assert "undone" in page.select_one("section[aria-labelledby=changes-name]").text
    assert planner.post(f"/library/{asset.id}/tags", data={"tag": "没有"}).status_code == 422
    read(planner.get(f"/library/{asset.id}/changes"))


def test_evidence_and_proposals_are_shown_in_words(planner, read):
    theme = factories.tag("theme", name_en="Salaries", name_zh="薪资")
    other = factories.tag("theme", name_en="Trust", name_zh="信任")
    asset = factories.asset(title="薪资是怎么谈的")
    with transaction():
        why = {"words": ["值得信赖"]}
        tags.apply(asset, other, source=TagSource.RULE, confidence=0.6, evidence=why, by=None)
    page = read(planner.get(f"/library/{asset.id}"))
    section = page.select_one("#tags")
    assert "值得信赖" in section.text
    assert "60" in section.text
    assert section.select_one(f'input[name=tag][value="{theme.slug}"]')


def test_tags_are_made_renamed_and_merged(planner, read):
    old, kept = factories.tag("theme", name_zh="旧"), factories.tag("theme", name_zh="新")
    asset = factories.asset(old)
    read(planner.get("/library/tags"))
    read(planner.get(f"/library/tags/{old.id}"))
    names = {"name_en": "Fresh", "name_zh": "新鲜", "aliases": "鲜货\nNew stuff"}
    assert planner.post(f"/library/tags/{old.id}", data=names).status_code == 302
    taken = planner.post(f"/library/tags/{old.id}", data=names | {"name_zh": "新"})
    assert taken.status_code == 422
    assert read(taken).select_one("#name_zh-error")
    merged = planner.post(f"/library/tags/{old.id}/merge", data={"into": str(kept.id)})
    assert merged.status_code == 302
    assert [link.tag_id for link in tags.of(asset)] == [kept.id]
    fresh = {"name_en": "Brand", "name_zh": "品牌", "group_id": str(kept.group_id)}
    assert planner.post("/library/tags/new", data=fresh).status_code == 302
    assert "brand" in read(planner.get("/library/tags")).text.casefold()
    assert planner.post("/library/tags/new", data=fresh).status_code == 422


def test_an_archive_is_rehearsed_then_imported(planner, read):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("a.md", "# 第一篇\n\n正文")
        packed.writestr("bad.md", "---\ntitle: [\n---\n")
    data = {"status": "ready", "name": "pack"}
    dry = data | {"dry_run": "y", "file": (io.BytesIO(out.getvalue()), "pack.zip")}
    page = read(planner.post("/library/import", data=dry))
    assert "What would happen" in page.text
    assert session.scalar(select(Asset)) is None
    wet = data | {"file": (io.BytesIO(out.getvalue()), "pack.zip")}
    page = read(planner.post("/library/import", data=wet))
    assert only().title == "第一篇"
    assert page.select_one("td.tone-brick")
    nothing = planner.post("/library/import", data=data | {"file": (io.BytesIO(b"x"), "x.zip")})
    assert nothing.status_code == 422


def test_a_cover_keeps_its_words_through_an_edit(planner, read):
    data = ARTICLE | {"file": picture_file(), "alt": "书桌"}
    planner.post("/library/new/article", data=data)
    asset = only()
    form = read(planner.get(f"/library/{asset.id}/edit"))
    sha = form.select_one("[name=picture]")["value"]
    assert media.by_sha(sha)
    again = ARTICLE | {"picture": sha, "alt": "书桌", "expected_number": "1"}
    planner.post(f"/library/{asset.id}/edit", data=again)
    assert assets.get(asset.id).latest_number == 1
