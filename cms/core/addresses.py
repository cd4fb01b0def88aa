"""Which addresses on the network this product may talk to: public ones, and none besides."""

import ipaddress
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from cms.core.errors import Problem, SeedbedError
from cms.core.i18n import N_

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], list[str]]

# Beside what the library calls private: ranges whose meaning changed between Python releases,
# those that carry an inner address, and the one public address that is a cloud's own metadata.
_CLOSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15",
        "240.0.0.0/4", "168.63.129.16/32", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64",
        "2001::/23", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
    )
)  # fmt: skip


class AddressNotAllowed(SeedbedError):
    """The address is not http(s), or leads to a network that is not public."""

    def __init__(self, address: str) -> None:
        message = N_(
            "The address %(address)s cannot be used: only public http and https sites can."
        )
        super().__init__(Problem("address_not_allowed", message, {"address": address[:80]}))


@dataclass(frozen=True)
class Target:
    """An address taken apart, fit for a request."""

    scheme: str
    host: str  # ASCII, lower case; an IPv6 address without its brackets
    port: int
    path: str  # with the query

    @property
    def is_secure(self) -> bool:
        return self.scheme == "https"

    @property
    def origin(self) -> tuple[str, str, int]:
        return (self.scheme, self.host, self.port)

    @property
    def host_header(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == (443 if self.is_secure else 80) else f"{name}:{self.port}"


_UNSEEN = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
_NOT_ASCII = re.compile(r"[^\x21-\x7e]+")


def parse(url: str) -> Target:
    """Take a web address apart; raises AddressNotAllowed for anything but plain http(s)."""
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("ascii" if ":" in (parts.hostname or "") else "idna")
    except (ValueError, UnicodeError):
        raise AddressNotAllowed(url) from None
    is_plain = parts.scheme in {"http", "https"} and host and not _UNSEEN.search(url)
    if not is_plain or "@" in parts.netloc or "%" in parts.netloc or port == 0:
        raise AddressNotAllowed(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(
        scheme=parts.scheme,
        host=host.decode("ascii").lower().rstrip("."),
        port=port or (443 if parts.scheme == "https" else 80),
        path=_NOT_ASCII.sub(lambda match: _percent(match[0]), path),
    )


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, whatever it is wrapped in."""
    try:
        ip: IPAddress = ipaddress.ip_address(address.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if any(ip in network for network in _CLOSED if network.version == ip.version):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def system_resolver(host: str, port: int) -> list[str]:
    """Every address the system knows for the name; raises OSError when it knows none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
