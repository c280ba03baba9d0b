"""The long connection of the AI bot (08, 8.5): frames in, answers out, with the documented codes and limits.

Where the documents say no number or no place this file chooses: 846610 to 846616 for uploads are known by range only,
`upload_id` and `media_id` of an answer stand in its `body`, and a `req_id` lives as long as a response_url.
"""

import base64
import binascii
import contextlib
import hashlib
import json
from collections.abc import Callable
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect

from simulator.aibot import ANSWER_LIFE, ANSWERED, answer_entry, answer_message, answer_press
from simulator.aibot_desk import Link, Upload
from simulator.aibot_rules import BAD_TYPE
from simulator.api.aibot import read_bot_line, show_answer
from simulator.api.params import check_bytes, need_object, need_text, read_number
from simulator.chats import Line
from simulator.errors import ApiError
from simulator.faults import WEBSOCKET_API, FaultKind, FaultRule
from simulator.faulty import HungUpError
from simulator.platform import Platform
from simulator.state import ChatKind, Json, Media
from simulator.state_aibot import BotTalk

NOT_LONG_CONNECTION, REQ_EXPIRED, REQ_UNKNOWN, LIMITED, NOT_SUBSCRIBED = 846601, 846604, 846605, 846607, 846609
BAD_UPLOAD, UNKNOWN_UPLOAD, BAD_CHUNK_INDEX, BAD_CHUNK, TOO_MANY_CHUNKS, CHUNKS_MISSING, BAD_MD5 = range(846610, 846617)
WRONG_SECRET = 853000
PER_MINUTE, PER_HOUR = 30, 1000
CHUNK_BYTES, MOST_CHUNKS = 512 * 1024, 100
MEDIA_TYPES = frozenset({"file", "image", "voice", "video"})
# which faults leave the frame undone, and which of the rest hang up
UNDONE = frozenset({FaultKind.TIMEOUT, FaultKind.HTTP_5XX, FaultKind.ERRCODE, FaultKind.TRUNCATED_UNDONE})
HANGS_UP = frozenset({FaultKind.HTTP_5XX, FaultKind.NO_ANSWER_BUT_DONE})

Command = Callable[[Platform, Link, str, Json], Json]


async def serve(platform: Platform, socket: WebSocket) -> None:
    """Serve one connection until either side ends it."""
    await socket.accept()
    link = Link(socket.send_text, socket.close, lambda: drop(socket))
    platform.aibot.open_links.add(link)
    try:
        while True:
            await _take(platform, link, await socket.receive_text())
            platform.journal.flush()
    except (WebSocketDisconnect, RuntimeError):  # the other side, or a fault switch, hung up
        return
    finally:
        platform.aibot.open_links.discard(link)
        if platform.aibot.link is link:
            platform.aibot.link = None


def drop(socket: WebSocket) -> None:
    """Break the connection without a word; without a server in front there is nothing to break."""
    with contextlib.suppress(HungUpError):
        socket.scope["hang_up"]()


async def _take(platform: Platform, link: Link, raw: str) -> None:
    """Carry out one frame and answer it, unless a fault switch is in the way."""
    plan = platform.faults.draw(WEBSOCKET_API)
    if plan.wait_seconds:
        await platform.aibot.pause(plan.wait_seconds)
    rule = plan.rule
    if rule is not None and rule.kind in UNDONE:
        await _fail(link, raw, rule)
        return
    req_id, answer = await _carry_out(platform, link, raw)
    text = _answer_text(req_id, answer)
    if rule is None:
        await link.send(text)
    elif rule.kind in HANGS_UP:
        link.drop()
    elif rule.kind is FaultKind.TRUNCATED:
        await link.send(text[: len(text) // 2])


async def _fail(link: Link, raw: str, rule: FaultRule) -> None:
    if rule.kind in HANGS_UP:
        link.drop()
    elif rule.kind is FaultKind.ERRCODE:
        error = ApiError(rule.errcode)
        await link.send(_answer_text(_req_id(_parse(raw)), error.answer()))
    elif rule.kind is FaultKind.TRUNCATED_UNDONE:
        await link.send('{"headers": {"req_id"')


def _answer_text(req_id: str, answer: Json) -> str:
    return json.dumps({"headers": {"req_id": req_id}, **answer}, ensure_ascii=False)


async def _carry_out(platform: Platform, link: Link, raw: str) -> tuple[str, Json]:
    frame = _parse(raw)
    req_id = _req_id(frame)
    try:
        if frame.get("cmd") == "aibot_subscribe":
            values = await _subscribe(platform, link, _body(frame))
        else:
            values = _run(platform, link, req_id, frame)
    except ApiError as error:
        return req_id, error.answer()
    return req_id, {"errcode": 0, "errmsg": "ok", **({"body": values} if values else {})}


def _parse(raw: str) -> Json:
    try:
        frame = json.loads(raw)
    except ValueError:
        return {}
    return frame if isinstance(frame, dict) else {}


def _req_id(frame: Json) -> str:
    headers = frame.get("headers")
    return str(headers.get("req_id", "")) if isinstance(headers, dict) else ""


def _body(frame: Json) -> Json:
    body = frame.get("body") or {}
    if not isinstance(body, dict):
        raise ApiError(47001, "the body is not an object")
    return body


async def _subscribe(platform: Platform, link: Link, body: Json) -> Json:
    if platform.config.aibot_mode != "websocket":
        raise ApiError(NOT_LONG_CONNECTION)
    if (body.get("bot_id"), body.get("secret")) != (platform.config.aibot_id, platform.config.aibot_secret):
        raise ApiError(WRONG_SECRET)
    await replace_link(platform, link)
    link.subscribed = True
    platform.aibot.subscriptions += 1
    return {}


async def replace_link(platform: Platform, link: Link | None) -> bool:
    """Put a connection in the place of the live one, which is told so; return whether there was one."""
    old, platform.aibot.link = platform.aibot.link, link
    if old is None or old is link:
        return False
    old.subscribed = False
    body = {
        "msgid": platform.new_id(),
        "create_time": platform.clock.seconds(),
        "aibotid": platform.config.aibot_id,
        "msgtype": "event",
        "event": {"eventtype": "disconnected_event", "disconnected_event": {}},
    }
    frame = {"cmd": "aibot_event_callback", "headers": {"req_id": platform.new_id("req_")}, "body": body}
    try:
        await old.send(json.dumps(frame))
        await old.close()
    except (RuntimeError, WebSocketDisconnect):
        return True  # it was gone already
    return True


def _run(platform: Platform, link: Link, req_id: str, frame: Json) -> Json:
    command = COMMANDS.get(str(frame.get("cmd")))
    if command is None:
        raise ApiError(40058, "invalid parameter: cmd")
    if not req_id:
        raise ApiError(REQ_UNKNOWN, "headers.req_id is required")
    if not link.subscribed:
        raise ApiError(NOT_SUBSCRIBED)
    return command(platform, link, req_id, _body(frame))


def _ping(_platform: Platform, _link: Link, _req_id: str, _body: Json) -> Json:
    return {}


def _find_talk(platform: Platform, req_id: str, cause: str) -> BotTalk:
    talks = platform.world.bot_talks.rows.values()
    talk = next((talk for talk in talks if talk.req_id == req_id and talk.cause == cause), None)
    if talk is None:
        raise ApiError(REQ_UNKNOWN)
    if talk.answered:
        raise ApiError(ANSWERED)
    if platform.clock.now() - talk.at > ANSWER_LIFE.total_seconds():
        raise ApiError(REQ_EXPIRED)
    return talk


def _respond(platform: Platform, _link: Link, req_id: str, body: Json) -> Json:
    answer_message(platform, _find_talk(platform, req_id, "message"), body)
    return {}


def _welcome(platform: Platform, _link: Link, req_id: str, body: Json) -> Json:
    answer_entry(platform, _find_talk(platform, req_id, "enter"), body)
    return {}


def _update(platform: Platform, _link: Link, req_id: str, body: Json) -> Json:
    answer_press(platform, _find_talk(platform, req_id, "card"), body)
    return {}


def _send(platform: Platform, _link: Link, _req_id: str, body: Json) -> Json:
    """Send unasked, to somebody or some group that has written before."""
    chat_id = need_text(body, "chatid")
    kind = ChatKind.GROUP if platform.world.groups.find(chat_id) is not None else ChatKind.AIBOT
    if all((talk.kind, talk.key) != (kind, chat_id) for talk in platform.world.bot_talks.rows.values()):
        raise ApiError(40050, "nobody has written to the bot in this chat")
    line = _read_line(platform, body)
    key = f"aibot_send:{chat_id}"
    if platform.count_recent(key, 60) >= PER_MINUTE or platform.count_recent(key, 3600) >= PER_HOUR:
        raise ApiError(LIMITED)
    platform.note_recent(key)
    show_answer(platform, kind, chat_id, line, body)
    return {}


def _read_line(platform: Platform, body: Json) -> Line:
    msgtype = need_text(body, "msgtype")
    if msgtype in {"markdown", "template_card"}:
        return read_bot_line(body, "")
    if msgtype not in MEDIA_TYPES:
        raise ApiError(BAD_TYPE, f"msgtype {msgtype} cannot be sent")
    media = platform.world.media.find(need_text(need_object(body, msgtype), "media_id"))
    if media is None:
        raise ApiError(40007)
    return Line(f"[{msgtype}] {media.filename}")


# uploads


def _upload_init(platform: Platform, link: Link, _req_id: str, body: Json) -> Json:
    kind = need_text(body, "type")
    if kind not in MEDIA_TYPES:
        raise ApiError(BAD_TYPE, "type must be file, image, voice or video")
    chunks = read_number(body, "total_chunks", None, 1, 10**6)
    if chunks > MOST_CHUNKS:
        raise ApiError(TOO_MANY_CHUNKS, f"more than {MOST_CHUNKS} chunks")
    size = read_number(body, "total_size", None, 1, 10**12)
    if size > chunks * CHUNK_BYTES:
        raise ApiError(BAD_UPLOAD, "total_size does not fit into total_chunks")
    filename = check_bytes(need_text(body, "filename"), 256, "filename", BAD_UPLOAD)
    upload_id = platform.new_id("up_")
    link.uploads[upload_id] = Upload(kind, filename, size, chunks, need_text(body, "md5").lower())
    return {"upload_id": upload_id}


def _find_upload(link: Link, body: Json) -> Upload:
    upload = link.uploads.get(need_text(body, "upload_id"))
    if upload is None:
        raise ApiError(UNKNOWN_UPLOAD, "unknown upload_id")
    return upload


def _upload_chunk(_platform: Platform, link: Link, _req_id: str, body: Json) -> Json:
    upload = _find_upload(link, body)
    index = body.get("chunk_index")
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < upload.total_chunks:
        raise ApiError(BAD_CHUNK_INDEX, "chunk_index is out of range")
    try:
        chunk = base64.b64decode(need_text(body, "base64_data"), validate=True)
    except binascii.Error as error:
        raise ApiError(BAD_CHUNK, "base64_data is not base64") from error
    if len(chunk) > CHUNK_BYTES:
        raise ApiError(BAD_CHUNK, "a chunk is larger than 512 KB")
    upload.chunks[index] = chunk
    return {}


def _upload_finish(platform: Platform, link: Link, _req_id: str, body: Json) -> Json:
    upload = _find_upload(link, body)
    if len(upload.chunks) != upload.total_chunks:
        raise ApiError(CHUNKS_MISSING, "not all chunks have come in")
    content = b"".join(upload.chunks[index] for index in sorted(upload.chunks))
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if (len(content), digest) != (upload.total_size, upload.md5):
        raise ApiError(BAD_MD5, "size or md5 do not fit")
    del link.uploads[body["upload_id"]]
    media = Media(
        media_id=platform.new_id(),
        type=upload.type,
        filename=upload.filename,
        content_type="application/octet-stream",
        created_at=platform.clock.seconds(),
        content=base64.b64encode(content).decode(),
        md5sum=digest,
        size_bytes=len(content),
        sdkfileid="",
    )
    platform.world.media.put(media)
    return {"type": upload.type, "media_id": media.media_id, "created_at": media.created_at}


COMMANDS: dict[str, Command] = {
    "ping": _ping,
    "aibot_respond_msg": _respond,
    "aibot_respond_welcome_msg": _welcome,
    "aibot_respond_update_msg": _update,
    "aibot_send_msg": _send,
    "aibot_upload_media_init": _upload_init,
    "aibot_upload_media_chunk": _upload_chunk,
    "aibot_upload_media_finish": _upload_finish,
}


def show_state(platform: Platform) -> dict[str, Any]:
    """Return how the bot is connected."""
    return {
        "mode": platform.config.aibot_mode,
        "connected": platform.aibot.link is not None,
        "subscriptions": platform.aibot.subscriptions,
    }
