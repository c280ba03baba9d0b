"""The frames of the long connection (08-aibot.md, 8.5). Pure.

`{"cmd", "headers": {"req_id"}, "body"}`; an answer has no `cmd` but `errcode` and `errmsg`, and carries the `req_id` of
what it answers.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.errors import CallbackMalformed
from bot.wecom.fields import refuse_swarm

# A frame's answer and callback bodies are small; a bound keeps a broken peer from filling the memory.
MOST_FRAME_BYTES = 4 * 1024 * 1024
CHUNK_BYTES = 512 * 1024
MOST_CHUNKS = 100


class Command(StrEnum):
    """What a frame is for."""

    SUBSCRIBE = "aibot_subscribe"
    PING = "ping"
    MESSAGE = "aibot_msg_callback"
    EVENT = "aibot_event_callback"
    RESPOND = "aibot_respond_msg"
    WELCOME = "aibot_respond_welcome_msg"
    UPDATE = "aibot_respond_update_msg"
    SEND = "aibot_send_msg"
    UPLOAD_INIT = "aibot_upload_media_init"
    UPLOAD_CHUNK = "aibot_upload_media_chunk"
    UPLOAD_FINISH = "aibot_upload_media_finish"


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame that came in. `command` is empty for an answer; `body` of an answer holds all its other members."""

    command: str
    req_id: str
    body: Mapping[str, Any]
    errcode: int = 0
    errmsg: str = ""


def new_req_id(command: str) -> str:
    """Return an id for a frame that answers nothing."""
    return f"{command}_{secrets.token_hex(12)}"


def dump_frame(command: str, req_id: str, body: Mapping[str, Any] | None = None) -> str:
    """Return a frame as the platform reads it."""
    frame: dict[str, Any] = {"cmd": command, "headers": {"req_id": req_id}}
    if body is not None:
        frame["body"] = body
    return json.dumps(frame, ensure_ascii=False)


def parse_frame(raw: str | bytes) -> Frame:
    """Return a frame that came in.

    Raises:
        CallbackMalformed: not an object in JSON, or its parts are of other types.
    """
    refuse_swarm(raw.encode("utf-8", "replace") if isinstance(raw, str) else raw)
    try:
        frame = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise CallbackMalformed("the frame is not JSON") from error
    if not isinstance(frame, dict):
        raise CallbackMalformed("the frame is not an object")
    headers = frame.get("headers") or {}
    command = frame.get("cmd") or ""
    if not isinstance(headers, dict) or not isinstance(command, str):
        raise CallbackMalformed("the frame's headers or cmd are of another type")
    req_id = str(headers.get("req_id") or "")
    if command:
        return Frame(command, req_id, _object(frame.get("body")))
    # where an answer's own values stand is not said clearly: beside the code, or in a body [I]
    rest = {name: value for name, value in frame.items() if name not in {"headers", "errcode", "errmsg", "body"}}
    body = rest | dict(_object(frame.get("body")))
    return Frame("", req_id, body, _code(frame.get("errcode")), str(frame.get("errmsg") or ""))


def _object(value: object) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise CallbackMalformed("the frame's body is not an object")
    return value


def _code(value: object) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise CallbackMalformed("the frame's errcode is not a number")
    return value
