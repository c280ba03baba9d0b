"""What people do in 微信客服: customers enter, write, recall and refuse; servicers take, answer and end (07)."""

from dataclasses import dataclass
from datetime import timedelta

from simulator.chats import Line, post_line, say_as_bot
from simulator.errors import ApiError
from simulator.platform import Platform
from simulator.state import ChatKind, ChatMessage, Json, KfCode, KfItem, KfSession, KfToken, Media, Member, SenderKind
from simulator.state_kf import KfAccount, KfServicer

TOKEN_LIFE = timedelta(minutes=10)
WELCOME_LIFE = timedelta(seconds=20)
TALK_LIFE = timedelta(hours=48)
ORIGIN_CUSTOMER, ORIGIN_EVENT, ORIGIN_SERVICER = 3, 4, 5
STATE_NEW, STATE_BOT, STATE_POOL, STATE_HUMAN, STATE_ENDED = 0, 1, 2, 3, 4
TAKEN, TRANSFERRED, ENDED, REENTERED = 1, 2, 3, 4
END_CODE_TYPES = ["text", "msgmenu"]
QUEUE_CODE_TYPES = ["text"]
MEDIA_LABELS = {"image": "[图片]", "voice": "[语音]", "video": "[视频]", "file": "[文件]"}
LABELS = {
    **MEDIA_LABELS,
    "location": "[位置]",
    "link": "[链接]",
    "business_card": "[名片]",
    "miniprogram": "[小程序]",
    "msgmenu": "[菜单]",
    "channels": "[视频号]",
    "channels_shop_product": "[商品]",
    "channels_shop_order": "[订单]",
    "merged_msg": "[聊天记录]",
    "meeting": "[会议]",
    "calendar": "[日程]",
    "note": "[笔记]",
}
FAIL_REFUSED = 10


class NotNow(Exception):
    """Somebody tries what the state of things does not allow; the control API answers 409."""


# accounts and their servicers


def find_account(platform: Platform, open_kfid: str) -> KfAccount | None:
    """Return a living account; the configured one is there without having been added."""
    known = platform.world.kf_accounts.find(open_kfid)
    if known is None and open_kfid == platform.config.open_kfid:
        known = KfAccount(open_kfid, platform.config.kf_name)
    return None if known is None or known.removed else known


def list_accounts(platform: Platform) -> list[KfAccount]:
    """Return the living accounts, the configured one first."""
    ids = dict.fromkeys([platform.config.open_kfid, *platform.world.kf_accounts.rows])
    return [account for open_kfid in ids if (account := find_account(platform, open_kfid)) is not None]


def find_servicer(platform: Platform, open_kfid: str, userid: str) -> KfServicer | None:
    """Return how a member receives for an account: by name, or by its department; None when it does not."""
    member = platform.world.find_member(userid)
    if member is None:
        return None
    named = platform.world.kf_servicers.find(f"{open_kfid}|{member.userid}")
    if named is not None:
        return named
    by_department = platform.world.kf_servicer_departments.find(f"{open_kfid}|{member.department}")
    return KfServicer(open_kfid, member.userid) if by_department is not None else None


def has_place(platform: Platform, servicer: KfServicer) -> bool:
    """Say whether a servicer receives and can take one session more."""
    if servicer.status != 0:
        return False
    if servicer.places is None:
        return True
    held = [
        row
        for row in platform.world.kf_sessions.rows.values()
        if row.open_kfid == servicer.open_kfid and row.state == STATE_HUMAN and row.servicer == servicer.userid
    ]
    return len(held) < servicer.places


# sessions


def find_session(platform: Platform, open_kfid: str, external_userid: str) -> KfSession:
    """Return the session of a customer with an account; one that never began is in state 4."""
    known = platform.world.kf_sessions.find(f"{open_kfid}|{external_userid}")
    session = known or KfSession(open_kfid, external_userid)
    if session.state != STATE_ENDED and is_over(platform, session):
        session.state, session.servicer = STATE_ENDED, ""
        platform.world.kf_sessions.put(session)
    return session


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


def talk_key(platform: Platform, session: KfSession) -> str:
    """Return the key of the conversation: the customer's id, with the account's behind it for further accounts."""
    if session.open_kfid == platform.config.open_kfid:
        return session.external_userid
    return f"{session.external_userid}|{session.open_kfid}"


# what customers do


def enter(platform: Platform, session: KfSession, scene: str = "demo", scene_param: str = "") -> str | None:
    """Let a customer open the kf chat; return the welcome code, None when no welcome is due.

    A code comes only when the customer got no welcome within 48 h and has not written in that time.
    """
    now = platform.clock.now()
    welcomed = now - session.welcomed_at <= TALK_LIFE.total_seconds()
    event: Json = {"event_type": "enter_session", "scene": scene, "scene_param": scene_param}
    code = None
    if is_over(platform, session) and not welcomed:
        code = new_code(platform, session, WELCOME_LIFE, END_CODE_TYPES).code
        event["welcome_code"] = code
        session.welcomed_at = now
    session.context = {"scene": scene, "scene_param": scene_param}
    session.entered_at = now
    platform.world.kf_sessions.put(session)
    _note(platform, session, "进入客服会话")
    add_event(platform, session, event)
    return code


@dataclass(frozen=True, slots=True)
class Written:
    """A message of a person: its type, and its body as sync_msg will show it."""

    msgtype: str
    body: Json

    @property
    def words(self) -> str:
        """What a phone shows of it."""
        if self.msgtype == "text":
            return str(self.body.get("content", ""))
        title = self.body.get("title") or self.body.get("name") or ""
        return f"{LABELS.get(self.msgtype, '[消息]')}{title}"


def write(platform: Platform, session: KfSession, written: Written) -> str:
    """Let a customer write, or tap a menu item; return the msgid. The 5-message budget begins anew."""
    if session.state == STATE_ENDED or is_over(platform, session):
        session.state, session.servicer = STATE_NEW, ""
    session.last_customer_at = platform.clock.now()
    session.sent = 0
    platform.world.kf_sessions.put(session)
    return _say(platform, session, written, ORIGIN_CUSTOMER, session.external_userid)


def _say(platform: Platform, session: KfSession, written: Written, origin: int, sender: str) -> str:
    body = dict(written.body)
    if written.msgtype in MEDIA_LABELS and "media_id" not in body:
        body["media_id"] = _put_media(platform, written.msgtype).media_id
    item = {
        "open_kfid": session.open_kfid,
        "external_userid": session.external_userid,
        "origin": origin,
        "msgtype": written.msgtype,
        written.msgtype: body,
    }
    if origin == ORIGIN_SERVICER:
        item["servicer_userid"] = sender
    msgid = add_item(platform, session.open_kfid, item)
    kind = SenderKind.STAFF if origin == ORIGIN_SERVICER else SenderKind.CUSTOMER
    post_line(platform, ChatKind.KF, talk_key(platform, session), sender, kind, Line(written.words), msgid)
    return msgid


def _put_media(platform: Platform, kind: str) -> Media:
    content = {"image": "iVBORw0KGgo=", "voice": "IyFBTVIK"}.get(kind, "c2ltdWxhdGVk")
    return platform.world.media.put(
        Media(
            media_id=platform.new_id("3"),
            type=kind,
            filename=f"from-customer.{kind}",
            content_type="application/octet-stream",
            created_at=platform.clock.seconds(),
            content=content,
            md5sum="",
            size_bytes=9,
            sdkfileid=platform.new_id("sdk"),
        )
    )


def recall(platform: Platform, session: KfSession, msgid: str, userid: str | None) -> None:
    """Let a customer (or, with a userid, a servicer) call a message back.

    Raises:
        NotNow: there is no such message of this person's in the conversation.
    """
    sender = userid or session.external_userid
    lines = platform.world.list_talk(ChatKind.KF, talk_key(platform, session))
    line = next((line for line in lines if line.id == msgid and line.sender == sender), None)
    if line is None:
        raise NotNow("this person has no such message here")
    line.note = "已撤回"
    platform.world.change_line(line)
    event: Json = {"event_type": "servicer_recall_msg" if userid else "user_recall_msg", "recall_msgid": msgid}
    if userid:
        event["servicer_userid"] = userid
    add_event(platform, session, event)


def switch_rejecting(platform: Platform, session: KfSession, rejects: bool) -> None:
    """Let a customer refuse messages, or take them again."""
    session.rejects = rejects
    platform.world.kf_sessions.put(session)
    add_event(
        platform,
        session,
        {"event_type": "reject_customer_msg_switch_change", "reject_switch": 1 if rejects else 0},
    )


def deliver(platform: Platform, session: KfSession, line: Line, msgid: str) -> ChatMessage | None:
    """Show a message of the account to the customer; one that cannot arrive is reported as msg_send_fail instead."""
    fail_type = FAIL_REFUSED if session.rejects else session.fail_type
    if fail_type is None:
        return say_as_bot(platform, ChatKind.KF, talk_key(platform, session), line, msgid)
    add_event(platform, session, {"event_type": "msg_send_fail", "fail_msgid": msgid, "fail_type": fail_type})
    return None


# what servicers do


def take(platform: Platform, session: KfSession, userid: str) -> str:
    """Let a servicer take a session from the waiting pool; return the code for the accept text."""
    if session.state != STATE_POOL:
        raise NotNow("the session does not wait in the pool")
    return _give_to(platform, session, userid, TAKEN)


def transfer(platform: Platform, session: KfSession, userid: str) -> str:
    """Let the servicer hand the session to a colleague."""
    if session.state != STATE_HUMAN:
        raise NotNow("no servicer has the session")
    return _give_to(platform, session, userid, TRANSFERRED)


def reenter(platform: Platform, session: KfSession, userid: str) -> str:
    """Let a servicer open an ended session again."""
    if session.state != STATE_ENDED or is_over(platform, session):
        raise NotNow("the session has not ended, or the customer wrote more than 48 h ago")
    return _give_to(platform, session, userid, REENTERED)


def _give_to(platform: Platform, session: KfSession, userid: str, change_type: int) -> str:
    servicer = find_servicer(platform, session.open_kfid, userid)
    if servicer is None:
        raise NotNow("the member does not receive for this account")
    old, session.servicer, session.state = session.servicer, servicer.userid, STATE_HUMAN
    platform.world.kf_sessions.put(session)
    code = new_code(platform, session, TALK_LIFE, QUEUE_CODE_TYPES).code
    _note(platform, session, f"{platform.world.name_of(servicer.userid)} 接待")
    _announce_change(platform, session, change_type, old, servicer.userid, code)
    return code


def answer(platform: Platform, session: KfSession, written: Written) -> str:
    """Let the servicer write to the customer in the client; return the msgid."""
    if session.state != STATE_HUMAN:
        raise NotNow("no servicer has the session")
    return _say(platform, session, written, ORIGIN_SERVICER, session.servicer)


def end(platform: Platform, session: KfSession) -> str:
    """Let the servicer end the session; return the code for the end text."""
    if session.state not in {STATE_POOL, STATE_HUMAN}:
        raise NotNow("no person has the session")
    old, session.servicer, session.state = session.servicer, "", STATE_ENDED
    platform.world.kf_sessions.put(session)
    code = new_code(platform, session, WELCOME_LIFE, END_CODE_TYPES).code
    _note(platform, session, "会话结束")
    _announce_change(platform, session, ENDED, old, "", code)
    return code


def _announce_change(platform: Platform, session: KfSession, change_type: int, old: str, new: str, code: str) -> None:
    event: Json = {"event_type": "session_status_change", "change_type": change_type, "msg_code": code}
    if old:
        event["old_servicer_userid"] = old
    if new:
        event["new_servicer_userid"] = new
    add_event(platform, session, event)


def change_status(platform: Platform, open_kfid: str, member: Member, status: int, places: int | None) -> KfServicer:
    """Let a servicer begin (0) or stop (1) receiving, and say how many sessions fit; events count 1 and 2."""
    servicer = find_servicer(platform, open_kfid, member.userid)
    if servicer is None:
        raise NotNow("the member does not receive for this account")
    changed = servicer.status != status
    servicer.status, servicer.places = status, places
    platform.world.kf_servicers.put(servicer)
    if changed:
        event = {
            "event_type": "servicer_status_change",
            "servicer_userid": member.userid,
            "status": 1 if status == 0 else 2,
            "open_kfid": open_kfid,
        }
        if status:
            event["stop_type"] = 0
        add_item(platform, open_kfid, {"origin": ORIGIN_EVENT, "msgtype": "event", "event": event})
    return servicer


# what sync_msg will show


def add_event(platform: Platform, session: KfSession, event: Json) -> str:
    """Put an event about a session; the ids stand inside it."""
    about = {"open_kfid": session.open_kfid, "external_userid": session.external_userid}
    item = {"origin": ORIGIN_EVENT, "msgtype": "event", "event": {**event, **about}}
    return add_item(platform, session.open_kfid, item)


def add_item(platform: Platform, open_kfid: str, fields: Json) -> str:
    """Put an item where sync_msg finds it, and tell the bot that something is there."""
    msgid = str(fields.get("msgid") or platform.new_id())
    now = platform.clock.now()
    item: Json = {"msgid": msgid, "send_time": int(now), **fields}
    seq = platform.world.next_number("kf")
    platform.world.kf_items.put(KfItem(seq, open_kfid, now, item))
    announce(platform, open_kfid)
    return msgid


def put_raw(platform: Platform, open_kfid: str, item: object) -> None:
    """Put anything at all where sync_msg finds it, as it is, and tell the bot that something is there."""
    seq = platform.world.next_number("kf")
    platform.world.kf_items.put(KfItem(seq, open_kfid, platform.clock.now(), item))
    announce(platform, open_kfid)


def announce(platform: Platform, open_kfid: str) -> None:
    """Post kf_msg_or_event with a new token."""
    now = platform.clock.now()
    token = platform.world.kf_tokens.put(KfToken(platform.new_id("ENC"), open_kfid, now + TOKEN_LIFE.total_seconds()))
    platform.callbacks.send_xml(
        "kf",
        platform.config.kf_callback,
        {
            "ToUserName": platform.config.corp_id,
            "CreateTime": int(now),
            "MsgType": "event",
            "Event": "kf_msg_or_event",
            "Token": token.token,
            "OpenKfId": open_kfid,
        },
    )


def _note(platform: Platform, session: KfSession, text: str) -> None:
    key = talk_key(platform, session)
    post_line(platform, ChatKind.KF, key, session.external_userid, SenderKind.CUSTOMER, Line(text, "event"))


def need_account(platform: Platform, open_kfid: str) -> KfAccount:
    """Return a living account.

    Raises:
        ApiError: 40058 when there is none with this id.
    """
    account = find_account(platform, open_kfid)
    if account is None:
        raise ApiError(40058, "invalid parameter: open_kfid")
    return account
