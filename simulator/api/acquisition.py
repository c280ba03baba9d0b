"""获客助手 (05, 5.11): links, their customers and figures, the balance. An app sees only its own links."""

from simulator.acquiring import balance_of, list_people, total_of
from simulator.api.endpoint import APP, Answer, Endpoint, ok
from simulator.api.params import (
    need_object,
    need_text,
    page,
    read_flag,
    read_number,
    read_numbers,
    read_text,
    read_texts,
)
from simulator.api.statistics import DAY, read_days
from simulator.errors import ApiError
from simulator.platform import ApiCall, Platform
from simulator.state import Json
from simulator.state_contacts import AcquisitionLink

LONGEST_NAME = 30
MOST_PEOPLE = 500
MOST_PRIORITY = 1000
YEAR_SECONDS = 365 * 86_400


def create_link(platform: Platform, call: ApiCall) -> Answer:
    """Make a link for up to 500 people."""
    body = call.body
    need_text(body, "link_name")
    name = read_text(body, "link_name", LONGEST_NAME)
    users, departments = _read_range(platform, need_object(body, "range"))
    link_id = platform.new_id("cawc")[:32]
    link = AcquisitionLink(
        link_id=link_id,
        link_name=name,
        url=f"https://work.weixin.example/ca/{link_id}",
        skip_verify=read_flag(body, "skip_verify", True),
        mark_source=read_flag(body, "mark_source", True),
        users=users,
        departments=departments,
        priority=_read_priority(platform, body),
        created_at=platform.clock.seconds(),
    )
    _check_people(platform, link)
    platform.world.links.put(link)
    return ok(link=_show(link))


def _read_range(platform: Platform, given: Json) -> tuple[list[str], list[int]]:
    users = read_texts(given, "user_list", MOST_PEOPLE, 41041)
    departments = read_numbers(given, "department_list", MOST_PEOPLE, 41041)
    members = [platform.world.find_member(user) for user in users]
    found = [member.userid for member in members if member is not None]
    if len(found) < len(users):
        raise ApiError(60111)
    if any(str(number) not in platform.world.departments.rows for number in departments):
        raise ApiError(60123)
    return found, departments


def _read_priority(platform: Platform, body: Json) -> Json | None:
    if not body.get("priority_option"):
        return None
    given = need_object(body, "priority_option")
    kind = read_number(given, "priority_type", None, 1, 2)
    users = read_texts(given, "priority_userid_list", MOST_PRIORITY, 41041)
    if kind == 2 and not users:
        raise ApiError(40063, "missing or empty: priority_userid_list")
    if any(platform.world.find_member(user) is None for user in users):
        raise ApiError(60111)
    return {"priority_type": kind, "priority_userid_list": users}


def _check_people(platform: Platform, link: AcquisitionLink) -> None:
    people = list_people(platform, link)
    if not people:
        raise ApiError(84074)
    if len(people) > MOST_PEOPLE:
        raise ApiError(41041)


def _show(link: AcquisitionLink) -> Json:
    return {
        "link_id": link.link_id,
        "link_name": link.link_name,
        "url": link.url,
        "create_time": link.created_at,
        "skip_verify": link.skip_verify,
        "mark_source": link.mark_source,
    }


def need_link(platform: Platform, fields: Json) -> AcquisitionLink:
    """Return the link of `link_id`; 40063 without one, 40058 for an unknown one."""
    link = platform.world.links.find(need_text(fields, "link_id"))
    if link is None:
        raise ApiError(40058, "invalid parameter: link_id")
    return link


def list_link(platform: Platform, call: ApiCall) -> Answer:
    """Return the ids of this app's links."""
    limit = read_number(call.body, "limit", 100, 1, 100)
    shown, following = page(list(platform.world.links.rows), read_text(call.body, "cursor"), limit)
    answer = ok(link_id_list=shown)
    if following:
        answer["next_cursor"] = following
    return answer


def get_link(platform: Platform, call: ApiCall) -> Answer:
    """Return one link."""
    link = need_link(platform, call.body)
    answer = ok(link=_show(link), range={"user_list": link.users, "department_list": link.departments})
    if link.priority is not None:
        answer["priority_option"] = link.priority
    return answer


def update_link(platform: Platform, call: ApiCall) -> Answer:
    """Change what is given of a link."""
    body = call.body
    link = need_link(platform, body)
    name = read_text(body, "link_name", LONGEST_NAME) or link.link_name
    users, departments = link.users, link.departments
    if body.get("range"):
        users, departments = _read_range(platform, need_object(body, "range"))
    priority = _read_priority(platform, body) if body.get("priority_option") else link.priority
    skip_verify = read_flag(body, "skip_verify", link.skip_verify)
    mark_source = read_flag(body, "mark_source", link.mark_source)
    changed = AcquisitionLink(
        link.link_id, name, link.url, skip_verify, mark_source, users, departments, priority, link.created_at
    )
    _check_people(platform, changed)
    changed.clicks = link.clicks
    platform.world.links.put(changed)
    return ok()


def delete_link(platform: Platform, call: ApiCall) -> Answer:
    """Remove a link."""
    platform.world.links.remove(need_link(platform, call.body).link_id)
    return ok()


def list_customers(platform: Platform, call: ApiCall) -> Answer:
    """Return who came through a link, and whether each has written."""
    link = need_link(platform, call.body)
    limit = read_number(call.body, "limit", 1000, 1, 1000)
    found = [row for row in platform.world.acquired.rows.values() if row.link_id == link.link_id]
    shown, following = page(found, read_text(call.body, "cursor"), limit)
    rows = [
        {
            "external_userid": row.external_userid,
            "userid": row.userid,
            "chat_status": int(row.messages > 0),
            "state": row.state,
        }
        for row in shown
    ]
    answer = ok(customer_list=rows)
    if following:
        answer["next_cursor"] = following
    return answer


def get_quota(platform: Platform, _call: ApiCall) -> Answer:
    """Return how many customers were bought and how many may still come."""
    balance = balance_of(platform)
    quota = {"expire_date": platform.clock.seconds() + YEAR_SECONDS, "balance": balance}
    return ok(total=total_of(platform), balance=balance, quota_list=[quota])


def get_statistic(platform: Platform, call: ApiCall) -> Answer:
    """Return clicks and new customers of a link in at most 30 of the last 180 days."""
    fields: Json = dict(call.params)
    link = need_link(platform, fields)
    read_number(fields, "end_time", None, 0, 2**40)
    days = read_days(platform, fields, "start_time", "end_time")
    start, end = days[0].timestamp(), (days[-1] + DAY).timestamp()
    came = [row for row in platform.world.acquired.rows.values() if row.link_id == link.link_id]
    return ok(
        click_link_customer_cnt=sum(1 for at in link.clicks if start <= at < end),
        new_customer_cnt=sum(1 for row in came if start <= row.added_at < end),
    )


def get_chat_info(platform: Platform, call: ApiCall) -> Answer:
    """Tell whom a ChatKey is about; it lives 30 minutes."""
    key = platform.world.chat_keys.find(need_text(call.body, "chat_key"))
    if key is None or key.expires_at < platform.clock.now():
        raise ApiError(40058, "invalid parameter: chat_key")
    chat = {"recv_msg_cnt": key.messages, "link_id": key.link_id, "state": key.state}
    return ok(userid=key.userid, external_userid=key.external_userid, chat_info=chat)


BASE = "/cgi-bin/externalcontact/customer_acquisition"
ENDPOINTS = {
    f"POST {BASE}/create_link": Endpoint(create_link, APP),
    f"POST {BASE}/list_link": Endpoint(list_link, APP),
    f"POST {BASE}/get": Endpoint(get_link, APP),
    f"POST {BASE}/update_link": Endpoint(update_link, APP),
    f"POST {BASE}/delete_link": Endpoint(delete_link, APP),
    f"POST {BASE}/customer": Endpoint(list_customers, APP),
    f"POST {BASE}/get_chat_info": Endpoint(get_chat_info, APP),
    f"GET {BASE}/statistic": Endpoint(get_statistic, APP),
    f"POST {BASE}_quota": Endpoint(get_quota, APP),
}
