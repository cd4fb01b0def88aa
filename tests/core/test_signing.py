"""Webhook signatures: the standard's own vector, a second implementation, and what is refused."""

import base64
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from cms.core import signing
from cms.core.signing import BadSecret

# As the test suites of the specification's reference libraries have it.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = datetime.fromtimestamp(1614265330, UTC)
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
HEADERS = {"webhook-id": ID, "webhook-timestamp": "1614265330", "webhook-signature": SIGNATURE}


def test_the_standards_own_vector() -> None:
    assert signing.sign(SECRET, ID, 1614265330, BODY) == SIGNATURE
    assert signing.sign(SECRET, ID, AT, BODY) == SIGNATURE
    assert signing.headers(SECRET, ID, BODY, at=AT) == HEADERS
    assert signing.verify(SECRET, HEADERS, BODY, at=AT)


def test_openssl_says_the_same() -> None:
    """Another implementation, another secret, a body that is not ASCII."""
    secret, body = signing.new_secret(), "早安".encode()
    key = base64.b64decode(secret.removeprefix("whsec_")).hex()
    command = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{key}", "-binary"]
    made = subprocess.run(command, input=b"m.7." + body, capture_output=True, check=True).stdout
    assert signing.sign(secret, "m", 7, body) == "v1," + base64.b64encode(made).decode()


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_other"},
        {"webhook-timestamp": "1614265331"},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "-1614265330"},
        {"webhook-timestamp": "²614265330"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-signature": ""},
        {"webhook-signature": SIGNATURE.replace("v1,", "v2,")},
        {"webhook-signature": SIGNATURE[3:]},
        {"webhook-signature": "v1,签名"},
        {"webhook-signature": SIGNATURE[:-2]},
    ],
)
def test_any_other_header_is_refused(change: dict[str, str]) -> None:
    assert not signing.verify(SECRET, HEADERS | change, BODY, at=AT)


def test_any_other_body_or_secret_is_refused() -> None:
    assert not signing.verify(SECRET, HEADERS, BODY + b" ", at=AT)
    assert not signing.verify(signing.new_secret(), HEADERS, BODY, at=AT)
    assert not signing.verify(SECRET, {}, BODY, at=AT)


@pytest.mark.parametrize(
    ("seconds", "fresh"), [(299, True), (301, False), (-299, True), (-301, False)]
)
def test_what_is_stale_or_from_the_future_is_refused(seconds: int, fresh: bool) -> None:
    moment = AT + timedelta(seconds=seconds)
    assert signing.verify(SECRET, HEADERS, BODY, at=moment) is fresh


def test_during_a_rotation_either_secret_will_do() -> None:
    old, new = signing.new_secret(), signing.new_secret()
    both = signing.headers([new, old], "m", BODY, at=AT)
    assert len(both["webhook-signature"].split(" ")) == 2
    assert signing.verify(old, both, BODY, at=AT)
    assert signing.verify(new, both, BODY, at=AT)
    assert signing.verify([new, old], signing.headers(old, "m", BODY, at=AT), BODY, at=AT)


@pytest.mark.parametrize(
    "text", ["", "whsec_", "whsec_***", "whsec_" + base64.b64encode(b"short").decode(), "whsec_密"]
)
def test_what_is_no_secret_is_said_so(text: str) -> None:
    with pytest.raises(BadSecret):
        signing.sign(text, ID, 1, BODY)


@pytest.mark.parametrize(("size", "is_one"), [(23, False), (24, True), (64, True), (65, False)])
def test_a_secret_has_the_bytes_that_the_standard_asks_for(size: int, is_one: bool) -> None:
    text = "whsec_" + base64.b64encode(bytes(size)).decode()
    if is_one:
        assert len(signing.key_of(text)) == size
        return
    with pytest.raises(BadSecret):
        signing.key_of(text)


def test_every_secret_is_new() -> None:
    assert len({signing.new_secret() for _ in range(5)}) == 5
    assert len(signing.key_of(signing.new_secret())) == 32
