"""The envelope of callbacks, against the vectors that the carriers' own samples publish."""

import base64

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from schedules.callbacks.cipher import Envelope, Unreadable, check_signature, sign
from schedules.callbacks.xml import parse

TOKEN = "QDG6eK"
KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
CORP = "wx5823bf96d3bd56c7"
ECHO = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
MESSAGE = (
    "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj9"
    "11L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DO"
    "dnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03"
    "v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpN"
    "elZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q"
    "=="
)

envelope = Envelope(KEY, CORP)


def sealed(plain: bytes) -> str:
    """Any bytes under the key, padded or not, as a forger who had the key could send them."""
    key = base64.b64decode(KEY + "=")
    worker = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(worker.update(plain) + worker.finalize()).decode()


def packed(message: bytes, receiver: str = CORP, length: int | None = None) -> bytes:
    size = len(message) if length is None else length
    plain = b"0" * 16 + size.to_bytes(4, "big") + message + receiver.encode()
    missing = 32 - len(plain) % 32
    return plain + bytes([missing]) * missing


def test_the_published_check_of_an_address_opens() -> None:
    check_signature(
        "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3", TOKEN, "1409659589", "263014780", ECHO
    )
    assert envelope.open(ECHO) == b"1616140317555161061"


def test_the_published_message_opens() -> None:
    check_signature(
        "477715d11cdb4164915debcba66cb864d751f3e6", TOKEN, "1409659813", "1372623149", MESSAGE
    )
    told = parse(envelope.open(MESSAGE))
    assert told == {
        "ToUserName": CORP,
        "FromUserName": "mycreate",
        "CreateTime": "1409659813",
        "MsgType": "text",
        "Content": "hello",
        "MsgId": "4561255354251345929",
        "AgentID": "218",
    }


def test_a_reply_published_with_another_token_opens() -> None:
    """Sealed by another library, for another account, with noise that is no text."""
    reply = (
        "TYISAfTaVqF97gn22+BQrYOtJcf4GU360iTvjzdLBAp800rTdKFOj+nUhAJKUJ82YA5zbRHPZ/F6P8ok8dYMWhu2zBWwv+"
        "xIWlERDlaIKp2CKzbSa5FZ2gl1EWrZzn/GDkKEuDIEY7GyjJaVfiduMg8N6oBlxx6xYz0tuyNlVWoAbgDvIxYYJwkN7CRA"
        "DuD0IPTE7mkY4fGc56fxFc2D58vnsIOQ8ys28m81fhHZ4g0UjcJKJXofj0N5QTJxO9RmHVP39+b0KcevUacw4Dmi8c72/S"
        "0IqIl/eBgZVG4IVVPgpii/7gojmbFDHFi9/RTA4nwQJAe9JxNx+76RvnmXvfCW8PigFlvtsJvY31Nv/ZB97ZxIUiJYk2Y4"
        "8JoH3wZEs/9NKzDHOaOT+SvRFLaIWeD9DUayXXG5g0vEfugrZPM="
    )
    check_signature(
        "2a57bca3d93100e42599d453d97ebde9f5a57eca", "tom00123", "1515926128", "143125540", reply
    )
    assert parse(Envelope(KEY, "wx17a727aa81c60f43").open(reply))["Content"] == "加密消息应答"


def test_what_is_sealed_here_opens_again() -> None:
    for message in (b"", b"x", "好".encode() * 999):
        assert envelope.open(envelope.seal(message)) == message


def test_the_order_of_what_is_signed_does_not_matter_and_its_content_does() -> None:
    assert sign("c", "a", "b") == sign("a", "b", "c") == sign("abc")
    for wrong in ("", "é", sign("a", "b", "d"), sign("a", "b", "c").upper()):
        with pytest.raises(Unreadable):
            check_signature(wrong, "a", "b", "c")


@pytest.mark.parametrize(
    "encrypted",
    [
        "",
        "no base64!",
        ECHO[:-4],
        base64.b64encode(b"x" * 48).decode(),
        sealed(packed(b"hello", "wx0000000000000000")),
        sealed(packed(b"hello", CORP + "x")),
        sealed(packed(b"hello", length=5_000)),
        sealed(packed(b"hello", length=2**32 - 1)),
        sealed(packed(b"hello", length=4)),
        sealed(packed(b"hello")[:-1] + b"\0"),
        sealed(packed(b"hello")[:-1] + b"\x21"),
        sealed(packed(b"hello")[:-3] + b"\x01\x02\x03"),
        sealed(packed(b"x" * 17)[:-9] + b"\x01" * 8 + b"\x09"),
        sealed(bytes([32]) * 32),
        "好" * 32,
    ],
)
def test_whatever_is_wrong_inside_the_answer_is_the_same(encrypted: str) -> None:
    with pytest.raises(Unreadable) as caught:
        envelope.open(encrypted)
    assert caught.value.args == ()


@pytest.mark.parametrize("key", ["", "short", KEY + "A", KEY[:-1] + "!"])
def test_a_key_that_is_none_opens_nothing(key: str) -> None:
    with pytest.raises(Unreadable):
        Envelope(key, CORP).open(ECHO)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<xml><a></xml>",
        b'<!DOCTYPE xml [<!ENTITY a "aaaa">]><xml><b>&a;</b></xml>',
        b'<!DOCTYPE xml SYSTEM "http://127.0.0.1/x"><xml/>',
        b'<?xml version="1.0" encoding="none-such"?><xml/>',
        b"<xml>" + b"<a>" * 40 + b"</a>" * 40 + b"</xml>",
    ],
)
def test_xml_that_could_harm_is_not_read(body: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(body)


def test_what_comes_several_times_is_a_list() -> None:
    body = b"<xml><a>1</a><b><c>2</c><c><d/></c></b><a> 3 </a></xml>"
    assert parse(body) == {"a": ["1", " 3 "], "b": {"c": ["2", {"d": ""}]}}
    assert parse(b"<xml/>") == {}
