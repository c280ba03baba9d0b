"""The tables of app callbacks: what a body calls itself → the event's class and the builder of its attributes."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from bot import events as e
from bot.events import Change, Event, Fields
from bot.wecom.fields import text_of
from bot.wecom.parsing import builders as b
from bot.wecom.parsing.builders import Builder

Entry: TypeAlias = tuple[type[Event], Builder]

MESSAGES: Mapping[str, Entry] = {
    "text": (e.StaffTextMessage, b.text_message),
    "image": (e.StaffImageMessage, b.image_message),
    "voice": (e.StaffVoiceMessage, b.voice_message),
    "video": (e.StaffVideoMessage, b.video_message),
    "location": (e.StaffLocationMessage, b.location_message),
    "link": (e.StaffLinkMessage, b.link_message),
}

EVENTS: Mapping[str, Entry] = {
    "subscribe": (e.AppSubscribed, b.sender),
    "unsubscribe": (e.AppUnsubscribed, b.sender),
    "enter_agent": (e.AppEntered, b.sender),
    "location": (e.StaffLocationReported, b.location_report),
    "click": (e.MenuClicked, b.menu_key),
    "view": (e.MenuLinkOpened, b.menu_link),
    "view_miniprogram": (e.MenuMiniprogramOpened, b.menu_page),
    "scancode_push": (e.CodeScanned, b.scan),
    "scancode_waitmsg": (e.CodeScanned, b.scan),
    "pic_sysphoto": (e.PhotosChosen, b.photos),
    "pic_photo_or_album": (e.PhotosChosen, b.photos),
    "pic_weixin": (e.PhotosChosen, b.photos),
    "location_select": (e.PlaceChosen, b.chosen_place),
    "batch_job_result": (e.BatchJobFinished, b.batch_job),
    "template_card_event": (e.CardButtonClicked, b.card_button),
    "template_card_menu_event": (e.CardMenuClicked, b.card_menu),
    "taskcard_click": (e.TaskCardClicked, b.task_card),
    "open_approval_change": (e.ApprovalChanged, b.approval),
    "sys_approval_change": (e.ApprovalChanged, b.approval),
    "share_agent_change": (e.AppShareChanged, b.share),
    "share_chain_change": (e.AppShareChanged, b.share),
    "switch_workbench_mode": (e.WorkbenchModeSwitched, b.workbench_mode),
    "inactive_alert": (e.AppActivityAlert, b.activity_warning),
    "low_active_alert": (e.AppActivityAlert, b.activity_warning),
    "close_inactive_agent": (e.AppActivityAlert, b.activity_restriction),
    "low_active": (e.AppActivityAlert, b.activity_restriction),
    "reopen_inactive_agent": (e.AppActivityRestored, b.event_name),
    "active_restored": (e.AppActivityRestored, b.event_name),
    "upload_media_job_finish": (e.MediaUploadFinished, b.upload_job),
    "msgaudit_notify": (e.ArchiveNotice, b.nothing),
    "kf_msg_or_event": (e.KfNotice, b.kf_notice),
    "kf_account_auth_change": (e.KfAccountChanged, b.kf_accounts),
    "unlicensed_notify": (e.LicenceMissing, b.nothing),
}

CHANGES: Mapping[tuple[str, str], Entry] = {
    ("change_contact", "create_user"): (e.MemberChanged, b.member(Change.CREATED)),
    ("change_contact", "update_user"): (e.MemberChanged, b.member(Change.UPDATED)),
    ("change_contact", "delete_user"): (e.MemberChanged, b.member(Change.DELETED)),
    ("change_contact", "create_party"): (e.DepartmentChanged, b.department(Change.CREATED)),
    ("change_contact", "update_party"): (e.DepartmentChanged, b.department(Change.UPDATED)),
    ("change_contact", "delete_party"): (e.DepartmentChanged, b.department(Change.DELETED)),
    ("change_contact", "update_tag"): (e.MemberTagChanged, b.member_tag),
    ("change_external_contact", "add_external_contact"): (e.CustomerAdded, b.new_customer),
    ("change_external_contact", "add_half_external_contact"): (e.CustomerHalfAdded, b.new_customer),
    ("change_external_contact", "edit_external_contact"): (e.CustomerEdited, b.customer),
    ("change_external_contact", "del_external_contact"): (e.CustomerRemoved, b.removed_customer),
    ("change_external_contact", "del_follow_user"): (e.StaffRemovedByCustomer, b.customer),
    ("change_external_contact", "transfer_fail"): (e.CustomerTransferFailed, b.failed_transfer),
    ("change_external_contact", "msg_audit_approved"): (e.ArchiveConsentGiven, b.consent),
    ("change_external_chat", "create"): (e.GroupCreated, b.group),
    ("change_external_chat", "update"): (e.GroupUpdated, b.changed_group),
    ("change_external_chat", "dismiss"): (e.GroupDismissed, b.group),
    ("change_external_tag", "create"): (e.CorpTagChanged, b.corp_tag(Change.CREATED)),
    ("change_external_tag", "update"): (e.CorpTagChanged, b.corp_tag(Change.UPDATED)),
    ("change_external_tag", "delete"): (e.CorpTagChanged, b.corp_tag(Change.DELETED)),
    ("change_external_tag", "shuffle"): (e.CorpTagChanged, b.corp_tag(Change.MOVED)),
    **{
        ("customer_acquisition", change.value): (e.AcquisitionNotice, b.acquisition(change))
        for change in e.AcquisitionChange
    },
}

# [I] 02-events.md, 2.8 names these families without their events' names: an event that has one of the words in its
# name is acknowledged as the feature's. A new feature of ours takes its word out of this line.
FEATURES = ("schedule", "meeting", "living", "wedoc", "wedrive", "security", "hardware", "checkin", "approval")


def feature_notice(fields: Fields) -> Mapping[str, Any]:
    """Return which feature spoke, and the event's name with its change."""
    name = text_of(fields, "Event").lower()
    change = text_of(fields, "ChangeType").lower()
    feature = next((word for word in FEATURES if word in name), "")
    return {"feature": feature, "name": f"{name}.{change}" if change else name}


def suite_notice(fields: Fields) -> Mapping[str, Any]:
    """Return what a third-party suite is told, and about whom."""
    return {
        "info_type": text_of(fields, "InfoType").lower(),
        "change_type": text_of(fields, "ChangeType").lower(),
        "suite_id": text_of(fields, "SuiteId"),
        "auth_corp_id": text_of(fields, "AuthCorpId"),
    }
