"""Recognises a video's host and id from its address alone; nothing is ever fetched."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from cms.core.errors import Invalid, invalid
from cms.core.i18n import N_
from cms.core.limits import most
from content_library.kinds.video_host_list import HOSTS, Host, Pattern

OTHER = "other"


@dataclass(frozen=True)
class VideoLink:
    """A video's address, the host it lies on, and its id there where the address shows one."""

    host: str
    video_id: str | None
    canonical_url: str
    host_name: str


# Apps hand out a sentence with the address inside: one address in it is as good as the address.
_IN_SENTENCE = re.compile(r"https?://[!-~]+", re.IGNORECASE)
_BARE = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}(?:/.*)?", re.IGNORECASE)
_SCHEME = re.compile(r"([a-z][a-z0-9+.\s-]*):", re.IGNORECASE)
_UNSEEN = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
_ID = re.compile(r"[\w=-]{4,128}", re.ASCII)
_FOLLOWERS = re.compile(r"utm_\w+|spm\w*|share_\w+|from_\w+|vd_source|si|feature|bbid|ts|unique_k")


def recognise(url: str, *, field: str = "url") -> VideoLink:
    """What the address says about the video behind it.

    Raises Invalid: bad_link when it is no address, address_not_allowed when it must not be used.
    """
    parts = _checked(_address_in(url), field)
    domain = _domain(parts, field)
    for host in HOSTS:
        for pattern in host.patterns:
            video_id = _match(pattern, domain, parts)
            if video_id:
                plain = pattern.plain.format(id=video_id) if pattern.plain else _tidy(parts, domain)
                return VideoLink(host.slug, video_id, plain, host.name)
        if any(_is_within(domain, own) for own in host.domains):
            return VideoLink(host.slug, None, _tidy(parts, domain), host.name)
    return VideoLink(OTHER, None, _tidy(parts, domain), domain.removeprefix("www."))


def known_hosts() -> tuple[Host, ...]:
    """Every host recognised, for the hint beside the field."""
    return HOSTS


def _address_in(text: str) -> str:
    text = text.strip()
    if re.search(r"\s|[^\x00-\x7f]", text):
        found = _IN_SENTENCE.findall(text)
        if len(found) == 1 and not text.lower().startswith("http"):
            return str(found[0])
    return f"https://{text}" if _BARE.fullmatch(text) else text


def _checked(address: str, field: str) -> SplitResult:
    if not address or len(address) > most("link_characters"):
        raise _bad_link(field)
    scheme = _SCHEME.match(_UNSEEN.sub("", address))
    if scheme and scheme[1].lower() not in {"http", "https"}:
        raise _not_allowed(field, N_("Only http and https addresses can be used."))
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise _bad_link(field) from None
    if not scheme or _UNSEEN.search(address) or not parts.hostname:
        raise _bad_link(field)
    if parts.username is not None or parts.password is not None:
        raise _not_allowed(field, N_("An address with a user name in it cannot be used."))
    if port not in {None, 443 if parts.scheme == "https" else 80}:
        raise _not_allowed(field, N_("An address with a port number cannot be used."))
    return parts


def _domain(parts: SplitResult, field: str) -> str:
    try:
        domain = (parts.hostname or "").rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise _bad_link(field) from None
    if _is_number(domain) or domain.endswith((".localhost", ".local", ".internal", ".onion")):
        raise _not_allowed(field, N_("Use the address of a public site, as readers see it."))
    if not _BARE.fullmatch(domain):
        raise _bad_link(field)
    return domain


def _is_number(domain: str) -> bool:
    """Whether it is an IP address in any spelling: 127.1, 0x7f000001 and 2130706433 are, too."""
    try:
        ipaddress.ip_address(domain)
    except ValueError:
        last = domain.rsplit(".", 1)[-1]
        return bool(re.fullmatch(r"\d+|0x[0-9a-f]*", last)) or domain == "localhost"
    return True


def _is_within(domain: str, own: str) -> bool:
    return domain == own or domain.endswith(f".{own}")


def _match(pattern: Pattern, domain: str, parts: SplitResult) -> str | None:
    if domain not in {pattern.domain, f"www.{pattern.domain}", f"m.{pattern.domain}"} and not (
        pattern.domain.count(".") == 1 and domain.endswith(f".{pattern.domain}")
    ):
        return None
    found = re.fullmatch(pattern.path, parts.path.rstrip("/"), re.ASCII)
    if not found:
        return None
    if not pattern.query:
        return found["id"]
    video_id = parse_qs(parts.query).get(pattern.query, [""])[0]
    return video_id if _ID.fullmatch(video_id) else None


def _tidy(parts: SplitResult, domain: str) -> str:
    """The address without what only follows people around."""
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in pairs if not _FOLLOWERS.fullmatch(name)]
    return urlunsplit((parts.scheme, domain, parts.path or "/", urlencode(kept), ""))


def _bad_link(field: str) -> Invalid:
    message = N_("This is no web address. Paste it whole, as in %(example)s.")
    return invalid(
        field, "bad_link", message, example="https://www.bilibili.com/video/BV1xx411c7mD"
    )


def _not_allowed(field: str, message: str) -> Invalid:
    return invalid(field, "address_not_allowed", message)
