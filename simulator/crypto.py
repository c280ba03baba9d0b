"""The callback crypto as the platform does it (dossier 01, 1.4 and 1.5), written for the simulator alone."""

import base64
import binascii
import hashlib
import os
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32  # the platform pads to 32, not to the 16 of AES


class CryptoError(Exception):
    """A ciphertext or key that the platform could not have made."""


def aes_key_bytes(encoding_aes_key: str) -> bytes:
    """Decode the 43-character EncodingAESKey; spare bits in its last character are ignored."""
    try:
        key = base64.b64decode(encoding_aes_key + "=")
    except binascii.Error as error:
        raise CryptoError("EncodingAESKey is not base64") from error
    if len(key) != 32:
        raise CryptoError("EncodingAESKey must decode to 32 bytes")
    return key


def signature(token: str, timestamp: str, nonce: str, encrypted: str) -> str:
    """Return the lower-case hex SHA-1 over the four values, sorted as bytes and joined."""
    parts = sorted(part.encode() for part in (token, timestamp, nonce, encrypted))
    return hashlib.sha1(b"".join(parts)).hexdigest()  # noqa: S324 - the platform's signature is SHA-1


def encrypt(message: str, encoding_aes_key: str, receive_id: str, random16: bytes | None = None) -> str:
    """Encrypt one message for a callback; `random16` is fixed only by known-answer tests."""
    body = message.encode()
    head = (random16 or os.urandom(16)) + struct.pack(">I", len(body))
    return base64.b64encode(_encrypt_cbc(head + body + receive_id.encode(), encoding_aes_key)).decode()


def decrypt(ciphertext: str, encoding_aes_key: str) -> tuple[str, str]:
    """Return (message, receive id) of a ciphertext.

    Raises:
        CryptoError: not base64, wrong length, bad padding or a length field that does not fit.
    """
    try:
        raw = base64.b64decode(ciphertext, validate=True)
    except binascii.Error as error:
        raise CryptoError("ciphertext is not base64") from error
    plain = _decrypt_cbc(raw, encoding_aes_key)
    if len(plain) < 20:
        raise CryptoError("plaintext too short")
    (length,) = struct.unpack(">I", plain[16:20])
    if 20 + length > len(plain):
        raise CryptoError("length field does not fit")
    try:
        return plain[20 : 20 + length].decode(), plain[20 + length :].decode()
    except UnicodeDecodeError as error:
        raise CryptoError("plaintext is not UTF-8") from error


def encrypt_media(content: bytes, encoding_aes_key: str) -> bytes:
    """Encrypt a file that an AI-bot media url serves: same key and padding, no header."""
    return _encrypt_cbc(content, encoding_aes_key)


def decrypt_media(content: bytes, encoding_aes_key: str) -> bytes:
    """Undo `encrypt_media`."""
    return _decrypt_cbc(content, encoding_aes_key)


def _encrypt_cbc(plain: bytes, encoding_aes_key: str) -> bytes:
    key = aes_key_bytes(encoding_aes_key)
    pad = BLOCK - len(plain) % BLOCK
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()


def _decrypt_cbc(raw: bytes, encoding_aes_key: str) -> bytes:
    key = aes_key_bytes(encoding_aes_key)
    if not raw or len(raw) % 16:
        raise CryptoError("ciphertext length is not a multiple of the block")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    plain = decryptor.update(raw) + decryptor.finalize()
    pad = plain[-1]
    if not 1 <= pad <= BLOCK or pad > len(plain) or plain[-pad:] != bytes([pad]) * pad:
        raise CryptoError("bad padding")
    return plain[:-pad]
