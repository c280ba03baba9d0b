"""Inheritance of customers and groups (05, 5.8), from members at work and from those who left."""

from collections.abc import Sequence

from simulator.api.contacts import need_serving_member
from simulator.api.endpoint import APP, Answer, Endpoint, ok
from simulator.api.params import need_text, page, read_number, read_text, read_texts
from simulator.errors import ApiError
from simulator.grouping import give_to
from simulator.platform import ApiCall, Platform
from simulator.relations import BY_LEAVING
from simulator.state import Group, Json
from simulator.state_contacts import GroupTransfer, Transfer
from simulator.transferring import DONE, MOST_IN_PERIOD, PERIOD_SECONDS, WAITING, count_recent, list_transfers, start
from simulator.world import pair_key

MOST_AT_ONCE = 100
GROUPS_PER_DAY = 300
RESULTS_A_PAGE = 1000
TRANSFER_DONE = 3
DAY_SECONDS = 86_400


def transfer_customer(platform: Platform, call: ApiCall) -> Answer:
    """Begin to hand customers to a colleague; an errcode 0 per customer only says that it has begun."""
    handover = need_serving_member(platform, need_text(call.body, "handover_userid")).userid
    message = read_text(call.body, "transfer_success_msg", 200)
    return _transfer(platform, call.body, handover, resigned=False, message=message)


def resigned_transfer_customer(platform: Platform, call: ApiCall) -> Answer:
    """Begin to hand over the customers of a member who left."""
    handover = _need_departed(platform, need_text(call.body, "handover_userid"))
    return _transfer(platform, call.body, handover, resigned=True, message="")


def _need_departed(platform: Platform, userid: str) -> str:
    """Return who left; 40097 for a member at work, 60111 for nobody."""
    if platform.world.find_member(userid) is not None:
        raise ApiError(40097)
    if platform.world.departed.find(userid) is None:
        raise ApiError(60111)
    return userid


def _transfer(platform: Platform, body: Json, handover: str, *, resigned: bool, message: str) -> Answer:
    takeover = need_serving_member(platform, need_text(body, "takeover_userid")).userid
    if takeover == handover:
        raise ApiError(40130)
    customers = list(dict.fromkeys(read_texts(body, "external_userid", MOST_AT_ONCE)))
    if not customers:
        raise ApiError(41035)
    answers = []
    transfers = list_transfers(platform, customers)
    for external_userid in customers:
        errcode = _judge(platform, handover, external_userid, transfers[external_userid], resigned=resigned)
        if not errcode:
            start(platform, handover, takeover, external_userid, resigned=resigned, message=message)
        answers.append({"external_userid": external_userid, "errcode": errcode})
    return ok(customer=answers)


def _judge(
    platform: Platform, handover: str, external_userid: str, transfers: Sequence[Transfer], *, resigned: bool
) -> int:
    """Return why one customer cannot be handed over, 0 when it can."""
    if platform.world.customers.find(external_userid) is None:
        return 40096
    follow = platform.world.follows.find(pair_key(handover, external_userid))
    if follow is None or follow.ended_by != (BY_LEAVING if resigned else None):
        return 40131
    if any(row.status == WAITING for row in transfers):
        return 40129
    if any(row.status == DONE and row.handover == handover and row.resigned for row in transfers):
        return 40131
    return 40128 if count_recent(transfers, platform.clock.now()) >= MOST_IN_PERIOD else 0


def transfer_result(platform: Platform, call: ApiCall) -> Answer:
    """Return how the transfers between two members stand."""
    return _results(platform, call.body, resigned=False)


def resigned_transfer_result(platform: Platform, call: ApiCall) -> Answer:
    """Return how the transfers of a member who left stand."""
    return _results(platform, call.body, resigned=True)


def _results(platform: Platform, body: Json, *, resigned: bool) -> Answer:
    handover, takeover = need_text(body, "handover_userid"), need_text(body, "takeover_userid")
    if platform.world.find_member(takeover) is None:
        raise ApiError(60111)
    if resigned:
        _need_departed(platform, handover)
    elif platform.world.find_member(handover) is None:
        raise ApiError(60111)
    latest = {
        row.external_userid: row
        for row in platform.world.transfers.rows.values()
        if (row.handover, row.takeover, row.resigned) == (handover, takeover, resigned)
    }
    shown, following = page(list(latest.values()), read_text(body, "cursor"), RESULTS_A_PAGE)
    rows = []
    for row in shown:
        entry: Json = {"external_userid": row.external_userid, "status": row.status}
        if row.status == DONE:
            entry["takeover_time"] = row.takeover_time
        rows.append(entry)
    answer = ok(customer=rows)
    if following:
        answer["next_cursor"] = following
    return answer


def get_unassigned_list(platform: Platform, call: ApiCall) -> Answer:
    """Return the customers of members who left and nobody has taken over."""
    limit = read_number(call.body, "page_size", 1000, 1, 1000)
    number = read_number(call.body, "page_id", 0, 0, 2**31)
    taken = {
        (row.handover, row.external_userid)
        for row in platform.world.transfers.rows.values()
        if row.resigned and row.status == DONE
    }
    waiting = [
        follow
        for follow in platform.world.follows.rows.values()
        if follow.ended_by == BY_LEAVING and (follow.userid, follow.external_userid) not in taken
    ]
    cursor = read_text(call.body, "cursor")
    shown, following = page(waiting if cursor else waiting[number * limit :], cursor, limit)
    answer = ok(
        info=[
            {
                "handover_userid": follow.userid,
                "external_userid": follow.external_userid,
                "dimission_time": follow.ended_at,
            }
            for follow in shown
        ],
        is_last=not following,
    )
    if following:
        answer["next_cursor"] = following
    return answer


def onjob_transfer_groups(platform: Platform, call: ApiCall) -> Answer:
    """Give groups of members at work another owner; refusals are named per group."""
    return _transfer_groups(platform, call.body, resigned=False)


def transfer_groups(platform: Platform, call: ApiCall) -> Answer:
    """Give groups of members who left another owner; refusals are named per group."""
    return _transfer_groups(platform, call.body, resigned=True)


def _transfer_groups(platform: Platform, body: Json, *, resigned: bool) -> Answer:
    chats = list(dict.fromkeys(read_texts(body, "chat_id_list", MOST_AT_ONCE)))
    if not chats:
        raise ApiError(40063, "missing or empty: chat_id_list")
    owner = need_serving_member(platform, need_text(body, "new_owner")).userid
    failed = []
    for chat_id in chats:
        group = platform.world.groups.find(chat_id)
        error = ApiError(90501) if group is None else _judge_group(platform, group, owner, resigned=resigned)
        if error is not None:
            failed.append({"chat_id": chat_id, **error.answer()})
        elif group is not None:
            _give(platform, group, owner, resigned=resigned)
    return ok(failed_chat_list=failed)


def _judge_group(platform: Platform, group: Group, owner: str, *, resigned: bool) -> ApiError | None:
    """Return why a group cannot change its owner, None when it can."""
    left = platform.world.find_member(group.owner) is None
    transfers = [row for row in platform.world.group_transfers.rows.values() if row.new_owner == owner]
    now = platform.clock.now()
    if resigned and not left:
        return ApiError(90508 if group.status == TRANSFER_DONE else 90500)
    if not resigned and left:
        return ApiError(90502)
    if group.owner == owner:
        return ApiError(90504)
    if sum(1 for row in transfers if row.at > now - DAY_SECONDS) >= GROUPS_PER_DAY:
        return ApiError(45009)
    recent = [
        row
        for row in platform.world.group_transfers.rows.values()
        if row.chat_id == group.chat_id and row.at > now - PERIOD_SECONDS
    ]
    return ApiError(40128) if not resigned and len(recent) >= MOST_IN_PERIOD else None


def _give(platform: Platform, group: Group, owner: str, *, resigned: bool) -> None:
    number = platform.world.next_number("group_transfer")
    now = platform.clock.now()
    platform.world.group_transfers.put(GroupTransfer(number, group.chat_id, group.owner, owner, now))
    give_to(platform, group, owner)
    group.status = TRANSFER_DONE if resigned else group.status
    platform.world.groups.put(group)


EXTERNAL = "POST /cgi-bin/externalcontact"
ENDPOINTS = {
    f"{EXTERNAL}/transfer_customer": Endpoint(transfer_customer, APP),
    f"{EXTERNAL}/transfer_result": Endpoint(transfer_result, APP),
    f"{EXTERNAL}/resigned/transfer_customer": Endpoint(resigned_transfer_customer, APP),
    f"{EXTERNAL}/resigned/transfer_result": Endpoint(resigned_transfer_result, APP),
    f"{EXTERNAL}/get_unassigned_list": Endpoint(get_unassigned_list, APP),
    f"{EXTERNAL}/groupchat/onjob_transfer": Endpoint(onjob_transfer_groups, APP),
    f"{EXTERNAL}/groupchat/transfer": Endpoint(transfer_groups, APP),
}
