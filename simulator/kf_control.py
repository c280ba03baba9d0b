"""The control API's part for 微信客服: what customers and servicers do there."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from simulator import kf_desk
from simulator.kf_desk import LABELS, NotNow, Written
from simulator.platform import Platform, platform_of
from simulator.state import Json, KfSession, Member

ThePlatform = Annotated[Platform, Depends(platform_of)]
router = APIRouter(prefix="/_sim/kf")


class AboutIn(BaseModel):
    """A customer and an account; without an id the configured one."""

    model_config = ConfigDict(extra="forbid")

    external_userid: str
    open_kfid: str | None = None


class EnterIn(AboutIn):
    """A customer opens the kf chat, through a link with this scene."""

    scene: str = Field(default="demo", max_length=32)
    scene_param: str = Field(default="", max_length=128)


class MessageIn(AboutIn):
    """A person writes: `text`, or a `body` of another `msgtype`; `menu_id` when a menu item was tapped."""

    text: str | None = Field(default=None, min_length=1, max_length=20_000)
    menu_id: str | None = None
    msgtype: str = "text"
    body: dict[str, Any] | None = None

    def written(self) -> Written:
        """Return the message; 422 when it says nothing or is of no known type."""
        if self.msgtype == "text":
            if self.text is None:
                raise HTTPException(422, "a text message needs text")
            return Written("text", {"content": self.text, **({"menu_id": self.menu_id} if self.menu_id else {})})
        if self.msgtype not in LABELS:
            raise HTTPException(422, "no such msgtype; use /_sim/kf/items for invented ones")
        return Written(self.msgtype, self.body or {})


class RecallIn(AboutIn):
    """A customer, or the servicer `userid`, calls a message back."""

    msgid: str
    userid: str | None = None


class RejectIn(AboutIn):
    """A customer refuses messages, or takes them again."""

    rejects: bool


class FailIn(AboutIn):
    """From now on messages to this customer are accepted and then fail with this type; null ends it."""

    fail_type: int | None = Field(default=None, ge=0, le=13)


class ServicerIn(AboutIn):
    """A servicer acts on a customer's session."""

    userid: str


class StatusIn(BaseModel):
    """A servicer begins (0) or stops (1) receiving; `places` is how many sessions fit, null any number."""

    model_config = ConfigDict(extra="forbid")

    userid: str
    status: int = Field(ge=0, le=1)
    places: int | None = Field(default=None, ge=0)
    open_kfid: str | None = None


class ItemIn(BaseModel):
    """An item for sync_msg as it is, also one that the platform would never send."""

    model_config = ConfigDict(extra="forbid")

    item: Any
    open_kfid: str | None = None


class EmptyIn(BaseModel):
    """So many of the next pulls bring an empty list with has_more 1."""

    model_config = ConfigDict(extra="forbid")

    pages: int = Field(ge=0, le=100)


@router.post("/enter")
async def enter(platform: ThePlatform, entered: EnterIn) -> Json:
    """Let a customer open the kf chat."""
    code = kf_desk.enter(platform, _session(platform, entered), entered.scene, entered.scene_param)
    return {"welcome_code": code}


@router.post("/messages")
async def write(platform: ThePlatform, message: MessageIn) -> Json:
    """Let a customer write to the kf account."""
    return {"msgid": kf_desk.write(platform, _session(platform, message), message.written())}


@router.post("/recalls")
async def recall(platform: ThePlatform, recalled: RecallIn) -> Json:
    """Let a person call a message back."""
    with _Conflicts():
        kf_desk.recall(platform, _session(platform, recalled), recalled.msgid, recalled.userid)
    return {"ok": True}


@router.post("/reject")
async def reject(platform: ThePlatform, switched: RejectIn) -> Json:
    """Let a customer turn the reject switch."""
    kf_desk.switch_rejecting(platform, _session(platform, switched), switched.rejects)
    return {"rejects": switched.rejects}


@router.post("/failures")
async def fail(platform: ThePlatform, failing: FailIn) -> Json:
    """Make accepted messages to a customer fail afterwards."""
    session = _session(platform, failing)
    session.fail_type = failing.fail_type
    platform.world.kf_sessions.put(session)
    return {"fail_type": session.fail_type}


@router.post("/servicers/status")
async def change_status(platform: ThePlatform, changed: StatusIn) -> Json:
    """Let a servicer begin or stop receiving."""
    member = _member(platform, changed.userid)
    with _Conflicts():
        row = kf_desk.change_status(
            platform, _account(platform, changed.open_kfid), member, changed.status, changed.places
        )
    return {"userid": row.userid, "status": row.status, "places": row.places}


@router.post("/servicers/take")
async def take(platform: ThePlatform, servicer: ServicerIn) -> Json:
    """Let a servicer take a session from the waiting pool."""
    with _Conflicts():
        return {"msg_code": kf_desk.take(platform, _session(platform, servicer), servicer.userid)}


@router.post("/servicers/transfer")
async def transfer(platform: ThePlatform, servicer: ServicerIn) -> Json:
    """Let the servicer who has a session hand it to `userid`."""
    with _Conflicts():
        return {"msg_code": kf_desk.transfer(platform, _session(platform, servicer), servicer.userid)}


@router.post("/servicers/reenter")
async def reenter(platform: ThePlatform, servicer: ServicerIn) -> Json:
    """Let a servicer open an ended session again."""
    with _Conflicts():
        return {"msg_code": kf_desk.reenter(platform, _session(platform, servicer), servicer.userid)}


@router.post("/servicers/messages")
async def answer(platform: ThePlatform, message: MessageIn) -> Json:
    """Let the servicer who has the session write to the customer."""
    with _Conflicts():
        return {"msgid": kf_desk.answer(platform, _session(platform, message), message.written())}


@router.post("/servicers/end")
async def end(platform: ThePlatform, about: AboutIn) -> Json:
    """Let the servicer end the session."""
    with _Conflicts():
        return {"msg_code": kf_desk.end(platform, _session(platform, about))}


@router.post("/items")
async def put_item(platform: ThePlatform, given: ItemIn) -> Json:
    """Put an item where sync_msg finds it, and announce it."""
    open_kfid = _account(platform, given.open_kfid)
    kf_desk.put_raw(platform, open_kfid, given.item)
    return {"ok": True}


@router.post("/announce")
async def announce(platform: ThePlatform) -> Json:
    """Post the notice of the configured account once more, with a new token and nothing new behind it."""
    kf_desk.announce(platform, platform.config.open_kfid)
    return {"ok": True}


@router.post("/empty_pages")
async def answer_empty(platform: ThePlatform, wanted: EmptyIn) -> Json:
    """Have the next pulls answer an empty list although there is more."""
    platform.kf_empty_pages = wanted.pages
    return {"pages": wanted.pages}


@router.get("/sessions")
async def sessions(platform: ThePlatform) -> list[Json]:
    """Show every session."""
    return [_shown(row) for row in platform.world.kf_sessions.rows.values()]


def _shown(session: KfSession) -> Json:
    return {
        "open_kfid": session.open_kfid,
        "external_userid": session.external_userid,
        "state": session.state,
        "servicer": session.servicer,
        "sent": session.sent,
        "rejects": session.rejects,
        "fail_type": session.fail_type,
    }


class _Conflicts:
    """Turns what cannot be done now into 409."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Translate."""
        if isinstance(error, NotNow):
            raise HTTPException(409, str(error)) from None


def _account(platform: Platform, open_kfid: str | None) -> str:
    account = kf_desk.find_account(platform, open_kfid or platform.config.open_kfid)
    if account is None:
        raise HTTPException(404, "no such account")
    return account.open_kfid


def _session(platform: Platform, about: AboutIn) -> KfSession:
    if platform.world.customers.find(about.external_userid) is None:
        raise HTTPException(404, "no such customer")
    return kf_desk.find_session(platform, _account(platform, about.open_kfid), about.external_userid)


def _member(platform: Platform, userid: str) -> Member:
    member = platform.world.find_member(userid)
    if member is None:
        raise HTTPException(404, "no such member")
    return member
