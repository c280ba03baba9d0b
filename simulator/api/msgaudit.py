"""The HTTP side of the session archive: who is archived, who agreed (06, 6.1)."""

from simulator.api.endpoint import ARCHIVE, Answer, Endpoint, ok
from simulator.api.params import need_text, read_number, read_objects
from simulator.errors import ApiError
from simulator.platform import ApiCall, Platform
from simulator.state import Customer, Json

OFFICE_EDITION, SERVICE_EDITION, ENTERPRISE_EDITION = 1, 2, 3


def get_permit_user_list(platform: Platform, call: ApiCall) -> Answer:
    """Return the archived seats; the demo bank has the service edition only."""
    edition = read_number(call.body, "type", SERVICE_EDITION, OFFICE_EDITION, ENTERPRISE_EDITION)
    members = platform.world.members.rows.values()
    ids = [row.userid for row in members if row.archived and row.serves and edition == SERVICE_EDITION]
    return ok(ids=ids)


def check_single_agree(platform: Platform, call: ApiCall) -> Answer:
    """Return the consent of up to 100 pairs of member and customer."""
    pairs = read_objects(call.body, "info", 100, 301060)
    if not pairs:
        raise ApiError(40063, "missing or empty: info")
    return ok(agreeinfo=[_pair(platform, pair) for pair in pairs])


def _pair(platform: Platform, pair: Json) -> Json:
    userid, external_userid = need_text(pair, "userid"), need_text(pair, "exteranalopenid")
    customer = platform.world.customers.find(external_userid)
    if platform.world.members.find(userid) is None or customer is None:
        raise ApiError(301061)
    return {"userid": userid, **_consent(customer)}


def check_room_agree(platform: Platform, call: ApiCall) -> Answer:
    """Return the consent of every customer in a customer group."""
    group = platform.world.groups.find(need_text(call.body, "roomid"))
    if group is None:
        raise ApiError(40058, "invalid parameter: roomid")
    customers = [platform.world.customers.find(member.userid) for member in group.members]
    return ok(agreeinfo=[_consent(customer) for customer in customers if customer is not None])


def _consent(customer: Customer) -> Json:
    return {
        "exteranalopenid": customer.external_userid,
        "agree_status": "Agree" if customer.agreed else "Disagree",
        "status_change_time": customer.agreed_at,
    }


def get_internal_room(platform: Platform, call: ApiCall) -> Answer:
    """Return an internal group, one made by the app; customer groups are read elsewhere (301059)."""
    room = platform.world.appchats.find(need_text(call.body, "roomid"))
    if room is None:
        raise ApiError(301059)
    return ok(
        roomname=room.name,
        creator=room.owner,
        room_create_time=room.created_at,
        notice="",
        members=[{"memberid": userid, "jointime": room.created_at} for userid in room.userlist],
    )


def get_robot_info(platform: Platform, call: ApiCall) -> Answer:
    """Return the AI bot's name and maker."""
    robot_id = need_text(call.params, "robot_id")
    if robot_id != platform.config.aibot_id:
        raise ApiError(40058, "invalid parameter: robot_id")
    creator = next(iter(platform.world.members.rows), "")
    return ok(data={"robot_id": robot_id, "name": platform.config.aibot_name, "creator_userid": creator})


ENDPOINTS = {
    "POST /cgi-bin/msgaudit/get_permit_user_list": Endpoint(get_permit_user_list, ARCHIVE),
    "POST /cgi-bin/msgaudit/check_single_agree": Endpoint(check_single_agree, ARCHIVE),
    "POST /cgi-bin/msgaudit/check_room_agree": Endpoint(check_room_agree, ARCHIVE),
    "POST /cgi-bin/msgaudit/groupchat/get": Endpoint(get_internal_room, ARCHIVE),
    "GET /cgi-bin/msgaudit/get_robot_info": Endpoint(get_robot_info, ARCHIVE),
}
