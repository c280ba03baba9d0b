"""kf accounts, their links and their servicers (07, 7.1), and the hand-over to a personal manager or a group."""

import re
from urllib.parse import quote

from simulator.api.endpoint import KF, Answer, Endpoint, ok
from simulator.api.found_media import find_media
from simulator.api.params import (
    check_bytes,
    need_object,
    need_text,
    read_number,
    read_numbers,
    read_text,
    read_texts,
)
from simulator.errors import ApiError, meanings
from simulator.kf_desk import find_session, list_accounts, need_account
from simulator.platform import ApiCall, Platform
from simulator.state import Json
from simulator.state_kf import KfAccount, KfServicer, KfServicerDepartment, KfUpgrade

MOST_ACCOUNTS = 5000
NAME_CHARS = 16
MEDIA_ID_BYTES = 128
MOST_SERVICERS = 2000
MOST_DEPARTMENTS = 20
AT_ONCE = 100
SCENE = re.compile(r"[0-9a-zA-Z_-]{0,32}")
TO_MEMBER, TO_GROUP = 1, 2


def _need_account(platform: Platform, fields: Json) -> KfAccount:
    return need_account(platform, need_text(fields, "open_kfid"))


def list_all(platform: Platform, call: ApiCall) -> Answer:
    """Return the kf accounts."""
    limit = read_number(call.body, "limit", 100, 1, 100)
    offset = read_number(call.body, "offset", 0, 0, MOST_ACCOUNTS)
    shown = [
        {"open_kfid": row.open_kfid, "name": row.name, "avatar": row.media_id, "manage_privilege": True}
        for row in list_accounts(platform)
    ]
    return ok(account_list=shown[offset : offset + limit])


def add(platform: Platform, call: ApiCall) -> Answer:
    """Make an account."""
    name = _read_name(need_text(call.body, "name"))
    media_id = _read_avatar(platform, need_text(call.body, "media_id"))
    if len(list_accounts(platform)) >= MOST_ACCOUNTS:
        raise ApiError(40058, "too many accounts")
    row = platform.world.kf_accounts.put(KfAccount(platform.new_id("wk")[:32], name, media_id))
    return ok(open_kfid=row.open_kfid)


def _read_name(name: str) -> str:
    if len(name) > NAME_CHARS:
        raise ApiError(40058, f"invalid parameter: name is longer than {NAME_CHARS} characters")
    return name


def _read_avatar(platform: Platform, media_id: str) -> str:
    find_media(platform, check_bytes(media_id, MEDIA_ID_BYTES, "media_id", 40058), "image")
    return media_id


def update(platform: Platform, call: ApiCall) -> Answer:
    """Change an account's name or picture."""
    account = _need_account(platform, call.body)
    name, media_id = read_text(call.body, "name"), read_text(call.body, "media_id")
    if name:
        account.name = _read_name(name)
    if media_id:
        account.media_id = _read_avatar(platform, media_id)
    platform.world.kf_accounts.put(account)
    return ok()


def remove(platform: Platform, call: ApiCall) -> Answer:
    """Remove an account; its servicers go with it."""
    account = _need_account(platform, call.body)
    account.removed = True
    platform.world.kf_accounts.put(account)
    for servicer in _servicers(platform, account.open_kfid):
        platform.world.kf_servicers.remove(f"{servicer.open_kfid}|{servicer.userid}")
    for row in _departments(platform, account.open_kfid):
        platform.world.kf_servicer_departments.remove(f"{row.open_kfid}|{row.department_id}")
    return ok()


def add_contact_way(platform: Platform, call: ApiCall) -> Answer:
    """Return the link of an account; `scene_param` is appended by whoever gives the link out."""
    account = _need_account(platform, call.body)
    scene = read_text(call.body, "scene")
    if not SCENE.fullmatch(scene):
        raise ApiError(40058, "invalid parameter: scene")
    tail = f"?enc_scene={quote(scene)}" if scene else ""
    return ok(url=f"https://work.weixin.qq.com/kfid/{account.open_kfid}{tail}")


# servicers


def _servicers(platform: Platform, open_kfid: str) -> list[KfServicer]:
    return [row for row in platform.world.kf_servicers.rows.values() if row.open_kfid == open_kfid]


def _departments(platform: Platform, open_kfid: str) -> list[KfServicerDepartment]:
    return [row for row in platform.world.kf_servicer_departments.rows.values() if row.open_kfid == open_kfid]


def _read_people(platform: Platform, body: Json) -> tuple[str, list[str], list[int]]:
    open_kfid = _need_account(platform, body).open_kfid
    users = read_texts(body, "userid_list", AT_ONCE)
    departments = read_numbers(body, "department_id_list", MOST_DEPARTMENTS)
    if not users and not departments:
        raise ApiError(40063, "userid_list or department_id_list is required")
    return open_kfid, users, departments


def add_servicers(platform: Platform, call: ApiCall) -> Answer:
    """Add members and departments; each has its own result."""
    open_kfid, users, departments = _read_people(platform, call.body)
    if len(_servicers(platform, open_kfid)) + len(users) > MOST_SERVICERS:
        raise ApiError(40058, f"more than {MOST_SERVICERS} servicers")
    if len(_departments(platform, open_kfid)) + len(departments) > MOST_DEPARTMENTS:
        raise ApiError(40058, f"more than {MOST_DEPARTMENTS} departments")
    results = [{"userid": userid, **_result(_add_servicer(platform, open_kfid, userid))} for userid in users]
    for department in departments:
        known = platform.world.departments.find(str(department)) is not None
        if known:
            platform.world.kf_servicer_departments.put(KfServicerDepartment(open_kfid, department))
        results.append({"userid": "", "department_id": department, **_result(0 if known else 60003)})
    return ok(result_list=results)


def _add_servicer(platform: Platform, open_kfid: str, userid: str) -> int:
    member = platform.world.find_member(userid)
    if member is None:
        return 40003
    if not member.visible:
        return 60030
    if platform.world.kf_servicers.find(f"{open_kfid}|{member.userid}") is None:
        platform.world.kf_servicers.put(KfServicer(open_kfid, member.userid))
    return 0


def remove_servicers(platform: Platform, call: ApiCall) -> Answer:
    """Remove members and departments; each has its own result."""
    open_kfid, users, departments = _read_people(platform, call.body)
    results = []
    for userid in users:
        key = f"{open_kfid}|{userid}"
        known = platform.world.kf_servicers.find(key) is not None
        platform.world.kf_servicers.remove(key)
        results.append({"userid": userid, **_result(0 if known else 40003)})
    for department in departments:
        key = f"{open_kfid}|{department}"
        known = platform.world.kf_servicer_departments.find(key) is not None
        platform.world.kf_servicer_departments.remove(key)
        results.append({"userid": "", "department_id": department, **_result(0 if known else 60003)})
    return ok(result_list=results)


def _result(errcode: int) -> Json:
    return {"errcode": errcode, "errmsg": "success" if errcode == 0 else meanings().get(errcode, "refused")}


def list_servicers(platform: Platform, call: ApiCall) -> Answer:
    """Return the members (with their status) and departments of an account."""
    open_kfid = _need_account(platform, dict(call.params)).open_kfid
    members: list[Json] = [{"userid": row.userid, "status": row.status} for row in _servicers(platform, open_kfid)]
    departments: list[Json] = [{"department_id": row.department_id} for row in _departments(platform, open_kfid)]
    return ok(servicer_list=members + departments)


# recommending a personal manager or a group


def get_upgrade_config(platform: Platform, _call: ApiCall) -> Answer:
    """Return who may be recommended: all who serve customers, and their groups."""
    world = platform.world
    members = [row.userid for row in world.members.rows.values() if row.serves and row.visible]
    return ok(
        member_range={"userid_list": members, "department_id_list": []},
        groupchat_range={"chat_id_list": list(world.groups.rows)},
    )


def upgrade(platform: Platform, call: ApiCall) -> Answer:
    """Recommend a manager or a group to a customer; the next message of the manager's client carries it."""
    about = _about(platform, call.body)
    kind = read_number(call.body, "type", None, TO_MEMBER, TO_GROUP)
    if kind == TO_MEMBER:
        wanted = need_object(call.body, "member")
        target = need_text(wanted, "userid")
        member = platform.world.find_member(target)
        if member is None or not member.serves:
            raise ApiError(40003)
    else:
        wanted = need_object(call.body, "groupchat")
        target = need_text(wanted, "chat_id")
        if platform.world.groups.find(target) is None:
            raise ApiError(40050)
    wording = check_bytes(read_text(wanted, "wording"), 1024, "wording")
    platform.world.kf_upgrades.put(KfUpgrade(*about, kind, target, wording, platform.clock.now()))
    return ok()


def cancel_upgrade(platform: Platform, call: ApiCall) -> Answer:
    """Take a recommendation back; one that was never made is no matter."""
    open_kfid, external_userid = _about(platform, call.body)
    platform.world.kf_upgrades.remove(f"{open_kfid}|{external_userid}")
    return ok()


def _about(platform: Platform, body: Json) -> tuple[str, str]:
    account = _need_account(platform, body)
    external_userid = need_text(body, "external_userid", 41035)
    if platform.world.customers.find(external_userid) is None:
        raise ApiError(40096)
    return account.open_kfid, find_session(platform, account.open_kfid, external_userid).external_userid


ENDPOINTS = {
    "POST /cgi-bin/kf/account/list": Endpoint(list_all, KF),
    "POST /cgi-bin/kf/account/add": Endpoint(add, KF),
    "POST /cgi-bin/kf/account/update": Endpoint(update, KF),
    "POST /cgi-bin/kf/account/del": Endpoint(remove, KF),
    "POST /cgi-bin/kf/add_contact_way": Endpoint(add_contact_way, KF),
    "POST /cgi-bin/kf/servicer/add": Endpoint(add_servicers, KF),
    "POST /cgi-bin/kf/servicer/del": Endpoint(remove_servicers, KF),
    "GET /cgi-bin/kf/servicer/list": Endpoint(list_servicers, KF),
    "GET /cgi-bin/kf/customer/get_upgrade_service_config": Endpoint(get_upgrade_config, KF),
    "POST /cgi-bin/kf/customer/upgrade_service": Endpoint(upgrade, KF),
    "POST /cgi-bin/kf/customer/cancel_upgrade_service": Endpoint(cancel_upgrade, KF),
}
