"""How a reply is said to a customer of 微信客服, and how a session is given to a person (07-kf.md, 7.3 and 7.4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from bot.context import Content, KfHandOver, Menu
from bot.errors import PlatformError
from bot.wecom.client import WeComClient
from bot.wecom.limits import fits_as_menu
from bot.wecom.parcel import Parcel, Receipt

log = structlog.get_logger("bot.wecom.send_kf")

_APP = "kf"
_SEND = "POST /cgi-bin/kf/send_msg"
_ON_EVENT = "POST /cgi-bin/kf/send_msg_on_event"
_STATE = "POST /cgi-bin/kf/service_state/get"
_TRANS = "POST /cgi-bin/kf/service_state/trans"
_SERVICERS = "GET /cgi-bin/kf/servicer/list"

_POOL, _HUMAN, _ENDED = 2, 3, 4
_RECEIVING = 0
# No place left, no such transition, outside the visible range: about this servicer, so the waiting pool is tried.
# In the end: nobody takes the session, or it ended meanwhile.
_REFUSALS = frozenset({95014, 95016, 60030, 60111, 40003, 95013})
_NO_SERVICER = 95014
_DEPARTMENT = "department:"  # no userid has a colon


async def send_to_kf(client: WeComClient, open_kfid: str, customer_id: str, parcel: Parcel) -> Receipt:
    """Send inside a session; the parcel's key is the message id, so that a repeat is refused (95033).

    Raises:
        PlatformError: refused or not answered.
    """
    body = {"touser": customer_id, "open_kfid": open_kfid, "msgid": parcel.key, **kf_content(parcel.content)}
    answer = await client.call(_SEND, body, app=_APP)
    return Receipt(msgid=str(answer.get("msgid") or parcel.key), result=answer)


async def send_kf_welcome(client: WeComClient, code: str, parcel: Parcel) -> Receipt:
    """Answer an event's code, which works once.

    Raises:
        PlatformError: refused or not answered.
    """
    return await _answer_code(client, code, parcel.key, kf_content(parcel.content))


async def _answer_code(client: WeComClient, code: str, key: str, content: Mapping[str, Any]) -> Receipt:
    answer = await client.call(_ON_EVENT, {"code": code, "msgid": key, **content}, app=_APP)
    return Receipt(msgid=str(answer.get("msgid") or key), result=answer)


def kf_content(content: Content) -> dict[str, Any]:
    """Return `msgtype` and body: a menu where it fits the platform's limits, else words with numbered lines."""
    if isinstance(content, Menu) and content.items and fits_as_menu(content):
        menu: dict[str, Any] = {
            "head_content": content.head,
            "list": [{"type": "click", "click": {"id": item.id, "content": item.text}} for item in content.items],
        }
        if content.tail:
            menu["tail_content"] = content.tail
        return {"msgtype": "msgmenu", "msgmenu": menu}
    return {"msgtype": "text", "text": {"content": content.plain_text()}}


@dataclass(frozen=True, slots=True)
class _Session:
    """Whose session it is, as the platform names it in bodies."""

    client: WeComClient
    open_kfid: str
    customer_id: str

    async def call(self, api: str, **more: object) -> dict[str, Any]:
        """Call an API about this session."""
        body = {"open_kfid": self.open_kfid, "external_userid": self.customer_id, **more}
        return await self.client.call(api, body, app=_APP)


async def hand_over_kf(client: WeComClient, address: KfHandOver, parcel: Parcel) -> Receipt:
    """Give the session to the named servicer, else to the waiting pool, and say the parcel's words to the customer.

    Asks first whose it is: a session that a person has, or that waits for one, is done already, be it by an earlier
    attempt of ours. Nobody is sent into the pool while no servicer receives: the customer would wait for ever and the
    bot would be bound to keep quiet.

    The receipt's result holds `service_state`, `servicer_userid` where there is one, and `said`: whether the customer
    was told. `refused` is the error code when nobody could take the session; that is no failure, it stays with us.

    Raises:
        PlatformError: not answered, or refused for a reason that has nothing to do with who could take it.
    """
    session = _Session(client, address.open_kfid, address.customer_id)
    known = await session.call(_STATE)
    state = int(known.get("service_state", _ENDED))
    if state in (_POOL, _HUMAN):
        servicer = known.get("servicer_userid", "")
        return Receipt(None, {"service_state": state, "servicer_userid": servicer, "said": False})
    receiving = await _receiving(client, address.open_kfid)
    try:
        code, result = await _give(session, _reachable(address, receiving), bool(receiving))
    except PlatformError as error:
        if error.errcode not in _REFUSALS:
            raise
        log.info("kf.nobody_takes_over", errcode=error.errcode)
        return Receipt(None, {"service_state": state, "refused": error.errcode, "said": False})
    return Receipt(None, {**result, "said": bool(code) and await _tell_customer(client, code, parcel)})


def _reachable(address: KfHandOver, receiving: frozenset[str]) -> str | None:
    """Return the named servicer if there is a chance that it takes the session."""
    by_department = any(servicer.startswith(_DEPARTMENT) for servicer in receiving)
    return address.servicer if by_department or address.servicer in receiving else None


async def _receiving(client: WeComClient, open_kfid: str) -> frozenset[str]:
    """Return the servicers who receive now; departments stand for members whose status the platform does not tell."""
    answer = await client.call(_SERVICERS, params={"open_kfid": open_kfid}, app=_APP)
    rows = [row for row in answer.get("servicer_list", []) if isinstance(row, dict)]
    return frozenset(
        str(row.get("userid") or f"{_DEPARTMENT}{row.get('department_id')}")
        for row in rows
        if row.get("status", _RECEIVING) == _RECEIVING
    )


async def _give(session: _Session, servicer: str | None, pool_is_served: bool) -> tuple[str, dict[str, Any]]:
    """Return the code for the notice, and the state reached."""
    if servicer is not None:
        try:
            answer = await session.call(_TRANS, service_state=_HUMAN, servicer_userid=servicer)
        except PlatformError as error:
            if error.errcode not in _REFUSALS:
                raise
            log.info("kf.servicer_refused", errcode=error.errcode)
        else:
            return str(answer.get("msg_code") or ""), {"service_state": _HUMAN, "servicer_userid": servicer}
    if not pool_is_served:
        raise PlatformError(_TRANS, _NO_SERVICER, "no servicer of the account receives")
    answer = await session.call(_TRANS, service_state=_POOL)
    return str(answer.get("msg_code") or ""), {"service_state": _POOL}


async def _tell_customer(client: WeComClient, code: str, parcel: Parcel) -> bool:
    """Say the notice; the session has changed hands whether it arrives or not, so that nothing is tried again."""
    text = {"msgtype": "text", "text": {"content": parcel.content.plain_text()}}
    try:
        await _answer_code(client, code, parcel.key, text)
    except PlatformError as error:
        log.warning("kf.notice_not_said", errcode=error.errcode)
        return False
    return True
