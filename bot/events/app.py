"""What the platform says to the app itself: jobs, alerts, and notices that there is something to fetch (90240)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.events.base import Event, Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchJobFinished(Event):
    """A directory batch job ended; `job_type` is sync_user, replace_user, invite_user or replace_party."""

    job_id: str = ""
    job_type: str = ""
    errcode: int | None = None
    errmsg: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalChanged(Event):
    """An approval moved on. `info` is its ApprovalInfo as it came; `system`: of the built-in approval app."""

    info: Fields = field(default_factory=dict)
    system: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AppShareChanged(Event):
    """An app (`agent`) or a corp chain (`chain`) was shared anew with other corps."""

    shared: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkbenchModeSwitched(Event):
    """The workbench mode changed."""

    mode: str = ""


class ActivityStage(StrEnum):
    """Whether the restriction of an app that is little used is announced or in force."""

    WARNED = "warned"
    RESTRICTED = "restricted"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppActivityAlert(Event):
    """The app will be, or is, restricted for low use: an administrator must act (48011 follows).

    `effective_at` is when the restriction begins, when the platform says it; `name` is the event's own.
    """

    name: str = ""
    stage: ActivityStage = ActivityStage.WARNED
    effective_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppActivityRestored(Event):
    """The restriction was lifted."""

    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaUploadFinished(Event):
    """An asynchronous upload ended: ask for its result (96219)."""

    job_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceMissing(Event):
    """The app licence of a member is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteNotice(Event):
    """A third-party suite's notice; a self-built deployment acknowledges and ignores it."""

    info_type: str = ""
    change_type: str = ""
    suite_id: str = ""
    auth_corp_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureNotice(Event):
    """An event of a feature we do not use: schedule, meeting, living, wedoc, wedrive, security, hardware, checkin."""

    feature: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveNotice(Event):
    """The session archive has new records: pull them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KfNotice(Event):
    """A 微信客服 account has something: pull it with `token`, which lives ten minutes."""

    open_kfid: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KfAccountChanged(Event):
    """Rights of the app on 微信客服 accounts changed: accounts it may manage now, and no longer."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
