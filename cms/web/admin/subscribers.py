"""The list of an e-mail account: who is on it, adding by paste or file, and whom a letter reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from cms.accounts.permissions import Permission
from cms.core.db import transaction
from cms.core.errors import Invalid, NotFound, Problem, invalid
from cms.core.i18n import N_
from cms.core.limits import most
from cms.core.paging import page_number, paginate
from cms.core.text_encoding import decode
from cms.web.admin.views import bp
from cms.web.forms import say, takes
from cms.web.guard import actor, requires
from schedules import accounts, mailings, publications, subscribers
from schedules.addresses import Line
from schedules.models import ChannelAccount
from schedules.subscribers import Added

CHANNEL = "email"
PER_PAGE = 50
TOO_LARGE = N_("This file is larger than %(limit)s MB. Add the addresses in parts.")
BOTH = N_("Paste addresses or choose a file, one at a time.")
KNOWN = N_("on the list already")
LEFT = N_("left the list; only they can ask to come back")


@dataclass(frozen=True)
class Told:
    """One line that was not added, and why."""

    number: int
    text: str
    why: str


@bp.get("/accounts/<int:account_id>/subscribers")
@requires(Permission.SUBSCRIBER_WRITE)
def list_subscribers(account_id: int) -> ResponseReturnValue:
    return _show(_account(account_id), 200)


@bp.post("/accounts/<int:account_id>/subscribers")
@requires(Permission.SUBSCRIBER_WRITE)
@takes("lines", "file")
def add_subscribers(account_id: int) -> ResponseReturnValue:
    """Add what is new; lines that were not added come back with the reason beside them."""
    account = _account(account_id)
    pasted = request.form.get("lines", "")
    try:
        uploaded = _uploaded()
        if uploaded and pasted.strip():  # their lines would be counted together
            raise invalid("lines", "both_given", BOTH)
        with transaction():
            added = subscribers.add(account, uploaded or pasted, by=actor())
    except Invalid as error:
        [fault, *_] = error.fields.values()
        return _show(account, 422, typed=pasted, fault=fault)
    if not added.bad and not added.left:
        flash(_words(added), "success")
        return redirect(url_for("admin.list_subscribers", account_id=account_id))
    return _show(account, 422, typed="\n".join(line.text for line in added.bad), added=added)


@bp.post("/accounts/<int:account_id>/subscribers/<int:subscriber_id>/remove")
@requires(Permission.SUBSCRIBER_WRITE)
@takes()
def remove_subscriber(account_id: int, subscriber_id: int) -> ResponseReturnValue:
    with transaction():
        subscriber = subscribers.get(_account(account_id), subscriber_id)
        subscribers.remove(subscriber, by=actor())
    flash(_("%(address)s gets no more letters.", address=subscriber.address), "success")
    return redirect(url_for("admin.list_subscribers", account_id=account_id))


@bp.post("/accounts/<int:account_id>/subscribers/<int:subscriber_id>/let-back")
@requires(Permission.SUBSCRIBER_WRITE)
@takes()
def let_subscriber_back(account_id: int, subscriber_id: int) -> ResponseReturnValue:
    """Somebody who left has asked to have the letters again; the audit trail names who says so."""
    with transaction():
        subscriber = subscribers.get(_account(account_id), subscriber_id)
        subscribers.let_back(subscriber, by=actor())
    flash(_("%(address)s is on the list again.", address=subscriber.address), "success")
    return redirect(url_for("admin.list_subscribers", account_id=account_id))


@bp.get("/accounts/<int:account_id>/letters/<int:publication_id>")
@requires(Permission.SUBSCRIBER_WRITE)
def show_letters(account_id: int, publication_id: int) -> ResponseReturnValue:
    """Whom one post reached as a letter, and whom it did not."""
    account = _account(account_id)
    publication = publications.get(publication_id)
    if publication.account_id != account.id:
        raise NotFound("publication")
    number = page_number(request.args.get("page"))
    page = paginate(mailings.unreached(publication_id), number=number, per_page=PER_PAGE)
    return render_template(
        "admin/letters.html",
        account=account,
        publication=publication,
        tally=mailings.tally(publication_id),
        page=page,
        addresses=mailings.addresses(page.rows),
    )


def _account(account_id: int) -> ChannelAccount:
    account = accounts.get(account_id)
    if account.channel != CHANNEL:
        raise NotFound("list")
    return account


def _uploaded() -> str:
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        return ""
    limit = most("import_file_bytes")
    content = upload.stream.read(limit + 1)
    if len(content) > limit:
        raise invalid("file", "file_too_large", TOO_LARGE, limit=limit // 1_048_576)
    return decode(content)


def _show(
    account: ChannelAccount,
    status: int,
    *,
    typed: str = "",
    fault: Problem | None = None,
    added: Added | None = None,
) -> ResponseReturnValue:
    search, has_left = request.args.get("q", "")[:254], request.args.get("left") == "1"
    found = subscribers.of_account(account, search=search, left=has_left)
    return render_template(
        "admin/subscribers.html",
        account=account,
        page=paginate(found, number=page_number(request.args.get("page")), per_page=PER_PAGE),
        numbers=subscribers.numbers(account),
        search=search,
        has_left=has_left,
        typed=typed,
        fault=say(fault) if fault else "",
        summary=_words(added) if added else "",
        told=_told(added) if added else [],
        limit=subscribers.MOST_LINES,
    ), status


def _words(added: Added) -> str:
    said = ngettext("%(num)s added.", "%(num)s added.", added.added)
    if added.known:
        known = ngettext(
            "%(num)s was on the list already.",
            "%(num)s were on the list already.",
            len(added.known),
        )
        return f"{said} {known}"
    return said


def _told(added: Added) -> Sequence[Told]:
    """Every line that was not added, in the order of the text."""
    bad = (Told(line.number, line.text, say(line.problem)) for line in added.bad if line.problem)
    left, known = _lines(added.left, _(LEFT)), _lines(added.known, _(KNOWN))
    return sorted(chain(bad, left, known), key=lambda told: told.number)


def _lines(lines: Sequence[Line], why: str) -> Sequence[Told]:
    return [Told(line.number, line.address, why) for line in lines]
