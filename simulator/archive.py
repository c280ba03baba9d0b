"""The session archive (会话内容存档): how a record is sealed, and the notice that there is one."""

import asyncio
import base64
import hashlib
import os
import secrets

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import padding as block_padding
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from simulator.callbacks import CallbackDesk
from simulator.clock import SimClock
from simulator.config import SimConfig
from simulator.crypto import CryptoError

ARCHIVE_AGENT_ID = 2000004  # the platform's own number for archive notices (02, 2.2)


class ArchiveNotifier:
    """Sends `msgaudit_notify`, never twice within the configured gap (at least 15 s on the real platform)."""

    def __init__(self, config: SimConfig, clock: SimClock, callbacks: CallbackDesk) -> None:
        self._config = config
        self._clock = clock
        self._callbacks = callbacks
        self._last_at: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def announce(self) -> None:
        """Say that there are new records, now or when the gap has passed."""
        if self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        wait = 0.0
        if self._last_at is not None:
            wait = max(0.0, self._last_at + self._config.archive_notify_gap_seconds - loop.time())
        self._timer = loop.call_later(wait, self._notify)

    def forget(self) -> None:
        """Cancel a waiting notice."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._last_at = None

    def _notify(self) -> None:
        self._timer = None
        self._last_at = asyncio.get_running_loop().time()
        self._callbacks.send_xml(
            "archive",
            self._config.archive_callback,
            {
                "ToUserName": self._config.corp_id,
                "FromUserName": "sys",
                "CreateTime": self._clock.seconds(),
                "MsgType": "event",
                "Event": "msgaudit_notify",
                "AgentID": ARCHIVE_AGENT_ID,
            },
            ARCHIVE_AGENT_ID,
        )


def load_public_key(pem: str) -> rsa.RSAPublicKey:
    """Read the bank's archive key.

    Raises:
        CryptoError: not a PEM of an RSA public key of 2048 bits.
    """
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CryptoError("the archive public key is not a readable PEM") from error
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size != 2048:
        raise CryptoError("the archive public key must be RSA-2048")
    return key


def seal(plaintext: str, public_key: rsa.RSAPublicKey) -> tuple[str, str]:
    """Return (encrypt_random_key, encrypt_chat_msg) of one record.

    The wrapping is the platform's (RSA PKCS#1 v1.5, base64). The inner cipher is undocumented there, so the
    product must not know it: here it is AES-256-CBC under the SHA-256 of the random string, IV in front.
    """
    random_string = secrets.token_hex(32)
    padder = block_padding.PKCS7(128).padder()
    padded = padder.update(plaintext.encode()) + padder.finalize()
    iv = os.urandom(16)
    encryptor = _cipher(random_string, iv).encryptor()
    sealed = iv + encryptor.update(padded) + encryptor.finalize()
    return wrap(random_string, public_key), base64.b64encode(sealed).decode()


def wrap(random_string: str, public_key: rsa.RSAPublicKey) -> str:
    """Return an encrypt_random_key: PKCS#1 v1.5 is the platform's documented wrapping (91774), base64 around it."""
    return base64.b64encode(public_key.encrypt(random_string.encode(), padding.PKCS1v15())).decode()


def unseal(random_string: str, sealed: str) -> str:
    """Undo the inner cipher of `seal`.

    Raises:
        CryptoError: another key, or not a sealed record.
    """
    try:
        raw = base64.b64decode(sealed, validate=True)
        decryptor = _cipher(random_string, raw[:16]).decryptor()
        padded = decryptor.update(raw[16:]) + decryptor.finalize()
        unpadder = block_padding.PKCS7(128).unpadder()
        return (unpadder.update(padded) + unpadder.finalize()).decode()
    except ValueError as error:  # base64, block length, padding and UTF-8 errors are all ValueErrors
        raise CryptoError("the record cannot be decrypted with this key") from error


def _cipher(random_string: str, iv: bytes) -> Cipher[modes.CBC]:
    return Cipher(algorithms.AES(hashlib.sha256(random_string.encode()).digest()), modes.CBC(iv))
