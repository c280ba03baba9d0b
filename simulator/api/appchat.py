"""Groups made by the app (04, 4.4): members of staff only, invisible until their first message."""

import re

from simulator.api.bodies import GROUP_BODIES, read_body
from simulator.api.endpoint import APP, Answer, Endpoint, ok
from simulator.api.params import need_text, read_text, read_texts
from simulator.chats import say_as_bot
from simulator.errors import ApiError
from simulator.platform import ApiCall, Platform
from simulator.state import ChatKind, Json
from simulator.state_apps import AppChat

CHAT_ID = re.compile(r"[0-9A-Za-z]{1,32}")
FEWEST, MOST = 2, 2000
MINUTE, HOUR, DAY = 60, 3600, 86_400
MADE_A_DAY, CHANGED_AN_HOUR, REACHED_A_MINUTE = 1000, 1000, 20_000


def create(platform: Platform, call: ApiCall) -> Answer:
    """Make a group of 2 to 2000 members; it shows with its first message."""
    body = call.body
    name = _read_name(body)
    members = _read_members(platform, body, "userlist")
    _check_size(members)
    owner = read_text(body, "owner")
    if owner and _known(platform, owner) not in members:
        raise ApiError(86207)
    chatid = read_text(body, "chatid")
    if chatid and not CHAT_ID.fullmatch(chatid):
        raise ApiError(86001)
    if chatid and (chatid in platform.world.appchats.rows or chatid in platform.world.groups.rows):
        raise ApiError(86215)
    _check_pace(platform, "made", DAY, MADE_A_DAY)
    chat = AppChat(
        chatid=chatid or platform.new_id().replace("-", "0").replace("_", "1")[:32],
        name=name,
        owner=_known(platform, owner) or members[0],
        userlist=members,
        created_at=platform.clock.seconds(),
    )
    platform.world.appchats.put(chat)
    return ok(chatid=chat.chatid)


def update(platform: Platform, call: ApiCall) -> Answer:
    """Change name, owner or members of a group this app made."""
    body = call.body
    chat = _need_chat(platform, need_text(body, "chatid"))
    name = _read_name(body) or chat.name
    adding = _read_members(platform, body, "add_user_list")
    removing = _read_members(platform, body, "del_user_list")
    members = [user for user in dict.fromkeys([*chat.userlist, *adding]) if user not in removing]
    _check_size(members)
    owner = read_text(body, "owner") or (chat.owner if chat.owner in members else members[0])
    if _known(platform, owner) not in members:
        raise ApiError(86207)
    _check_pace(platform, "changed", HOUR, CHANGED_AN_HOUR)
    chat.name, chat.userlist, chat.owner = name, members, _known(platform, owner)
    platform.world.appchats.put(chat)
    return ok()


def get(platform: Platform, call: ApiCall) -> Answer:
    """Return a group this app made."""
    chat = _need_chat(platform, need_text(call.params, "chatid"))
    return ok(chat_info={"chatid": chat.chatid, "name": chat.name, "owner": chat.owner, "userlist": chat.userlist})


def send(platform: Platform, call: ApiCall) -> Answer:
    """Put a message into a group this app made."""
    chat = _need_chat(platform, need_text(call.body, "chatid"))
    line = read_body(platform, call.body, GROUP_BODIES)
    _check_pace(platform, "reached", MINUTE, REACHED_A_MINUTE, len(chat.userlist))
    chat.shown = True
    platform.world.appchats.put(chat)
    shown = say_as_bot(platform, ChatKind.GROUP, chat.chatid, line)
    platform.record_sent("appchat", [chat.chatid], call.body, shown.id)
    return ok()


def _check_pace(platform: Platform, what: str, window_seconds: int, most: int, count: int = 1) -> None:
    """Note `count` uses of a limit of the app's groups (04, 4.4), or refuse with 45009."""
    key = f"appchat:{what}"
    if platform.count_recent(key, window_seconds) + count > most:
        raise ApiError(45009)
    for _ in range(count):
        platform.note_recent(key, window_seconds)


def _need_chat(platform: Platform, chatid: str) -> AppChat:
    chat = platform.world.appchats.find(chatid)
    if chat is not None:
        return chat
    if chatid in platform.world.groups.rows:
        raise ApiError(86008)
    raise ApiError(86003)


def _read_name(body: Json) -> str:
    name = read_text(body, "name")
    if len(name) > 50:
        raise ApiError(86004)
    return name


def _read_members(platform: Platform, body: Json, field: str) -> list[str]:
    asked = list(dict.fromkeys(read_texts(body, field, MOST, 86006)))
    members = [_known(platform, userid) for userid in asked]
    if not all(members):
        raise ApiError(86216)
    return members


def _known(platform: Platform, userid: str) -> str:
    """Return a member's id as the directory spells it, "" for nobody's."""
    member = platform.world.find_member(userid)
    return member.userid if member is not None else ""


def _check_size(members: list[str]) -> None:
    if not FEWEST <= len(members) <= MOST:
        raise ApiError(86006)


ENDPOINTS = {
    "POST /cgi-bin/appchat/create": Endpoint(create, APP),
    "POST /cgi-bin/appchat/update": Endpoint(update, APP),
    "GET /cgi-bin/appchat/get": Endpoint(get, APP),
    "POST /cgi-bin/appchat/send": Endpoint(send, APP),
}
