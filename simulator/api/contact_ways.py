"""渠道活码 (05, 5.3): codes by which customers add a member."""

from collections.abc import Mapping
from datetime import timedelta

from simulator.api.contacts import need_serving_member
from simulator.api.contents import check_attachment, read_content_text
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
from simulator.errors import ApiError
from simulator.platform import ApiCall, Platform
from simulator.state import Json
from simulator.state_contacts import ContactWay

LONGEST_REMARK = 30
MOST_PEOPLE = 100
SINGLE, SEVERAL = 1, 2
MINI_PROGRAM, QR = 1, 2
STYLES = 3
DEFAULT_SPAN = timedelta(days=90)
LONGEST_TEMPORARY_SECONDS = 14 * 86_400
CONCLUSION_BYTES = 4000
CONCLUSIONS = ("image", "link", "miniprogram")


def add_contact_way(platform: Platform, call: ApiCall) -> Answer:
    """Make a code; the answer is the only place that tells its config_id."""
    body = call.body
    kind = _read_choice(body, "type", 41037, 41039)
    scene = _read_choice(body, "scene", 41038, 41040)
    fields = _read_fields(platform, body, kind, scene)
    if len(platform.world.contact_ways.rows) + len(platform.world.join_ways.rows) >= platform.config.contact_way_cap:
        raise ApiError(41045)
    config_id = platform.new_id("cw")[:32]
    qr_code = f"https://wework.example/qr/{config_id}" if scene == QR else ""
    way = ContactWay(config_id, {"type": kind, "scene": scene, **fields}, platform.clock.seconds(), qr_code)
    platform.world.contact_ways.put(way)
    answer = ok(config_id=config_id)
    if qr_code:
        answer["qr_code"] = qr_code
    return answer


def _read_choice(body: Json, name: str, missing: int, bad: int) -> int:
    value = body.get(name)
    if value is None:
        raise ApiError(missing)
    if type(value) is not int or value not in {1, 2}:
        raise ApiError(bad)
    return value


def _read_fields(platform: Platform, body: Json, kind: int, scene: int) -> Json:
    """Return the checked fields that add and update share."""
    users = [need_serving_member(platform, user).userid for user in read_texts(body, "user", MOST_PEOPLE, 41041)]
    parties = read_numbers(body, "party", MOST_PEOPLE, 41041)
    _check_people(platform, kind, users, parties)
    style = read_number(body, "style", 1, 0, 2**31) if scene == MINI_PROGRAM else 1
    if not 1 <= style <= STYLES:
        raise ApiError(41042)
    fields: Json = {
        "style": style,
        "remark": read_text(body, "remark", LONGEST_REMARK),
        "skip_verify": read_flag(body, "skip_verify", True),
        "state": read_text(body, "state", LONGEST_REMARK),
        "user": users,
        "party": parties,
        "is_temp": read_flag(body, "is_temp", False),
        "is_exclusive": read_flag(body, "is_exclusive", False),
        "mark_source": read_flag(body, "mark_source", True),
    }
    if fields["is_temp"]:
        fields["expires_in"] = read_number(body, "expires_in", 7 * 86_400, 1, LONGEST_TEMPORARY_SECONDS)
        fields["chat_expires_in"] = read_number(body, "chat_expires_in", 86_400, 1, LONGEST_TEMPORARY_SECONDS)
        fields["unionid"] = read_text(body, "unionid")
    fields["conclusions"] = _read_conclusions(platform, body)
    return fields


def _check_people(platform: Platform, kind: int, users: list[str], parties: list[int]) -> None:
    if kind == SINGLE and (len(users) != 1 or parties):
        raise ApiError(41041, "a code of type 1 has exactly one user")
    if not users and not parties:
        raise ApiError(40063, "user or party is required")
    if len(users) + len(parties) > MOST_PEOPLE:
        raise ApiError(41041)
    if any(str(party) not in platform.world.departments.rows for party in parties):
        raise ApiError(60123)


def _read_conclusions(platform: Platform, body: Json) -> Json:
    """Return the closing words of temporary sessions as they are read back: a picture as its address."""
    if not body.get("conclusions"):
        return {}
    given = need_object(body, "conclusions")
    read_content_text(given, CONCLUSION_BYTES)
    shown = {name: value for name, value in given.items() if name in {"text", *CONCLUSIONS}}
    for name in CONCLUSIONS:
        if given.get(name):
            check_attachment(platform, name, need_object(given, name))
    if "image" in shown:
        shown["image"] = {"pic_url": f"https://wework.example/pic/{given['image'].get('media_id', '')}"}
    return shown


def get_contact_way(platform: Platform, call: ApiCall) -> Answer:
    """Return one code of this app."""
    way = need_way(platform, call.body)
    return ok(contact_way={"config_id": way.config_id, "qr_code": way.qr_code, **way.body})


def need_way(platform: Platform, fields: Mapping[str, object]) -> ContactWay:
    """Return the code of `config_id`; 41043 without one, 41044 for an unknown one."""
    way = platform.world.contact_ways.find(need_text(fields, "config_id", 41043))
    if way is None:
        raise ApiError(41044)
    return way


def list_contact_way(platform: Platform, call: ApiCall) -> Answer:
    """Return the ids of codes made in a span, by default of the last 90 days."""
    body = call.body
    now = platform.clock.seconds()
    start = read_number(body, "start_time", now - int(DEFAULT_SPAN.total_seconds()), 0, 2**53)
    end = read_number(body, "end_time", now, 0, 2**53)
    if end < start:
        raise ApiError(40058, "invalid parameter: end_time lies before start_time")
    limit = read_number(body, "limit", 100, 1, 1000)
    found = [row for row in platform.world.contact_ways.rows.values() if start <= row.created_at <= end]
    shown, following = page([row for row in found if not row.body["is_temp"]], read_text(body, "cursor"), limit)
    answer = ok(contact_way=[{"config_id": row.config_id} for row in shown])
    if following:
        answer["next_cursor"] = following
    return answer


def update_contact_way(platform: Platform, call: ApiCall) -> Answer:
    """Change a code; fields left out keep their value, type and scene stay."""
    way = need_way(platform, call.body)
    merged = {**way.body, **{name: value for name, value in call.body.items() if name not in {"type", "scene"}}}
    conclusions = merged.pop("conclusions") if "conclusions" not in call.body else None
    fields = _read_fields(platform, merged, way.body["type"], way.body["scene"])
    if conclusions is not None:
        fields["conclusions"] = conclusions
    way.body = {"type": way.body["type"], "scene": way.body["scene"], **fields}
    platform.world.contact_ways.put(way)
    return ok()


def del_contact_way(platform: Platform, call: ApiCall) -> Answer:
    """Remove a code."""
    platform.world.contact_ways.remove(need_way(platform, call.body).config_id)
    return ok()


ENDPOINTS = {
    "POST /cgi-bin/externalcontact/add_contact_way": Endpoint(add_contact_way, APP),
    "POST /cgi-bin/externalcontact/get_contact_way": Endpoint(get_contact_way, APP),
    "POST /cgi-bin/externalcontact/list_contact_way": Endpoint(list_contact_way, APP),
    "POST /cgi-bin/externalcontact/update_contact_way": Endpoint(update_contact_way, APP),
    "POST /cgi-bin/externalcontact/del_contact_way": Endpoint(del_contact_way, APP),
}
