"""The envelope of callbacks as WeCom and Official Accounts seal it: SHA-1 signature, AES-256-CBC."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32  # of the padding; the cipher's own is 16
NOISE = 16
HEAD = NOISE + 4  # noise, then the length of the message
_KEY = re.compile(r"[A-Za-z0-9+/]{43}")


class Unreadable(Exception):
    """The call is not for us or not from the carrier. One word for all: nobody learns which."""


def sign(*parts: str) -> str:
    """SHA-1 over the parts in byte order, one after the other."""
    joined = b"".join(sorted(part.encode("utf-8", "surrogatepass") for part in parts))
    return hashlib.sha1(joined, usedforsecurity=False).hexdigest()


def check_signature(given: str, *parts: str) -> None:
    """Raise Unreadable unless the signature is right; the time it takes says nothing."""
    if not hmac.compare_digest(sign(*parts).encode(), given.encode("utf-8", "surrogatepass")):
        raise Unreadable


def is_key(text: str) -> bool:
    """Whether it looks like an EncodingAESKey."""
    return _KEY.fullmatch(text) is not None


@dataclass(frozen=True)
class Envelope:
    """Opens and seals what stands in `Encrypt` and `echostr`."""

    encoding_key: str = field(repr=False)
    receive_id: str

    def open(self, encrypted: str) -> bytes:
        """The message inside. Raises Unreadable."""
        plain = self._decrypted(encrypted)
        length = int.from_bytes(plain[NOISE:HEAD], "big")
        message, receiver = plain[HEAD : HEAD + length], plain[HEAD + length :]
        if len(message) != length or not hmac.compare_digest(receiver, self.receive_id.encode()):
            raise Unreadable
        return message

    def seal(self, message: bytes) -> str:
        """The message as the carrier would send it; for simulators and passive replies."""
        plain = secrets.token_bytes(NOISE) + len(message).to_bytes(4, "big") + message
        plain += self.receive_id.encode()
        missing = BLOCK - len(plain) % BLOCK
        worker = self._cipher().encryptor()
        sealed = worker.update(plain + bytes([missing]) * missing) + worker.finalize()
        return base64.b64encode(sealed).decode()

    def _decrypted(self, encrypted: str) -> bytes:
        try:
            sealed = base64.b64decode(encrypted.encode(), validate=True)
        except (binascii.Error, UnicodeEncodeError):
            raise Unreadable from None
        if len(sealed) < BLOCK or len(sealed) % 16:
            raise Unreadable
        worker = self._cipher().decryptor()
        return _unpadded(worker.update(sealed) + worker.finalize())

    def _cipher(self) -> "Cipher[modes.CBC]":
        if not is_key(self.encoding_key):
            raise Unreadable
        key = base64.b64decode(self.encoding_key + "=")
        return Cipher(algorithms.AES(key), modes.CBC(key[:16]))


def _unpadded(plain: bytes) -> bytes:
    """Without its padding, every byte of which is looked at."""
    count = plain[-1]
    if not 1 <= count <= BLOCK or plain[-count:] != bytes([count]) * count:
        raise Unreadable
    rest = plain[:-count]
    if len(rest) < HEAD:
        raise Unreadable
    return rest
