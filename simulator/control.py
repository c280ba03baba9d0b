"""The control API under /_sim: what people of the simulated bank do, and what can be seen of it.

The console's simulator page and the tests use it; the product does not. docs/reference/simulator.md lists it.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from pydantic import BaseModel, Field

from simulator import callback_routes, kf_control, knobs, people_control, views
from simulator.aibot import TooManyError, mention_bot
from simulator.api.broadcasts import find_task
from simulator.api.cards import list_menu, list_questions
from simulator.api.messages import new_click_code
from simulator.broadcasting import TASK_DONE, confirm
from simulator.chats import Line, post_line, say_in_group, say_in_single
from simulator.intercepting import find_rule
from simulator.platform import Platform, platform_of
from simulator.relations import AlreadyFriends, Meeting, befriend
from simulator.state import ChatKind, Group, Json, Member, SenderKind

ThePlatform = Annotated[Platform, Depends(platform_of)]
Limit = Annotated[int, Query(ge=1, le=10_000)]
Text = Annotated[str, Field(min_length=1, max_length=20_000)]


class AppMessageIn(BaseModel):
    """A member writes to the app."""

    userid: str
    text: Text


class ClickIn(BaseModel):
    """A member presses a button of a card; `selected` holds the chosen option ids by question key."""

    userid: str
    task_id: str
    key: str
    selected: dict[str, list[str]] = Field(default_factory=dict)


class MemberIn(BaseModel):
    """A member acts."""

    userid: str


class ConfirmIn(MemberIn):
    """A member confirms a broadcast, without the customers taken out by hand."""

    deselected: list[str] = Field(default_factory=list)


class GroupMessageIn(BaseModel):
    """Someone writes in a customer group."""

    sender: str
    text: Text
    mention_bot: bool = False


class SingleMessageIn(BaseModel):
    """A member or a customer writes in their chat."""

    userid: str
    external_userid: str
    sender: str
    text: Text


class AdmitIn(BaseModel):
    """Whether a group admits the AI bot."""

    admitted: bool


class CustomerIn(BaseModel):
    """Someone becomes a member's customer; without an id a new person is made."""

    userid: str
    name: str | None = None
    external_userid: str | None = None
    state: str = ""
    with_code: bool = True


router = APIRouter(prefix="/_sim")
router.routes.extend([*knobs.router.routes, *callback_routes.router.routes, *kf_control.router.routes])
router.routes.extend(people_control.router.routes)


@router.post("/app/messages")
async def write_to_app(platform: ThePlatform, message: AppMessageIn) -> Json:
    """Let a member write to the app."""
    member = _need_member(platform, message.userid)
    msg_id = platform.new_message_number()
    line = Line(message.text)
    post_line(platform, ChatKind.APP, member.userid, member.userid, SenderKind.STAFF, line, msg_id)
    text = {"MsgType": "text", "Content": message.text, "MsgId": int(msg_id)}
    return {"msg_id": msg_id, **_send_app_callback(platform, member, text)}


@router.post("/app/clicks")
async def click(platform: ThePlatform, pressed: ClickIn) -> Json:
    """Let a member press a button of a card."""
    return _click(platform, pressed)


@router.post("/app/enter")
async def enter_app(platform: ThePlatform, entered: MemberIn) -> Json:
    """Let a member open the app."""
    member = _need_member(platform, entered.userid)
    event = {"MsgType": "event", "Event": "enter_agent", "EventKey": ""}
    return _send_app_callback(platform, member, event)


def _send_app_callback(platform: Platform, member: Member, fields: Json, subject: dict[str, str] | None = None) -> Json:
    """Return the delivery's id and the event's `CreateTime`, by which the bot tells copies from other events."""
    body = {
        "ToUserName": platform.config.corp_id,
        "FromUserName": member.userid,
        "CreateTime": platform.clock.seconds(),
        **fields,
        "AgentID": platform.config.agent_id,
    }
    about = {"userid": member.userid, **(subject or {})}
    delivery = platform.callbacks.send_xml("app", platform.config.app_callback, body, platform.config.agent_id, about)
    return {"callback": delivery.id, "create_time": body["CreateTime"]}


def _click(platform: Platform, pressed: ClickIn) -> Json:
    member = _need_member(platform, pressed.userid)
    message = platform.world.find_card_message(pressed.task_id)
    lines = platform.world.find_lines(message.msgid, [member.userid]) if message is not None else []
    if message is None or not lines or lines[0].card is None:
        raise HTTPException(404, "this member has no such card")
    card = message.body["template_card"]
    menu = list_menu(card)
    _check_selected(card, pressed.selected)
    buttons = [*lines[0].card["buttons"], *menu]
    label = next((button["text"] for button in buttons if button["key"] == pressed.key), None)
    if label is None:
        raise HTTPException(409, "the card has no such button (any more)")
    code = new_click_code(platform, message, member.userid)
    line = Line(f"点击了「{label}」", "event")
    post_line(platform, ChatKind.APP, member.userid, member.userid, SenderKind.STAFF, line)
    event = {
        "MsgType": "event",
        "Event": "template_card_menu_event" if pressed.key in {row["key"] for row in menu} else "template_card_event",
        "EventKey": pressed.key,
        "TaskId": pressed.task_id,
        "CardType": card["card_type"],
        "ResponseCode": code,
    }
    if pressed.selected:
        event["SelectedItems"] = {
            "SelectedItem": [
                {"QuestionKey": question, "OptionIds": {"OptionId": options}}
                for question, options in pressed.selected.items()
            ]
        }
    return {"response_code": code, **_send_app_callback(platform, member, event, {"msgid": message.msgid})}


def _check_selected(card: Json, selected: dict[str, list[str]]) -> None:
    questions = list_questions(card)
    if not all(set(options) <= questions.get(question, set()) for question, options in selected.items()):
        raise HTTPException(409, "the card has no such question or option")


@router.post("/groups/{chat_id}/messages")
async def write_in_group(platform: ThePlatform, chat_id: str, message: GroupMessageIn, request: Request) -> Json:
    """Let someone write in a customer group, and call the AI bot when it is mentioned and admitted."""
    group = _need_group(platform, chat_id)
    if all(member.userid != message.sender for member in group.members):
        raise HTTPException(409, "the sender is not in this group")
    text = message.text
    mention = f"@{platform.config.aibot_name}"
    if message.mention_bot and mention not in text:
        text = f"{mention} {text}"
    line = say_in_group(platform, group, message.sender, text, _check_words(platform, message.sender, text))
    bot_msgid = None
    if message.mention_bot and group.aibot:
        try:
            bot_msgid = mention_bot(platform, group, message.sender, text, str(request.base_url))
        except TooManyError as error:
            raise HTTPException(409, "three questions of this person are being answered already") from error
    return {"msgid": line.id, "bot_msgid": bot_msgid}


@router.post("/groups/{chat_id}/aibot")
async def admit_aibot(platform: ThePlatform, chat_id: str, admitted: AdmitIn) -> Json:
    """Say whether a group admits the AI bot."""
    group = _need_group(platform, chat_id)
    group.aibot = admitted.admitted
    platform.world.groups.put(group)
    return {"chat_id": chat_id, "admitted": group.aibot}


@router.post("/chats/messages")
async def write_in_chat(platform: ThePlatform, message: SingleMessageIn) -> Json:
    """Let a member or a customer write in their chat."""
    follow = platform.world.find_follow(message.userid, message.external_userid)
    if follow is None:
        raise HTTPException(404, "the two have no relation")
    if message.sender not in {follow.userid, follow.external_userid}:
        raise HTTPException(409, "the sender is not in this chat")
    note = _check_words(platform, message.sender, message.text)
    return {"msgid": say_in_single(platform, follow, message.sender, message.text, note).id}


def _check_words(platform: Platform, sender: str, text: str) -> str:
    """Return the note of a message that an intercept rule only warns of; 409 for one that is blocked."""
    hit = find_rule(platform, sender, text)
    if hit is None:
        return ""
    if hit.blocked:
        raise HTTPException(409, f"blocked by the intercept rule: {hit.rule_name}")
    return f"敏感词提醒：{hit.rule_name}"


@router.post("/customers/add")
async def add_customer(platform: ThePlatform, added: CustomerIn) -> Json:
    """Let someone become a customer of a member."""
    return _add_customer(platform, added)


def _add_customer(platform: Platform, added: CustomerIn) -> Json:
    member = _need_member(platform, added.userid)
    if not member.serves:
        raise HTTPException(409, "this member serves no customers")
    meeting = Meeting(added.name or "", added.external_userid or "", added.state, with_code=added.with_code)
    try:
        follow, code = befriend(platform, member, meeting)
    except AlreadyFriends as error:
        raise HTTPException(409, "the two are friends already") from error
    return {"external_userid": follow.external_userid, "welcome_code": code}


@router.get("/groupmsgs")
async def list_broadcasts(platform: ThePlatform, userid: str | None = None) -> list[Json]:
    """List what members have to confirm, newest first."""
    return views.show_broadcasts(platform, userid)


@router.post("/groupmsgs/{msgid}/confirm")
async def confirm_broadcast(platform: ThePlatform, msgid: str, confirmed: ConfirmIn) -> Json:
    """Confirm one member's part: it goes out now."""
    broadcast = platform.world.broadcasts.find(msgid)
    task = find_task(broadcast, confirmed.userid) if broadcast is not None else None
    if broadcast is None or task is None:
        raise HTTPException(404, "this member has no such broadcast to confirm")
    if broadcast.cancelled:
        raise HTTPException(409, "the broadcast was cancelled")
    if task.status == TASK_DONE:
        raise HTTPException(409, "confirmed already")
    if confirmed.deselected and not broadcast.allow_select:
        raise HTTPException(409, "the customers of this broadcast cannot be deselected")
    confirm(platform, broadcast, task, confirmed.deselected)
    return {"msgid": msgid, "results": [views.show_target(target) for target in task.targets]}


@router.get("/people")
async def people(platform: ThePlatform, q: str = "", limit: Limit = 100) -> Json:
    """List people and groups, by name or id when asked."""
    return views.show_people(platform, q.strip(), limit)


@router.get("/conversations")
async def conversation(platform: ThePlatform, kind: ChatKind, key: str, after: int = 0) -> Json:
    """Show a conversation from a revision on."""
    return views.show_conversation(platform, kind, key, after)


@router.get("/sent")
async def sent(
    platform: ThePlatform,
    kind: Literal[
        "message",
        "kf",
        "aibot",
        "welcome",
        "broadcast",
        "update_template_card",
        "appchat",
        "webhook",
        "moment",
    ]
    | None = None,
    to: str | None = None,
    after: int = 0,
) -> list[Json]:
    """Show accepted sending requests, oldest first."""
    return views.show_sent(platform, kind, to, after)


@router.post("/reset")
async def reset(platform: ThePlatform) -> Json:
    """Begin again with the seeded bank."""
    platform.reset()
    return {"ok": True}


@router.get("/health")
async def health(platform: ThePlatform) -> Json:
    """Say that the simulator runs, and how large the bank is."""
    return views.show_health(platform)


def _need_member(platform: Platform, userid: str) -> Member:
    member = platform.world.find_member(userid)
    if member is None:
        raise HTTPException(404, "no such member")
    return member


def _need_group(platform: Platform, chat_id: str) -> Group:
    group = platform.world.groups.find(chat_id)
    if group is None:
        raise HTTPException(404, "no such group")
    return group
