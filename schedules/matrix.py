"""What each carrier can do, put into words out of the channels' own declarations; nothing is typed twice."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cms.core.errors import Problem as Phrase
from cms.core.i18n import N_
from cms.core.text import Unit
from schedules.channels import CHANNELS, Channel
from schedules.channels.answers import Confirmation, Field, Gives, How, Limits, Repeat, Takes

TEXT = {
    Unit.CHARACTERS: N_("%(count)s characters"),
    Unit.BYTES: N_("%(count)s bytes"),
    Unit.UTF16: N_("%(count)s units (an emoji counts two)"),
}
PICTURES = N_("%(count)s, up to %(size)s MB each (%(formats)s)")
NO_PICTURES = N_("none")
PER_MINUTE = N_("%(count)s a minute")
PER_SECOND = N_("%(count)s a minute, %(second)s a second")
ALSO = {
    Takes.ARTICLE: N_("articles"),
    Takes.VIDEO: N_("video"),
    Takes.LINK: N_("links"),
}
REPEATS = {
    Repeat.KEYED: N_("Sending twice is harmless, so it is sent again."),
    Repeat.QUERY: N_("The carrier can be asked, so it is asked first."),
    Repeat.NEVER: N_("A person looks and decides."),
}
CONFIRMS = {
    Confirmation.NOBODY: N_("nobody: its answer is enough"),
    Confirmation.CARRIER: N_("the carrier, a while later"),
    Confirmation.EMPLOYEES: N_("each employee, in the carrier's app"),
    Confirmation.ADMINISTRATOR: N_("an administrator at the carrier"),
    Confirmation.PERSON: N_("a member of the team, with proof"),
}
METRICS = {
    Gives.CLICK: N_("Clicks"),
    Gives.COLLECT: N_("Collected"),
    Gives.COMMENT: N_("Comments"),
    Gives.LIKE: N_("Likes"),
    Gives.SHARE: N_("Shares"),
    Gives.CONVERSION: N_("Conversions"),
    Gives.DELIVERY: N_("Delivery"),
}
HOWS = {
    How.OWN_LINK: N_("own link"),
    How.PULL: N_("asked for"),
    How.CALLBACK: N_("told by the carrier"),
}
CHANGES = {
    (True, True): N_("can be changed and taken back"),
    (True, False): N_("can be changed"),
    (False, True): N_("can be taken back"),
    (False, False): N_("stays as it is"),
}


@dataclass(frozen=True)
class Row:
    """One carrier in words."""

    slug: str
    name: str  # English, marked
    text: Phrase
    pictures: Phrase
    also: tuple[str, ...]  # marked
    repeat: str
    repeat_class: str
    confirms: str
    pace: Phrase | None  # what the carrier allows one account
    changes: str
    gives: Mapping[Gives, str]  # marked; what is missing cannot be known
    needs: str
    fields: tuple[Field, ...]


def rows() -> Iterator[Row]:
    """Every channel, in the order in which they are offered; those for trying out too."""
    return (_row(channel) for channel in CHANNELS)


def _row(channel: Channel) -> Row:
    repeat = channel.repeat_for({})
    return Row(
        slug=channel.slug,
        name=channel.name,
        text=_text(channel.limits),
        pictures=_pictures(channel),
        also=tuple(word for what, word in ALSO.items() if what in channel.takes),
        repeat=REPEATS[repeat],
        repeat_class=repeat.value,
        confirms=CONFIRMS[channel.confirmation_for({})],
        pace=_pace(channel.limits),
        changes=CHANGES[channel.can_amend, channel.can_withdraw],
        gives={what: HOWS[how] for what, how in channel.gives.items()},
        needs=channel.needs,
        fields=channel.fields,
    )


def _text(limits: Limits) -> Phrase:
    return Phrase("text", TEXT[limits.unit], {"count": f"{limits.text:,}"})


def _pictures(channel: Channel) -> Phrase:
    limits = channel.limits
    if not limits.pictures or Takes.PICTURES not in channel.takes:
        return Phrase("pictures", NO_PICTURES)
    told = {
        "count": limits.pictures,
        "size": f"{limits.picture_bytes / 1_000_000:.1f}".removesuffix(".0"),
        "formats": "/".join(name.upper() for name in limits.picture_formats),
    }
    return Phrase("pictures", PICTURES, told)


def _pace(limits: Limits) -> Phrase | None:
    if not limits.per_minute:
        return None
    told = {"count": limits.per_minute, "second": limits.per_second}
    return Phrase("pace", PER_SECOND if limits.per_second else PER_MINUTE, told)
