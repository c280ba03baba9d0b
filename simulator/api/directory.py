"""Members and departments (90195 ff.)."""

from simulator.api.endpoint import APP, Answer, Endpoint, ok
from simulator.api.params import need_text, read_number
from simulator.errors import ApiError
from simulator.platform import ApiCall, Platform
from simulator.state import Department, Json, Member

HIGHEST_DEPARTMENT = 2**32 - 1


def user_get(platform: Platform, call: ApiCall) -> Answer:
    """Return one member."""
    member = platform.world.find_member(need_text(call.params, "userid"))
    if member is None:
        raise ApiError(60111)
    return ok(**_member(member))


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


def department_list(platform: Platform, call: ApiCall) -> Answer:
    """Return a department and all below it; without `id` all departments."""
    root = read_number(call.params, "id", 1, 1, HIGHEST_DEPARTMENT)
    _check_department(platform, root)
    wanted = platform.world.list_departments_below(root)
    return ok(department=[_department(row) for row in platform.world.departments.rows.values() if row.id in wanted])


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
        "enable": 1,
        "isleader": 0,
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


ENDPOINTS = {
    "GET /cgi-bin/user/get": Endpoint(user_get, APP),
    "GET /cgi-bin/user/simplelist": Endpoint(user_simplelist, APP),
    "GET /cgi-bin/user/list": Endpoint(user_list, APP),
    "GET /cgi-bin/department/list": Endpoint(department_list, APP),
}
