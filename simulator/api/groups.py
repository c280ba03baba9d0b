"""Customer groups (05, 5.5): list, read, ids of mini programs."""

import hashlib

from simulator.api.endpoint import APP, Answer, Endpoint, ok
from simulator.api.params import need_object, need_text, page, read_number, read_text, read_texts
from simulator.errors import ApiError
from simulator.platform import ApiCall, Platform
from simulator.state import Group, GroupMember, Json

LARGEST_UNFILTERED_RANGE = 1000


def list_groups(platform: Platform, call: ApiCall) -> Answer:
    """Return the ids of customer groups, by owner and status when asked, page by page."""
    body = call.body
    status = read_number(body, "status_filter", 0, 0, 3)
    limit = read_number(body, "limit", None, 1, 1000)
    owners: list[str] = []
    if body.get("owner_filter"):
        owners = read_texts(need_object(body, "owner_filter"), "userid_list", 100)
    if not owners and len(platform.world.members.rows) > LARGEST_UNFILTERED_RANGE:
        raise ApiError(81017)
    groups = [
        group
        for group in platform.world.groups.rows.values()
        if status in {0, group.status} and (not owners or group.owner in owners)
    ]
    shown, following = page(groups, read_text(body, "cursor"), limit)
    answer = ok(group_chat_list=[{"chat_id": group.chat_id, "status": group.status} for group in shown])
    if following:
        answer["next_cursor"] = following
    return answer


def get_group(platform: Platform, call: ApiCall) -> Answer:
    """Return one group with its members; names only with `need_name`."""
    group = platform.world.groups.find(need_text(call.body, "chat_id"))
    if group is None:
        raise ApiError(40050)
    named = read_number(call.body, "need_name", 0, 0, 1) == 1
    return ok(
        group_chat={
            "chat_id": group.chat_id,
            "name": group.name,
            "owner": group.owner,
            "create_time": group.create_time,
            "notice": group.notice,
            "member_list": [_member(group, member, named) for member in group.members],
            "admin_list": [{"userid": group.owner}],
            "member_version": group.member_version,
        }
    )


def _member(group: Group, member: GroupMember, named: bool) -> Json:
    shown: Json = {
        "userid": member.userid,
        "type": member.type,
        "join_time": member.join_time,
        "join_scene": member.join_scene,
        "invitor": {"userid": member.invitor or group.owner},
        "group_nickname": "",
    }
    if named:
        shown["name"] = member.name
    if member.state:
        shown["state"] = member.state
    return shown


def opengid_to_chatid(platform: Platform, call: ApiCall) -> Answer:
    """Turn the id that a mini program sees into a group's chat_id."""
    wanted = need_text(call.body, "opengid")
    for chat_id in platform.world.groups.rows:
        if opengid_of(chat_id) == wanted:
            return ok(chat_id=chat_id)
    raise ApiError(40050)


def opengid_of(chat_id: str) -> str:
    """Return the id by which a mini program opened in a group sees it."""
    return "o" + hashlib.sha256(f"opengid:{chat_id}".encode()).hexdigest()[:27]


ENDPOINTS = {
    "POST /cgi-bin/externalcontact/groupchat/list": Endpoint(list_groups, APP),
    "POST /cgi-bin/externalcontact/groupchat/get": Endpoint(get_group, APP),
    "POST /cgi-bin/externalcontact/opengid_to_chatid": Endpoint(opengid_to_chatid, APP),
}
