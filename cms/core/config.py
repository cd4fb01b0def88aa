"""The settings of one Seedbed process: read once from the environment, judged whole, frozen."""

import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo, available_timezones

from cryptography.fernet import Fernet

from cms.core import ports

ROOT = Path(__file__).resolve().parents[2]
LONGEST_SOCKET_PATH = 100  # systems allow 103 to 107 bytes
ONCE_OUR_EXAMPLE = "at-least-32-characters"  # what our example once said; it is known to everybody
MAKES_A_KEY = "`openssl rand -base64 32 | tr /+ _-` makes one"

Network = IPv4Network | IPv6Network

_OFF = ("", "0", "false", "no", "f", "n", "off")


class Mode(StrEnum):
    PRODUCTION = "production"
    DEVELOPMENT = "development"
    TEST = "test"


class BadSettings(Exception):
    """Every fault found in the environment, told at once."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("Seedbed cannot start:\n" + "\n".join(f"  - {fault}" for fault in faults))
        self.faults = faults


@dataclass(frozen=True)
class Settings:
    """What may differ between two installations. Each field is described in docs/settings.md."""

    home: Path
    mode: Mode
    secret_key: str = field(repr=False)
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    is_redis_embedded: bool
    port: int
    base_url: str
    hosts: tuple[str, ...]
    proxies: tuple[Network, ...]  # an address alone is a network of one
    timezone: str
    publish_workers: int
    lease_seconds: int  # how long a worker may hold a publication before a peer takes over
    faults: str
    is_demo_wanted: bool
    bind: str  # the address the web server listens on
    link_base_url: str  # in front of tracked links; a short domain of its own, if there is one
    credential_keys: tuple[str, ...] = field(repr=False)  # the first seals, all open
    smtp_url: str = field(repr=False)  # empty: no e-mail leaves
    mail_from: str
    carriers_url: str  # where the demo carriers listen; empty: none run

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def is_test(self) -> bool:
        return self.mode is Mode.TEST

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    def folder(self, name: str) -> Path:
        """A folder below the data directory, made on first use and closed to other users."""
        path = self.home / name
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path


def settings_from(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read and judge the environment.

    Raises BadSettings with every fault found, so that nobody has to mend them one start at a time.
    """
    faults: list[str] = []
    home = Path(environ.get("SEEDBED_HOME") or ROOT / "var").expanduser().resolve()
    mode = _mode(environ, faults)
    port = _number(environ, "PORT", 8000, faults, highest=65535)
    timezone = environ.get("SEEDBED_TIMEZONE") or "Asia/Shanghai"
    if timezone not in available_timezones():
        faults.append(f"SEEDBED_TIMEZONE: {timezone!r} is no known zone; try Asia/Shanghai")
    base_url = (environ.get("SEEDBED_BASE_URL") or f"http://127.0.0.1:{port}").rstrip("/")
    if not re.fullmatch(r"https?://[^/\s]+", base_url):
        faults.append(
            "SEEDBED_BASE_URL: must look like https://seedbed.example.com, without a path"
        )
    redis_url = _redis_url(environ, faults)
    settings = Settings(
        home=home,
        mode=mode,
        secret_key=_secret_key(home, environ, faults),
        database_url=_database_url(environ, home, faults),
        redis_url=redis_url or _embedded_url(home, faults),
        is_redis_embedded=not redis_url,
        port=port,
        base_url=base_url,
        hosts=_names(environ, "SEEDBED_HOSTS"),
        proxies=_proxies(environ, faults),
        timezone=timezone,
        publish_workers=_number(environ, "SEEDBED_PUBLISH_WORKERS", 2, faults, highest=64),
        lease_seconds=_number(environ, "SEEDBED_LEASE_SECONDS", 40, faults, highest=3600),
        faults=environ.get("FAULT", "") if mode is Mode.TEST else "",
        is_demo_wanted=environ.get("SEEDBED_DEMO", "on").lower() not in _OFF,
        **_outside(environ, home, base_url, faults),
    )
    if faults:
        raise BadSettings(faults)
    return settings


def _mode(environ: Mapping[str, str], faults: list[str]) -> Mode:
    text = environ.get("SEEDBED_ENV") or Mode.PRODUCTION
    try:
        mode = Mode(text)
        if mode is Mode.PRODUCTION and environ.get("FLASK_DEBUG", "").lower() not in _OFF:
            faults.append("FLASK_DEBUG: none in production; SEEDBED_ENV=development allows it")
        return mode
    except ValueError:
        faults.append(f"SEEDBED_ENV: {text!r} is none of {', '.join(Mode)}")
        return Mode.PRODUCTION


def _number(
    environ: Mapping[str, str], name: str, default: int, faults: list[str], *, highest: int
) -> int:
    text = environ.get(name) or str(default)
    if text.isascii() and text.isdigit() and 1 <= int(text) <= highest:
        return int(text)
    faults.append(f"{name}: {text!r} is no whole number from 1 to {highest}")
    return default


def _names(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in environ.get(name, "").split(",") if part.strip())


def _proxies(environ: Mapping[str, str], faults: list[str]) -> tuple[Network, ...]:
    found: list[Network] = []
    for text in _names(environ, "SEEDBED_PROXIES"):
        try:
            found.append(ip_network(text))
        except ValueError:
            faults.append(
                f"SEEDBED_PROXIES: {text!r} is no address or network; try 127.0.0.1 or 172.18.0.0/16"
            )
    return tuple(found)


def _redis_url(environ: Mapping[str, str], faults: list[str]) -> str:
    url = environ.get("REDIS_URL", "")
    if url and not url.startswith(("redis://", "rediss://", "unix://")):
        faults.append("REDIS_URL: must begin with redis://, rediss:// or unix://")
    return url


def _database_url(environ: Mapping[str, str], home: Path, faults: list[str]) -> str:
    url = environ.get("DATABASE_URL", "")
    if not url:
        return f"sqlite:///{home / 'seedbed.db'}"
    if url.startswith("sqlite:///"):
        return url
    if url.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        return re.sub(r"^postgres(ql)?(\+psycopg)?://", "postgresql+psycopg://", url)
    faults.append("DATABASE_URL: must begin with sqlite:/// or postgresql://")
    return f"sqlite:///{home / 'seedbed.db'}"


def _outside(
    environ: Mapping[str, str], home: Path, base_url: str, faults: list[str]
) -> dict[str, Any]:
    """The settings about what lies beyond this process: addresses, keys for carriers, mail."""
    mail_from = environ.get("SEEDBED_MAIL_FROM", "")
    smtp_url = _smtp_url(environ, faults)
    if smtp_url and "@" not in mail_from:
        faults.append("SEEDBED_MAIL_FROM: SEEDBED_SMTP_URL needs a sender, name@example.com")
    return {
        "bind": _address(environ, faults),
        "link_base_url": _link_base(environ, base_url, faults),
        "credential_keys": _credential_keys(home, environ, faults),
        "smtp_url": smtp_url,
        "mail_from": mail_from,
        "carriers_url": _carriers_url(environ, home, faults),
    }


def _address(environ: Mapping[str, str], faults: list[str]) -> str:
    text = environ.get("SEEDBED_BIND") or "127.0.0.1"
    try:
        return str(ip_address(text))
    except ValueError:
        faults.append(f"SEEDBED_BIND: {text!r} is no address; try 127.0.0.1 or 0.0.0.0")
        return "127.0.0.1"


def _link_base(environ: Mapping[str, str], base_url: str, faults: list[str]) -> str:
    text = (environ.get("SEEDBED_LINK_BASE_URL") or base_url).rstrip("/")
    if not re.fullmatch(r"https?://[^/\s]+", text):
        faults.append("SEEDBED_LINK_BASE_URL: must look like https://s.example.com, without a path")
    return text


def _credential_keys(home: Path, environ: Mapping[str, str], faults: list[str]) -> tuple[str, ...]:
    """Keys that seal the secrets of channel accounts: given, newest first, or made once into a file."""
    keys, file = _names(environ, "SEEDBED_CREDENTIAL_KEYS"), home / "credential.key"
    if not keys and _may_be_several(environ):
        faults.append(_same_everywhere("SEEDBED_CREDENTIAL_KEYS", file))
        return ()
    keys = keys or (_kept(file, Fernet.generate_key().decode(), faults),)
    for key in keys:
        try:
            Fernet(key)
        except ValueError:
            faults.append(
                f"SEEDBED_CREDENTIAL_KEYS: every key is 44 characters of base64; {MAKES_A_KEY}"
            )
            break
    return keys


def _smtp_url(environ: Mapping[str, str], faults: list[str]) -> str:
    url = environ.get("SEEDBED_SMTP_URL", "")
    if url and not re.fullmatch(r"smtps?://([^@\s]+@)?[^/\s:]+(:\d+)?/?", url):
        faults.append("SEEDBED_SMTP_URL: must look like smtp://user:password@mail.example.com:587")
    return url


def _carriers_url(environ: Mapping[str, str], home: Path, faults: list[str]) -> str:
    """The demo carriers of this machine: a loopback address, chosen once for each data directory."""
    given = environ.get("SEEDBED_CARRIERS_URL")
    if environ.get("SEEDBED_DEMO", "on").lower() in _OFF or given == "":
        return ""
    url = given or _kept(home / "carriers" / "address", f"http://127.0.0.1:{ports.free()}", faults)
    if not re.fullmatch(r"http://127\.0\.0\.1:\d+", url):
        faults.append("SEEDBED_CARRIERS_URL: demo carriers live on http://127.0.0.1:PORT only")
    return url


def _embedded_url(home: Path, faults: list[str]) -> str:
    """Where the embedded broker of this data directory listens.

    A unix socket; where its path would be too long for the system, a loopback port and a password,
    both chosen once and kept in a file only the owner can read.
    """
    path = home / "broker" / "broker.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return f"unix://{quote(str(path))}"
    address = f"redis://:{secrets.token_urlsafe(32)}@127.0.0.1:{ports.free()}/0"
    return _kept(path.with_name("address"), address, faults)


def _secret_key(home: Path, environ: Mapping[str, str], faults: list[str]) -> str:
    """The installation's own key: given, or made once into a file only its owner can read."""
    given, file = environ.get("SEEDBED_SECRET_KEY", ""), home / "secret.key"
    if given.lower().startswith(ONCE_OUR_EXAMPLE):
        faults.append(f"SEEDBED_SECRET_KEY: an example is no secret; {MAKES_A_KEY}")
    elif given and len(given) < 32:
        faults.append(
            "SEEDBED_SECRET_KEY: needs at least 32 characters; leave it out to have one made"
        )
    elif not given and _may_be_several(environ):
        faults.append(_same_everywhere("SEEDBED_SECRET_KEY", file))
        return ""
    return given or _kept(file, secrets.token_urlsafe(48), faults)


def _may_be_several(environ: Mapping[str, str]) -> bool:
    """Whether other hosts can reach the same database and queue; a socket is this machine's alone."""
    database, queue = environ.get("DATABASE_URL", ""), environ.get("REDIS_URL", "")
    return database.startswith("postgres") and queue.startswith("redis")


def _same_everywhere(name: str, file: Path) -> str:
    """A key made here would be no other host's: what one signs or seals, the next could not read."""
    way = f"this one has used what stands in {file}" if file.exists() else MAKES_A_KEY
    return f"{name}: several hosts can share this database and queue, and need the same; {way}"


def _kept(path: Path, proposal: str, faults: list[str]) -> str:
    """What the file says; the first process to ask writes its proposal into it, whole or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(draft, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
                file.write(proposal)
            with suppress(FileExistsError):  # a sibling process was a moment earlier
                os.link(draft, path)
            draft.unlink()
        return path.read_text().strip()
    except OSError as error:
        faults.append(f"SEEDBED_HOME: cannot write to {path.parent}: {error.strerror}")
        return ""


_current: Settings | None = None


def use(settings: Settings) -> None:
    """Make these the settings of the process; called once by the factory."""
    global _current
    _current = settings


def current() -> Settings:
    """The settings of the process."""
    if _current is None:
        raise RuntimeError("no application has been made in this process")
    return _current
