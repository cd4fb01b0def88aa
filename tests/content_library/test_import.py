"""Importing folders as Hugo, Jekyll and people without either write them; twice, broken, and hostile."""

import io
import zipfile
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from cms.core.db import session, transaction
from cms.core.errors import Invalid
from content_library import assets, tags
from content_library.importers import Archive, Folder, Options, Outcome, import_folder
from content_library.models import Asset, AssetStatus, TagSource
from content_library.vocabulary import TagFields, rename
from tests import factories
from tests.content_library.pictures import png

HUGO = """+++
title = "How to read a job offer"
date = 2026-03-01T08:00:00+08:00
tags = ["dry-goods", "Nobody knows"]
draft = false
+++
Look at the notice period first.

![Offer](images/offer.png)
"""
JEKYLL = """---
layout: post
title: 零基础能学会吗
tags: [干货]
categories: 信任
---
先看看自己每周有多少时间。
"""
PLAIN = "# 周末怎么安排\n\n早上两小时，晚上一小时。\n"


@pytest.fixture
def known(app: Flask):
    dry = factories.tag(slug="dry-goods", name_en="Dry goods", name_zh="干货")
    trust = factories.tag(slug="trust", name_en="Trust", name_zh="信任")
    return dry, trust


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "blog"
    (root / "posts" / "images").mkdir(parents=True)
    (root / "posts" / "offer.md").write_text(HUGO)
    (root / "posts" / "images" / "offer.png").write_bytes(png())
    (root / "_posts").mkdir()
    (root / "_posts" / "2026-01-02-ling.md").write_bytes(JEKYLL.encode("gb18030"))
    (root / "plain.md").write_text("\ufeff" + PLAIN)
    (root / "README.md").write_text("# Not an article")
    (root / ".git").mkdir()
    (root / ".git" / "x.md").write_text("# hidden")
    return root


def run(folder: Path, **options):
    return import_folder(Folder(folder), Options(**options))


def outcomes(report) -> dict[str, str]:
    return {str(result.path): result.outcome.value for result in report.results}


def test_hugo_jekyll_and_plain_files_become_articles(known, folder):
    report = run(folder, status=AssetStatus.READY)
    assert outcomes(report) == {
        "README.md": "skipped",
        "_posts/2026-01-02-ling.md": "created",
        "plain.md": "created",
        "posts/offer.md": "created",
    }
    by_title = {asset.title: asset for asset in session.scalars(select(Asset))}
    assert set(by_title) == {"How to read a job offer", "零基础能学会吗", "周末怎么安排"}
    assert {asset.lang for asset in by_title.values()} == {"zh", "en"}
    offer = assets.current(by_title["How to read a job offer"])
    assert 'src="/media/' in offer.html
    assert by_title["零基础能学会吗"].status is AssetStatus.READY
    assert report.unknown_tags == {"Nobody knows": 1}


def test_tags_are_matched_by_slug_name_and_alias_and_the_authors_word_counts(known, folder):
    dry, trust = known
    with transaction():
        rename(trust, TagFields("Trust", "可信", ("信任",)), by=None)
    run(folder)
    jekyll = session.scalar(select(Asset).where(Asset.title == "零基础能学会吗"))
    assert {link.tag_id for link in tags.of(jekyll)} == {dry.id, trust.id}
    assert {link.source for link in tags.of(jekyll)} == {TagSource.HUMAN}


def test_unknown_tags_are_created_only_when_asked_for(known, folder):
    report = run(folder, create_tags=True)
    assert report.created_tags == ["Nobody knows"]
    offer = session.scalar(select(Asset).where(Asset.lang == "en"))
    assert "topic" in {link.tag.group.slug for link in tags.of(offer)}


def test_importing_again_touches_nothing_that_did_not_change(known, folder):
    run(folder)
    before = {a.id: (a.latest_number, a.updated_at) for a in session.scalars(select(Asset))}
    again = run(folder)
    assert again.count(Outcome.UNCHANGED) == 3
    assert {a.id: (a.latest_number, a.updated_at) for a in session.scalars(select(Asset))} == before


def test_a_changed_file_and_a_changed_picture_each_make_one_new_version(known, folder):
    run(folder)
    (folder / "plain.md").write_text(PLAIN + "\n再加一段。\n")
    (folder / "posts" / "images" / "offer.png").write_bytes(png(colour="tomato"))
    report = run(folder)
    assert report.count(Outcome.UPDATED) == 2
    assert session.scalar(select(func.count(Asset.id))) == 3
    numbers = {asset.title: asset.latest_number for asset in session.scalars(select(Asset))}
    assert numbers == {"周末怎么安排": 2, "How to read a job offer": 2, "零基础能学会吗": 1}


def test_what_people_changed_here_outlives_an_import_of_the_same_file(known, folder):
    dry, _trust = known
    run(folder)
    planner = factories.user()
    offer = session.scalar(select(Asset).where(Asset.lang == "en"))
    with transaction():
        tags.withdraw(offer, dry, by=planner)
    path = folder / "posts" / "offer.md"
    path.write_text(HUGO.replace("notice period", "probation"))
    run(folder)
    assert tags.link(offer, dry) is None
    assert offer.latest_number == 2


def test_a_dry_run_writes_nothing_and_says_the_same(known, folder):
    report = run(folder, is_dry_run=True)
    assert session.scalar(select(func.count(Asset.id))) == 0
    assert outcomes(report) == outcomes(run(folder))


def test_one_bad_file_does_not_stop_the_others(known, folder):
    (folder / "a-bad.md").write_text("---\ntitle: [unclosed\n---\ntext")
    (folder / "b-empty.md").write_text("  \n")
    (folder / "c-binary.md").write_bytes(bytes(range(256)) * 9)
    (folder / "d-long.md").write_text("# T\n" + "x" * 200_001)
    report = run(folder)
    failed = {
        str(r.path): r.problems[0].code for r in report.results if r.outcome is Outcome.FAILED
    }
    assert set(failed) == {"a-bad.md", "b-empty.md", "c-binary.md", "d-long.md"}
    assert failed["a-bad.md"] == "bad_front_matter"
    assert failed["d-long.md"] == "content_too_long"
    assert report.count(Outcome.CREATED) == 3
    told = next(r.problems[0] for r in report.results if str(r.path) == "a-bad.md")
    assert told.params["line"] >= 1


def test_pictures_that_are_none_or_lie_outside_cost_only_themselves(known, folder):
    (folder.parent / "secret.png").write_bytes(png())
    (folder / "fake.png").write_text("<svg onload=alert(1)>")
    (folder / "x.md").write_text("# X\n\n![a](../secret.png) ![b](fake.png) ![c](none.png) text")
    (folder / "link.md").symlink_to(folder.parent / "outside.md")
    (folder.parent / "outside.md").write_text("# Outside")
    report = run(folder)
    result = next(r for r in report.results if str(r.path) == "x.md")
    assert result.outcome is Outcome.CREATED
    codes = sorted(problem.code for problem in result.problems)
    assert codes == ["image_missing", "image_missing", "not_an_image"]
    assert session.scalar(select(Asset).where(Asset.title == "Outside")) is None


def archive(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name.replace("__", "/") + ".md", content)
    return out.getvalue()


def test_an_archive_is_read_like_a_folder(app):
    content = archive(a__one=b"# One\n\ntext", two=b"# Two\n\ntext")
    report = import_folder(Archive(content, "pack"), Options())
    assert report.count(Outcome.CREATED) == 2


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"no zip", "bad_archive"),
        (b"PK\x03\x04" + b"\x00" * 50, "bad_archive"),
        (archive(bomb=b"0" * 30_000_000), "archive_too_large"),
    ],
)
def test_hostile_archives_are_refused(app, content, code):
    with pytest.raises(Invalid) as refused:
        Archive(content, "x")
    assert refused.value.fields["file"].code == code


def test_an_archive_that_lies_about_its_sizes_is_stopped_while_reading(app):
    content = bytearray(archive(bomb=b"0" * 900_000))
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = content.find(signature) + offset
        content[at : at + 4] = (100).to_bytes(4, "little")
    report = import_folder(Archive(bytes(content), "x"), Options())
    assert report.count(Outcome.FAILED) == 1
    assert session.scalar(select(func.count(Asset.id))) == 0


def test_paths_that_climb_out_of_an_archive_are_not_there(app):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("../../evil.md", "# Evil")
        packed.writestr("/etc/evil.md", "# Evil")
        packed.writestr("good.md", "# Good\n\ntext")
    report = import_folder(Archive(out.getvalue(), "x"), Options())
    assert outcomes(report) == {"good.md": "created"}


def test_the_command_reports_and_fails_when_a_file_failed(app, known, folder):
    runner = app.test_cli_runner()
    dry = runner.invoke(args=["assets", "import", str(folder), "--dry-run"])
    assert dry.exit_code == 0, dry.output
    assert "3 would be created" in dry.output
    assert "Nobody knows (1)" in dry.output
    (folder / "bad.md").write_text("---\ntitle: [\n---\n")
    done = runner.invoke(args=["assets", "import", str(folder), "--status", "ready"])
    assert done.exit_code == 1
    assert "bad_front_matter" in done.output
    assert session.scalar(select(func.count(Asset.id))) == 3
    assert runner.invoke(args=["assets", "import", str(folder), "--as", "nobody"]).exit_code == 1
