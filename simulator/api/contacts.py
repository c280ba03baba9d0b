"""Customers, corp tags and welcome messages (05, 5.1, 5.2, 5.4)."""

from datetime import timedelta

from simulator.api.endpoint import APP, Answer, Endpoint, ok
from simulator.api.messages import find_media
from simulator.api.params import (
    check_bytes,
    need_object,
    need_text,
    page,
    read_number,
    read_objects,
    read_text,
    read_texts,
)
from simulator.chats import say_in_single
from simulator.errors import ApiError
from simulator.platform import ApiCall, Platform
from simulator.state import Customer, Follow, Json, Member, WelcomeCode

WELCOME_LIFE = timedelta(seconds=20)
CONTENT_BYTES = 4000
ATTACHMENTS = frozenset({"image", "link", "miniprogram", "video", "file"})


def need_serving_member(platform: Platform, userid: str) -> Member:
    """Return a member with customer-contact right; refuse with 60111 or 84074."""
    member = platform.world.find_member(userid)
    if member is None:
        raise ApiError(60111)
    if not member.serves:
        raise ApiError(84074)
    return member


def need_follow(platform: Platform, userid: str, external_userid: str) -> Follow:
    """Return the living relation of both; refuse with 60111, 40096 or 84061."""
    member = platform.world.find_member(userid)
    if member is None:
        raise ApiError(60111)
    if platform.world.customers.find(external_userid) is None:
        raise ApiError(40096)
    follow = platform.world.find_follow(member.userid, external_userid)
    if follow is None:
        raise ApiError(84061)
    return follow


def get_follow_user_list(platform: Platform, _call: ApiCall) -> Answer:
    """Return the members with customer-contact right."""
    return ok(follow_user=[row.userid for row in platform.world.members.rows.values() if row.serves])


def list_customers(platform: Platform, call: ApiCall) -> Answer:
    """Return the customers of a member; 84061 when there is none."""
    member = need_serving_member(platform, need_text(call.params, "userid"))
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
    shown, following = page(follows, read_text(call.params, "cursor"), 500)
    answer = ok(
        external_contact=_customer(customer),
        follow_user=[{**_follow(follow), "tags": _tags(platform, follow)} for follow in shown],
    )
    if following:
        answer["next_cursor"] = following
    return answer


def batch_get_by_user(platform: Platform, call: ApiCall) -> Answer:
    """Return the customers of up to 100 members, page by page."""
    users = read_texts(call.body, "userid_list", 100)
    if not users:
        raise ApiError(40063, "missing or empty: userid_list")
    limit = read_number(call.body, "limit", 50, 1, 100)
    members = [need_serving_member(platform, user) for user in users]
    follows = [row for member in members for row in platform.world.list_follows_of(member.userid)]
    shown, following = page(follows, read_text(call.body, "cursor"), limit)
    items = [
        {
            "external_contact": _customer(platform.world.customers.rows[follow.external_userid]),
            "follow_info": {**_follow(follow), "tag_id": follow.tag_ids},
        }
        for follow in shown
    ]
    return ok(external_contact_list=items, next_cursor=following)


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
        "oper_userid": follow.userid,
        "state": follow.state,
    }


def _tags(platform: Platform, follow: Follow) -> list[Json]:
    return [
        {"group_name": group.group_name, "tag_name": tag.name, "tag_id": tag.id, "type": 1}
        for group in platform.world.tag_groups.rows.values()
        for tag in group.tags
        if tag.id in follow.tag_ids
    ]


def get_corp_tag_list(platform: Platform, call: ApiCall) -> Answer:
    """Return all corp tags, or those asked for by tag_id or group_id."""
    tag_ids = set(read_texts(call.body, "tag_id", 10_000))
    group_ids = set(read_texts(call.body, "group_id", 10_000))
    groups = []
    for group in platform.world.tag_groups.rows.values():
        if group_ids and not tag_ids and group.group_id not in group_ids:
            continue
        tags = [
            {"id": tag.id, "name": tag.name, "order": tag.order, "create_time": group.create_time}
            for tag in group.tags
            if not tag_ids or tag.id in tag_ids
        ]
        if tags:
            groups.append(
                {
                    "group_id": group.group_id,
                    "group_name": group.group_name,
                    "create_time": group.create_time,
                    "order": group.order,
                    "tag": tags,
                }
            )
    return ok(tag_group=groups)


def mark_tag(platform: Platform, call: ApiCall) -> Answer:
    """Add and remove corp tags on one relation; no callback follows."""
    body = call.body
    userid, external_userid = need_text(body, "userid"), need_text(body, "external_userid", 41035)
    adding, removing = read_texts(body, "add_tag", 10_000), read_texts(body, "remove_tag", 10_000)
    if not adding and not removing:
        raise ApiError(40063, "add_tag or remove_tag is required")
    follow = need_follow(platform, userid, external_userid)
    known = {tag.id for group in platform.world.tag_groups.rows.values() for tag in group.tags}
    if not known.issuperset([*adding, *removing]):
        raise ApiError(40068)
    kept = [tag for tag in follow.tag_ids if tag not in removing]
    follow.tag_ids = kept + [tag for tag in adding if tag not in kept]
    platform.world.follows.put(follow)
    return ok()


def remark(platform: Platform, call: ApiCall) -> Answer:
    """Change what a member wrote about a customer; `remark_mobiles` of one empty string clears them."""
    body = call.body
    follow = need_follow(platform, need_text(body, "userid"), need_text(body, "external_userid", 41035))
    if "remark" in body:
        follow.remark = read_text(body, "remark", 20)
    if "description" in body:
        follow.description = read_text(body, "description", 150)
    if "remark_company" in body:
        follow.remark_company = read_text(body, "remark_company", 20)
    if "remark_mobiles" in body:
        follow.remark_mobiles = [mobile for mobile in read_texts(body, "remark_mobiles", 5) if mobile]
    platform.world.follows.put(follow)
    return ok()


def read_content(platform: Platform, body: Json) -> tuple[str, list[Json]]:
    """Return text and attachments of a welcome or broadcast after the documented checks."""
    text = ""
    if body.get("text"):
        text = check_bytes(read_text(need_object(body, "text"), "content"), CONTENT_BYTES, "text.content")
    attachments = read_objects(body, "attachments", 9)
    if not text and not attachments:
        raise ApiError(40063, "text and attachments are both empty")
    for attachment in attachments:
        _check_attachment(platform, attachment)
    return text, attachments


def _check_attachment(platform: Platform, attachment: Json) -> None:
    msgtype = need_text(attachment, "msgtype")
    if msgtype not in ATTACHMENTS:
        raise ApiError(41065)
    content = need_object(attachment, msgtype)
    if msgtype == "link":
        check_bytes(need_text(content, "title"), 128, "link.title", 40058)
        check_bytes(read_text(content, "desc"), 512, "link.desc", 40058)
        need_text(content, "url")
    elif msgtype == "miniprogram":
        check_bytes(need_text(content, "title"), 64, "miniprogram.title", 40058)
        need_text(content, "appid")
        need_text(content, "page")
        find_media(platform, need_text(content, "pic_media_id"))
    elif msgtype != "image" or not content.get("pic_url"):
        find_media(platform, need_text(content, "media_id"))


def send_welcome_msg(platform: Platform, call: ApiCall) -> Answer:
    """Greet a new customer as the member: within 20 s of the event, once, before they chat."""
    code = platform.world.welcome_codes.find(need_text(call.body, "welcome_code", 41049))
    text, attachments = read_content(platform, call.body)
    if code is None or code.used or platform.clock.now() > code.issued_at + WELCOME_LIFE.total_seconds():
        raise ApiError(41050)
    follow = need_follow(platform, code.userid, code.external_userid)
    if follow.last_chat_at > code.issued_at:
        raise ApiError(41051)
    code.used = True
    platform.world.welcome_codes.put(code)
    shown = text or "；".join(f"[{attachment['msgtype']}]" for attachment in attachments)
    line = say_in_single(platform, follow, follow.userid, shown, note="欢迎语")
    platform.record_sent("welcome", [follow.external_userid], call.body, line.id)
    return ok()


def new_welcome_code(platform: Platform, follow: Follow) -> WelcomeCode:
    """Issue the welcome code of a new relation."""
    code = WelcomeCode(platform.new_id(), follow.userid, follow.external_userid, platform.clock.now())
    return platform.world.welcome_codes.put(code)


ENDPOINTS = {
    "GET /cgi-bin/externalcontact/get_follow_user_list": Endpoint(get_follow_user_list, APP),
    "GET /cgi-bin/externalcontact/list": Endpoint(list_customers, APP),
    "GET /cgi-bin/externalcontact/get": Endpoint(get_customer, APP),
    "POST /cgi-bin/externalcontact/batch/get_by_user": Endpoint(batch_get_by_user, APP),
    "POST /cgi-bin/externalcontact/get_corp_tag_list": Endpoint(get_corp_tag_list, APP),
    "POST /cgi-bin/externalcontact/mark_tag": Endpoint(mark_tag, APP),
    "POST /cgi-bin/externalcontact/remark": Endpoint(remark, APP),
    "POST /cgi-bin/externalcontact/send_welcome_msg": Endpoint(send_welcome_msg, APP),
}
