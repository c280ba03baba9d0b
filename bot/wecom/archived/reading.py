"""A decrypted record's JSON to an `ArchiveRecord`. Nothing is dropped: what is unknown keeps its raw form."""

import json
from collections.abc import Mapping
from typing import Any

from bot.errors import CallbackMalformed
from bot.wecom.archived.readers import Nesting, read_body
from bot.wecom.archived.records import ArchiveRecord
from bot.wecom.archived.values import is_bounded, milliseconds, text, texts


class ArchivedMalformed(CallbackMalformed):
    """It is no record at all. `reason` is one of not_json, not_an_object, too_deep."""

    code = "callback.malformed.archive"

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(words)
        self.reason = reason


def parse_archived(payload: str | bytes) -> ArchiveRecord:
    """Read one decrypted record. Ids and the time may be missing: whoever stores it decides what it needs.

    Raises:
        ArchivedMalformed: it is no JSON object, or deeper or wider than any honest record.
    """
    raw = _load(payload)
    msgtype = _kind_of(raw)
    is_switch = msgtype == "switch"
    return ArchiveRecord(
        msgid=text(raw, "msgid"),
        action=text(raw, "action"),
        sender=text(raw, "user" if is_switch else "from"),
        receivers=texts(raw, "tolist"),
        room_id=text(raw, "roomid") or None,
        sent_at=milliseconds(raw, "time" if is_switch else "msgtime"),
        msgtype=msgtype,
        body=read_body(msgtype, raw, Nesting()),
        raw=raw,
    )


def _load(payload: str | bytes) -> dict[str, Any]:
    try:
        record = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise ArchivedMalformed("not_json", "the record breaks off or is no JSON") from error
    if not isinstance(record, dict):
        raise ArchivedMalformed("not_an_object", "the record is not a JSON object")
    if not is_bounded(record):
        raise ArchivedMalformed("too_deep", "the record is too deep or has too many values")
    return record


def _kind_of(raw: Mapping[str, Any]) -> str:
    """Return the kind: a switch has no msgtype, and a recall is one whatever its msgtype."""
    match text(raw, "action").lower():
        case "switch":
            return "switch"
        case "recall":
            return "revoke"
    return text(raw, "msgtype").lower() or "unknown"
