"""The control API's part about the AI bot: what people do with it. docs/reference/simulator.md lists it."""

import base64
import binascii
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Request, Response, WebSocket
from pydantic import BaseModel, ConfigDict, Field

from simulator.aibot import (
    FILE_SECONDS,
    Place,
    TooManyError,
    ask,
    count_running,
    enter,
    judge,
    keep_file,
    press,
    show_in_chat,
)
from simulator.aibot_ws import replace_link, serve, show_state
from simulator.platform import Platform, platform_of
from simulator.state import ChatKind, Json

ThePlatform = Annotated[Platform, Depends(platform_of)]
Words = Annotated[str, Field(max_length=20_000)]
FILES = frozenset({"image", "file", "video"})


class Strict(BaseModel):
    """A body in which a mistyped field is refused."""

    model_config = ConfigDict(extra="forbid")


class PersonIn(Strict):
    """Somebody alone with the bot, or in a group that admits it."""

    userid: str
    chat_id: str | None = None


class BotMessageIn(PersonIn):
    """Somebody says something to the bot; `quote` are the words of a quoted message."""

    msgtype: Literal["text", "voice", "mixed", "image", "file", "video"] = "text"
    text: Words = ""
    file_base64: str = ""
    quote: Words = ""


class BotClickIn(PersonIn):
    """Somebody presses a button of a card of the bot."""

    task_id: str
    key: str


class FeedbackIn(PersonIn):
    """Somebody judges an answer: 1 accurate, 2 inaccurate, 3 taken back; `reasons` 1 to 4 with inaccurate."""

    type: Literal[1, 2, 3]
    content: Words = ""
    reasons: list[Literal[1, 2, 3, 4]] = []
    feedback_id: str | None = None


router = APIRouter()


@router.websocket("/aibot/ws")
async def long_connection(socket: WebSocket) -> None:
    """Hold the AI bot's long connection."""
    await serve(socket.app.state.platform, socket)


@router.post("/_sim/aibot/messages")
async def write_to_bot(platform: ThePlatform, message: BotMessageIn, request: Request) -> Json:
    """Let somebody write to the bot."""
    place = _place(platform, message)
    if message.msgtype in FILES and place.kind is ChatKind.GROUP:
        raise HTTPException(409, "in a group the bot gets text and mixed messages only")
    content = _content(platform, message, str(request.base_url))
    if message.quote:
        content["quote"] = {"msgtype": "text", "text": {"content": message.quote}}
    try:
        msgid = ask(platform, place, content, message.text, str(request.base_url))
    except TooManyError as error:
        raise HTTPException(409, "three questions of this person are being answered already") from error
    show_in_chat(platform, place, message.text or f"[{message.msgtype}]")
    return {"msgid": msgid}


@router.post("/_sim/aibot/enter")
async def enter_bot_chat(platform: ThePlatform, entered: PersonIn) -> Json:
    """Let somebody open the chat with the bot; null when it is not the first time today."""
    return {"msgid": enter(platform, _place(platform, entered))}


@router.post("/_sim/aibot/clicks")
async def press_bot_card(platform: ThePlatform, pressed: BotClickIn, request: Request) -> Json:
    """Let somebody press a button of a card of the bot."""
    try:
        msgid = press(platform, _place(platform, pressed), pressed.task_id, pressed.key, str(request.base_url))
    except LookupError as error:
        raise HTTPException(409, str(error)) from error
    return {"msgid": msgid}


@router.post("/_sim/aibot/feedback")
async def judge_answer(platform: ThePlatform, judged: FeedbackIn) -> Json:
    """Let somebody judge an answer of the bot, the newest one when none is named."""
    verdict: Json = {"type": judged.type}
    if judged.content:
        verdict["content"] = judged.content
    if judged.reasons:
        verdict["inaccurate_reason_list"] = judged.reasons
    try:
        msgid = judge(platform, _place(platform, judged), verdict, judged.feedback_id)
    except LookupError as error:
        raise HTTPException(409, str(error)) from error
    return {"msgid": msgid}


@router.get("/_sim/aibot")
async def show_bot(platform: ThePlatform, userid: str = "") -> Json:
    """Show how the bot is connected, and how many answers to a person are running."""
    return {**show_state(platform), "running": count_running(platform, userid)}


@router.post("/_sim/aibot/takeover")
async def take_over(platform: ThePlatform) -> Json:
    """Let somebody else's connection take the place of the live one."""
    return {"replaced": await replace_link(platform, None)}


@router.post("/_sim/aibot/drop")
async def drop_connection(platform: ThePlatform) -> Json:
    """Break the live connection without a word."""
    link = platform.aibot.link
    if link is not None:
        link.drop()
    return {"dropped": link is not None}


@router.get("/_sim/aibot/files/{file_id}")
async def fetch_file(platform: ThePlatform, file_id: str) -> Response:
    """Return an encrypted file as the address in a callback does, for 5 minutes."""
    kept = platform.world.bot_files.find(file_id)
    if kept is None or platform.clock.now() - kept.at > FILE_SECONDS:
        raise HTTPException(404, "no such file, or it is older than 5 minutes")
    return Response(base64.b64decode(kept.content), media_type="application/octet-stream")


def _place(platform: Platform, person: PersonIn) -> Place:
    if person.chat_id is None:
        member = platform.world.find_member(person.userid)
        if member is None:
            raise HTTPException(404, "no such member")
        return Place(ChatKind.AIBOT, member.userid, member.userid)
    group = platform.world.groups.find(person.chat_id)
    if group is None or all(member.userid != person.userid for member in group.members):
        raise HTTPException(404, "no such group, or the person is not in it")
    if not group.aibot:
        raise HTTPException(409, "this group does not admit the bot")
    return Place(ChatKind.GROUP, group.chat_id, person.userid)


def _content(platform: Platform, message: BotMessageIn, base_url: str) -> Json:
    mention = f"@{platform.config.aibot_name} " if message.chat_id else ""
    words = {"content": f"{mention}{message.text}"}
    if message.msgtype in {"text", "voice"}:
        return {"msgtype": message.msgtype, message.msgtype: words}
    if message.msgtype == "mixed":
        items = [{"msgtype": "text", "text": words}, {"msgtype": "image", "image": _file(platform, message, base_url)}]
        return {"msgtype": "mixed", "mixed": {"msg_item": items}}
    return {"msgtype": message.msgtype, message.msgtype: _file(platform, message, base_url)}


def _file(platform: Platform, message: BotMessageIn, base_url: str) -> Json:
    try:
        content = base64.b64decode(message.file_base64, validate=True)
    except binascii.Error as error:
        raise HTTPException(422, "file_base64 is not base64") from error
    file_id, own_key = keep_file(platform, content)
    url = f"{(platform.config.public_base_url or base_url).rstrip('/')}/_sim/aibot/files/{file_id}"
    return {"url": url, "aeskey": own_key} if own_key else {"url": url}
