"""kf statistics by day in China, counted from what happened here (07, 7.1), and the video-channel qualification."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from simulator.api.endpoint import KF, Answer, Endpoint, ok
from simulator.api.params import read_number, read_text
from simulator.clock import CHINA
from simulator.errors import ApiError
from simulator.kf_desk import ORIGIN_CUSTOMER, ORIGIN_SERVICER, need_account
from simulator.platform import ApiCall, Platform
from simulator.state import Json, KfItem

MOST_DAYS = 31
FAR = 4_102_444_800


def _days(platform: Platform, body: Json) -> list[datetime]:
    """Return the days asked for, first to last; the last seven without a span."""
    now = platform.clock.seconds()
    end = read_number(body, "end_time", now, 1, FAR)
    start = read_number(body, "start_time", max(1, end - 6 * 86400), 1, FAR)
    if start > end:
        raise ApiError(40058, "invalid parameter: start_time is after end_time")
    first, last = _day(start), _day(end)
    count = (last - first).days + 1
    if count > MOST_DAYS:
        raise ApiError(40058, f"invalid parameter: more than {MOST_DAYS} days")
    return [first + timedelta(days=number) for number in range(count)]


def _day(at: float) -> datetime:
    return datetime.fromtimestamp(at, CHINA).replace(hour=0, minute=0, second=0, microsecond=0)


def _items(platform: Platform, body: Json, day: datetime) -> list[KfItem]:
    wanted = read_text(body, "open_kfid")
    if wanted:
        need_account(platform, wanted)
    return [
        row
        for row in platform.world.kf_items.rows.values()
        if _day(row.at) == day and (not wanted or row.open_kfid == wanted) and isinstance(row.item, dict)
    ]


def _count(platform: Platform, items: list[KfItem]) -> Json:
    written = [row.item for row in items if row.item.get("origin") == ORIGIN_CUSTOMER]
    customers = {item["external_userid"] for item in written}
    rejected = [row for row in platform.world.kf_sessions.rows.values() if row.rejects]
    return {
        "session_cnt": len({(item["open_kfid"], item["external_userid"]) for item in written}),
        "customer_cnt": len(customers),
        "customer_msg_cnt": len(written),
        "upgrade_service_customer_cnt": len(platform.world.kf_upgrades.rows),
        "msg_rejected_customer_cnt": len([row for row in rejected if row.external_userid in customers]),
    }


def _rows(platform: Platform, body: Json) -> Iterator[tuple[datetime, list[KfItem]]]:
    for day in _days(platform, body):
        yield day, _items(platform, body, day)


def corp(platform: Platform, call: ApiCall) -> Answer:
    """Return the counts of the corp, a row for each day."""
    native_bot = {"ai_session_reply_cnt": 0, "ai_transfer_rate": 0.0, "ai_knowledge_hit_rate": 0.0}
    return ok(
        statistic_list=[
            {"stat_time": int(day.timestamp()), "statistic": {**_count(platform, items), **native_bot}}
            for day, items in _rows(platform, call.body)
        ]
    )


def servicer(platform: Platform, call: ApiCall) -> Answer:
    """Return the counts of a servicer (of all without an id), a row for each day."""
    userid = read_text(call.body, "servicer_userid")
    if userid and platform.world.find_member(userid) is None:
        raise ApiError(40003)
    return ok(
        statistic_list=[
            {"stat_time": int(day.timestamp()), "statistic": _served(platform, items, userid)}
            for day, items in _rows(platform, call.body)
        ]
    )


def _served(platform: Platform, items: list[KfItem], userid: str) -> Json:
    answered = {
        row.item["external_userid"]
        for row in items
        if row.item.get("origin") == ORIGIN_SERVICER and userid in {"", row.item.get("servicer_userid")}
    }
    theirs = [row for row in items if row.item.get("external_userid") in answered]
    return {
        **_count(platform, theirs),
        "satisfaction_investgate_cnt": 0,
        "upgrade_service_member_invite_cnt": 0,
        "upgrade_service_member_customer_cnt": 0,
        "upgrade_service_groupchat_invite_cnt": 0,
        "upgrade_service_groupchat_customer_cnt": 0,
    }


def qualification(_platform: Platform, _call: ApiCall) -> Answer:
    """Say that no video channel is bound."""
    return ok(wechat_channels_binding=False)


ENDPOINTS = {
    "POST /cgi-bin/kf/get_corp_statistic": Endpoint(corp, KF),
    "POST /cgi-bin/kf/get_servicer_statistic": Endpoint(servicer, KF),
    "GET /cgi-bin/kf/get_corp_qualification": Endpoint(qualification, KF),
}
