"""Where alerts are told: e-mail addresses and signed webhooks, kept by administrators."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, delete, func, select

from cms.accounts import audit
from cms.accounts.models import User
from cms.core import mail, sealing, signing
from cms.core.addresses import AddressNotAllowed
from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import Invalid, NotFound, invalid
from cms.core.i18n import N_
from cms.core.limits import most
from schedules.channels import calling
from schedules.models import Alert, AlertNotice, AlertRoute
from schedules.states import AlertState, RouteKind

MOST_ROUTES = 30
BOTH_SIGN_FOR = timedelta(days=1)  # after a new secret: time to carry it to the receiver
LANGUAGES = ("en", "zh")


@dataclass(frozen=True)
class RouteFields:
    """A checked wish for a route."""

    kind: RouteKind
    address: str
    lang: str


def get(route_id: int) -> AlertRoute:
    """The route of that number; raises NotFound."""
    found = session.get(AlertRoute, route_id)
    if found is None:
        raise NotFound("route")
    return found


def in_order() -> Select[AlertRoute]:
    """All routes, the oldest first."""
    return select(AlertRoute).order_by(AlertRoute.id)


def checked(kind: str, address: str, lang: str) -> RouteFields:
    """What was typed, judged. It may look a name up, so no transaction may be open.

    Raises Invalid: `bad_choice`, `no_mail_server`, `bad_address`, `address_not_allowed`.
    """
    if kind not in set(RouteKind) or lang not in LANGUAGES:
        field = "lang" if kind in set(RouteKind) else "kind"
        raise invalid(field, "bad_choice", N_("Choose one of those offered."))
    if RouteKind(kind) is RouteKind.EMAIL:
        return RouteFields(RouteKind.EMAIL, _mailbox(address), lang)
    return RouteFields(RouteKind.WEBHOOK, _site(address), lang)


def add(fields: RouteFields, *, by: User) -> tuple[AlertRoute, str]:
    """Add a route; a webhook's signing secret is answered here and never shown again."""
    if (session.scalar(select(func.count()).select_from(AlertRoute)) or 0) >= MOST_ROUTES:
        raise invalid("address", "too_many", N_("There are %(most)s already."), most=MOST_ROUTES)
    secret = signing.new_secret() if fields.kind is RouteKind.WEBHOOK else ""
    route = AlertRoute(
        kind=fields.kind,
        address=fields.address,
        lang=fields.lang,
        sealed=sealing.seal({"secret": secret}) if secret else "",
        created_at=now(),
    )
    session.add(route)
    session.flush()  # the audit trail needs the id
    audit.record("alert_route.added", route, by=by, kind=route.kind.value, to=_shown(route))
    return route, secret


def renew_secret(route: AlertRoute, *, by: User) -> str:
    """A new signing secret, answered once; for a day the old one signs as well."""
    if route.kind is not RouteKind.WEBHOOK:
        raise invalid("route", "bad_choice", N_("Only webhooks are signed."))
    secret = signing.new_secret()
    until = (now() + BOTH_SIGN_FOR).isoformat()
    before = sealing.unseal(route.sealed).get("secret", "")
    route.sealed = sealing.seal({"secret": secret, "before": before, "until": until})
    audit.record("alert_route.secret_renewed", route, by=by)
    return secret


def secrets_of(route: AlertRoute) -> list[str]:
    """What signs for the route now, the newest first. Raises Unopenable."""
    known = sealing.unseal(route.sealed)
    found = [known.get("secret", "")]
    if known.get("before") and datetime.fromisoformat(known["until"]) > now():
        found.append(known["before"])
    return [secret for secret in found if secret]


def pause(route: AlertRoute, *, by: User | None, reason: str = "") -> None:
    """Nothing is told here until it is resumed."""
    if not route.is_active:
        return
    route.is_active = False
    _forget_waiting(route)
    said = {"reason": reason} if reason else {}
    audit.record("alert_route.paused", route, by=by, **said)


def resume(route: AlertRoute, *, by: User) -> None:
    """It hears of what is open now and of what comes."""
    if route.is_active:
        return
    route.is_active, route.last_fault = True, ""
    still_open = select(Alert.id).where(Alert.open_cause.is_not(None))
    forget_given_up(AlertNotice.route_id == route.id, AlertNotice.alert_id.in_(still_open))
    audit.record("alert_route.resumed", route, by=by)


def remove(route: AlertRoute, *, by: User) -> None:
    """It is told nothing any more, and forgotten."""
    audit.record("alert_route.removed", route, by=by, kind=route.kind.value, to=_shown(route))
    session.delete(route)


def forget_given_up(*which: ColumnElement[bool]) -> None:
    """What could not be told counts as never given, so that it is given anew."""
    session.execute(
        delete(AlertNotice)
        .where(AlertNotice.state == AlertState.GIVEN_UP, *which)
        .execution_options(synchronize_session=False)
    )


def _forget_waiting(route: AlertRoute) -> None:
    session.execute(
        delete(AlertNotice).where(
            AlertNotice.route_id == route.id, AlertNotice.state == AlertState.WAITING
        )
    )


def _mailbox(address: str) -> str:
    if not mail.is_configured():
        raise invalid(
            "kind",
            "no_mail_server",
            N_("No mail server is set. Whoever runs this installation sets SEEDBED_SMTP_URL."),
        )
    found = mail.clean_address(address)
    if found is None:
        raise invalid("address", "bad_address", N_("Write an address such as wei@example.com."))
    return found


def _site(address: str) -> str:
    url = address.strip()
    if len(url) > min(500, most("link_characters")):
        raise invalid("address", "bad_address", N_("The address is too long."))
    try:
        calling.check_address(url)
    except AddressNotAllowed as error:
        raise Invalid({"address": error.problem}) from None
    return url


def _shown(route: AlertRoute) -> str:
    """The address for the trail; what follows the host may be a receiver's secret."""
    if route.kind is RouteKind.EMAIL:
        return route.address
    return "/".join(route.address.split("/")[:3])
