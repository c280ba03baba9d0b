"""The events that people's changes cause (02, 2.3 to 2.7). Changes made through the API are never announced."""

import secrets
from collections.abc import Sequence
from typing import Any

from simulator.platform import Platform
from simulator.state import Follow, Group


def announce(platform: Platform, event: str, change: str, **fields: Any) -> None:
    """Post a change event to the contact callback; fields that are None are left out."""
    config = platform.config
    body = {
        "ToUserName": config.corp_id,
        "FromUserName": "sys",
        "CreateTime": platform.clock.seconds(),
        "MsgType": "event",
        "Event": event,
        "ChangeType": change,
        **fields,
    }
    platform.callbacks.send_xml("contact", config.contact_callback, body)


def announce_customer(platform: Platform, change: str, follow: Follow, **fields: Any) -> None:
    """Post a change of one member's relation to one customer."""
    pair = {"UserID": follow.userid, "ExternalUserID": follow.external_userid}
    announce(platform, "change_external_contact", change, **pair, **fields)


def announce_group(platform: Platform, change: str, chat_id: str, **fields: Any) -> None:
    """Post a change of a customer group."""
    announce(platform, "change_external_chat", change, ChatId=chat_id, **fields)


def renew_version(group: Group) -> dict[str, str]:
    """Give a group a new member version; return both versions as the event carries them."""
    last = group.member_version
    group.member_version = secrets.token_hex(16)
    return {"LastMemVer": last, "CurMemVer": group.member_version}


def announce_members(platform: Platform, group: Group, detail: str, people: Sequence[str], **scene: int) -> None:
    """Post that people joined (`add_member`, JoinScene) or left (`del_member`, QuitScene) a group.

    The group gets its new member version here; store it afterwards.
    """
    announce_group(
        platform,
        "update",
        group.chat_id,
        UpdateDetail=detail,
        **scene,
        MemChangeCnt=len(people),
        MemChangeList={"Item": list(people)},
        **renew_version(group),
    )
