"""Fields to the attributes of app callbacks' events: one small function for each shape of body.

Spellings differ between samples and SDKs; every one the dossier names is read (02-events.md).
"""

from collections.abc import Callable, Mapping
from typing import Any

from bot import events as e
from bot.events import Change, Fields
from bot.ids import CustomerId, GroupChatId, StaffId
from bot.wecom.fields import (
    float_of,
    int_of,
    items_of,
    list_of,
    optional_text,
    parse_int,
    parse_seconds,
    split_text,
    text_of,
    texts_in,
    tree_of,
    trees_in,
)

Builder = Callable[[Fields], Mapping[str, Any]]


def nothing(_: Fields) -> Mapping[str, Any]:
    """Return no attributes: the body has none of its own."""
    return {}


# --- members' messages ---


def sender(fields: Fields) -> dict[str, Any]:
    """Return who did it."""
    return {"staff_id": StaffId(text_of(fields, "FromUserName"))}


def _message(fields: Fields) -> dict[str, Any]:
    return {**sender(fields), "msg_id": text_of(fields, "MsgId")}


def text_message(fields: Fields) -> dict[str, Any]:
    """Return a text message's attributes."""
    return {**_message(fields), "text": text_of(fields, "Content")}


def image_message(fields: Fields) -> dict[str, Any]:
    """Return a picture's attributes."""
    return {**_message(fields), "media_id": text_of(fields, "MediaId"), "pic_url": text_of(fields, "PicUrl")}


def voice_message(fields: Fields) -> dict[str, Any]:
    """Return a voice message's attributes."""
    return {**_message(fields), "media_id": text_of(fields, "MediaId"), "format": text_of(fields, "Format")}


def video_message(fields: Fields) -> dict[str, Any]:
    """Return a video's attributes."""
    media = {"media_id": text_of(fields, "MediaId"), "thumb_media_id": text_of(fields, "ThumbMediaId")}
    return {**_message(fields), **media}


def location_message(fields: Fields) -> dict[str, Any]:
    """Return a place's attributes."""
    return {**_message(fields), **_place(fields), "app_type": text_of(fields, "AppType")}


def _place(fields: Fields) -> dict[str, Any]:
    return {
        "latitude": float_of(fields, "Location_X"),
        "longitude": float_of(fields, "Location_Y"),
        "scale": int_of(fields, "Scale"),
        "label": text_of(fields, "Label"),
    }


def link_message(fields: Fields) -> dict[str, Any]:
    """Return a link's attributes."""
    return {
        **_message(fields),
        "title": text_of(fields, "Title"),
        "description": text_of(fields, "Description"),
        "url": text_of(fields, "Url"),
        "pic_url": text_of(fields, "PicUrl"),
    }


# --- what members do in the app ---


def location_report(fields: Fields) -> dict[str, Any]:
    """Return a reported place's attributes."""
    return {
        **sender(fields),
        "latitude": float_of(fields, "Latitude"),
        "longitude": float_of(fields, "Longitude"),
        "precision_metres": float_of(fields, "Precision"),
        "app_type": text_of(fields, "AppType"),
    }


def menu_key(fields: Fields) -> dict[str, Any]:
    """Return the menu entry that was pressed."""
    return {**sender(fields), "key": text_of(fields, "EventKey")}


def menu_link(fields: Fields) -> dict[str, Any]:
    """Return the address that was opened."""
    return {**sender(fields), "url": text_of(fields, "EventKey")}


def menu_page(fields: Fields) -> dict[str, Any]:
    """Return the mini-program page that was opened."""
    return {**sender(fields), "page": text_of(fields, "EventKey")}


def scan(fields: Fields) -> dict[str, Any]:
    """Return what was scanned."""
    info = tree_of(fields, "ScanCodeInfo")
    return {
        **menu_key(fields),
        "scan_type": text_of(info, "ScanType"),
        "result": text_of(info, "ScanResult"),
        "waits": text_of(fields, "Event").lower() == "scancode_waitmsg",
    }


def photos(fields: Fields) -> dict[str, Any]:
    """Return which photos were chosen."""
    info = tree_of(fields, "SendPicsInfo")
    chosen = trees_in(items_of(info, "PicList", "item", "Item"))
    return {
        **menu_key(fields),
        "origin": text_of(fields, "Event").lower().removeprefix("pic_"),
        "count": int_of(info, "Count"),
        "md5s": texts_in(text_of(photo, "PicMd5Sum") for photo in chosen),
    }


def chosen_place(fields: Fields) -> dict[str, Any]:
    """Return the chosen place."""
    info = tree_of(fields, "SendLocationInfo")
    place = {**_place(info), "place_name": text_of(info, "Poiname"), "app_type": text_of(fields, "AppType")}
    return {**menu_key(fields), **place}


def task_card(fields: Fields) -> dict[str, Any]:
    """Return which button of which task was pressed."""
    return {**menu_key(fields), "task_id": text_of(fields, "TaskId")}


def card_menu(fields: Fields) -> dict[str, Any]:
    """Return which menu entry of which card was pressed, and the code to change the card with."""
    card = {"response_code": text_of(fields, "ResponseCode"), "card_type": text_of(fields, "CardType")}
    return {**task_card(fields), **card}


def card_button(fields: Fields) -> dict[str, Any]:
    """Return which button of which card was pressed, with what was selected."""
    selected = trees_in(items_of(fields, "SelectedItems", "SelectedItem"))
    return {**card_menu(fields), "selected": tuple(_selected_item(item) for item in selected)}


def _selected_item(item: Fields) -> e.SelectedItem:
    for spelling in ("OptionIds", "OpitonIds"):  # an SDK expects the second one
        if spelling in item:
            options = texts_in(items_of(item, spelling, "OptionId", "OpitonId"))
            return e.SelectedItem(text_of(item, "QuestionKey"), options)
    return e.SelectedItem(text_of(item, "QuestionKey"), ())


# --- what the platform says to the app ---


def batch_job(fields: Fields) -> dict[str, Any]:
    """Return how a batch job ended."""
    job = tree_of(fields, "BatchJob")
    return {
        "job_id": text_of(job, "JobId"),
        "job_type": text_of(job, "JobType"),
        "errcode": int_of(job, "ErrCode"),
        "errmsg": text_of(job, "ErrMsg"),
    }


def approval(fields: Fields) -> dict[str, Any]:
    """Return an approval's info as it came."""
    return {"info": tree_of(fields, "ApprovalInfo"), "system": text_of(fields, "Event").lower().startswith("sys_")}


def share(fields: Fields) -> dict[str, Any]:
    """Return what was shared."""
    return {"shared": text_of(fields, "Event").lower().removeprefix("share_").removesuffix("_change")}


def workbench_mode(fields: Fields) -> dict[str, Any]:
    """Return the mode."""
    return {"mode": text_of(fields, "Mode")}


def activity_warning(fields: Fields) -> dict[str, Any]:
    """Return when the restriction will begin."""
    return {**_activity(fields), "stage": e.ActivityStage.WARNED}


def activity_restriction(fields: Fields) -> dict[str, Any]:
    """Return that the restriction is in force."""
    return {**_activity(fields), "stage": e.ActivityStage.RESTRICTED}


def _activity(fields: Fields) -> dict[str, Any]:
    return {**event_name(fields), "effective_at": parse_seconds(text_of(fields, "EffectTime"))}


def event_name(fields: Fields) -> dict[str, Any]:
    """Return the event's own name, in lower case."""
    return {"name": text_of(fields, "Event").lower()}


def upload_job(fields: Fields) -> dict[str, Any]:
    """Return which upload ended."""
    return {"job_id": text_of(fields, "JobId")}


def kf_notice(fields: Fields) -> dict[str, Any]:
    """Return which account to pull, and with what."""
    return {"open_kfid": text_of(fields, "OpenKfId"), "token": text_of(fields, "Token")}


def kf_accounts(fields: Fields) -> dict[str, Any]:
    """Return the accounts that came and went; a comma list or a repeated element."""
    return {"added": _names(fields, "AuthAddOpenKfId"), "removed": _names(fields, "AuthDelOpenKfId")}


def _names(fields: Fields, name: str) -> tuple[str, ...]:
    return tuple(part for value in texts_in(list_of(fields, name)) for part in split_text(value))


# --- the directory ---


def member(change: Change) -> Builder:
    """Return the builder for a change of a member."""

    def build(fields: Fields) -> Mapping[str, Any]:
        return {
            "change": change,
            "staff_id": StaffId(text_of(fields, "UserID")),
            "new_staff_id": StaffId(text_of(fields, "NewUserID")) or None,
            **_posts(fields),
            **{attribute: optional_text(fields, name) for attribute, name in _MEMBER_TEXTS.items()},
            "status": int_of(fields, "Status"),
            "attributes": tuple(_attribute(item) for item in trees_in(items_of(fields, "ExtAttr", "Item", "item"))),
        }

    return build


_MEMBER_TEXTS: Mapping[str, str] = {
    "name": "Name",
    "alias": "Alias",
    "position": "Position",
    "mobile": "Mobile",
    "telephone": "Telephone",
    "email": "Email",
    "biz_mail": "BizMail",
    "gender": "Gender",
    "avatar": "Avatar",
    "address": "Address",
}


def _posts(fields: Fields) -> dict[str, Any]:
    leads, leaders = optional_text(fields, "IsLeaderInDept"), optional_text(fields, "DirectLeader")
    return {
        "departments": _numbers(fields, "Department") if "Department" in fields else None,
        "main_department": int_of(fields, "MainDepartment"),
        "leads": None if leads is None else tuple(flag == "1" for flag in split_text(leads)),
        "direct_leaders": None if leaders is None else tuple(StaffId(name) for name in split_text(leaders)),
    }


def _numbers(fields: Fields, name: str) -> tuple[int, ...]:
    return tuple(number for part in _names(fields, name) if (number := parse_int(part)) is not None)


def _attribute(item: Fields) -> e.MemberAttribute:
    name, web = text_of(item, "Name"), tree_of(item, "Web")
    if web or text_of(item, "Type") == "1":
        return e.MemberAttribute(name, "web", text_of(web, "Url"), text_of(web, "Title"))
    return e.MemberAttribute(name, "text", text_of(tree_of(item, "Text"), "Value") or text_of(item, "Value"))


def department(change: Change) -> Builder:
    """Return the builder for a change of a department."""

    def build(fields: Fields) -> Mapping[str, Any]:
        return {
            "change": change,
            "department_id": int_of(fields, "Id"),
            "name": optional_text(fields, "Name"),
            "parent_id": int_of(fields, "ParentId"),
            "order": int_of(fields, "Order"),
        }

    return build


def member_tag(fields: Fields) -> dict[str, Any]:
    """Return who and which departments were put under a tag, and taken from it."""
    return {
        "tag_id": text_of(fields, "TagId"),
        "added_staff": tuple(StaffId(name) for name in _names(fields, "AddUserItems")),
        "removed_staff": tuple(StaffId(name) for name in _names(fields, "DelUserItems")),
        "added_departments": _numbers(fields, "AddPartyItems"),
        "removed_departments": _numbers(fields, "DelPartyItems"),
    }


# --- customers, groups, tags, 获客助手 ---


def customer(fields: Fields) -> dict[str, Any]:
    """Return between whom it happened."""
    return {
        "staff_id": StaffId(text_of(fields, "UserID")),
        "customer_id": CustomerId(text_of(fields, "ExternalUserID")),
    }


def consent(fields: Fields) -> dict[str, Any]:
    """Return who agreed, and the code of the welcome, if there is one."""
    return {**customer(fields), "welcome_code": text_of(fields, "WelcomeCode") or None}


def new_customer(fields: Fields) -> dict[str, Any]:
    """Return a new customer's way in."""
    return {**consent(fields), "state": text_of(fields, "State"), "link_id": text_of(fields, "LinkId")}


def removed_customer(fields: Fields) -> dict[str, Any]:
    """Return who removed whom, and why when the platform did it."""
    return {**customer(fields), "source": text_of(fields, "Source")}


def failed_transfer(fields: Fields) -> dict[str, Any]:
    """Return whose handover failed, and why."""
    return {**customer(fields), "reason": text_of(fields, "FailReason")}


def group(fields: Fields) -> dict[str, Any]:
    """Return which group."""
    return {"chat_id": GroupChatId(text_of(fields, "ChatId"))}


def changed_group(fields: Fields) -> dict[str, Any]:
    """Return what changed in a group."""
    return {
        **group(fields),
        "detail": text_of(fields, "UpdateDetail"),
        "join_scene": int_of(fields, "JoinScene"),
        "quit_scene": int_of(fields, "QuitScene"),
        "member_count": int_of(fields, "MemChangeCnt"),
        "members": texts_in(items_of(fields, "MemChangeList", "Item", "item")),
        "last_version": text_of(fields, "LastMemVer"),
        "current_version": text_of(fields, "CurMemVer"),
    }


def corp_tag(change: Change) -> Builder:
    """Return the builder for a change of a customer tag or tag group."""

    def build(fields: Fields) -> Mapping[str, Any]:
        return {
            "change": change,
            "tag_id": text_of(fields, "Id"),
            "is_group": text_of(fields, "TagType").lower() == "tag_group",
            "strategy_id": text_of(fields, "StrategyId"),
        }

    return build


def acquisition(change: e.AcquisitionChange) -> Builder:
    """Return the builder for one kind of 获客助手 notice."""

    def build(fields: Fields) -> Mapping[str, Any]:
        return {
            "change": change,
            "link_id": text_of(fields, "LinkId"),
            "state": text_of(fields, "State"),
            "staff_id": StaffId(text_of(fields, "UserID")) or None,
            "customer_id": CustomerId(text_of(fields, "ExternalUserID")) or None,
            "chat_key": text_of(fields, "ChatKey"),
            "expire_at": parse_seconds(text_of(fields, "ExpireTime")),
            "expiring": int_of(fields, "ExpireQuotaNum"),
        }

    return build
