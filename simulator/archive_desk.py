"""What the session archive holds and how it answers the library: records of every kind, keys, switches, pages, files.

A record may be broken on purpose: `cipher` (encrypt_chat_msg does not decrypt), `key` (encrypt_random_key is not made
with the bank's key), `random` (what comes out of it is not a random string of ours), `json` (it decrypts to no JSON).
"""

import base64
import hashlib
import json
import math
import re
import secrets
from collections.abc import Iterator, Sequence

from cryptography.hazmat.primitives.asymmetric import rsa

from simulator.archive import load_public_key, seal, unseal, wrap
from simulator.archive_examples import BODY_KEYS, EXAMPLES, FILE_SIZE_KEYS, TOP_LEVEL_IDS, WITH_FILE
from simulator.crypto import CryptoError
from simulator.errors import ApiError
from simulator.platform import Platform
from simulator.state import ArchiveRecord, Json, Media
from simulator.state_archive import ArchiveCall, ArchiveSwitches

MOST_RECORDS = 1000
CHUNK_BYTES = 512 * 1024
KEPT_CALLS = 200
RET_OK, RET_PARAMETERS, RET_BAD_FILEID, RET_DECRYPT, RET_KEY_PARSE, RET_IP, RET_EXPIRED = (
    0,
    10000,
    10005,
    10006,
    10008,
    10009,
    10010,
)
UNTRUSTED_IP = 301042
TOO_MUCH = 301058
BROKEN = ("", "cipher", "key", "random", "json")
_RANDOM_STRING = re.compile(r"[0-9a-f]{64}")


def switches_of(platform: Platform) -> ArchiveSwitches:
    """Return how the archive behaves; change it and `put` it back to make that durable."""
    shelf = platform.world.archive_switches
    return shelf.find("archive") or shelf.seed(ArchiveSwitches())


def add_record(platform: Platform, body: Json, broken: str = "") -> ArchiveRecord:
    """Put a record in under the next number and the current key, and announce it."""
    seq = platform.world.next_number("archive")
    row = ArchiveRecord(seq, str(body.get("msgid", "")), body, switches_of(platform).version, broken)
    platform.world.archive.put(row)
    platform.archive_notifier.announce()
    return row


def skip_numbers(platform: Platform, count: int) -> int:
    """Leave numbers out, as the platform may; return the last one left out."""
    last = 0
    for _ in range(count):
        last = platform.world.next_number("archive")
    return last


def make_msgid(platform: Platform, external: bool) -> str:
    """Return a msgid as the archive's: the suffix tells whether outside persons take part."""
    return f"{secrets.randbelow(10**19):019d}_{platform.clock.seconds()}{'_external' if external else ''}"


def make_body(
    platform: Platform,
    *,
    msgtype: str,
    sender: str,
    receivers: Sequence[str],
    room_id: str,
    body: Json | None = None,
    file: bytes | None = None,
    external: bool = True,
) -> Json:
    """Return a whole record of a kind; without a body, or with a part of one, the example fills it up."""
    content = {**EXAMPLES.get(msgtype, {}), **(body or {})}
    if msgtype in WITH_FILE and "sdkfileid" not in content:
        content |= _file_fields(platform, msgtype, content, file)
    record: Json = {
        "msgid": make_msgid(platform, external),
        "action": "recall" if msgtype == "revoke" else "send",
        "from": sender,
        "tolist": list(receivers),
        "roomid": room_id,
        "msgtime": int(platform.clock.now() * 1000),
        "msgtype": msgtype,
        BODY_KEYS.get(msgtype, msgtype): content,
    }
    if msgtype in TOP_LEVEL_IDS:
        record[TOP_LEVEL_IDS[msgtype]] = f"id{secrets.token_hex(8)}"
    return record


def make_switch(platform: Platform, userid: str) -> Json:
    """Return the record of a member who changed the corp: it has no msgtype."""
    return {
        "msgid": make_msgid(platform, external=False),
        "action": "switch",
        "time": int(platform.clock.now() * 1000),
        "user": userid,
    }


def _file_fields(platform: Platform, msgtype: str, content: Json, file: bytes | None) -> Json:
    data = file if file is not None else f"an invented {msgtype}".encode()
    media = Media(
        media_id=platform.new_id("3"),
        type="file",
        filename=str(content.get("filename", msgtype)),
        content_type="application/octet-stream",
        created_at=platform.clock.seconds(),
        content=base64.b64encode(data).decode(),
        md5sum=hashlib.md5(data, usedforsecurity=False).hexdigest(),
        size_bytes=len(data),
        sdkfileid=platform.new_id("sdk"),
    )
    platform.world.media.put(media)
    fields: Json = {"sdkfileid": media.sdkfileid}
    if msgtype != "meeting_voice_call":
        fields["md5sum"] = media.md5sum
    if msgtype in FILE_SIZE_KEYS:
        fields[FILE_SIZE_KEYS[msgtype]] = media.size_bytes
    return fields


def rotate_key(platform: Platform, pem: str, version: int) -> None:
    """Give the archive another public key; records from now on need it, older ones keep theirs.

    Raises:
        CryptoError: not an RSA-2048 public key.
    """
    load_public_key(pem)
    switches = switches_of(platform)
    switches.keys[version] = pem
    switches.version = version
    platform.world.archive_switches.put(switches)


# what the library asks


def fetch_page(platform: Platform, corpid: str, secret: str, seq: int, limit: int) -> list[Json]:
    """Return sealed records after a number.

    Raises:
        ApiError: 40013, 40001, 301042 (untrusted IP), 301053 (no key), 40058 (limit), 301058 (too much at once).
    """
    switches = switches_of(platform)
    if corpid != platform.config.corp_id:
        raise ApiError(40013)
    if secret != platform.config.archive_secret:
        raise ApiError(40001)
    if not switches.trusted_ip:
        raise ApiError(UNTRUSTED_IP)
    if platform.config.archive_public_key_pem is None and not switches.keys:
        raise ApiError(301053)
    if not 1 <= limit <= MOST_RECORDS:
        raise ApiError(40058, "invalid parameter: limit must be from 1 to 1000")
    page = []
    size = 0
    for row in _records_after(platform, seq, limit):
        sealed = _seal_row(platform, row)
        size += len(sealed["encrypt_chat_msg"])
        if size > switches.most_bytes:
            raise ApiError(TOO_MUCH)
        page.append(sealed)
    return page


def _records_after(platform: Platform, seq: int, limit: int) -> Iterator[ArchiveRecord]:
    newest = platform.world.counters.find("archive")
    oldest_at = platform.clock.now() - switches_of(platform).retention_days * 86_400
    for number in range(seq + 1, (newest.value if newest else 0) + 1):
        row = platform.world.archive.find(str(number))
        if row is None or _at(row) < oldest_at:
            continue
        yield row
        limit -= 1
        if not limit:
            return


def _at(row: ArchiveRecord) -> float:
    """Return when a record was made, in seconds; what tells no time never grows old."""
    made = row.body.get("msgtime", row.body.get("time"))
    return made / 1000 if isinstance(made, int | float) else math.inf


def _seal_row(platform: Platform, row: ArchiveRecord) -> Json:
    version, key = _key_of(platform, row)
    text = "{no json" if row.broken == "json" else json.dumps(row.body, ensure_ascii=False)
    random_key, message = seal(text, key)
    if row.broken == "cipher":
        message = message[:-8] + ("AAAAAAA=" if not message.endswith("AAAAAAA=") else "BBBBBBA=")
    if row.broken == "key":
        random_key = base64.b64encode(secrets.token_bytes(256)).decode()
    if row.broken == "random":
        random_key = wrap("not one of ours", key)
    return {
        "seq": row.seq,
        "msgid": row.msgid,
        "publickey_ver": version,
        "encrypt_random_key": random_key,
        "encrypt_chat_msg": message,
    }


def _key_of(platform: Platform, row: ArchiveRecord) -> tuple[int, rsa.RSAPublicKey]:
    pem = switches_of(platform).keys.get(row.publickey_ver)
    if pem is not None:
        return row.publickey_ver, load_public_key(pem)
    return platform.config.publickey_ver, load_public_key(platform.config.archive_public_key_pem or "")


def open_record(encrypt_key: str, encrypt_msg: str) -> tuple[int, str]:
    """Return (ret, text) of DecryptData: 10008 for a key that is none, 10006 when the record does not open with it."""
    if not _RANDOM_STRING.fullmatch(encrypt_key):
        return RET_KEY_PARSE, ""
    try:
        return RET_OK, unseal(encrypt_key, encrypt_msg)
    except CryptoError:
        return RET_DECRYPT, ""


def media_chunk(platform: Platform, sdkfileid: str, indexbuf: str) -> tuple[int, str, bytes, bool]:
    """Return (ret, outindexbuf, data, is_finish) of GetMediaData; ids are dead when the records are."""
    switches = switches_of(platform)
    media = next((row for row in platform.world.media.rows.values() if row.sdkfileid == sdkfileid), None)
    if not switches.trusted_ip:
        return RET_IP, "", b"", True
    if media is None:
        return RET_BAD_FILEID, "", b"", True
    if media.created_at < platform.clock.now() - switches.retention_days * 86_400:
        return RET_EXPIRED, "", b"", True
    if indexbuf and not indexbuf.isdigit():
        return RET_PARAMETERS, "", b"", True
    start = int(indexbuf or 0)
    content = base64.b64decode(media.content)
    chunk = content[start : start + CHUNK_BYTES]
    end = start + len(chunk)
    return RET_OK, str(end), chunk, end >= len(content)


def take_fault(platform: Platform, call: str) -> tuple[int, int]:
    """Return the (ret, errcode) that this call was told to answer with; (0, 0) for the truth."""
    switches = switches_of(platform)
    fault = next((one for one in switches.faults if one.call == call and one.left > 0), None)
    if fault is None:
        return 0, 0
    fault.left -= 1
    switches.faults = [one for one in switches.faults if one.left > 0]
    platform.world.archive_switches.put(switches)
    return fault.ret, fault.errcode


def note_call(platform: Platform, call: ArchiveCall) -> None:
    """Remember a call for whoever wants to see what the library was given."""
    calls = switches_of(platform).calls
    calls.append(call)
    del calls[:-KEPT_CALLS]
