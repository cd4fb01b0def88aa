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
    except InvalidToken:
        raise Unopenable from None
    return opened


def renewed(sealed: str) -> str:
    """The same secrets under the newest key. Raises Unopenable."""
    if not sealed:
        return ""
    try:
        return _keys().rotate(sealed.encode()).decode()
    except InvalidToken:
        raise Unopenable from None


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in current().credential_keys])
