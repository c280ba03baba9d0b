"""Field trees to typed events, by the words the body calls itself.

Three discriminators exist: `MsgType` with `Event` and `ChangeType` on the app callback, `InfoType` on suite callbacks.
Event names are compared without regard to case: old samples differ (02-events.md).
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from bot import events as e
from bot.errors import CallbackMalformed
from bot.events import Event, Fields
from bot.ids import CustomerId, GroupChatId, StaffId
from bot.wecom.fields import text_of

Builder = Callable[[Fields], Mapping[str, Any]]


def _nothing(_: Fields) -> Mapping[str, Any]:
    return {}


def _sender(fields: Fields) -> dict[str, Any]:
    return {"staff_id": StaffId(text_of(fields, "FromUserName"))}


def _message(fields: Fields) -> dict[str, Any]:
    return {**_sender(fields), "msg_id": text_of(fields, "MsgId")}


def _media(fields: Fields) -> dict[str, Any]:
    return {**_message(fields), "media_id": text_of(fields, "MediaId")}


def _text(fields: Fields) -> dict[str, Any]:
    return {**_message(fields), "text": text_of(fields, "Content")}


def _link(fields: Fields) -> dict[str, Any]:
    return {**_message(fields), "title": text_of(fields, "Title"), "url": text_of(fields, "Url")}


def _menu(fields: Fields) -> dict[str, Any]:
    return {**_sender(fields), "key": text_of(fields, "EventKey")}


def _task(fields: Fields) -> dict[str, Any]:
    return {**_menu(fields), "task_id": text_of(fields, "TaskId")}


def _card(fields: Fields) -> dict[str, Any]:
    return {**_task(fields), "response_code": text_of(fields, "ResponseCode")}


def _kf_notice(fields: Fields) -> dict[str, Any]:
    return {"open_kfid": text_of(fields, "OpenKfId"), "token": text_of(fields, "Token")}


def _customer(fields: Fields) -> dict[str, Any]:
    return {
        "staff_id": StaffId(text_of(fields, "UserID")),
        "customer_id": CustomerId(text_of(fields, "ExternalUserID")),
    }


def _welcome(fields: Fields) -> dict[str, Any]:
    return {**_customer(fields), "welcome_code": text_of(fields, "WelcomeCode") or None}


def _added(fields: Fields) -> dict[str, Any]:
    return {**_welcome(fields), "state": text_of(fields, "State")}


def _group(fields: Fields) -> dict[str, Any]:
    return {"chat_id": GroupChatId(text_of(fields, "ChatId"))}


MESSAGES: Mapping[str, tuple[type[Event], Builder]] = {
    "text": (e.StaffTextMessage, _text),
    "image": (e.StaffImageMessage, _media),
    "voice": (e.StaffVoiceMessage, _media),
    "video": (e.StaffVideoMessage, _media),
    "location": (e.StaffLocationMessage, _message),
    "link": (e.StaffLinkMessage, _link),
}

EVENTS: Mapping[str, tuple[type[Event], Builder]] = {
    "subscribe": (e.AppSubscribed, _sender),
    "unsubscribe": (e.AppUnsubscribed, _sender),
    "enter_agent": (e.AppEntered, _sender),
    "location": (e.StaffLocationReported, _sender),
    "click": (e.MenuClicked, _menu),
    "view": (e.MenuLinkOpened, _sender),
    "view_miniprogram": (e.MenuMiniprogramOpened, _sender),
    "scancode_push": (e.CodeScanned, _sender),
    "scancode_waitmsg": (e.CodeScanned, _sender),
    "pic_sysphoto": (e.PhotosChosen, _sender),
    "pic_photo_or_album": (e.PhotosChosen, _sender),
    "pic_weixin": (e.PhotosChosen, _sender),
    "location_select": (e.PlaceChosen, _sender),
    "batch_job_result": (e.BatchJobFinished, _nothing),
    "template_card_event": (e.CardButtonClicked, _card),
    "template_card_menu_event": (e.CardMenuClicked, _card),
    "taskcard_click": (e.TaskCardClicked, _task),
    "open_approval_change": (e.ApprovalChanged, _nothing),
    "sys_approval_change": (e.ApprovalChanged, _nothing),
    "share_agent_change": (e.AppShareChanged, _nothing),
    "share_chain_change": (e.AppShareChanged, _nothing),
    "switch_workbench_mode": (e.WorkbenchModeSwitched, _nothing),
    "inactive_alert": (e.AppActivityAlert, _nothing),
    "low_active_alert": (e.AppActivityAlert, _nothing),
    "close_inactive_agent": (e.AppActivityAlert, _nothing),
    "low_active": (e.AppActivityAlert, _nothing),
    "reopen_inactive_agent": (e.AppActivityRestored, _nothing),
    "active_restored": (e.AppActivityRestored, _nothing),
    "upload_media_job_finish": (e.MediaUploadFinished, _nothing),
    "msgaudit_notify": (e.ArchiveNotice, _nothing),
    "kf_msg_or_event": (e.KfNotice, _kf_notice),
    "kf_account_auth_change": (e.KfAccountChanged, _nothing),
    "unlicensed_notify": (e.LicenceMissing, _nothing),
    "customer_acquisition": (e.AcquisitionNotice, _nothing),
}

CHANGES: Mapping[tuple[str, str], tuple[type[Event], Builder]] = {
    ("change_contact", "create_user"): (e.MemberChanged, _nothing),
    ("change_contact", "update_user"): (e.MemberChanged, _nothing),
    ("change_contact", "delete_user"): (e.MemberChanged, _nothing),
    ("change_contact", "create_party"): (e.DepartmentChanged, _nothing),
    ("change_contact", "update_party"): (e.DepartmentChanged, _nothing),
    ("change_contact", "delete_party"): (e.DepartmentChanged, _nothing),
    ("change_contact", "update_tag"): (e.MemberTagChanged, _nothing),
    ("change_external_contact", "add_external_contact"): (e.CustomerAdded, _added),
    ("change_external_contact", "add_half_external_contact"): (e.CustomerHalfAdded, _added),
    ("change_external_contact", "edit_external_contact"): (e.CustomerEdited, _customer),
    ("change_external_contact", "del_external_contact"): (e.CustomerRemoved, _customer),
    ("change_external_contact", "del_follow_user"): (e.StaffRemovedByCustomer, _customer),
    ("change_external_contact", "transfer_fail"): (e.CustomerTransferFailed, _customer),
    ("change_external_contact", "msg_audit_approved"): (e.ArchiveConsentGiven, _welcome),
    ("change_external_chat", "create"): (e.GroupCreated, _group),
    ("change_external_chat", "update"): (e.GroupUpdated, _group),
    ("change_external_chat", "dismiss"): (e.GroupDismissed, _group),
    ("change_external_tag", "create"): (e.CorpTagChanged, _nothing),
    ("change_external_tag", "update"): (e.CorpTagChanged, _nothing),
    ("change_external_tag", "delete"): (e.CorpTagChanged, _nothing),
    ("change_external_tag", "shuffle"): (e.CorpTagChanged, _nothing),
}


def parse_event(fields: Fields) -> Event:
    """Return the typed event of an app callback's fields; `UnknownEvent` for a kind we do not know.

    Raises:
        CallbackMalformed: nothing in it says what it is, or a known kind lacks the id that makes it usable.
    """
    occurred_at = parse_seconds(text_of(fields, "CreateTime") or text_of(fields, "TimeStamp"))
    kind, found = _look_up(fields)
    if not kind:
        raise CallbackMalformed("the body has neither MsgType nor InfoType")
    if found is None:
        return e.UnknownEvent(fields=fields, occurred_at=occurred_at, kind=kind)
    event, builder = found
    return event(fields=fields, occurred_at=occurred_at, **builder(fields))


def _look_up(fields: Fields) -> tuple[str, tuple[type[Event], Builder] | None]:
    if text_of(fields, "InfoType"):
        return f"suite.{text_of(fields, 'InfoType')}", (e.SuiteNotice, _nothing)
    msg_type = text_of(fields, "MsgType").lower()
    if msg_type != "event":
        return msg_type, MESSAGES.get(msg_type)
    name = text_of(fields, "Event").lower()
    change = text_of(fields, "ChangeType").lower()
    if change and name != "customer_acquisition":
        return f"{name}.{change}", CHANGES.get((name, change))
    return f"event.{name}", EVENTS.get(name)


def parse_seconds(text: str) -> datetime | None:
    """Return the instant of a count of seconds since 1970; `None` for what is not one, or beyond year 9999."""
    if not text.isascii() or not text.isdigit() or len(text) > 11:
        return None
    return datetime.fromtimestamp(int(text), UTC)
