"""The next twenty-four hours on one page: what goes out, what will be late, what stays, and why."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _

from cms.accounts.permissions import Permission
from cms.core.errors import invalid
from cms.core.i18n import N_
from cms.core.paging import Page, page_number
from cms.web.forms import say
from cms.web.guard import requires
from cms.web.today.views import bp
from schedules import dry_run
from schedules.dry_run import Line, Verdict

PER_PAGE = 60
NAMES = {
    Verdict.GOES: _("Go out on time"),
    Verdict.LATE: _("Will be late"),
    Verdict.STAYS: _("Will not go out"),
}


@bp.get("/next")
@requires(Permission.CALENDAR_READ)
def next_hours() -> ResponseReturnValue:
    verdict = _verdict(request.args.get("verdict"))
    number = page_number(request.args.get("page"))
    found = dry_run.forecast()
    lines = found.of(verdict)
    page = Page(lines[(number - 1) * PER_PAGE : number * PER_PAGE], number, PER_PAGE, len(lines))
    return render_template(
        "today/next.html",
        forecast=found,
        page=page,
        rows=[(line, _reasons(line)) for line in page.rows],
        verdict=verdict,
        names=NAMES,
        counts=found.counts,
    )


def _reasons(line: Line) -> list[str]:
    return list(dict.fromkeys(say(problem) for problem in line.reasons))


def _verdict(text: str | None) -> Verdict | None:
    if not text:
        return None
    if text not in set(Verdict):
        allowed = ", ".join(Verdict)
        raise invalid("verdict", "bad_filter", N_("Choose one of: %(allowed)s."), allowed=allowed)
    return Verdict(text)
