"""Imports a folder of Markdown files with or without front matter: each file an article, once."""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from sqlalchemy import select

from cms.accounts.models import User
from cms.core.config import current
from cms.core.db import session, transaction
from cms.core.errors import Invalid, Problem, SeedbedError
from cms.core.i18n import N_
from cms.core.images import inspect
from content_library import assets, front_matter, media, taggers, tags, vocabulary
from content_library.front_matter import Parsed
from content_library.importers.report import FileResult, Outcome, Report
from content_library.importers.sources import Source, picture_limit, text_limit
from content_library.kinds import KINDS, AssetFields, MediaUse
from content_library.media import Prepared
from content_library.models import Asset, AssetStatus, Tag, TagChange
from content_library.vocabulary import TagFields

SUFFIXES = frozenset({".md", ".markdown", ".mdown"})
SECTION_PAGES = frozenset({"_index.md", "readme.md", "license.md", "changelog.md"})
STATIC_FOLDERS = ("", "static", "assets", "public")
TOPIC_GROUP = "topic"
LONGEST_KEY = 300

_MARKDOWN_IMAGE = re.compile(r"!\[[^\]]*\]\(\s*<?([^)\s>]+)")
_HTML_IMAGE = re.compile(r"<img\b[^>]*?\bsrc\s*=\s*[\"']?([^\"'\s>]+)", re.IGNORECASE)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)

Progress = Callable[[int, int, FileResult], object]


@dataclass(frozen=True)
class Options:
    """How to import. `status` is what new assets become unless their file calls them drafts."""

    status: AssetStatus = AssetStatus.DRAFT
    create_tags: bool = False
    is_dry_run: bool = False
    by: User | None = None


@dataclass(frozen=True)
class _File:
    """One file read, with the bytes of the pictures it shows."""

    path: PurePosixPath
    key: str
    parsed: Parsed
    digest: str
    pictures: dict[str, bytes]  # address as written -> bytes
    problems: tuple[Problem, ...]


def import_folder(
    source: Source,
    options: Options,
    *,
    progress: Progress = lambda done, total, result: None,
) -> Report:
    """Import every Markdown file of the source, each in a transaction of its own.

    A file that fails is reported and the others go on. A file imported before is left alone unless
    it, or a picture in it, has changed: then its asset gets a new version.
    """
    paths = [path for path in source.paths() if path.suffix.lower() in SUFFIXES]
    report = Report(source.name, options.is_dry_run)
    for done, path in enumerate(paths, start=1):
        result = _import_file(source, path, options, report)
        report.results.append(result)
        progress(done, len(paths), result)
    return report


def _import_file(
    source: Source, path: PurePosixPath, options: Options, report: Report
) -> FileResult:
    if path.name.lower() in SECTION_PAGES:
        return FileResult(path, Outcome.SKIPPED)
    title = ""
    try:
        file = _read(source, path)
        title = file.parsed.title
        known = assets.by_source_key(file.key)
        if known is not None and known.source_digest == file.digest:
            return FileResult(path, Outcome.UNCHANGED, title, known.id)
        if options.is_dry_run:
            return _rehearse(file, known, report)
        return _write(file, options, report)
    except SeedbedError as error:
        faults = tuple(error.fields.values()) if isinstance(error, Invalid) else (error.problem,)
        return FileResult(path, Outcome.FAILED, title, problems=faults)


def _read(source: Source, path: PurePosixPath) -> _File:
    content = source.read(path, text_limit())
    parsed = front_matter.parse(content, file_name=path.name, zone=ZoneInfo(current().timezone))
    digest = hashlib.sha256(content)
    pictures: dict[str, bytes] = {}
    problems: list[Problem] = []
    for address in _addresses(parsed):
        place = _find(source, path, address)
        if place is None:
            problems.append(_missing(address))
            continue
        try:
            pictures[address] = source.read(place, picture_limit())
        except Invalid as error:
            problems.append(_about(address, error))
            continue
        digest.update(hashlib.sha256(pictures[address]).digest())
    return _File(path, _key(source, path), parsed, digest.hexdigest(), pictures, tuple(problems))


def _addresses(parsed: Parsed) -> Iterator[str]:
    """The pictures that the text and the front matter name by a path."""
    found = _MARKDOWN_IMAGE.findall(parsed.body) + _HTML_IMAGE.findall(parsed.body)
    if parsed.cover:
        found.append(parsed.cover)
    for address in dict.fromkeys(found):
        if not _ELSEWHERE.match(address) and not address.startswith("/media/"):
            yield address


def _find(source: Source, path: PurePosixPath, address: str) -> PurePosixPath | None:
    """The file an address means: beside the text, or below a folder that site makers serve from."""
    plain = unquote(address.split("?", maxsplit=1)[0].split("#", maxsplit=1)[0])
    roots = [] if plain.startswith("/") else [path.parent]
    roots += [PurePosixPath(folder) for folder in STATIC_FOLDERS]
    for root in roots:
        place = _normal(root / plain.lstrip("/"))
        if place is not None and source.has(place):
            return place
    return None


def _normal(path: PurePosixPath) -> PurePosixPath | None:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            if not parts:
                return None  # leads out of the folder
            parts.pop()
        elif part != ".":
            parts.append(part)
    return PurePosixPath(*parts)


def _key(source: Source, path: PurePosixPath) -> str:
    # A name may hold bytes that are no text; a database takes text only.
    key = f"{source.name}/{path}".encode("utf-8", "replace").decode()
    if len(key) <= LONGEST_KEY:
        return key
    return f"{source.name[:100]}/{hashlib.sha256(key.encode()).hexdigest()}"


def _missing(address: str) -> Problem:
    return Problem(
        "image_missing", N_("There is no picture %(address)s."), {"address": address[:80]}
    )


def _rehearse(file: _File, known: Asset | None, report: Report) -> FileResult:
    """Everything that could go wrong, without a trace."""
    problems = list(file.problems)
    for address, content in file.pictures.items():
        try:
            inspect(content)
        except Invalid as error:
            problems.append(_about(address, error))
    KINDS.get("article").compose(_fields(file, {}, {}))
    report.unknown_tags.update(_unknown(file))
    outcome = Outcome.UPDATED if known else Outcome.CREATED
    return FileResult(
        file.path, outcome, file.parsed.title, known.id if known else None, tuple(problems)
    )


def _write(file: _File, options: Options, report: Report) -> FileResult:
    prepared, problems = _prepare(file)
    with transaction():
        known = assets.by_source_key(file.key)
        kept = {address: media.keep(one, by=options.by) for address, one in prepared.items()}
        fields = _fields(file, {address: one.sha256 for address, one in kept.items()}, kept)
        if known is None:
            is_draft = file.parsed.draft or options.status is AssetStatus.DRAFT
            status = AssetStatus.DRAFT if is_draft else options.status
            asset = assets.create(
                "article", fields, by=options.by, status=status, source_key=file.key
            )
        else:
            asset = known
            assets.revise(asset, fields, expected_number=asset.latest_number, by=options.by)
        asset.source_digest = file.digest
        _tag(asset, file, options, report)
        outcome = Outcome.UPDATED if known else Outcome.CREATED
        told = assets.problems_told(assets.current(asset))
        asset_id = asset.id
    kinds = {problem.params.get("address") for problem in problems}
    problems += [one for one in told if one.params.get("address") not in kinds]
    return FileResult(file.path, outcome, file.parsed.title, asset_id, tuple(problems))


def _prepare(file: _File) -> tuple[dict[str, Prepared], list[Problem]]:
    """The pictures decoded before any transaction opens; a bad one costs the text only itself."""
    prepared: dict[str, Prepared] = {}
    problems = list(file.problems)
    for address, content in file.pictures.items():
        try:
            prepared[address] = media.prepare(content, PurePosixPath(address).name)
        except Invalid as error:
            problems.append(_about(address, error))
    return prepared, problems


def _about(address: str, error: Invalid) -> Problem:
    """What is wrong with a picture, and with which; whoever tells it puts the address before it."""
    params = {**error.problem.params, "address": address[:80]}
    return Problem(error.problem.code, error.problem.message, params)


def _fields(file: _File, images: dict[str, str], kept: dict[str, media.Media]) -> AssetFields:
    parsed = file.parsed
    cover = kept.get(parsed.cover) if parsed.cover else None
    return AssetFields(
        title=parsed.title,
        summary=parsed.summary,
        body=parsed.body,
        lang=parsed.lang,
        images=images,
        cover=MediaUse(cover, "cover", parsed.title) if cover else None,
        source=str(parsed.extra.get("source", ""))[:200],
        rights=str(parsed.extra.get("license", ""))[:200],
    )


def _words(file: _File) -> list[str]:
    return list(dict.fromkeys((*file.parsed.tags, *file.parsed.categories)))


def _unknown(file: _File) -> list[str]:
    words = _words(file)
    known = vocabulary.matches(words)
    return [word for word in words if word not in known]


def _tag(asset: Asset, file: _File, options: Options, report: Report) -> None:
    """The file's own tags, as its author's word; then what the words speak for, as a rule's."""
    words = _words(file)
    known = vocabulary.matches(words)
    unknown = [word for word in words if word not in known]
    if options.create_tags:
        known |= {word: _new_tag(word, options.by) for word in unknown}
        report.created_tags += unknown
    else:
        report.unknown_tags.update(unknown)
    spoken = set(session.scalars(select(TagChange.tag_id).where(TagChange.asset_id == asset.id)))
    for tag in {tag.id: tag for tag in known.values()}.values():
        # What was put on or taken off here since the last import counts more than the old file.
        if tag.id not in spoken:
            tags.apply(asset, tag, by=options.by, evidence={"imported": str(file.path)})
    taggers.tag_automatically(asset)


def _new_tag(word: str, by: User | None) -> Tag:
    group = vocabulary.ensure_group(TOPIC_GROUP, name_en="Topic", name_zh="话题", position=90)
    slug = vocabulary.slug_for(word) or f"topic-{hashlib.sha256(word.encode()).hexdigest()[:10]}"
    return vocabulary.create(group, TagFields(word[:80], word[:80]), by=by, slug=slug)
