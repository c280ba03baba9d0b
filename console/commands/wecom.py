"""`rmbot wecom`: look at what the platform sends, without a database and without a network."""

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from bot.doors.readers import read_aibot, read_kf
from bot.errors import CallbackMalformed
from bot.events import Event
from bot.wecom.fields import parse_fields, parse_json
from bot.wecom.parsing import parse_event


class Family(StrEnum):
    """Which door a body came through."""

    APP = "app"
    AIBOT = "aibot"
    KF = "kf"


_READERS: Mapping[Family, Callable[[bytes], Event]] = {
    Family.APP: lambda body: parse_event(parse_fields(body)),
    Family.AIBOT: lambda body: read_aibot(parse_json(body)),
    Family.KF: lambda body: read_kf(parse_json(body)),
}


def decode(family: Family, body: bytes) -> str:
    """Return one JSON object, `{"event": the kind, "fields": every value of the body}`.

    Raises:
        CallbackMalformed: the body is broken; the message says how.
    """
    if not body.strip():
        raise CallbackMalformed("there is nothing on standard input; pipe a decrypted body into this command")
    event = _READERS[family](body)
    found: dict[str, Any] = {"event": type(event).__name__, "fields": event.fields}
    return json.dumps(found, ensure_ascii=False)
