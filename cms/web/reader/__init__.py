"""The public pages: tracked links, posts, feeds and reactions; nobody signs in here.

Readers have no server-side session, so the form token that is kept in sessions cannot guard these
forms. They carry their own proof instead (`visits.is_own_form`): a double-submitted fingerprint of
the first-party cookie, and the origin that the browser states. Leaving a list asks for no proof but
the token in the letter: mail programs do it with one click, without a page.
"""

from flask.blueprints import BlueprintSetupState

from cms.web.reader import acts, feeds, unsubscribe, views
from cms.web.reader.area import bp

__all__ = ["acts", "bp", "feeds", "unsubscribe", "views"]


@bp.record_once
def _take_own_guard(state: BlueprintSetupState) -> None:
    state.app.extensions["csrf"].exempt(bp)
