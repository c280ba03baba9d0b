"""Who opened our page inside WeCom (09-oauth-jssdk.md, 9.1)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlencode

from bot.ids import CustomerId, StaffId
from bot.wecom.answers import Answer
from bot.wecom.api.calls import PlatformCalls
from bot.wecom.api.wire import FILLED, Bytes, RequestInvalid, join_params, to_body

WHO = "GET /cgi-bin/auth/getuserinfo"
WHO_OLD = "GET /cgi-bin/user/getuserinfo"
DETAIL = "POST /cgi-bin/auth/getuserdetail"

_AUTHORIZE = "https://open.weixin.qq.com/connect/oauth2/authorize"
MAX_CODE_BYTES = 512
MAX_STATE_CHARS = 128


class Scope(StrEnum):
    """How much is asked: who it is, or with consent more."""

    BASE = "snsapi_base"
    PRIVATE = "snsapi_privateinfo"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who came: a member, or someone from outside. `ticket` is there for members with the private scope, 1800 s."""

    staff_id: StaffId | None
    ticket: str | None
    openid: str | None
    customer_id: CustomerId | None


@dataclass(frozen=True, slots=True)
class _Ticket:
    user_ticket: Annotated[str, Bytes(512), FILLED]


@dataclass(frozen=True, slots=True)
class MemberDetail:
    """What a member consented to tell; empty where they did not. `gender` 0 unknown, 1 m, 2 f."""

    staff_id: StaffId
    gender: int
    avatar_url: str
    qr_code_url: str
    mobile: str
    email: str
    business_email: str
    address: str


def authorize_url(
    corp_id: str, redirect_uri: str, state: str, *, scope: Scope = Scope.BASE, agent_id: int | None = None
) -> str:
    """Return the address that sends a browser inside WeCom back to `redirect_uri` with a code and our state.

    Raises:
        RequestInvalid: the state is not of at most 128 letters and digits, or the private scope lacks its app.
    """
    if len(state) > MAX_STATE_CHARS or not (state.isascii() and state.isalnum()):
        raise RequestInvalid(_AUTHORIZE, "state", f"is not made of at most {MAX_STATE_CHARS} letters and digits")
    if scope is Scope.PRIVATE and agent_id is None:
        raise RequestInvalid(_AUTHORIZE, "agentid", "is missing")
    query = {
        "appid": corp_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": scope.value,
        "state": state,
        **({"agentid": str(agent_id)} if agent_id is not None else {}),
    }
    return f"{_AUTHORIZE}?{urlencode(query)}#wechat_redirect"


async def get_visitor(client: PlatformCalls, code: str) -> Visitor:
    """Return who came with a code, which works once and lives five minutes.

    Raises:
        PlatformError: 40029 the code is not good.
    """
    return await _get_visitor(client, WHO, code)


async def get_visitor_by_old_path(client: PlatformCalls, code: str) -> Visitor:
    """Return who came, by the path of older deployments; its answer spells the fields in capitals."""
    return await _get_visitor(client, WHO_OLD, code)


async def get_member_detail(client: PlatformCalls, ticket: str) -> MemberDetail:
    """Return what a member consented to tell."""
    answer = Answer(DETAIL, await client.call(DETAIL, to_body(DETAIL, _Ticket(ticket))))
    return MemberDetail(
        staff_id=StaffId(answer.text("userid")),
        gender=answer.digits("gender", 0),
        avatar_url=answer.text("avatar", ""),
        qr_code_url=answer.text("qr_code", ""),
        mobile=answer.text("mobile", ""),
        email=answer.text("email", ""),
        business_email=answer.text("biz_mail", ""),
        address=answer.text("address", ""),
    )


async def _get_visitor(client: PlatformCalls, api: str, code: str) -> Visitor:
    if not code or len(code.encode()) > MAX_CODE_BYTES:
        raise RequestInvalid(api, "code", f"is not of 1 to {MAX_CODE_BYTES} bytes")
    answer = Answer(api, await client.call(api, params=join_params(code=code)))
    return Visitor(
        staff_id=StaffId(_either(answer, "userid", "UserId")) or None,
        ticket=_either(answer, "user_ticket", "UserTicket") or None,
        openid=_either(answer, "openid", "OpenId") or None,
        customer_id=CustomerId(_either(answer, "external_userid", "ExternalUserId")) or None,
    )


def _either(answer: Answer, name: str, old_name: str) -> str:
    return answer.text(name, "") or answer.text(old_name, "")
