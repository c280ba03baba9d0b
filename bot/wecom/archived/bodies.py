"""What was sent: one frozen dataclass for each kind of archived message.

What the platform did not send, or sent in another type, is empty, or `None` for numbers and times. Sizes are bytes,
lengths seconds, money 分. `None` as a media's reference means that nothing can be fetched.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class MediaRef:
    """A file that can be fetched by `file_id` while the platform keeps it. `md5` is of the whole file."""

    file_id: str
    md5: str = ""
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class ArchivedText:
    """Words."""

    content: str


@dataclass(frozen=True, slots=True)
class ArchivedMarkdown:
    """Words with marks."""

    content: str


@dataclass(frozen=True, slots=True)
class ArchivedImage:
    """A picture."""

    media: MediaRef | None


@dataclass(frozen=True, slots=True)
class ArchivedVoice:
    """A voice message (AMR)."""

    media: MediaRef | None
    seconds: int | None


@dataclass(frozen=True, slots=True)
class ArchivedVideo:
    """A video (mp4)."""

    media: MediaRef | None
    seconds: int | None


@dataclass(frozen=True, slots=True)
class ArchivedEmotion:
    """A sticker; `format` is gif, png or empty."""

    media: MediaRef | None
    format: str
    width: int | None
    height: int | None


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A file."""

    media: MediaRef | None
    name: str
    extension: str


@dataclass(frozen=True, slots=True)
class ArchivedRevoke:
    """The sender took back the message `msgid`."""

    msgid: str


@dataclass(frozen=True, slots=True)
class ArchivedConsent:
    """`person_id` agreed, or did not agree, to the archive."""

    agreed: bool
    person_id: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class ArchivedSwitch:
    """The member `user_id` went over to another corp."""

    user_id: str


@dataclass(frozen=True, slots=True)
class ArchivedCard:
    """Somebody's card."""

    corp_name: str
    user_id: str


@dataclass(frozen=True, slots=True)
class ArchivedLocation:
    """A place."""

    latitude: float | None
    longitude: float | None
    title: str
    address: str
    zoom: int | None


@dataclass(frozen=True, slots=True)
class ArchivedLink:
    """A link."""

    title: str
    description: str
    url: str
    image_url: str


@dataclass(frozen=True, slots=True)
class ArchivedMiniprogram:
    """A mini-program."""

    title: str
    description: str
    username: str
    display_name: str


@dataclass(frozen=True, slots=True)
class ArchivedPart:
    """A message inside a merged record or a mixed message; `kind` is what it calls itself, without its prefix."""

    kind: str
    body: "ArchivedBody"
    sent_at: datetime | None = None
    from_group: bool = False


@dataclass(frozen=True, slots=True)
class ArchivedChatRecord:
    """A merged chat record; records in it are unfolded."""

    title: str
    items: tuple[ArchivedPart, ...]


@dataclass(frozen=True, slots=True)
class ArchivedMixed:
    """Several messages in one."""

    items: tuple[ArchivedPart, ...]


@dataclass(frozen=True, slots=True)
class ArchivedTodo:
    """A to-do."""

    title: str
    content: str


@dataclass(frozen=True, slots=True)
class ArchivedVote:
    """A vote was started (`kind` 101) or taken part in (102)."""

    title: str
    options: tuple[str, ...]
    kind: int | None
    vote_id: str


@dataclass(frozen=True, slots=True)
class FormQuestion:
    """A question of a collecting form; `kind` is Text, Number, Date or Time."""

    id: str
    question: str
    kind: str


@dataclass(frozen=True, slots=True)
class ArchivedForm:
    """A collecting form (收集表, `collect`)."""

    room_name: str
    creator: str
    created_at: str
    title: str
    questions: tuple[FormQuestion, ...]


@dataclass(frozen=True, slots=True)
class ArchivedRedPacket:
    """A red packet; `kind` 1 normal, 2 random, 3 reward. `external`: between corps or with customers."""

    kind: int | None
    wish: str
    count: int | None
    amount_fen: int | None
    external: bool


@dataclass(frozen=True, slots=True)
class ArchivedMeeting:
    """A meeting: invited (`kind` 101) or answered (102), then with a `status` of 1 to 7."""

    topic: str
    starts_at: datetime | None
    ends_at: datetime | None
    address: str
    remarks: str
    kind: int | None
    meeting_id: str
    status: int | None


@dataclass(frozen=True, slots=True)
class ArchivedMeetingNotice:
    """A notice about a meeting."""

    meeting_id: str
    kind: int | None


@dataclass(frozen=True, slots=True)
class ArchivedDocument:
    """A WeCom document that was shared."""

    title: str
    creator: str
    url: str


@dataclass(frozen=True, slots=True)
class Article:
    """One article of a news message."""

    title: str
    description: str
    url: str
    pic_url: str


@dataclass(frozen=True, slots=True)
class ArchivedNews:
    """A news message."""

    articles: tuple[Article, ...]


@dataclass(frozen=True, slots=True)
class ArchivedCalendar:
    """A calendar entry."""

    title: str
    creator: str
    attendees: tuple[str, ...]
    starts_at: datetime | None
    ends_at: datetime | None
    place: str
    remarks: str


@dataclass(frozen=True, slots=True)
class ArchivedMeetingCall:
    """A voice meeting's recording, with the documents and screens that were shown in it, as they came."""

    voice_id: str
    media: MediaRef | None
    ended_at: datetime | None
    documents: tuple[Mapping[str, Any], ...]
    screens: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class ArchivedCallDocument:
    """A document that was shown in a call."""

    call_id: str
    media: MediaRef | None
    name: str


@dataclass(frozen=True, slots=True)
class ArchivedCall:
    """A voice or video call: how long, and how it began."""

    seconds: int | None
    invite_type: int | None


@dataclass(frozen=True, slots=True)
class ArchivedChannelPost:
    """A video-channel post; `kind` 2 picture, 4 video, 9 live."""

    kind: int | None
    channel: str
    description: str


@dataclass(frozen=True, slots=True)
class ArchivedDiskFile:
    """A file of WeDrive (微盘)."""

    name: str


@dataclass(frozen=True, slots=True)
class UnknownArchived:
    """A kind this version does not know, or whose form nobody has documented. `content` is its body as it came."""

    kind: str
    content: Mapping[str, Any]


ArchivedBody: TypeAlias = (
    ArchivedText
    | ArchivedMarkdown
    | ArchivedImage
    | ArchivedVoice
    | ArchivedVideo
    | ArchivedEmotion
    | ArchivedFile
    | ArchivedRevoke
    | ArchivedConsent
    | ArchivedSwitch
    | ArchivedCard
    | ArchivedLocation
    | ArchivedLink
    | ArchivedMiniprogram
    | ArchivedChatRecord
    | ArchivedMixed
    | ArchivedTodo
    | ArchivedVote
    | ArchivedForm
    | ArchivedRedPacket
    | ArchivedMeeting
    | ArchivedMeetingNotice
    | ArchivedDocument
    | ArchivedNews
    | ArchivedCalendar
    | ArchivedMeetingCall
    | ArchivedCallDocument
    | ArchivedCall
    | ArchivedChannelPost
    | ArchivedDiskFile
    | UnknownArchived
)
