"""Customers and the members who serve them, remarks, welcome messages, ids (05, 5.1, 5.4, 5.12)."""

from datetime import timedelta

from simulator.api.contents import read_content
from simulator.api.directory import openid_of
from simulator.api.endpoint import APP, Answer, Endpoint, ok
from simulator.api.found_media import find_media
from simulator.api.params import need_text, page, read_number, read_text, read_texts
from simulator.chats import say_in_single
from simulator.errors import ApiError
from simulator.platform import ApiCall, Platform
from simulator.state import Customer, Follow, Group, GroupMember, Json, Member
from simulator.state_contacts import TemporaryId

WELCOME_LIFE = timedelta(seconds=20)
TEMPORARY_ID_LIFE = timedelta(hours=4)
FOLLOWERS_A_PAGE = 500


def need_serving_member(platform: Platform, userid: str) -> Member:
    """Return a member with customer-contact right; refuse with 60111, 60011 or 84074."""
    member = platform.world.find_member(userid)
    if member is None:
        raise ApiError(60111)
    if not member.visible:
        raise ApiError(60011)
    if not member.serves:
        raise ApiError(84074)
    return member


def need_follow(platform: Platform, userid: str, external_userid: str, *, half_too: bool = False) -> Follow:
    """Return the living relation of both; refuse with 60111, 40096 or 84061.

    A half-friend of a code that asks nobody has no relation yet (03, 3.3), unless `half_too`.
    """
    member = platform.world.find_member(userid)
    if member is None:
        raise ApiError(60111)
    if platform.world.customers.find(external_userid) is None:
        raise ApiError(40096)
    follow = platform.world.find_follow(member.userid, external_userid)
    if follow is None or (follow.half and not half_too):
        raise ApiError(84061)
    return follow


def get_follow_user_list(platform: Platform, _call: ApiCall) -> Answer:
    """Return the members with customer-contact right whom the app sees."""
    return ok(follow_user=[row.userid for row in platform.world.members.rows.values() if row.serves and row.visible])


def list_customers(platform: Platform, call: ApiCall) -> Answer:
    """Return the customers of a member; 84061 when there is none."""
    member = need_serving_member(platform, need_text(call.params, "userid"))
    if not member.licensed:
        raise ApiError(701008)
    follows = platform.world.list_follows_of(member.userid)
    if not follows:
        raise ApiError(84061)
    return ok(external_userid=[follow.external_userid for follow in follows])


def get_customer(platform: Platform, call: ApiCall) -> Answer:
    """Return a customer with all members who follow, 500 a page."""
    external_userid = need_text(call.params, "external_userid", 41035)
    customer = platform.world.customers.find(external_userid)
    if customer is None:
        raise ApiError(40096)
    follows = platform.world.list_followers_of(external_userid)
    if not follows:
        raise ApiError(84061)
    shown, following = page(follows, read_text(call.params, "cursor"), FOLLOWERS_A_PAGE)
    answer = ok(
        external_contact=_customer(customer),
        follow_user=[{**_follow(follow), "tags": _tags(platform, follow)} for follow in shown],
    )
    if following:
        answer["next_cursor"] = following
    return answer


def batch_get_by_user(platform: Platform, call: ApiCall) -> Answer:
    """Return the customers of up to 100 members, page by page; members without a licence are named apart."""
    users = read_texts(call.body, "userid_list", 100)
    if not users:
        raise ApiError(40063, "missing or empty: userid_list")
    limit = read_number(call.body, "limit", 50, 1, 100)
    members = [need_serving_member(platform, user) for user in users]
    unlicensed = [member.userid for member in members if not member.licensed]
    follows = [row for member in members if member.licensed for row in platform.world.list_follows_of(member.userid)]
    shown, following = page(follows, read_text(call.body, "cursor"), limit)
    items = [
        {
            "external_contact": _customer(platform.world.customers.rows[follow.external_userid]),
            "follow_info": {**_follow(follow), "tag_id": follow.tag_ids},
        }
        for follow in shown
    ]
    answer = ok(external_contact_list=items, next_cursor=following)
    if unlicensed:
        answer["fail_info"] = {"unlicensed_userid_list": unlicensed}
    return answer


def _customer(customer: Customer) -> Json:
    return {
        "external_userid": customer.external_userid,
        "name": customer.name,
        "type": 1,
        "gender": customer.gender,
        "avatar": "",
    }


def _follow(follow: Follow) -> Json:
    return {
        "userid": follow.userid,
        "remark": follow.remark,
        "description": follow.description,
        "createtime": follow.createtime,
        "remark_corp_name": follow.remark_company,
        "remark_mobiles": follow.remark_mobiles,
        "add_way": follow.add_way,
        "oper_userid": follow.oper_userid or follow.userid,
        "state": follow.state,
    }


def _tags(platform: Platform, follow: Follow) -> list[Json]:
    return [
        {"group_name": group.group_name, "tag_name": tag.name, "tag_id": tag.id, "type": 1}
        for group in platform.world.tag_groups.rows.values()
        for tag in group.tags
        if tag.id in follow.tag_ids
    ]


def remark(platform: Platform, call: ApiCall) -> Answer:
    """Change what a member wrote about a customer; `remark_mobiles` of one empty string clears them."""
    body = call.body
    follow = need_follow(platform, need_text(body, "userid"), need_text(body, "external_userid", 41035))
    remark, description = read_text(body, "remark", 20), read_text(body, "description", 150)
    company = read_text(body, "remark_company", 20)
    mobiles = [mobile for mobile in read_texts(body, "remark_mobiles", 5) if mobile]
    if body.get("remark_pic_mediaid"):
        find_media(platform, read_text(body, "remark_pic_mediaid"), "image")
    follow.remark = remark if "remark" in body else follow.remark
    follow.description = description if "description" in body else follow.description
    follow.remark_company = company if "remark_company" in body else follow.remark_company
    follow.remark_mobiles = mobiles if "remark_mobiles" in body else follow.remark_mobiles
    platform.world.follows.put(follow)
    return ok()


def contact_list(platform: Platform, call: ApiCall) -> Answer:
    """Return every external person ever served, customers and others in groups, with ids that live 4 h."""
    limit = read_number(call.body, "limit", 1000, 1, 1000)
    people: list[Follow | tuple[Group, GroupMember]] = list(platform.world.follows.rows.values())
    people += _list_met_in_groups(platform)
    shown, following = page(people, read_text(call.body, "cursor"), limit)
    expires_at = platform.clock.now() + TEMPORARY_ID_LIFE.total_seconds()
    answer = ok(info_list=[_met(platform, row, expires_at) for row in shown])
    if following:
        answer["next_cursor"] = following
    return answer


def _list_met_in_groups(platform: Platform) -> list[tuple[Group, GroupMember]]:
    """Return the members of groups who never were anybody's customer."""
    known = {follow.external_userid for follow in platform.world.follows.rows.values()}
    groups = platform.world.groups.rows.values()
    return [(group, row) for group in groups for row in group.members if row.type == 2 and row.userid not in known]


def _met(platform: Platform, met: Follow | tuple[Group, GroupMember], expires_at: float) -> Json:
    """Return the entry of a relation, also an ended one, or of a person in a group; with a new temporary id."""
    if isinstance(met, Follow):
        person = met.external_userid
        entry: Json = {
            "is_customer": int(met.ended_by is None),
            "external_userid": person,
            "follow_userid": met.userid,
            "add_time": met.createtime,
        }
    else:
        group, member = met
        person = member.userid
        entry = {"is_customer": 0, "chat_id": group.chat_id, "chat_name": group.name, "add_time": member.join_time}
    temporary = platform.world.temporary_ids.put(TemporaryId(platform.new_id("tmp"), person, expires_at))
    return {"tmp_openid": temporary.tmp_id, "name": platform.world.name_of(person), **entry}


def convert_tmp_external_userid(platform: Platform, call: ApiCall) -> Answer:
    """Turn living temporary ids into external_userids."""
    asked = read_texts(call.body, "tmp_external_userid_list", 100)
    read_number(call.body, "business_type", None, 1, 3)
    read_number(call.body, "user_type", None, 1, 4)
    if not asked:
        raise ApiError(40063, "missing or empty: tmp_external_userid_list")
    now = platform.clock.now()
    found = {tmp_id: platform.world.temporary_ids.find(tmp_id) for tmp_id in asked}
    living = [row for row in found.values() if row is not None and row.expires_at > now]
    results = [{"tmp_external_userid": row.tmp_id, "external_userid": row.external_userid} for row in living]
    known = {row.tmp_id for row in living}
    lost = [tmp_id for tmp_id in asked if tmp_id not in known]
    return ok(results=results, invalid_tmp_external_userid_list=lost)


def convert_to_openid(platform: Platform, call: ApiCall) -> Answer:
    """Return the openid of a customer."""
    external_userid = need_text(call.body, "external_userid", 41035)
    if platform.world.customers.find(external_userid) is None:
        raise ApiError(40096)
    return ok(openid=openid_of(external_userid))


def close_temp_chat(platform: Platform, call: ApiCall) -> Answer:
    """End a temporary session; the two must have one."""
    need_follow(platform, need_text(call.body, "userid"), need_text(call.body, "external_userid", 41035))
    return ok()


def send_welcome_msg(platform: Platform, call: ApiCall) -> Answer:
    """Greet a new customer as the member: within 20 s of the event, once, before they chat."""
    code = platform.world.welcome_codes.find(need_text(call.body, "welcome_code", 41049))
    text, attachments = read_content(platform, call.body)
    if code is None or code.used or platform.clock.now() > code.issued_at + WELCOME_LIFE.total_seconds():
        raise ApiError(41050)
    follow = need_follow(platform, code.userid, code.external_userid, half_too=True)
    if follow.last_chat_at > code.issued_at:
        raise ApiError(41051)
    code.used = True
    platform.world.welcome_codes.put(code)
    shown = text or "；".join(f"[{attachment['msgtype']}]" for attachment in attachments)
    line = say_in_single(platform, follow, follow.userid, shown, note="欢迎语")
    platform.record_sent("welcome", [follow.external_userid], call.body, line.id)
    return ok()


ENDPOINTS = {
    "GET /cgi-bin/externalcontact/get_follow_user_list": Endpoint(get_follow_user_list, APP),
    "GET /cgi-bin/externalcontact/list": Endpoint(list_customers, APP),
    "GET /cgi-bin/externalcontact/get": Endpoint(get_customer, APP),
    "POST /cgi-bin/externalcontact/batch/get_by_user": Endpoint(batch_get_by_user, APP),
    "POST /cgi-bin/externalcontact/remark": Endpoint(remark, APP),
    "POST /cgi-bin/externalcontact/contact_list": Endpoint(contact_list, APP),
    "POST /cgi-bin/externalcontact/convert_to_openid": Endpoint(convert_to_openid, APP),
    "POST /cgi-bin/externalcontact/close_temp_chat": Endpoint(close_temp_chat, APP),
    "POST /cgi-bin/externalcontact/send_welcome_msg": Endpoint(send_welcome_msg, APP),
    "POST /cgi-bin/idconvert/convert_tmp_external_userid": Endpoint(convert_tmp_external_userid, APP),
}
