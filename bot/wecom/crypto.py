"""Signature and cipher of callbacks, in both directions; and their two relatives: pages of the JS-SDK, bots' files.

Source: ../shared/wecom/01-callback.md 1.4 and 1.5 (90968), 08-aibot.md 8.1, 09-oauth-jssdk.md 9.2; checked against
every vector of vectors.json.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from bot.errors import CallbackMalformed, DecryptFailed, SettingsError, SignatureMismatch

BLOCK_BYTES = 32
_RANDOM_BYTES = 16
_LENGTH_BYTES = 4
_HEAD_BYTES = _RANDOM_BYTES + _LENGTH_BYTES
_KEY_PATTERN = re.compile(r"[A-Za-z0-9+/]{43}")


def signature(token: str, timestamp: str, nonce: str, ciphertext: str) -> str:
    """Return the lower-case hex SHA-1 over the four values, sorted by their bytes and joined."""
    values = sorted(value.encode() for value in (token, timestamp, nonce, ciphertext))
    return hashlib.sha1(b"".join(values), usedforsecurity=False).hexdigest()


def page_signature(ticket: str, nonce: str, timestamp: str, url: str) -> str:
    """Return the lower-case hex SHA-1 that lets a page use the JS-SDK. `url` is the page's, without its `#` part."""
    signed = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={url}"
    return hashlib.sha1(signed.encode(), usedforsecurity=False).hexdigest()


def decrypt_media(aes_key: str, encrypted: bytes) -> bytes:
    """Return the content of a file sent to an AI bot (08-aibot.md, 8.1).

    `aes_key` is the callback's EncodingAESKey in webhook mode and the file's own on the long connection.

    Raises:
        DecryptFailed: the key is none, or the file does not decrypt under it.
    """
    try:
        key = decode_key(aes_key.rstrip("="))
    except SettingsError as error:
        raise DecryptFailed("the key of the file is not an AES key") from error
    if not encrypted or len(encrypted) % 16:
        raise DecryptFailed("the file is not a whole number of blocks")
    decryptor = Cipher(AES(key), CBC(key[:16])).decryptor()
    padded = decryptor.update(encrypted) + decryptor.finalize()
    padding = padded[-1]
    end = len(padded) - padding
    if not 1 <= padding <= BLOCK_BYTES or end < 0 or padded[end:] != bytes([padding]) * padding:
        raise DecryptFailed("the file's padding is wrong: it was encrypted with another key")
    return padded[:end]


def decode_key(encoding_aes_key: str) -> bytes:
    """Return the 32 key bytes of an EncodingAESKey.

    The 43rd character carries two bits that mean nothing and may be set in keys of the field: they are ignored.

    Raises:
        SettingsError: it is not 43 characters of the alphabet. The key itself is not shown.
    """
    if not _KEY_PATTERN.fullmatch(encoding_aes_key):
        raise SettingsError(
            f"EncodingAESKey must be 43 letters and digits, this one has {len(encoding_aes_key)} characters; "
            "copy it again from the WeCom console (接收消息 → 设置API接收)"
        )
    return base64.b64decode(encoding_aes_key + "=")


class CallbackCrypto:
    """The cryptography of one callback URL: its token, its key, and for whom its messages are meant.

    `receive_id` is the corp id for a self-built app, and the empty string for a corp's AI bot.
    """

    def __init__(self, token: str, encoding_aes_key: str, receive_id: str) -> None:
        key = decode_key(encoding_aes_key)
        self._token = token
        self._receive_id = receive_id.encode()
        # The object is reused for every message: setting up the key schedule is a good part of the cost of a short one.
        self._cipher = Cipher(AES(key), CBC(key[:16]))

    def verify(self, msg_signature: str, timestamp: str, nonce: str, ciphertext: str) -> None:
        """Check the signature in constant time.

        Raises:
            SignatureMismatch: it was not made with our token over these values.
        """
        expected = signature(self._token, timestamp, nonce, ciphertext)
        if not hmac.compare_digest(expected.encode(), msg_signature.encode()):
            raise SignatureMismatch("the signature does not fit: check the Token of this callback URL")

    def decrypt(self, ciphertext: str) -> bytes:
        """Return the message inside a base64 ciphertext.

        Raises:
            CallbackMalformed: not base64, or not whole blocks.
            DecryptFailed: the padding or the length is impossible under our key, or it is meant for another receiver.
        """
        try:
            encrypted = base64.b64decode(ciphertext, validate=True)
        except (binascii.Error, ValueError) as error:
            raise CallbackMalformed("the ciphertext is not base64") from error
        if not encrypted or len(encrypted) % 16:
            raise CallbackMalformed("the ciphertext is not a whole number of blocks")
        decryptor = self._cipher.decryptor()
        return self._open(decryptor.update(encrypted) + decryptor.finalize())

    def _open(self, padded: bytes) -> bytes:
        padding = padded[-1]
        end = len(padded) - padding
        if not 1 <= padding <= BLOCK_BYTES or end < _HEAD_BYTES or padded[end:] != bytes([padding]) * padding:
            raise DecryptFailed("the padding is wrong: check the EncodingAESKey of this callback URL")
        length = int.from_bytes(padded[_RANDOM_BYTES:_HEAD_BYTES], "big")
        if length > end - _HEAD_BYTES:
            raise DecryptFailed("the length inside the message is impossible")
        message_end = _HEAD_BYTES + length
        if not hmac.compare_digest(padded[message_end:end], self._receive_id):
            raise DecryptFailed("the message is meant for another receiver: check the CorpID of this callback URL")
        return padded[_HEAD_BYTES:message_end]

    def encrypt(self, message: bytes, random: bytes | None = None) -> str:
        """Return the base64 ciphertext of a message. `random` fixes the 16 leading bytes, for known answers."""
        head = secrets.token_bytes(_RANDOM_BYTES) if random is None else random
        plain = head + len(message).to_bytes(_LENGTH_BYTES, "big") + message + self._receive_id
        padding = BLOCK_BYTES - len(plain) % BLOCK_BYTES
        encryptor = self._cipher.encryptor()
        encrypted = encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()
        return base64.b64encode(encrypted).decode()

    def sign(self, timestamp: str, nonce: str, ciphertext: str) -> str:
        """Return the signature of what we say back."""
        return signature(self._token, timestamp, nonce, ciphertext)
