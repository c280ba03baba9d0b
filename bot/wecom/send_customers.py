"""What reaches customers of a member: the welcome message and the broadcast task (05-customer-contact.md)."""

from datetime import datetime

from bot.context import GroupSend
from bot.errors import PlatformError
from bot.wecom.client import WeComClient
from bot.wecom.groupsend import create_group_task, find_created
from bot.wecom.parcel import Parcel, Receipt

# Expired, unknown, or used (errcodes.json, 41050). What has expired is given up before it gets here (expires_at).
_CODE_USED = 41050


async def send_welcome(client: WeComClient, code: str, parcel: Parcel) -> Receipt:
    """Answer a WelcomeCode: within 20 s, once.

    Raises:
        PlatformError: refused or not answered.
    """
    body = {"welcome_code": code, "text": {"content": parcel.content.plain_text()}}
    try:
        answer = await client.call("POST /cgi-bin/externalcontact/send_welcome_msg", body)
    except PlatformError as error:
        # The code works once: used, after an attempt of unknown outcome, means that the attempt had arrived.
        if not parcel.in_doubt or error.errcode != _CODE_USED:
            raise
        return Receipt(msgid=None, result={"errcode": error.errcode, "reconciled": True})
    return Receipt(msgid=None, result=answer)


async def send_group_task(client: WeComClient, address: GroupSend, parcel: Parcel, now: datetime) -> Receipt:
    """Make the broadcast task of one member; after an attempt in doubt, look for it first.

    Raises:
        PlatformError: refused or not answered.
    """
    text = parcel.content.plain_text()
    if parcel.in_doubt:
        msgid = await find_created(
            client,
            address.sender,
            text,
            attempted_at=parcel.attempted_at,
            now=now,
            known=parcel.known_msgids,
        )
        if msgid is not None:
            return Receipt(msgid=msgid, result={"msgid": msgid, "fail_list": [], "reconciled": True})
    task = await create_group_task(client, address.sender, address.chat_ids, text)
    return Receipt(msgid=task.msgid, result={"msgid": task.msgid, "fail_list": list(task.failed_ids)})
