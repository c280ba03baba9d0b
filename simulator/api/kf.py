"""微信客服 (07): pull, send within the budget of 5 messages in 48 h, session states."""

import re
from datetime import timedelta

from simulator.api.cards import check_menu, show_menu
from simulator.api.endpoint import KF, Answer, Endpoint, ok
from simulator.api.messages import TEXT_BYTES, find_media
from simulator.api.params import cut_bytes, need_object, need_text, read_number, read_text, read_texts
from simulator.chats import Line, say_as_bot
from simulator.errors import ApiError
from simulator.kf_desk import (
    END_CODE_TYPES,
    STATE_BOT,
    STATE_ENDED,
    STATE_HUMAN,
    STATE_NEW,
    STATE_POOL,
    TALK_LIFE,
    WELCOME_LIFE,
    find_session,
    is_over,
    new_code,
)
from simulator.platform import ApiCall, Platform
from simulator.state import ChatKind, Json, KfItem, KfMsgId, KfSession

BUDGET = 5
KEPT = timedelta(days=3)
MSGID = re.compile(r"[0-9A-Za-z_-]{1,32}")
MEDIA_TYPES = {"image": "[图片]", "voice": "[语音]", "video": "[视频]", "file": "[文件]"}
NEXT_STATES: dict[int, frozenset[int]] = {
    STATE_NEW: frozenset({STATE_BOT, STATE_POOL, STATE_HUMAN, STATE_ENDED}),
    STATE_BOT: frozenset({STATE_POOL, STATE_HUMAN, STATE_ENDED}),
    STATE_POOL: frozenset({STATE_HUMAN, STATE_ENDED}),
    STATE_HUMAN: frozenset({STATE_HUMAN, STATE_ENDED}),
    STATE_ENDED: frozenset(),
}


def list_accounts(platform: Platform, call: ApiCall) -> Answer:
    """Return the kf accounts."""
    limit = read_number(call.body, "limit", 100, 1, 100)
    offset = read_number(call.body, "offset", 0, 0, 5000)
    account = {
        "open_kfid": platform.config.open_kfid,
        "name": platform.config.kf_name,
        "avatar": "",
        "manage_privilege": True,
    }
    return ok(account_list=[account][offset : offset + limit])


def sync_msg(platform: Platform, call: ApiCall) -> Answer:
    """Return what came in after the cursor, of the last three days; slowly without the callback's token."""
    body = call.body
    open_kfid = _need_account(platform, body)
    limit = read_number(body, "limit", 1000, 1, 1000)
    read_number(body, "voice_format", 0, 0, 1)
    _check_pull_right(platform, read_text(body, "token"), open_kfid)
    after = _read_cursor(read_text(body, "cursor"))
    oldest = platform.clock.now() - KEPT.total_seconds()
    waiting: list[KfItem] = [
        row
        for row in platform.world.kf_items.rows.values()
        if row.open_kfid == open_kfid and row.seq > after and row.at >= oldest
    ]
    shown = waiting[:limit]
    last = shown[-1].seq if shown else after
    return ok(
        next_cursor=f"c{last}",
        has_more=1 if len(waiting) > limit else 0,
        msg_list=[row.item for row in shown],
    )


def _need_account(platform: Platform, body: Json) -> str:
    open_kfid = need_text(body, "open_kfid")
    if open_kfid != platform.config.open_kfid:
        raise ApiError(40058, "invalid parameter: open_kfid")
    return open_kfid


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
    if not re.fullmatch(r"c\d{1,18}", cursor):
        raise ApiError(50100)
    return int(cursor[1:])


def send_msg(platform: Platform, call: ApiCall) -> Answer:
    """Send to a customer: in state 0 or 1, within 48 h of the customer's last message, at most five."""
    body = call.body
    external_userid = need_text(body, "touser")
    open_kfid = _need_account(platform, body)
    if platform.world.customers.find(external_userid) is None:
        raise ApiError(40096)
    line = _read_content(platform, body, None)
    msgid = _check_msgid(platform, body, open_kfid)
    session = find_session(platform, open_kfid, external_userid)
    _check_budget(platform, session)
    session.sent += 1
    platform.world.kf_sessions.put(session)
    return _send(platform, session, line, body, msgid)


def _check_budget(platform: Platform, session: KfSession) -> None:
    if is_over(platform, session):
        raise ApiError(95002)
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
    say_as_bot(platform, ChatKind.KF, session.external_userid, line, msgid)
    platform.record_sent("kf", [session.external_userid], body, msgid)
    return ok(msgid=msgid)


def _read_content(platform: Platform, body: Json, allowed: list[str] | None) -> Line:
    msgtype = need_text(body, "msgtype")
    if allowed is not None and msgtype not in allowed:
        raise ApiError(40008)
    if msgtype == "text":
        content = need_text(need_object(body, "text", 44004), "content", 44004)
        return Line(cut_bytes(content, TEXT_BYTES))
    if msgtype == "msgmenu":
        menu = need_object(body, "msgmenu")
        check_menu(menu)
        view = show_menu(menu)
        return Line(view["title"], "card", view)
    if msgtype in MEDIA_TYPES:
        media_id = need_text(need_object(body, msgtype), "media_id")
        return Line(MEDIA_TYPES[msgtype] + find_media(platform, media_id))
    if msgtype == "link":
        link = need_object(body, "link")
        need_text(link, "url")
        find_media(platform, need_text(link, "thumb_media_id"))
        return Line(f"[链接] {need_text(link, 'title')}")
    if msgtype == "location":
        return Line(f"[位置] {read_text(need_object(body, 'location'), 'name')}")
    raise ApiError(40008)


def send_msg_on_event(platform: Platform, call: ApiCall) -> Answer:
    """Answer an event code once: a welcome within 20 s, a queue text within 48 h, an end text within 20 s."""
    code = platform.world.kf_codes.find(need_text(call.body, "code"))
    if code is None or code.used or code.expires_at <= platform.clock.now():
        raise ApiError(40058, "invalid parameter: code is unknown, used or expired")
    line = _read_content(platform, call.body, code.msgtypes)
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
    """Move a session on; 95016 for a transition the state diagram does not have."""
    session = _need_session(platform, call.body)
    wanted = read_number(call.body, "service_state", None, 0, 4)
    if wanted not in NEXT_STATES[session.state]:
        raise ApiError(95016, "state transition not allowed")
    servicer = read_text(call.body, "servicer_userid")
    if wanted == STATE_HUMAN:
        member = platform.world.find_member(need_text(call.body, "servicer_userid"))
        if member is None or not member.visible:
            raise ApiError(60030)
        servicer = member.userid
    session.state, session.servicer = wanted, servicer
    platform.world.kf_sessions.put(session)
    if wanted == STATE_BOT:
        return ok()
    life, types = (WELCOME_LIFE, END_CODE_TYPES) if wanted == STATE_ENDED else (TALK_LIFE, ["text"])
    return ok(msg_code=new_code(platform, session, life, types).code)


def _need_session(platform: Platform, body: Json) -> KfSession:
    open_kfid = _need_account(platform, body)
    external_userid = need_text(body, "external_userid", 41035)
    if platform.world.customers.find(external_userid) is None:
        raise ApiError(40096)
    session = find_session(platform, open_kfid, external_userid)
    if session.state != STATE_ENDED and is_over(platform, session):
        session.state = STATE_ENDED
        platform.world.kf_sessions.put(session)
    return session


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
        session = find_session(platform, platform.config.open_kfid, external_userid)
        if with_context and session.context is not None:
            row["enter_session_context"] = session.context
        shown.append(row)
    return ok(customer_list=shown, invalid_external_userid=invalid)


ENDPOINTS = {
    "POST /cgi-bin/kf/account/list": Endpoint(list_accounts, KF),
    "POST /cgi-bin/kf/sync_msg": Endpoint(sync_msg, KF),
    "POST /cgi-bin/kf/send_msg": Endpoint(send_msg, KF),
    "POST /cgi-bin/kf/send_msg_on_event": Endpoint(send_msg_on_event, KF),
    "POST /cgi-bin/kf/service_state/get": Endpoint(get_state, KF),
    "POST /cgi-bin/kf/service_state/trans": Endpoint(change_state, KF),
    "POST /cgi-bin/kf/customer/batchget": Endpoint(batch_get_customers, KF),
}
