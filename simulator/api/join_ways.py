"""Codes by which customers join a group (05, 5.3): an app sees only its own, and a change replaces all fields."""

from simulator.api.endpoint import APP, Answer, Endpoint, ok
from simulator.api.params import need_text, read_flag, read_number, read_text, read_texts
from simulator.errors import ApiError
from simulator.platform import ApiCall, Platform
from simulator.state import Json
from simulator.state_contacts import JoinWay

MOST_GROUPS = 5
LONGEST_ROOM_NAME = 40
LONGEST_STATE = 30
MINI_PROGRAM, QR = 1, 2


def add_join_way(platform: Platform, call: ApiCall) -> Answer:
    """Make a code for up to five groups."""
    fields = _read_fields(platform, call.body)
    if len(platform.world.contact_ways.rows) + len(platform.world.join_ways.rows) >= platform.config.contact_way_cap:
        raise ApiError(41045)
    config_id = platform.new_id("jw")[:32]
    way = JoinWay(config_id, fields, platform.clock.seconds(), f"https://wework.example/join/{config_id}")
    platform.world.join_ways.put(way)
    return ok(config_id=config_id)


def _read_fields(platform: Platform, body: Json) -> Json:
    if body.get("scene") is None:
        raise ApiError(41038)
    if type(body["scene"]) is not int or body["scene"] not in {MINI_PROGRAM, QR}:
        raise ApiError(41040)
    chats = list(dict.fromkeys(read_texts(body, "chat_id_list", MOST_GROUPS)))
    if not chats:
        raise ApiError(40063, "missing or empty: chat_id_list")
    if any(chat_id not in platform.world.groups.rows for chat_id in chats):
        raise ApiError(90501)
    fields: Json = {
        "scene": body["scene"],
        "remark": read_text(body, "remark", LONGEST_STATE),
        "auto_create_room": read_number(body, "auto_create_room", 1, 0, 1),
        "chat_id_list": chats,
        "state": read_text(body, "state", LONGEST_STATE),
        "mark_source": read_flag(body, "mark_source", True),
    }
    if fields["auto_create_room"]:
        fields["room_base_name"] = read_text(body, "room_base_name", LONGEST_ROOM_NAME)
        fields["room_base_id"] = read_number(body, "room_base_id", 1, 0, 2**31)
    return fields


def need_join_way(platform: Platform, fields: Json) -> JoinWay:
    """Return the code of `config_id`; 41043 without one, 41044 for an unknown one."""
    way = platform.world.join_ways.find(need_text(fields, "config_id", 41043))
    if way is None:
        raise ApiError(41044)
    return way


def get_join_way(platform: Platform, call: ApiCall) -> Answer:
    """Return one code of this app."""
    way = need_join_way(platform, call.body)
    qr = {"qr_code": way.qr_code} if way.body["scene"] == QR else {}
    return ok(join_way={"config_id": way.config_id, **qr, **way.body})


def update_join_way(platform: Platform, call: ApiCall) -> Answer:
    """Replace all fields of a code: what is left out falls back to its default."""
    way = need_join_way(platform, call.body)
    way.body = _read_fields(platform, call.body)
    platform.world.join_ways.put(way)
    return ok()


def del_join_way(platform: Platform, call: ApiCall) -> Answer:
    """Remove a code."""
    platform.world.join_ways.remove(need_join_way(platform, call.body).config_id)
    return ok()


ENDPOINTS = {
    "POST /cgi-bin/externalcontact/groupchat/add_join_way": Endpoint(add_join_way, APP),
    "POST /cgi-bin/externalcontact/groupchat/get_join_way": Endpoint(get_join_way, APP),
    "POST /cgi-bin/externalcontact/groupchat/update_join_way": Endpoint(update_join_way, APP),
    "POST /cgi-bin/externalcontact/groupchat/del_join_way": Endpoint(del_join_way, APP),
}
