"""Who a reader is to us: a random cookie's fingerprint, or a weak one of network and browser."""

import hashlib
import hmac
import ipaddress
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from cms.core.config import current

_COOKIE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Visitor:
    """The key under which a visit is kept. `assigned` is the key of a cookie just given, not yet seen."""

    key: str
    strength: str
    network_key: str
    assigned: str = ""

    @property
    def cookie_key(self) -> str:
        """The key that the reader's own browser will be known by."""
        return self.key if self.strength == "cookie" else self.assigned


def new_cookie() -> str:
    """128 random bits."""
    return secrets.token_hex(16)


def is_cookie(text: str) -> bool:
    """Whether it looks like one we gave out."""
    return bool(_COOKIE.fullmatch(text))


def cookie_key(cookie: str) -> str:
    """What is stored of a cookie: the table must not hold what opens anything."""
    return "c:" + hashlib.sha256(cookie.encode()).hexdigest()[:32]


def weak_key(address: str, agent: str, at: datetime) -> str:
    """Network and browser, under a salt that changes every day: it never merges people for longer."""
    salt = f"{current().secret_key}:{at:%Y-%m-%d}".encode()
    told = f"{truncated(address)}|{agent}".encode()
    return "w:" + hmac.new(salt, told, hashlib.sha256).hexdigest()[:32]


def truncated(address: str) -> str:
    """The network an address belongs to: /24, or /48 of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    mapped = getattr(parsed, "ipv4_mapped", None)
    parsed = mapped or parsed
    bits = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network(f"{parsed}/{bits}", strict=False))
