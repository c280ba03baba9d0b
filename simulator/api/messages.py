"""Messages from the app to members: send, recall, update of cards (04, 4.1 to 4.3)."""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta

from simulator.api.cards import check_template_card, check_textcard, show_template_card, show_textcard
from simulator.api.endpoint import APP, Answer, Endpoint, ok
from simulator.api.params import (
    check_bytes,
    cut_bytes,
    need_object,
    need_text,
    read_number,
    read_text,
    read_texts,
)
from simulator.chats import Line, say_as_bot
from simulator.errors import ApiError
from simulator.platform import ApiCall, Platform
from simulator.state import AppMessage, CardCode, ChatKind, Json, Member

TEXT_BYTES = 2048
RECALL_LIFE = timedelta(hours=24)
CARD_CODE_LIFE = timedelta(hours=72)
LONGEST_DUPLICATE_CHECK = 4 * 3600
MEDIA_TYPES = {"image": "[图片]", "voice": "[语音]", "file": "[文件]", "video": "[视频]"}


@dataclass(frozen=True, slots=True)
class Recipients:
    """Whom a send request reaches, and whom it names in vain."""

    members: list[Member]
    invalid_users: list[str]
    invalid_parties: list[str]
    unlicensed: list[str]


def send(platform: Platform, call: ApiCall) -> Answer:
    """Send an app message to members; invalid ones are a partial success, too many messages a silent loss."""
    body = call.body
    _check_agent(platform, body)
    recipients = _find_recipients(platform, body)
    fingerprint = _fingerprint(body)
    repeated = _find_repeat(platform, body, fingerprint)
    if repeated is not None:
        return _sent_answer(recipients, repeated.msgid, repeated.response_code)
    line = _read_content(platform, body)
    message = AppMessage(
        msgid=platform.new_id(),
        fingerprint=fingerprint,
        body=body,
        recipients=[member.userid for member in recipients.members],
        at=platform.clock.now(),
    )
    if body["msgtype"] == "template_card":
        message.response_code = _new_card_code(platform, message.msgid, None).code
    platform.world.add_app_message(message)
    dropped = _deliver(platform, message, line)
    platform.record_sent("message", message.recipients, body, message.msgid, dropped)
    return _sent_answer(recipients, message.msgid, message.response_code)


def _check_agent(platform: Platform, body: Json) -> None:
    if str(body.get("agentid", "")) != str(platform.config.agent_id):
        raise ApiError(40056)


def _find_recipients(platform: Platform, body: Json) -> Recipients:
    users = _split(read_text(body, "touser"), 1000, 40032)
    parties = _split(read_text(body, "toparty"), 100, 82002)
    tags = _split(read_text(body, "totag"), 100, 82003)
    if not users and not parties and not tags:
        raise ApiError(82001)
    world = platform.world
    found: dict[str, Member] = {}
    invalid_users: list[str] = []
    invalid_parties: list[str] = []
    if "@all" in users:
        found = {member.userid: member for member in world.members.rows.values() if member.visible}
        users, parties = [], []
    for user in users:
        member = world.find_member(user)
        if member is None or not member.visible:
            invalid_users.append(user.lower())  # the platform answers in lower case
        else:
            found[member.userid] = member
    for party in parties:
        if world.departments.find(party) is None:
            invalid_parties.append(party)
            continue
        below = world.list_departments_below(int(party))
        found.update({row.userid: row for row in world.members.rows.values() if row.department in below})
    licensed = [member for member in found.values() if member.licensed]
    if not licensed:
        raise ApiError(81013)
    unlicensed = [member.userid for member in found.values() if not member.licensed]
    return Recipients(licensed, invalid_users, invalid_parties, unlicensed)


def _split(joined: str, most: int, errcode: int) -> list[str]:
    parts = [part for part in joined.split("|") if part]
    if len(parts) > most:
        raise ApiError(errcode)
    return parts


def _read_content(platform: Platform, body: Json) -> Line:
    msgtype = need_text(body, "msgtype")
    if msgtype == "text":
        content = need_text(need_object(body, "text", 44004), "content", 44004)
        return Line(cut_bytes(content, TEXT_BYTES))
    if msgtype == "markdown":
        content = need_text(need_object(body, "markdown", 44004), "content", 44004)
        return Line(check_bytes(content, TEXT_BYTES, "markdown.content"), "markdown")
    if msgtype == "textcard":
        card = need_object(body, "textcard")
        check_textcard(card)
        return _card_line(show_textcard(card))
    if msgtype == "template_card":
        card = need_object(body, "template_card")
        check_template_card(card)
        _check_new_task(platform, card)
        return _card_line(show_template_card(card))
    if msgtype in MEDIA_TYPES:
        media_id = need_text(need_object(body, msgtype), "media_id")
        media = find_media(platform, media_id)
        return Line(f"{MEDIA_TYPES[msgtype]}{media}")
    raise ApiError(40008)


def find_media(platform: Platform, media_id: str) -> str:
    """Return the file name of a living media id; refuse others with 40007."""
    media = platform.world.media.find(media_id)
    if media is None or media.created_at + timedelta(days=3).total_seconds() < platform.clock.now():
        raise ApiError(40007)
    return media.filename


def _card_line(view: Json) -> Line:
    text = "\n".join(part for part in (view["title"], view["description"]) if part)
    return Line(text, "card", view)


def _check_new_task(platform: Platform, card: Json) -> None:
    task_id = card.get("task_id")
    if task_id and platform.world.find_card_message(task_id) is not None:
        raise ApiError(42014, "task_id was used before")


def _find_repeat(platform: Platform, body: Json, fingerprint: str) -> AppMessage | None:
    """Return the earlier identical message when the request asks for the duplicate check."""
    if not read_number(body, "enable_duplicate_check", 0, 0, 1):
        return None
    interval = read_number(body, "duplicate_check_interval", 1800, 1, LONGEST_DUPLICATE_CHECK)
    earlier = platform.world.find_latest_like(fingerprint)
    if earlier is None or earlier.at < platform.clock.now() - interval:
        return None
    return earlier


def _fingerprint(body: Json) -> str:
    compared = {name: value for name, value in body.items() if not name.startswith(("enable_", "duplicate_"))}
    return hashlib.sha256(json.dumps(compared, sort_keys=True).encode()).hexdigest()


def _deliver(platform: Platform, message: AppMessage, line: Line) -> list[str]:
    """Show the message to its recipients; return those over their limit, who get nothing."""
    dropped = []
    for userid in message.recipients:
        if _is_over_limit(platform, userid):
            dropped.append(userid)
            continue
        platform.note_recent(f"message:{userid}")
        say_as_bot(platform, ChatKind.APP, userid, line, message.msgid)
    return dropped


def _is_over_limit(platform: Platform, userid: str) -> bool:
    key = f"message:{userid}"
    minute, hour = platform.config.member_messages_per_minute, platform.config.member_messages_per_hour
    over_minute = minute > 0 and platform.count_recent(key, 60) >= minute
    return over_minute or (hour > 0 and platform.count_recent(key, 3600) >= hour)


def _new_card_code(platform: Platform, msgid: str, userid: str | None) -> CardCode:
    expires_at = platform.clock.now() + CARD_CODE_LIFE.total_seconds()
    return platform.world.card_codes.put(CardCode(platform.new_id(), msgid, userid, expires_at))


def new_click_code(platform: Platform, message: AppMessage, userid: str) -> str:
    """Return the response_code of a click: it updates the card of the one who clicked."""
    return _new_card_code(platform, message.msgid, userid).code


def _sent_answer(recipients: Recipients, msgid: str, response_code: str) -> Answer:
    answer = ok(
        invaliduser="|".join(recipients.invalid_users),
        invalidparty="|".join(recipients.invalid_parties),
        invalidtag="",
        unlicenseduser="|".join(recipients.unlicensed),
        msgid=msgid,
    )
    if response_code:
        answer["response_code"] = response_code
    return answer


def recall(platform: Platform, call: ApiCall) -> Answer:
    """Take back a message of this app within 24 h."""
    message = platform.world.app_messages.find(need_text(call.body, "msgid"))
    if message is None:
        raise ApiError(40058, "invalid parameter: msgid")
    if platform.clock.now() - message.at > RECALL_LIFE.total_seconds():
        raise ApiError(42052)
    message.recalled = True
    platform.world.app_messages.put(message)
    for line in platform.world.find_lines(message.msgid, message.recipients):
        line.text, line.card, line.form, line.note = "", None, "event", "消息已撤回"
        platform.world.change_line(line)
    return ok()


def update_template_card(platform: Platform, call: ApiCall) -> Answer:
    """Replace a card, or only its buttons, with a response_code (one use within 72 h)."""
    body = call.body
    _check_agent(platform, body)
    code = platform.world.card_codes.find(need_text(body, "response_code"))
    if code is None or code.used or code.expires_at <= platform.clock.now():
        raise ApiError(60140)
    message = platform.world.app_messages.rows[code.msgid]
    change = _read_change(body, message)
    wanted, invalid = _update_audience(body, message, code)
    code.used = True
    platform.world.card_codes.put(code)
    for line in platform.world.find_lines(message.msgid, wanted):
        apply_card_change(platform, line.key, message, change)
    platform.record_sent("update_template_card", wanted, body, message.msgid)
    return ok(invaliduser=invalid)


def _read_change(body: Json, message: AppMessage) -> Json:
    """Return {"replace_name": …} or {"template_card": …}."""
    if body.get("template_card"):
        card = need_object(body, "template_card")
        # buttons may be replaced by a closing text; then there is nothing to check on them
        if not card.get("replace_text"):
            check_template_card(card)
        elif card.get("card_type") not in {None, message.body["template_card"]["card_type"]}:
            raise ApiError(40058, "invalid parameter: card_type differs from the sent card")
        return {"template_card": card}
    button = need_object(body, "button")
    return {"replace_name": need_text(button, "replace_name", 42020)}


def _update_audience(body: Json, message: AppMessage, code: CardCode) -> tuple[list[str], list[str]]:
    asked = read_texts(body, "userids", 1000, 40032)
    if read_number(body, "atall", 0, 0, 1):
        asked = message.recipients
    if not asked:
        asked = [code.userid] if code.userid else message.recipients
    invalid = [userid for userid in asked if userid not in message.recipients]
    return [userid for userid in asked if userid in message.recipients], invalid


def apply_card_change(platform: Platform, userid: str, message: AppMessage, change: Json) -> None:
    """Show a changed card to one member: new content, or buttons replaced by one dead label."""
    for line in platform.world.find_lines(message.msgid, [userid]):
        if "template_card" in change:
            card = change["template_card"]
            line.card = show_template_card(card)
            line.note = card.get("replace_text") or line.note
        elif line.card is not None:
            line.card = {**line.card, "buttons": []}
            line.note = change["replace_name"]
        platform.world.change_line(line)


ENDPOINTS = {
    "POST /cgi-bin/message/send": Endpoint(send, APP),
    "POST /cgi-bin/message/recall": Endpoint(recall, APP),
    "POST /cgi-bin/message/update_template_card": Endpoint(update_template_card, APP),
}
