"""Where the demo carriers of this data directory are, for whoever must know that they are only a demo."""

from pathlib import Path

from cms.core import ports
from cms.core.config import current

FOLDER = "carriers"
KIND = "carriers"  # of their process, in its beats


def address() -> str:
    """Where people look at them, "" while there are none."""
    return current().carriers_url if are_here() else ""


def are_here() -> bool:
    """Whether a demo was loaded here that uses them; whoever said so opened their mail server."""
    return bool(mail_url())


def mail_url() -> str:
    """Their mail server, as the setting SEEDBED_SMTP_URL would name it; "" while there is none.

    Read anew each time: a port that somebody else takes is exchanged for another.
    """
    if not current().carriers_url:
        return ""
    try:
        port = _mail_port().read_text().strip()
    except FileNotFoundError:
        return ""
    return f"smtp://127.0.0.1:{port}" if port.isdigit() else ""


def open_mail(*, anew: bool = False) -> int:
    """The port of their mail server, chosen once for this data directory, or `anew`."""
    path = _mail_port()
    if anew or not path.exists():
        keep(path, str(ports.free()))
    return int(path.read_text())


def close_mail() -> None:
    """Letters have no demo mail server to go to any more."""
    _mail_port().unlink(missing_ok=True)


def address_file() -> Path:
    """The file that keeps the address when no setting names one."""
    return current().folder(FOLDER) / "address"


def keep(path: Path, text: str) -> None:
    """Write it whole or not at all: others read it at any moment."""
    draft = path.with_suffix(".new")
    draft.write_text(text)
    draft.replace(path)


def _mail_port() -> Path:
    return current().home / FOLDER / "mail"
