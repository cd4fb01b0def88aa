"""Secrets at rest: unreadable without a key, opened by any known one, moved under the newest."""

import dataclasses
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from cms.core import config, sealing

SECRETS = {"corpsecret": "kept between us", "密钥": "也是"}


@pytest.fixture
def with_keys(app: Flask) -> Iterator[Callable[..., None]]:
    """`with_keys(new, old)`: go on with these keys, the first of which seals."""
    before = config.current()

    def use(*keys: str) -> None:
        config.use(dataclasses.replace(before, credential_keys=keys))

    yield use
    config.use(before)


def test_sealed_text_tells_nothing(app):
    sealed = sealing.seal(SECRETS)
    assert all(word not in sealed for word in ("kept", "corpsecret", "密钥"))
    assert sealing.unseal(sealed) == SECRETS
    assert sealing.seal(SECRETS) != sealed, "the same secret twice must not look the same"


def test_nothing_sealed_is_nothing_kept(app):
    assert sealing.seal({}) == ""
    assert sealing.unseal("") == {}
    assert sealing.renewed("") == ""


def test_another_key_opens_nothing(with_keys):
    with_keys(sealing.new_key())
    sealed = sealing.seal(SECRETS)
    with_keys(sealing.new_key())
    with pytest.raises(sealing.Unopenable):
        sealing.unseal(sealed)
    with pytest.raises(sealing.Unopenable):
        sealing.renewed(sealed)


@pytest.mark.parametrize(
    "change", [lambda s: s[:-4], lambda s: s[:40] + "A" * 8 + s[48:], str.swapcase]
)
def test_what_was_tampered_with_opens_nothing(app, change):
    with pytest.raises(sealing.Unopenable):
        sealing.unseal(change(sealing.seal(SECRETS)))


@pytest.mark.parametrize("odd", ["nonsense", "密", "gAAAAA", "{}"])
def test_what_was_never_sealed_opens_nothing(app, odd):
    with pytest.raises(sealing.Unopenable):
        sealing.unseal(odd)


def test_a_rotation_loses_nothing_and_ends_the_old_key(with_keys):
    old, new = sealing.new_key(), sealing.new_key()
    with_keys(old)
    sealed = sealing.seal(SECRETS)
    with_keys(new, old)
    assert sealing.unseal(sealed) == SECRETS
    assert not sealing.is_newest(sealed)
    moved = sealing.renewed(sealed)
    assert sealing.is_newest(moved)
    assert sealing.renewed(moved) == moved, "a second round has nothing to do"
    with_keys(new)
    assert sealing.unseal(moved) == SECRETS
    with_keys(old)
    with pytest.raises(sealing.Unopenable):
        sealing.unseal(moved)
    assert not sealing.is_newest(moved)


def test_a_new_key_is_one_that_settings_take(tmp_path):
    key = sealing.new_key()
    environ = {
        "SEEDBED_HOME": str(tmp_path),
        "SEEDBED_CREDENTIAL_KEYS": f"{key}, {sealing.new_key()}",
    }
    assert config.settings_from(environ).credential_keys[0] == key
    assert key not in repr(config.settings_from(environ))
    with pytest.raises(config.BadSettings, match="SEEDBED_CREDENTIAL_KEYS"):
        config.settings_from(environ | {"SEEDBED_CREDENTIAL_KEYS": "short"})
