"""`rmbot wecom vectors`: does our cryptography give every known answer of a vector file?

The file is JSON with the lists `callback`, `signature_only`, `jssdk`, `media` and `negative`, each of objects with an
`id`. Whoever meets a callback that is refused can write it down in this form and see which step fails.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import BotError, CallbackError, DecryptFailed, SignatureMismatch
from bot.webhook import parse_query
from bot.wecom.crypto import BLOCK_BYTES, CallbackCrypto, decrypt_media, page_signature, signature

_HEAD_BYTES = 20  # 16 random bytes and the length


class VectorFileUnreadable(BotError):
    """The file cannot be read as a file of vectors."""

    code = "vectors.file"


class _Wrong(Exception):
    """A vector's answer is not ours, or its entry lacks something; the words say which."""


@dataclass(frozen=True, slots=True)
class VectorCheck:
    """What became of one vector. `problem` is empty when all of it is right."""

    section: str
    id: str
    problem: str


Entry = Mapping[str, Any]


def read_vectors(path: Path) -> dict[str, list[Entry]]:
    """Return the sections of a vector file.

    Raises:
        VectorFileUnreadable: there is no such file, it is not JSON, or it holds no vectors in a known form.
    """
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise VectorFileUnreadable(f"{path} cannot be read: {error.strerror or type(error).__name__}") from error
    except (ValueError, RecursionError) as error:
        raise VectorFileUnreadable(f"{path} is not JSON") from error
    if not isinstance(document, dict):
        raise VectorFileUnreadable(f"{path} must hold one JSON object with the lists {', '.join(_CHECKS)}")
    sections = {name: _section(path, name, document[name]) for name in _CHECKS if name in document}
    if not any(sections.values()):
        raise VectorFileUnreadable(f"{path} holds no vectors: none of the lists {', '.join(_CHECKS)} has an entry")
    return sections


def _section(path: Path, name: str, entries: Any) -> list[Entry]:
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise VectorFileUnreadable(f"{path}: {name} must be a list of objects")
    return entries


def check_vectors(sections: Mapping[str, list[Entry]]) -> list[VectorCheck]:
    """Check every vector, in the order of the file."""
    bases = {str(entry.get("id")): entry for entry in sections.get("callback", ())}
    checks = []
    for section, entries in sections.items():
        for number, entry in enumerate(entries, start=1):
            problem = _problem(lambda: _CHECKS[section](entry, bases))  # noqa: B023  called at once
            checks.append(VectorCheck(section, str(entry.get("id") or f"#{number}"), problem))
    return checks


def _problem(check: Callable[[], None]) -> str:
    try:
        check()
    except (_Wrong, BotError) as error:
        return str(error)
    except UnicodeEncodeError:
        return "a text in it is not UTF-8"
    return ""


def _callback(entry: Entry, _: Mapping[str, Entry]) -> None:
    ciphertext, plaintext = _text(entry, "ciphertext"), _text(entry, "plaintext").encode()
    crypto = _crypto(entry, _text(entry, "receive_id"))
    if entry.get("msg_signature") is not None:
        _verify(crypto, entry, ciphertext)
    if crypto.decrypt(ciphertext) != plaintext:
        raise _Wrong("it decrypts to something else than plaintext")
    if entry.get("random_hex") is not None and crypto.encrypt(plaintext, _random(entry)) != ciphertext:
        raise _Wrong("the plaintext encrypts to something else than ciphertext")
    _check_padding(entry, len(plaintext))
    _check_query(entry, ciphertext)


def _random(entry: Entry) -> bytes:
    try:
        return bytes.fromhex(_text(entry, "random_hex"))
    except ValueError as error:
        raise _Wrong("random_hex is not hexadecimal") from error


def _check_padding(entry: Entry, size: int) -> None:
    expected = entry.get("pkcs7_pad_len")
    padding = BLOCK_BYTES - (_HEAD_BYTES + size + len(_text(entry, "receive_id").encode())) % BLOCK_BYTES
    if expected is not None and expected != padding:
        raise _Wrong(f"the padding is {padding} bytes, not {expected}")


def _check_query(entry: Entry, ciphertext: str) -> None:
    if entry.get("raw_query") is None:
        return
    query = parse_query(_text(entry, "raw_query").encode())
    if query.get("echostr") != ciphertext:
        raise _Wrong("the echostr in raw_query is not the ciphertext")
    if query.get("msg_signature") != _text(entry, "msg_signature"):
        raise _Wrong("the msg_signature in raw_query is another")


def _signature_only(entry: Entry, _: Mapping[str, Entry]) -> None:
    made = signature(*(_text(entry, name) for name in ("token", "timestamp", "nonce", "ciphertext")))
    if made != _text(entry, "msg_signature"):
        raise _Wrong("the signature is another")


def _jssdk(entry: Entry, _: Mapping[str, Entry]) -> None:
    made = page_signature(*(_text(entry, name) for name in ("jsapi_ticket", "noncestr", "timestamp", "url")))
    if made != _text(entry, "signature"):
        raise _Wrong("the signature is another")


def _media(entry: Entry, _: Mapping[str, Entry]) -> None:
    opened = decrypt_media(_text(entry, "encoding_aes_key"), _base64(entry, "encrypted_base64"))
    if opened != _base64(entry, "plaintext_base64"):
        raise _Wrong("it decrypts to something else than plaintext_base64")


def _base64(entry: Entry, name: str) -> bytes:
    try:
        return base64.b64decode(_text(entry, name), validate=True)
    except ValueError as error:
        raise _Wrong(f"{name} is not base64") from error


def _negative(entry: Entry, bases: Mapping[str, Entry]) -> None:
    base = bases.get(_text(entry, "base"))
    if base is None:
        raise _Wrong(f"there is no callback vector {_text(entry, 'base')} to change")
    change = entry.get("change")
    if not isinstance(change, dict):
        raise _Wrong("change must be an object")
    outcome = _outcome(base, change)
    if not _text(entry, "expect").startswith(outcome):
        raise _Wrong(f"expected: {_text(entry, 'expect')}; found: {outcome}")


def _outcome(base: Entry, change: Entry) -> str:
    """Do what the edge does with a changed vector, and say how it ends in the words of `expect`."""
    told = {**base, **{name: value for name, value in change.items() if name != "ciphertext"}}
    ciphertext = _changed_ciphertext(_text(base, "ciphertext"), change.get("ciphertext"))
    receive_id = _text(told, "configured_receive_id" if "configured_receive_id" in change else "receive_id")
    try:
        _verify(_crypto(told, receive_id), told, ciphertext)
        _crypto(told, receive_id).decrypt(ciphertext)
    except SignatureMismatch:
        return "signature mismatch"
    except DecryptFailed:
        return "receive id mismatch" if _opens(told, ciphertext) else "decrypt failed"
    except CallbackError:
        return "malformed"
    return "accepted"


def _changed_ciphertext(ciphertext: str, change: object) -> str:
    if change is None:
        return ciphertext
    return ciphertext[1:] if change == "drop the first character" else str(change)


def _opens(entry: Entry, ciphertext: str) -> bool:
    """Tell whether the message opens for the receiver it was made for: then only the receiver was wrong."""
    try:
        _crypto(entry, _text(entry, "receive_id")).decrypt(ciphertext)
    except CallbackError:
        return False
    return True


def _verify(crypto: CallbackCrypto, entry: Entry, ciphertext: str) -> None:
    crypto.verify(_text(entry, "msg_signature"), _text(entry, "timestamp"), _text(entry, "nonce"), ciphertext)


def _crypto(entry: Entry, receive_id: str) -> CallbackCrypto:
    return CallbackCrypto(_text(entry, "token"), _text(entry, "encoding_aes_key"), receive_id)


def _text(entry: Entry, name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str):
        raise _Wrong(f"{name} is missing or not a text")
    return value


_CHECKS: Mapping[str, Callable[[Entry, Mapping[str, Entry]], None]] = {
    "callback": _callback,
    "signature_only": _signature_only,
    "jssdk": _jssdk,
    "media": _media,
    "negative": _negative,
}


def vectors_table(checks: list[VectorCheck]) -> str:
    """Return one line for each vector, and a last one that counts."""
    widths = [max(len(text) for text in column) for column in zip(*((c.section, c.id) for c in checks), strict=True)]
    lines = [
        f"{check.section:<{widths[0]}}  {check.id:<{widths[1]}}  {check.problem or 'ok'}".rstrip() for check in checks
    ]
    wrong = sum(bool(check.problem) for check in checks)
    return "\n".join([*lines, f"{len(checks)} vectors, {wrong} wrong"])
