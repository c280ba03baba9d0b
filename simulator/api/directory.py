"""Members, departments and directory tags (90195 ff.), and what the app knows of itself (90227)."""

import hashlib
from collections.abc import Mapping
from typing import Any

from simulator.api.endpoint import ANY, APP, Answer, Endpoint, ok
from simulator.api.params import need_text, page, read_number, read_numbers, read_text, read_texts
from simulator.errors import ApiError
from simulator.platform import ApiCall, Platform
from simulator.state import Department, Json, Member
from simulator.state_apps import DirectoryTag

HIGHEST_DEPARTMENT = 2**32 - 1
MOST_TAG_MEMBERS = 1000


def user_get(platform: Platform, call: ApiCall) -> Answer:
    """Return one member."""
    return ok(**_member(_need_member(platform, need_text(call.params, "userid"))))


def _need_member(platform: Platform, userid: str) -> Member:
    member = platform.world.find_member(userid)
    if member is None:
        raise ApiError(60111)
    if not member.visible:
        raise ApiError(60011)
    return member


def user_simplelist(platform: Platform, call: ApiCall) -> Answer:
    """Return id, name and departments of a department's members."""
    members = _list_members(platform, call)
    return ok(
        userlist=[
            {"userid": member.userid, "name": member.name, "department": [member.department]} for member in members
        ]
    )


def user_list(platform: Platform, call: ApiCall) -> Answer:
    """Return a department's members as far as a new app may see them: no mobile, email or avatar."""
    return ok(userlist=[_member(member) for member in _list_members(platform, call)])


def user_list_id(platform: Platform, call: ApiCall) -> Answer:
    """Return every member's id with its department, page by page."""
    limit = read_number(call.body, "limit", 10_000, 1, 10_000)
    members = list(platform.world.members.rows.values())
    shown, following = page(members, read_text(call.body, "cursor"), limit)
    answer = ok(dept_user=[{"userid": member.userid, "department": member.department} for member in shown])
    if following:
        answer["next_cursor"] = following
    return answer


def user_to_openid(platform: Platform, call: ApiCall) -> Answer:
    """Return the openid of a member."""
    member = _need_member(platform, need_text(call.body, "userid"))
    return ok(openid=openid_of(member.userid))


def openid_to_user(platform: Platform, call: ApiCall) -> Answer:
    """Return the member of an openid."""
    wanted = need_text(call.body, "openid")
    for userid in platform.world.members.rows:
        if openid_of(userid) == wanted:
            return ok(userid=userid)
    raise ApiError(60111)


def openid_of(person: str) -> str:
    """Return the stable openid of a member or customer, as WeChat pay wants it."""
    return "oP" + hashlib.sha256(f"openid:{person}".encode()).hexdigest()[:26]


def department_list(platform: Platform, call: ApiCall) -> Answer:
    """Return a department and all below it; without `id` all departments."""
    return ok(department=[_department(row) for row in _list_departments(platform, call)])


def department_simplelist(platform: Platform, call: ApiCall) -> Answer:
    """Return the ids of a department and all below it."""
    rows = _list_departments(platform, call)
    return ok(department_id=[{"id": row.id, "parentid": row.parentid, "order": row.order} for row in rows])


def department_get(platform: Platform, call: ApiCall) -> Answer:
    """Return one department."""
    wanted = read_number(call.params, "id", None, 1, HIGHEST_DEPARTMENT)
    _check_department(platform, wanted)
    return ok(department=_department(platform.world.departments.rows[str(wanted)]))


def _list_departments(platform: Platform, call: ApiCall) -> list[Department]:
    root = read_number(call.params, "id", 1, 1, HIGHEST_DEPARTMENT)
    _check_department(platform, root)
    wanted = platform.world.list_departments_below(root)
    return [row for row in platform.world.departments.rows.values() if row.id in wanted]


def _list_members(platform: Platform, call: ApiCall) -> list[Member]:
    department = read_number(call.params, "department_id", None, 1, HIGHEST_DEPARTMENT)
    with_children = read_number(call.params, "fetch_child", 0, 0, 1)
    _check_department(platform, department)
    wanted = platform.world.list_departments_below(department) if with_children else {department}
    return [member for member in platform.world.members.rows.values() if member.department in wanted]


def _check_department(platform: Platform, department_id: int) -> None:
    if platform.world.departments.find(str(department_id)) is None:
        raise ApiError(60123)


def _member(member: Member) -> Json:
    return {
        "userid": member.userid,
        "name": member.name,
        "department": [member.department],
        "order": [0],
        "position": member.position,
        "is_leader_in_dept": [0],
        "main_department": member.department,
        "direct_leader": [],
        "status": 1,
        "alias": "",
        "telephone": "",
        "gender": 0,
        "extattr": {"attrs": []},
    }


def _department(row: Department) -> Json:
    return {
        "id": row.id,
        "name": row.name,
        "name_en": "",
        "department_leader": [],
        "parentid": row.parentid,
        "order": row.order,
    }


# directory tags


def tag_create(platform: Platform, call: ApiCall) -> Answer:
    """Make an empty tag; its name is unique."""
    name = _read_tag_name(platform, call.body)
    tags = platform.world.directory_tags
    tagid = read_number(call.body, "tagid", max((row.tagid for row in tags.rows.values()), default=0) + 1, 1, 2**31)
    if str(tagid) in tags.rows:
        raise ApiError(40058, "invalid parameter: tagid exists")
    tags.put(DirectoryTag(tagid, name))
    return ok(tagid=tagid)


def tag_update(platform: Platform, call: ApiCall) -> Answer:
    """Rename a tag."""
    tag = _need_tag(platform, call.body)
    tag.tagname = _read_tag_name(platform, call.body)
    platform.world.directory_tags.put(tag)
    return ok()


def tag_delete(platform: Platform, call: ApiCall) -> Answer:
    """Remove a tag."""
    platform.world.directory_tags.remove(str(_need_tag(platform, call.params).tagid))
    return ok()


def tag_list(platform: Platform, _call: ApiCall) -> Answer:
    """Return all tags."""
    rows = platform.world.directory_tags.rows.values()
    return ok(taglist=[{"tagid": row.tagid, "tagname": row.tagname} for row in rows])


def tag_get(platform: Platform, call: ApiCall) -> Answer:
    """Return who has a tag."""
    tag = _need_tag(platform, call.params)
    members = [platform.world.find_member(userid) for userid in tag.users]
    users = [{"userid": member.userid, "name": member.name} for member in members if member is not None]
    return ok(tagname=tag.tagname, userlist=users, partylist=tag.parties)


def tag_add_users(platform: Platform, call: ApiCall) -> Answer:
    """Give a tag to members and departments; unknown ones are named in the answer."""
    tag = _need_tag(platform, call.body)
    users, parties, answer = _read_tagged(platform, call.body)
    tag.users = list(dict.fromkeys([*tag.users, *users]))
    tag.parties = list(dict.fromkeys([*tag.parties, *parties]))
    platform.world.directory_tags.put(tag)
    return answer


def tag_del_users(platform: Platform, call: ApiCall) -> Answer:
    """Take a tag from members and departments."""
    tag = _need_tag(platform, call.body)
    users, parties, answer = _read_tagged(platform, call.body)
    tag.users = [user for user in tag.users if user not in users]
    tag.parties = [party for party in tag.parties if party not in parties]
    platform.world.directory_tags.put(tag)
    return answer


def _read_tagged(platform: Platform, body: Json) -> tuple[list[str], list[int], Json]:
    """Return (known members, known departments, the answer that names the others); 40031 when all are unknown."""
    users = read_texts(body, "userlist", MOST_TAG_MEMBERS, 40032)
    parties = read_numbers(body, "partylist", 100, 40066)
    if not users and not parties:
        raise ApiError(40063, "userlist or partylist is required")
    known = {user: platform.world.find_member(user) for user in users}
    found = [member.userid for member in known.values() if member is not None]
    departments = [party for party in parties if str(party) in platform.world.departments.rows]
    if not found and not departments:
        raise ApiError(40031)
    answer = ok()
    lost = [user for user, member in known.items() if member is None]
    if lost:
        answer["invalidlist"] = "|".join(lost)
    if len(departments) < len(parties):
        answer["invalidparty"] = [party for party in parties if party not in departments]
    return found, departments, answer


def _need_tag(platform: Platform, fields: Mapping[str, Any]) -> DirectoryTag:
    tag = platform.world.directory_tags.find(str(read_number(fields, "tagid", None, 0, 2**31)))
    if tag is None:
        raise ApiError(40068)
    return tag


def _read_tag_name(platform: Platform, body: Json) -> str:
    name = need_text(body, "tagname")
    if len(name) > 32:
        raise ApiError(40058, "invalid parameter: tagname is longer than 32 characters")
    if any(row.tagname == name for row in platform.world.directory_tags.rows.values()):
        raise ApiError(40058, "invalid parameter: tagname exists")
    return name


# the app itself


def agent_get(platform: Platform, call: ApiCall) -> Answer:
    """Return the app whose token this is, with its visible range."""
    if read_number(call.params, "agentid", None, 0, 2**31) != platform.config.agent_id:
        raise ApiError(301002)
    hidden = [row for row in platform.world.members.rows.values() if not row.visible]
    users = [{"userid": row.userid} for row in platform.world.members.rows.values() if row.visible] if hidden else []
    return ok(
        **_agent(platform),
        description="",
        allow_userinfos={"user": users},
        allow_partys={"partyid": [] if hidden else [1]},
        allow_tags={"tagid": []},
        close=0,
        redirect_domain="",
        report_location_flag=0,
        isreportenter=1,
        home_url="",
    )


def agent_list(platform: Platform, _call: ApiCall) -> Answer:
    """Return the apps this token sees: its own."""
    return ok(agentlist=[_agent(platform)])


def _agent(platform: Platform) -> Json:
    return {"agentid": platform.config.agent_id, "name": platform.config.app_name, "square_logo_url": ""}


def get_api_domain_ip(_platform: Platform, _call: ApiCall) -> Answer:
    """Return the addresses of the platform's own API."""
    return ok(ip_list=["127.0.0.1"])


ENDPOINTS = {
    "GET /cgi-bin/user/get": Endpoint(user_get, APP),
    "GET /cgi-bin/user/simplelist": Endpoint(user_simplelist, APP),
    "GET /cgi-bin/user/list": Endpoint(user_list, APP),
    "POST /cgi-bin/user/list_id": Endpoint(user_list_id, APP),
    "POST /cgi-bin/user/convert_to_openid": Endpoint(user_to_openid, APP),
    "POST /cgi-bin/user/convert_to_userid": Endpoint(openid_to_user, APP),
    "GET /cgi-bin/department/list": Endpoint(department_list, APP),
    "GET /cgi-bin/department/simplelist": Endpoint(department_simplelist, APP),
    "GET /cgi-bin/department/get": Endpoint(department_get, APP),
    "POST /cgi-bin/tag/create": Endpoint(tag_create, APP),
    "POST /cgi-bin/tag/update": Endpoint(tag_update, APP),
    "GET /cgi-bin/tag/delete": Endpoint(tag_delete, APP),
    "GET /cgi-bin/tag/list": Endpoint(tag_list, APP),
    "GET /cgi-bin/tag/get": Endpoint(tag_get, APP),
    "POST /cgi-bin/tag/addtagusers": Endpoint(tag_add_users, APP),
    "POST /cgi-bin/tag/deltagusers": Endpoint(tag_del_users, APP),
    "GET /cgi-bin/agent/get": Endpoint(agent_get, APP),
    "GET /cgi-bin/agent/list": Endpoint(agent_list, APP),
    "GET /cgi-bin/get_api_domain_ip": Endpoint(get_api_domain_ip, ANY),
}
