"""微信客服 (07): pull, send within the budget of 5 messages in 48 h, session states, customers."""

import itertools
import re
from datetime import timedelta

from simulator.api import kf_accounts, kf_knowledge, kf_statistics
from simulator.api.endpoint import KF, Answer, Endpoint, ok
from simulator.api.kf_contents import TEXT_AND_MENU, read_content
from simulator.api.params import need_text, read_number, read_text, read_texts
from simulator.chats import Line
from simulator.errors import ApiError
from simulator.kf_desk import (
    END_CODE_TYPES,
    QUEUE_CODE_TYPES,
    STATE_BOT,
    STATE_ENDED,
    STATE_HUMAN,
    STATE_NEW,
    STATE_POOL,
    TALK_LIFE,
    WELCOME_LIFE,
    deliver,
    find_servicer,
    find_session,
    has_place,
    is_over,
    need_account,
    new_code,
)
from simulator.platform import ApiCall, Platform
from simulator.state import Json, KfItem, KfMsgId, KfSession

BUDGET = 5
KEPT = timedelta(days=3)
CURSOR_BYTES = 64
MSGID = re.compile(r"[0-9A-Za-z_-]{1,32}")
CURSOR = re.compile(r"c(\d{1,18})(?:\.\d{1,9})?")
NEXT_STATES: dict[int, frozenset[int]] = {
    STATE_NEW: frozenset({STATE_BOT, STATE_POOL, STATE_HUMAN, STATE_ENDED}),
    STATE_BOT: frozenset({STATE_POOL, STATE_HUMAN, STATE_ENDED}),
    STATE_POOL: frozenset({STATE_HUMAN, STATE_ENDED}),
    STATE_HUMAN: frozenset({STATE_HUMAN, STATE_ENDED}),
    STATE_ENDED: frozenset(),
}


def sync_msg(platform: Platform, call: ApiCall) -> Answer:
    """Return what came in after the cursor, of the last three days; slowly without the callback's token."""
    body = call.body
    open_kfid = _need_account(platform, body)
    limit = read_number(body, "limit", 1000, 1, 1000)
    read_number(body, "voice_format", 0, 0, 1)
    cursor = read_text(body, "cursor")
    after = _read_cursor(cursor)
    _check_pull_right(platform, read_text(body, "token"), open_kfid)
    if platform.kf_empty_pages:
        platform.kf_empty_pages -= 1
        return ok(next_cursor=f"c{after}.{platform.world.next_number('kf_empty')}", has_more=1, msg_list=[])
    oldest = platform.clock.now() - KEPT.total_seconds()
    found = (row for row in platform.world.iter_kf_items(after) if row.open_kfid == open_kfid and row.at >= oldest)
    waiting: list[KfItem] = list(itertools.islice(found, limit + 1))
    shown = waiting[:limit]
    last = shown[-1].seq if shown else after
    return ok(
        next_cursor=f"c{last}",
        has_more=1 if len(waiting) > limit else 0,
        msg_list=[row.item for row in shown],
    )


def _need_account(platform: Platform, body: Json) -> str:
    return need_account(platform, need_text(body, "open_kfid")).open_kfid


def _check_pull_right(platform: Platform, token: str, open_kfid: str) -> None:
    if token:
        known = platform.world.kf_tokens.find(token)
        if known is None or known.open_kfid != open_kfid or known.expires_at <= platform.clock.now():
            raise ApiError(95007)
        return
    most = platform.config.kf_pulls_without_token_per_minute
    if most and platform.count_recent("kf_pull", 60) >= most:
        raise ApiError(45009)
    platform.note_recent("kf_pull", 60)


def _read_cursor(cursor: str) -> int:
    if not cursor:
        return 0
    found = CURSOR.fullmatch(cursor)
    if found is None or len(cursor.encode()) > CURSOR_BYTES:
        raise ApiError(50100)
    return int(found[1])


def send_msg(platform: Platform, call: ApiCall) -> Answer:
    """Send to a customer: in state 0 or 1, within 48 h of the customer's last message, at most five."""
    body = call.body
    external_userid = need_text(body, "touser")
    open_kfid = _need_account(platform, body)
    if platform.world.customers.find(external_userid) is None:
        raise ApiError(40096)
    line = read_content(platform, body, None)
    msgid = _check_msgid(platform, body, open_kfid)
    session = find_session(platform, open_kfid, external_userid)
    _check_budget(platform, session)
    session.sent += 1
    platform.world.kf_sessions.put(session)
    return _send(platform, session, line, body, msgid)


def _check_budget(platform: Platform, session: KfSession) -> None:
    if is_over(platform, session):
        raise ApiError(95002)
    if session.state == STATE_ENDED:
        raise ApiError(95013)
    if session.state not in {STATE_NEW, STATE_BOT}:
        raise ApiError(95018)
    if session.sent >= BUDGET:
        raise ApiError(95001)


def _check_msgid(platform: Platform, body: Json, open_kfid: str) -> str | None:
    """Return the caller's msgid, None when it gave none; a repeat is refused."""
    msgid = read_text(body, "msgid")
    if not msgid:
        return None
    if not MSGID.fullmatch(msgid):
        raise ApiError(40058, "invalid parameter: msgid")
    if platform.world.kf_msgids.find(f"{open_kfid}|{msgid}") is not None:
        raise ApiError(95033)
    return msgid


def _send(platform: Platform, session: KfSession, line: Line, body: Json, msgid: str | None) -> Answer:
    msgid = msgid or platform.new_id()[:32]
    platform.world.kf_msgids.put(KfMsgId(session.open_kfid, msgid))
    platform.record_sent("kf", [session.external_userid], body, msgid)
    deliver(platform, session, line, msgid)
    return ok(msgid=msgid)


def send_msg_on_event(platform: Platform, call: ApiCall) -> Answer:
    """Answer an event code once: a welcome within 20 s, a queue text within 48 h, an end text within 20 s."""
    code = platform.world.kf_codes.find(need_text(call.body, "code"))
    if code is None or code.used or code.expires_at <= platform.clock.now():
        raise ApiError(40058, "invalid parameter: code is unknown, used or expired")
    line = read_content(platform, call.body, TEXT_AND_MENU & frozenset(code.msgtypes))
    msgid = _check_msgid(platform, call.body, code.open_kfid)
    code.used = True
    platform.world.kf_codes.put(code)
    session = find_session(platform, code.open_kfid, code.external_userid)
    return _send(platform, session, line, call.body, msgid)


def get_state(platform: Platform, call: ApiCall) -> Answer:
    """Return the state of a session and, in state 3, who serves it."""
    session = _need_session(platform, call.body)
    answer = ok(service_state=session.state)
    if session.state == STATE_HUMAN:
        answer["servicer_userid"] = session.servicer
    return answer


def change_state(platform: Platform, call: ApiCall) -> Answer:
    """Move a session on.

    Raises:
        ApiError: 95016 for a transition the state diagram does not have, 60030 for a member outside the app's
            visible range, 95014 for one who does not receive for the account or has no place.
    """
    session = _need_session(platform, call.body)
    wanted = read_number(call.body, "service_state", None, 0, 4)
    if wanted not in NEXT_STATES[session.state]:
        raise ApiError(95016, "state transition not allowed")
    session.servicer = _need_servicer(platform, session, call.body) if wanted == STATE_HUMAN else ""
    session.state = wanted
    platform.world.kf_sessions.put(session)
    if wanted == STATE_BOT:
        return ok()
    life, types = (WELCOME_LIFE, END_CODE_TYPES) if wanted == STATE_ENDED else (TALK_LIFE, QUEUE_CODE_TYPES)
    return ok(msg_code=new_code(platform, session, life, types).code)


def _need_servicer(platform: Platform, session: KfSession, body: Json) -> str:
    member = platform.world.find_member(need_text(body, "servicer_userid"))
    if member is None or not member.visible:
        raise ApiError(60030)
    servicer = find_servicer(platform, session.open_kfid, member.userid)
    if servicer is None or not has_place(platform, servicer):
        raise ApiError(95014, "the servicer does not receive or has no place")
    return servicer.userid


def _need_session(platform: Platform, body: Json) -> KfSession:
    open_kfid = _need_account(platform, body)
    external_userid = need_text(body, "external_userid", 41035)
    if platform.world.customers.find(external_userid) is None:
        raise ApiError(40096)
    return find_session(platform, open_kfid, external_userid)


def batch_get_customers(platform: Platform, call: ApiCall) -> Answer:
    """Return nicknames of up to 100 customers; unknown ids come back as invalid."""
    asked = read_texts(call.body, "external_userid_list", 100)
    if not asked:
        raise ApiError(40063, "missing or empty: external_userid_list")
    with_context = read_number(call.body, "need_enter_session_context", 0, 0, 1)
    shown, invalid = [], []
    for external_userid in asked:
        customer = platform.world.customers.find(external_userid)
        if customer is None:
            invalid.append(external_userid)
            continue
        row: Json = {
            "external_userid": external_userid,
            "nickname": customer.name,
            "avatar": "",
            "gender": customer.gender,
        }
        context = _last_context(platform, external_userid) if with_context else None
        if context is not None:
            row["enter_session_context"] = context
        shown.append(row)
    return ok(customer_list=shown, invalid_external_userid=invalid)


def _last_context(platform: Platform, external_userid: str) -> Json | None:
    """Return how the customer last entered one of the accounts, if that was within 48 h."""
    since = platform.clock.now() - TALK_LIFE.total_seconds()
    entries = [
        row
        for row in platform.world.kf_sessions.rows.values()
        if row.external_userid == external_userid and row.context is not None and row.entered_at > since
    ]
    return max(entries, key=lambda row: row.entered_at).context if entries else None


ENDPOINTS = {
    **kf_accounts.ENDPOINTS,
    "POST /cgi-bin/kf/sync_msg": Endpoint(sync_msg, KF),
    "POST /cgi-bin/kf/send_msg": Endpoint(send_msg, KF),
    "POST /cgi-bin/kf/send_msg_on_event": Endpoint(send_msg_on_event, KF),
    "POST /cgi-bin/kf/service_state/get": Endpoint(get_state, KF),
    "POST /cgi-bin/kf/service_state/trans": Endpoint(change_state, KF),
    "POST /cgi-bin/kf/customer/batchget": Endpoint(batch_get_customers, KF),
    **kf_statistics.ENDPOINTS,
    **kf_knowledge.ENDPOINTS,
}
