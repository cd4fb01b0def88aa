"""Tracked links, the page of a post and its pictures."""

from typing import Any

from flask import make_response, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue

from cms.core.errors import NotFound
from cms.core.text import clean_line
from cms.web.frame import settings
from cms.web.guard import public
from cms.web.reader import pages, visits
from cms.web.reader.area import bp
from content_library import media
from feedback import comments, reactions
from feedback.facts import seen_now
from feedback.recording import witness
from schedules import links, utm
from schedules.models import Publication, TrackedLink

PRIVATE = {"X-Robots-Tag": "noindex", "Cache-Control": "no-store"}
MONTH = 30 * 24 * 3600


@bp.get("/l/<code>")
@public
def follow(code: str) -> ResponseReturnValue:
    """Send the reader on; the click is on disk before the answer leaves, and counted later."""
    link = links.by_code(code)
    is_live = link is not None and links.is_open_now(link.publication)
    has_ended = link is not None and links.has_ended(link)
    kind = "open" if link is not None and link.target else "click"
    leads = link is not None and is_live and not has_ended
    _witness("link", kind, link.publication_id if link and leads else None, _code(link, code))
    if link is None or not is_live:
        return gone(link.publication.public_id if link else "")
    if has_ended:
        return _ended()
    answer = make_response(redirect(_destination(link), 302))
    answer.headers.update(PRIVATE)
    return visits.give_cookie(answer)


@bp.get("/p/<public_id>")
@public
def show_post(public_id: str) -> ResponseReturnValue:
    publication = pages.live(public_id)
    if publication is None:
        return gone(public_id)
    visit = visits.new_visit()
    _witness("page", "view", publication.id, visit=visit, seq=0)
    return page_answer(publication, visit=visit)


@bp.get("/p/<public_id>/more")
@public
def fall_for_it(public_id: str) -> ResponseReturnValue:
    """A link that no person can see: whoever follows it follows everything."""
    publication = links.live_publication(public_id)
    if publication is None:
        return gone()
    _witness("page", "trap", publication.id)
    return redirect(url_for("reader.show_post", public_id=public_id))


@bp.get("/m/<public_id>/<sha>/<rendition>")
@public
def picture(public_id: str, sha: str, rendition: str) -> ResponseReturnValue:
    """A picture of a live post, and no other."""
    publication = pages.live(public_id)
    found = pages.media_of(publication).get(sha) if publication else None
    if found is None or rendition == media.ORIGINAL:
        return gone()
    try:
        served = media.served(found, rendition)
    except NotFound:
        return gone()
    answer = send_file(served.path, mimetype=served.mime, max_age=MONTH, conditional=True)
    # A post may be withdrawn: only the reader's own browser keeps its pictures.
    answer.headers["Cache-Control"] = f"private, max-age={MONTH}, immutable"
    return answer


def page_answer(
    publication: Publication, *, visit: str, status: int = 200, **typed: Any
) -> ResponseReturnValue:
    """The page of a post; `typed`: a comment that came back with its fault."""
    visitor = visits.visitor()
    html = render_template(
        "reader/post.html",
        page=pages.page_of(publication),
        standings=reactions.standings(publication, visitor),
        comments=comments.shown(publication),
        limits={"text": comments.LONGEST, "name": comments.LONGEST_NAME},
        proof=visits.proof(publication.public_id),
        visit=visit,
        once=visits.new_visit(),
        typed=typed,
    )
    answer = make_response(html, status)
    answer.headers.update(PRIVATE)
    return visits.give_cookie(answer)


def gone(public_id: str = "") -> ResponseReturnValue:
    """The one answer for what does not exist and for what is not for readers.

    Whoever holds the address of a post that was taken back is told so.
    """
    taken_back = bool(public_id) and links.was_taken_back(public_id)
    page = render_template("reader/gone.html", taken_back=taken_back)
    answer = make_response(page, 410 if taken_back else 404)
    answer.headers.update(PRIVATE)
    return answer


def _code(link: TrackedLink | None, asked: str) -> str:
    """Taps on a link's name count like taps on its code."""
    return link.code if link is not None else clean_line(asked)


def _ended() -> ResponseReturnValue:
    """A link whose time is over says so, and nothing about what lay behind it."""
    answer = make_response(render_template("reader/gone.html", has_ended=True), 410)
    answer.headers.update(PRIVATE)
    return answer


def _destination(link: TrackedLink) -> str:
    """Only ever out of our own rows, and what our own rules add."""
    if link.target.startswith(("https://", "http://")):
        return utm.address_of(link)
    if settings().link_base_url != settings().base_url:  # a short domain has no pages of its own
        return links.reader_page_url(link.publication)
    return url_for("reader.show_post", public_id=link.publication.public_id)


def _witness(
    source: str, kind: str, publication_id: int | None, code: str = "", **props: Any
) -> None:
    visitor = visits.visitor()
    if visitor.assigned:
        props["assigned"] = visitor.assigned
    witness(
        seen_now(
            source,
            kind,
            publication_id,
            link_code=code,
            visitor_key=visitor.key,
            key_strength=visitor.strength,
            reasons=visits.reasons(),
            props=props,
        )
    )
