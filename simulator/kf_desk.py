"""The customer's side of 微信客服: entering, writing, and the notice that something waits (07)."""

from datetime import timedelta

from simulator.chats import Line, post_line
from simulator.platform import Platform
from simulator.state import ChatKind, Json, KfCode, KfItem, KfSession, KfToken, SenderKind

TOKEN_LIFE = timedelta(minutes=10)
WELCOME_LIFE = timedelta(seconds=20)
TALK_LIFE = timedelta(hours=48)
ORIGIN_CUSTOMER, ORIGIN_EVENT = 3, 4
STATE_NEW, STATE_BOT, STATE_POOL, STATE_HUMAN, STATE_ENDED = 0, 1, 2, 3, 4
END_CODE_TYPES = ["text", "msgmenu"]


def find_session(platform: Platform, open_kfid: str, external_userid: str) -> KfSession:
    """Return the session of a customer with an account; one that never began is in state 4."""
    known = platform.world.kf_sessions.find(f"{open_kfid}|{external_userid}")
    return known or KfSession(open_kfid, external_userid)


def is_over(platform: Platform, session: KfSession) -> bool:
    """Say whether 48 h passed since the customer's last message, or there was none."""
    return platform.clock.now() - session.last_customer_at > TALK_LIFE.total_seconds()


def new_code(platform: Platform, session: KfSession, life: timedelta, msgtypes: list[str]) -> KfCode:
    """Issue a code for send_msg_on_event."""
    return platform.world.kf_codes.put(
        KfCode(
            code=platform.new_id(),
            open_kfid=session.open_kfid,
            external_userid=session.external_userid,
            expires_at=platform.clock.now() + life.total_seconds(),
            msgtypes=msgtypes,
        )
    )


def enter(platform: Platform, external_userid: str) -> str | None:
    """Let a customer open the kf chat; return the welcome code, None when no welcome is due.

    A code comes only when the customer got no welcome within 48 h and has not written in that time.
    """
    session = find_session(platform, platform.config.open_kfid, external_userid)
    now = platform.clock.now()
    welcomed = now - session.welcomed_at <= TALK_LIFE.total_seconds()
    event: Json = {
        "event_type": "enter_session",
        "open_kfid": session.open_kfid,
        "external_userid": external_userid,
        "scene": "demo",
        "scene_param": "",
    }
    code = None
    if is_over(platform, session) and not welcomed:
        code = new_code(platform, session, WELCOME_LIFE, END_CODE_TYPES).code
        event["welcome_code"] = code
        session.welcomed_at = now
    session.context = {"scene": "demo", "scene_param": ""}
    platform.world.kf_sessions.put(session)
    line = Line("进入客服会话", "event")
    post_line(platform, ChatKind.KF, external_userid, external_userid, SenderKind.CUSTOMER, line)
    _add_item(platform, session, {"origin": ORIGIN_EVENT, "msgtype": "event", "event": event})
    return code


def write(platform: Platform, external_userid: str, text: str, menu_id: str | None) -> str:
    """Let a customer write, or tap a menu item; return the msgid. The 5-message budget begins anew."""
    session = find_session(platform, platform.config.open_kfid, external_userid)
    if session.state == STATE_ENDED or is_over(platform, session):
        session.state = STATE_NEW
    session.last_customer_at = platform.clock.now()
    session.sent = 0
    platform.world.kf_sessions.put(session)
    body = {"content": text, "menu_id": menu_id} if menu_id else {"content": text}
    item = {
        "open_kfid": session.open_kfid,
        "external_userid": external_userid,
        "origin": ORIGIN_CUSTOMER,
        "msgtype": "text",
        "text": body,
    }
    msgid = _add_item(platform, session, item)
    post_line(platform, ChatKind.KF, external_userid, external_userid, SenderKind.CUSTOMER, Line(text), msgid)
    return msgid


def _add_item(platform: Platform, session: KfSession, fields: Json) -> str:
    """Put an item where sync_msg finds it, and tell the bot that something is there."""
    msgid = platform.new_id()
    now = platform.clock.now()
    item = {"msgid": msgid, "send_time": int(now), **fields}
    seq = platform.world.next_number("kf")
    platform.world.kf_items.put(KfItem(seq, session.open_kfid, now, item))
    token = platform.world.kf_tokens.put(
        KfToken(platform.new_id("ENC"), session.open_kfid, now + TOKEN_LIFE.total_seconds())
    )
    platform.callbacks.send_xml(
        "kf",
        platform.config.kf_callback,
        {
            "ToUserName": platform.config.corp_id,
            "CreateTime": int(now),
            "MsgType": "event",
            "Event": "kf_msg_or_event",
            "Token": token.token,
            "OpenKfId": session.open_kfid,
        },
    )
    return msgid
