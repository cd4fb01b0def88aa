"""Makes an account's form out of what its channel asks for; secrets travel in, never out."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, TypeVar

from flask_babel import gettext
from wtforms import BooleanField, Field, PasswordField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

from audience import personas, pools
from cms.core.db import session
from cms.core.errors import Invalid
from cms.web.admin.forms import AccountForm, ConnectionForm
from cms.web.forms import Form
from schedules import accounts, credentials
from schedules.channels import Channel
from schedules.channels.answers import Field as Asked
from schedules.credentials import Judged
from schedules.models import ChannelAccount

OWN = "own_"
FORGET = "forget_"
NOBODY = 0

Made = TypeVar("Made", bound=Form)


@dataclass(frozen=True)
class Own:
    """One of the channel's own fields, as the template draws it."""

    asked: Asked
    field: Field
    is_kept: bool  # a secret that is stored already
    forget: Field | None  # the box that throws an optional secret away


def account_form(channel: Channel, account: ChannelAccount | None) -> AccountForm:
    """The form of a new account, or of one that exists."""
    form = _made(AccountForm, channel, account)
    people = session.scalars(personas.in_order().limit(500))
    form.persona_id.choices = [
        SelectChoice(NOBODY, gettext("Nobody")),
        *(SelectChoice(one.id, one.name) for one in people),
    ]
    reachable = session.scalars(pools.in_order().limit(1000))
    form.pool_ids.choices = [SelectChoice(pool.id, pool.name) for pool in reachable]
    if not form.is_submitted():
        form.per_minute.data = (
            account.per_minute if account else accounts.usual_per_minute(channel.slug)
        )
        form.pool_ids.data = [pool.id for pool in account.pools] if account else []
        form.persona_id.data = (account.persona_id if account else None) or NOBODY
    return form


def connection_form(channel: Channel, account: ChannelAccount) -> ConnectionForm:
    """The channel's own fields, every secret to be entered anew."""
    return _made(ConnectionForm, channel, account)


def own_fields(form: Form, channel: Channel, kept: Collection[str] = ()) -> list[Own]:
    """The channel's own fields with their inputs, in the channel's order."""
    return [
        Own(one, form[OWN + one.name], one.name in kept, _forget_box(form, one, kept))
        for one in channel.fields
    ]


def judged(form: Form, channel: Channel, kept: Collection[str] = ()) -> Judged:
    """What was typed into the channel's own fields. Raises Invalid, naming fields of the form."""
    given = {one.name: _text(form[OWN + one.name].data) for one in channel.fields}
    try:
        return credentials.judged(channel, given, kept=set(kept) - set(forgotten(form, channel)))
    except Invalid as error:
        raise Invalid({OWN + name: problem for name, problem in error.fields.items()}) from None


def forgotten(form: Form, channel: Channel) -> list[str]:
    """The optional secrets that are to be thrown away, unless new ones were typed."""
    return [
        one.name
        for one in channel.fields
        if FORGET + one.name in form
        and form[FORGET + one.name].data
        and not form[OWN + one.name].data
    ]


def kept_secrets(account: ChannelAccount | None) -> frozenset[str]:
    """The names of the secrets that are stored and can be opened."""
    return frozenset(credentials.opened(account) or ()) if account else frozenset()


def _made(base: type[Made], channel: Channel, account: ChannelAccount | None) -> Made:
    shown = credentials.texts(channel, account.settings if account else {})
    members: dict[str, Any] = {OWN + one.name: _input(one) for one in channel.fields}
    for one in channel.fields:
        if one.is_secret and not one.is_required:
            members[FORGET + one.name] = BooleanField(gettext("Throw the stored one away"))
    made = type(base.__name__, (base,), members)
    form: Made = made(obj=account, data={OWN + name: text for name, text in shown.items()})
    return form


def _input(one: Asked) -> Any:
    label = gettext(one.label)
    if one.is_secret:
        return PasswordField(
            label, render_kw={"autocomplete": "new-password", "spellcheck": "false"}
        )
    match one.kind:
        case "choice":
            offered = [] if one.is_required or one.default else [SelectChoice("", "–")]
            offered += [SelectChoice(value, gettext(word)) for value, word in one.choices]
            return SelectField(label, choices=offered)
        case "flag":
            return BooleanField(label, false_values=(False, "", "false"))
        case "list":
            return TextAreaField(label, render_kw={"rows": "3"})
    mode = {"inputmode": _mode(one)} if _mode(one) else {}
    return StringField(label, render_kw={"spellcheck": "false", **mode})


def _mode(one: Asked) -> str:
    if one.kind == "number":
        return "numeric"
    return "url" if credentials.is_address(one) else ""


def _text(entered: Any) -> str:
    return ("yes" if entered else "") if isinstance(entered, bool) else str(entered or "")


def _forget_box(form: Form, one: Asked, kept: Collection[str]) -> Field | None:
    name = FORGET + one.name
    return form[name] if name in form and one.name in kept else None
