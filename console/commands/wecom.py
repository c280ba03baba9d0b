"""`rmbot wecom decode`: look at what the platform sends, without a database and without a network."""

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from bot.errors import CallbackMalformed
from bot.events import Fields, UnknownEvent
from bot.wecom.archived import UnknownArchived, parse_archived
from bot.wecom.fields import parse_fields, parse_json
from bot.wecom.parsing import parse_aibot, parse_event, parse_kf


class Family(StrEnum):
    """Which door a body came through."""

    APP = "app"
    AIBOT = "aibot"
    KF = "kf"
    ARCHIVE = "archive"


def _app(body: bytes) -> tuple[object, Fields]:
    fields = parse_fields(body)
    return parse_event(fields), fields


def _aibot(body: bytes) -> tuple[object, Fields]:
    fields = parse_json(body)
    return parse_aibot(fields), fields


def _kf(body: bytes) -> tuple[object, Fields]:
    fields = parse_json(body)
    return parse_kf(fields), fields


def _archive(body: bytes) -> tuple[object, Fields]:
    return parse_archived(body).body, parse_json(body)


_READERS: Mapping[Family, Callable[[bytes], tuple[object, Fields]]] = {
    Family.APP: _app,
    Family.AIBOT: _aibot,
    Family.KF: _kf,
    Family.ARCHIVE: _archive,
}


def decode(family: Family, body: bytes) -> str:
    """Return one JSON object, `{"event": the kind, "fields": every value of the body}`.

    The kind is the class a handler or a reader would get; `UnknownEvent` for what this version does not know.

    Raises:
        CallbackMalformed: the body is broken; the message says how.
    """
    if not body.strip():
        raise CallbackMalformed("there is nothing on standard input; pipe a decrypted body into this command")
    read, fields = _READERS[family](body)
    found: dict[str, Any] = {"event": _name(read), "fields": fields}
    return json.dumps(found, ensure_ascii=False)


def _name(read: object) -> str:
    if isinstance(read, UnknownEvent | UnknownArchived):
        return UnknownEvent.__name__
    return type(read).__name__
