"""How a reply is said to a customer of 微信客服 (07-kf.md, 7.3)."""

from bot.wecom.client import WeComClient
from bot.wecom.parcel import Parcel, Receipt


async def send_to_kf(client: WeComClient, open_kfid: str, customer_id: str, parcel: Parcel) -> Receipt:
    """Send inside a session; the parcel's key is the message id, so that a repeat is refused (95033).

    Raises:
        PlatformError: refused or not answered.
    """
    body = {
        "touser": customer_id,
        "open_kfid": open_kfid,
        "msgid": parcel.key,
        "msgtype": "text",
        "text": {"content": parcel.content.plain_text()},
    }
    answer = await client.call("POST /cgi-bin/kf/send_msg", body, app="kf")
    return Receipt(msgid=str(answer.get("msgid") or parcel.key), result=answer)


async def send_kf_welcome(client: WeComClient, code: str, parcel: Parcel) -> Receipt:
    """Answer an event's code, which works once.

    Raises:
        PlatformError: refused or not answered.
    """
    body = {
        "code": code,
        "msgid": parcel.key,
        "msgtype": "text",
        "text": {"content": parcel.content.plain_text()},
    }
    answer = await client.call("POST /cgi-bin/kf/send_msg_on_event", body, app="kf")
    return Receipt(msgid=str(answer.get("msgid") or parcel.key), result=answer)
