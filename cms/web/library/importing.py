"""Importing an archive of Markdown files: what would happen, then what happened."""

from pathlib import PurePosixPath

from flask import render_template
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from cms.accounts.permissions import Permission
from cms.core.errors import Invalid, Problem, invalid
from cms.core.i18n import N_
from cms.core.limits import most
from cms.core.text import clean_line
from cms.web.forms import say, show_faults
from cms.web.guard import actor, requires
from cms.web.library.blueprint import bp
from cms.web.library.forms import ImportForm
from content_library.importers import Archive, Options, Report, import_folder, picture_of
from content_library.models import AssetStatus


@bp.route("/library/import", methods=["GET", "POST"])
@requires(Permission.ASSET_IMPORT)
def import_archive() -> ResponseReturnValue:
    form = ImportForm()
    if not form.validate_on_submit():
        return _show(form, None, 422 if form.is_submitted() else 200)
    try:
        report = _import(form)
    except Invalid as error:
        show_faults(form, error)
        return _show(form, None, 422)
    return _show(form, report)


def _import(form: ImportForm) -> Report:
    upload = form.file.data
    if not isinstance(upload, FileStorage) or not upload.filename:
        raise invalid("file", "file_missing", N_("Choose a file to upload."))
    content = upload.stream.read(most("upload_bytes") + 1)
    if len(content) > most("upload_bytes"):
        raise invalid(
            "file",
            "file_too_large",
            N_("This archive is larger than %(limit)s MB. Import it with the command instead."),
            limit=most("upload_bytes") // 1_048_576,
        )
    name = clean_line(form.name.data or "") or PurePosixPath(upload.filename).stem
    options = Options(
        status=AssetStatus(form.status.data),
        create_tags=bool(form.create_tags.data),
        is_dry_run=bool(form.dry_run.data),
        by=actor(),
    )
    return import_folder(Archive(content, name[:100]), options)


def _show(form: ImportForm, report: Report | None, status: int = 200) -> ResponseReturnValue:
    lines = [
        {
            "path": str(result.path),
            "outcome": result.outcome.value,
            "title": result.title,
            "asset_id": result.asset_id,
            "problems": [_told(problem) for problem in result.problems],
        }
        for result in (report.results if report else [])
    ]
    page = render_template("library/import.html", form=form, report=report, lines=lines)
    return page, status


def _told(problem: Problem) -> str:
    picture = picture_of(problem)
    return f"{picture}: {say(problem)}" if picture else say(problem)
