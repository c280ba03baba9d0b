"""Messages from the app to members: send, recall, statistics, update of cards (04, 4.1 to 4.3)."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator.api.bodies import APP_BODIES, read_body
from simulator.api.cards import check_template_card, show_template_card
from simulator.api.endpoint import APP, Answer, Endpoint, ok
from simulator.api.params import need_object, need_text, read_number, read_numbers, read_text, read_texts
from simulator.chats import Line, say_as_bot
from simulator.clock import CHINA
from simulator.errors import ApiError
from simulator.platform import ApiCall, Platform
from simulator.state import AppMessage, CardCode, ChatKind, Json, Member, QuotaUse

RECALL_LIFE = timedelta(hours=24)
CARD_CODE_LIFE = timedelta(hours=72)
LONGEST_DUPLICATE_CHECK = 4 * 3600
QUOTA = "message/send"  # the name of the app's own quota among those of customers and groups


@dataclass(frozen=True, slots=True)
class Recipients:
    """Whom a send request reaches, and whom it names in vain."""

    members: list[Member]
    invalid_users: list[str]
    invalid_parties: list[str]
    invalid_tags: list[str]
    unlicensed: list[str]


def send(platform: Platform, call: ApiCall) -> Answer:
    """Send an app message to members; invalid ones are a partial success, too many messages a silent loss."""
    body = call.body
    check_agent(platform, body)
    recipients = _find_recipients(platform, body)
    fingerprint = _fingerprint(body)
    repeated = _find_repeat(platform, body, fingerprint)
    if repeated is not None:
        return _sent_answer(recipients, repeated.msgid, repeated.response_code)
    line = read_body(platform, body, APP_BODIES)
    _take_quota(platform, len(recipients.members))
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


def check_agent(platform: Platform, body: Json) -> None:
    """Refuse a request whose agentid is not this app's with 40056."""
    if str(body.get("agentid", "")) != str(platform.config.agent_id):
        raise ApiError(40056)


def _find_recipients(platform: Platform, body: Json) -> Recipients:
    users = _split(read_text(body, "touser"), 1000, 40032)
    parties = _split(read_text(body, "toparty"), 100, 82002)
    tags = _split(read_text(body, "totag"), 100, 82003)
    if not users and not parties and not tags:
        raise ApiError(82001)
    found: dict[str, Member] = {}
    invalid_users: list[str] = []
    if "@all" in users:  # departments and tags beside it are ignored
        found = {member.userid: member for member in platform.world.members.rows.values() if member.visible}
        users, parties, tags = [], [], []
    for user in users:
        member = platform.world.find_member(user)
        if member is None or not member.visible:
            invalid_users.append(user.lower())  # the platform answers in lower case
        else:
            found[member.userid] = member
    invalid_parties = [party for party in parties if not _add_party(platform, party, found)]
    invalid_tags = [tag for tag in tags if not _add_tag(platform, tag, found)]
    licensed = [member for member in found.values() if member.licensed]
    if not licensed:
        raise ApiError(81013)
    unlicensed = [member.userid for member in found.values() if not member.licensed]
    return Recipients(licensed, invalid_users, invalid_parties, invalid_tags, unlicensed)


def _add_party(platform: Platform, party: str, found: dict[str, Member]) -> bool:
    """Add the members of a department and all below it; False when there is no such department."""
    world = platform.world
    if world.departments.find(party) is None:
        return False
    below = world.list_departments_below(int(party))
    found.update({row.userid: row for row in world.members.rows.values() if row.department in below and row.visible})
    return True


def _add_tag(platform: Platform, tagid: str, found: dict[str, Member]) -> bool:
    tag = platform.world.directory_tags.find(tagid)
    if tag is None:
        return False
    for party in tag.parties:
        _add_party(platform, str(party), found)
    members = [platform.world.find_member(userid) for userid in tag.users]
    found.update({member.userid: member for member in members if member is not None and member.visible})
    return True


def _split(joined: str, most: int, errcode: int) -> list[str]:
    parts = [part for part in joined.split("|") if part]
    if len(parts) > most:
        raise ApiError(errcode)
    return parts


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


def _take_quota(platform: Platform, people: int) -> None:
    """Count person-times of today; 45009 beyond 200 for each account (03, 3.2)."""
    most = platform.config.messages_per_account_per_day * len(platform.world.members.rows)
    today = datetime.fromtimestamp(platform.clock.now(), CHINA).date().isoformat()
    use = platform.world.quota.find(f"{QUOTA}|{today}") or QuotaUse(QUOTA, today, 0)
    if most and use.count + people > most:
        raise ApiError(45009)
    use.count += people
    platform.world.quota.put(use)


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
        invalidtag="|".join(recipients.invalid_tags),
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


def get_statistics(platform: Platform, call: ApiCall) -> Answer:
    """Count the messages this app sent today (`time_type` 0) or yesterday (1), in China's day."""
    days_back = read_number(call.body, "time_type", 0, 0, 1)
    wanted = datetime.fromtimestamp(platform.clock.now(), CHINA).date() - timedelta(days=days_back)
    count = sum(
        len(row.to)
        for row in platform.world.sent.rows.values()
        if row.kind == "message" and datetime.fromtimestamp(row.at, CHINA).date() == wanted
    )
    config = platform.config
    return ok(statistics=[{"agentid": config.agent_id, "app_name": config.app_name, "count": count}])


def update_template_card(platform: Platform, call: ApiCall) -> Answer:
    """Replace a card, or only its buttons, with a response_code (one use within 72 h)."""
    body = call.body
    check_agent(platform, body)
    code = platform.world.card_codes.find(need_text(body, "response_code"))
    if code is None or code.used or code.expires_at <= platform.clock.now():
        raise ApiError(60140)
    message = platform.world.app_messages.rows[code.msgid]
    change = _read_change(body)
    wanted, invalid = _update_audience(platform, body, message, code)
    code.used = True
    platform.world.card_codes.put(code)
    for line in platform.world.find_lines(message.msgid, wanted):
        apply_card_change(platform, line.key, message, change)
    platform.record_sent("update_template_card", wanted, body, message.msgid)
    return ok(invaliduser=invalid)


def _read_change(body: Json) -> Json:
    """Return {"replace_name": …} or {"template_card": …}."""
    if body.get("template_card"):
        card = need_object(body, "template_card")
        check_template_card(card, replacing=True)
        return {"template_card": card}
    button = need_object(body, "button")
    return {"replace_name": need_text(button, "replace_name", 42020)}


def _update_audience(
    platform: Platform, body: Json, message: AppMessage, code: CardCode
) -> tuple[list[str], list[str]]:
    """Return (those whose card changes, those asked for in vain); nobody named means the code's own audience."""
    asked = read_texts(body, "userids", 1000, 40032)
    members: dict[str, Member] = {}
    for party in read_numbers(body, "partyids", 100, 82002):
        _add_party(platform, str(party), members)
    for tag in read_numbers(body, "tagids", 100, 82003):
        _add_tag(platform, str(tag), members)
    if read_number(body, "atall", 0, 0, 1):
        asked, members = list(message.recipients), {}
    if not asked and not members:
        asked = [code.userid] if code.userid else message.recipients
    invalid = [userid for userid in asked if userid not in message.recipients]
    wanted = dict.fromkeys([*asked, *members])
    return [userid for userid in wanted if userid in message.recipients], invalid


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
    "POST /cgi-bin/message/get_statistics": Endpoint(get_statistics, APP),
    "POST /cgi-bin/message/update_template_card": Endpoint(update_template_card, APP),
}
