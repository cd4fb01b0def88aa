"""Secrets at rest: sealed with the newest key, opened with any that is still known."""

import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from cms.core.config import current
from cms.core.errors import Problem, SeedbedError
from cms.core.i18n import N_


class Unopenable(SeedbedError):
    """Sealed with a key that nobody gave us: the secret has to be entered again."""

    def __init__(self) -> None:
        super().__init__(
            Problem(
                "secret_unopenable",
                N_("The stored secrets cannot be opened with the keys given. Enter them again."),
            )
        )


def seal(secrets: Mapping[str, str]) -> str:
    """The secrets as text that only a holder of the keys can read; nothing gives nothing."""
    if not secrets:
        return ""
    return _keys().encrypt(json.dumps(dict(secrets), sort_keys=True).encode()).decode()


def unseal(sealed: str) -> dict[str, str]:
    """What was sealed. Raises Unopenable when none of the keys fits."""
    if not sealed:
        return {}
    try:
        opened: dict[str, str] = json.loads(_keys().decrypt(sealed.encode()))
    except (InvalidToken, ValueError):  # ValueError: sealed text that holds no words of ours
        raise Unopenable from None
    return opened


def renewed(sealed: str) -> str:
    """The same secrets under the newest key; what is under it already stays. Raises Unopenable."""
    if not sealed or is_newest(sealed):
        return sealed
    try:
        return _keys().rotate(sealed.encode()).decode()
    except InvalidToken:
        raise Unopenable from None


def is_newest(sealed: str) -> bool:
    """Whether the newest key alone opens it."""
    try:
        Fernet(current().credential_keys[0]).decrypt(sealed.encode())
    except InvalidToken:
        return False
    return True


def new_key() -> str:
    """A key that nobody has used yet, as SEEDBED_CREDENTIAL_KEYS takes it."""
    return Fernet.generate_key().decode()


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in current().credential_keys])
