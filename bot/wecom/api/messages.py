"""Messages of the app to members: send, recall, change a card, and how many were sent (04-sending.md, 4.1 and 4.2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Annotated, ClassVar, TypeAlias

from bot.ids import StaffId
from bot.wecom.answers import Answer
from bot.wecom.api.calls import PlatformCalls
from bot.wecom.api.cards import TemplateCard
from bot.wecom.api.wire import FILLED, FLAG, PIPED, Between, Bytes, Chars, Items, Name, Tagged, to_body
from bot.wecom.limits import STAFF_TEXT

SEND = "POST /cgi-bin/message/send"
RECALL = "POST /cgi-bin/message/recall"
UPDATE_CARD = "POST /cgi-bin/message/update_template_card"
STATISTICS = "POST /cgi-bin/message/get_statistics"

EVERYONE = StaffId("@all")
RECALL_WITHIN = timedelta(hours=24)
RESPONSE_CODE_LIVES = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class TextBody:
    """Words; line breaks and `<a href>` work. The platform would cut off more than this."""

    kind: ClassVar[str] = "text"

    content: Annotated[str, Bytes(STAFF_TEXT.size_bytes, least=1)]


@dataclass(frozen=True, slots=True)
class MarkdownBody:
    """Words with the small subset of Markdown that apps may use."""

    kind: ClassVar[str] = "markdown"

    content: Annotated[str, Bytes(STAFF_TEXT.size_bytes, least=1)]


@dataclass(frozen=True, slots=True)
class ImageBody:
    """An uploaded picture."""

    kind: ClassVar[str] = "image"

    media_id: str


@dataclass(frozen=True, slots=True)
class VoiceBody:
    """An uploaded voice message."""

    kind: ClassVar[str] = "voice"

    media_id: str


@dataclass(frozen=True, slots=True)
class FileBody:
    """An uploaded file."""

    kind: ClassVar[str] = "file"

    media_id: str


@dataclass(frozen=True, slots=True)
class VideoBody:
    """An uploaded video with a heading."""

    kind: ClassVar[str] = "video"

    media_id: str
    title: Annotated[str | None, Bytes(128)] = None
    description: Annotated[str | None, Bytes(512)] = None


@dataclass(frozen=True, slots=True)
class TextCardBody:
    """A card of words that opens a page; the description may hold `div` classes gray, normal and highlight."""

    kind: ClassVar[str] = "textcard"

    title: Annotated[str, Chars(128, least=1)]
    description: Annotated[str, Chars(512, least=1)]
    url: Annotated[str, Bytes(2048, least=1)]
    button_text: Annotated[str | None, Name("btntxt"), Chars(4)] = None


@dataclass(frozen=True, slots=True)
class Article:
    """One picture and heading that opens a page, or a mini program in its place."""

    title: Annotated[str, Bytes(128, least=1)]
    url: Annotated[str, Bytes(2048)]
    description: Annotated[str | None, Bytes(512)] = None
    picture_url: Annotated[str | None, Name("picurl")] = None
    app_id: Annotated[str | None, Name("appid")] = None
    page: Annotated[str | None, Name("pagepath"), Bytes(128)] = None


@dataclass(frozen=True, slots=True)
class NewsBody:
    """One to eight articles."""

    kind: ClassVar[str] = "news"

    articles: Annotated[tuple[Article, ...], Items(8, least=1)]


@dataclass(frozen=True, slots=True)
class StoredArticle:
    """An article whose HTML the platform keeps."""

    title: Annotated[str, Bytes(128, least=1)]
    content: Annotated[str, Bytes(666 * 1024, least=1)]
    thumb_media_id: str
    author: Annotated[str | None, Bytes(64)] = None
    source_url: Annotated[str | None, Name("content_source_url")] = None
    digest: Annotated[str | None, Bytes(512)] = None


@dataclass(frozen=True, slots=True)
class StoredNewsBody:
    """One to eight articles that the platform keeps (mpnews)."""

    kind: ClassVar[str] = "mpnews"

    articles: Annotated[tuple[StoredArticle, ...], Items(8, least=1)]


@dataclass(frozen=True, slots=True)
class NoticeItem:
    """A line of a mini-program notice."""

    key: Annotated[str, Chars(10, least=1)]
    value: Annotated[str, Chars(30, least=1)]


@dataclass(frozen=True, slots=True)
class MiniProgramNoticeBody:
    """A notice of the mini program bound to the app. It cannot go to everyone at once."""

    kind: ClassVar[str] = "miniprogram_notice"

    app_id: Annotated[str, Name("appid")]
    page: str
    title: Annotated[str, Chars(12, least=4)]
    description: Annotated[str | None, Chars(12, least=4)] = None
    items: Annotated[tuple[NoticeItem, ...], Name("content_item"), Items(10)] = ()
    emphasise_first: Annotated[bool | None, Name("emphasis_first_item")] = None


MessageBody: TypeAlias = (
    TextBody
    | MarkdownBody
    | ImageBody
    | VoiceBody
    | VideoBody
    | FileBody
    | TextCardBody
    | NewsBody
    | StoredNewsBody
    | MiniProgramNoticeBody
    | TemplateCard
)


class Safety(IntEnum):
    """Whether a message may be passed on: freely, not at all and with a watermark, or inside the corp only."""

    NORMAL = 0
    CONFIDENTIAL = 1
    INSIDE_CORP = 2


_NEVER_CONFIDENTIAL = ("voice", "textcard", "news", "markdown", "template_card", "miniprogram_notice")


@dataclass(frozen=True, slots=True, kw_only=True)
class AppMessage:
    """One message to members, departments and member tags; `(EVERYONE,)` is the whole visible range.

    A repeat of the same message within `repeat_seconds` is left out by the platform: its only means against doubling.
    """

    agent_id: Annotated[int, Name("agentid")]
    body: Annotated[MessageBody, Tagged()]
    staff_ids: Annotated[tuple[StaffId, ...], Name("touser"), PIPED, Items(1000)] = ()
    department_ids: Annotated[tuple[int, ...], Name("toparty"), PIPED, Items(100)] = ()
    member_tag_ids: Annotated[tuple[int, ...], Name("totag"), PIPED, Items(100)] = ()
    safety: Annotated[Safety | None, Name("safe")] = None
    translate_ids: Annotated[bool | None, Name("enable_id_trans"), FLAG] = None
    drop_repeats: Annotated[bool | None, Name("enable_duplicate_check"), FLAG] = None
    repeat_seconds: Annotated[int | None, Name("duplicate_check_interval"), Between(1, 14_400)] = None

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if not (self.staff_ids or self.department_ids or self.member_tag_ids):
            yield "touser", "toparty and totag are all missing"
        if EVERYONE in self.staff_ids and self.body.kind == "miniprogram_notice":
            yield "touser", "may not be @all for miniprogram_notice"
        if self.safety and self.body.kind in _NEVER_CONFIDENTIAL:
            yield "safe", f"may not be set for {self.body.kind}"
        if self.safety is Safety.INSIDE_CORP and self.body.kind != "mpnews":
            yield "safe", "2 is for mpnews only"


@dataclass(frozen=True, slots=True)
class SentMessage:
    """What the platform took. The names it did not serve come in lower case; success with names here is partial.

    `response_code` is there for cards: it changes the card once, within 72 hours.
    """

    msgid: str
    invalid_staff: tuple[str, ...]
    invalid_departments: tuple[str, ...]
    invalid_tags: tuple[str, ...]
    unlicensed_staff: tuple[str, ...]
    response_code: str


@dataclass(frozen=True, slots=True)
class ReplacedButton:
    """The card's buttons cannot be pressed any more; the pressed one shows `text`."""

    text: Annotated[str, Name("replace_name")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CardChange:
    """A change of a card that was sent, for some who have it. Either its buttons are closed, or it is a new card.

    On a new card `replacement` stands where the buttons were.
    """

    agent_id: Annotated[int, Name("agentid")]
    response_code: Annotated[str, FILLED]
    staff_ids: Annotated[tuple[StaffId, ...], Name("userids"), Items(1000)] = ()
    department_ids: Annotated[tuple[int, ...], Name("partyids"), Items(100)] = ()
    member_tag_ids: Annotated[tuple[int, ...], Name("tagids"), Items(100)] = ()
    everyone: Annotated[bool | None, Name("atall"), FLAG] = None
    button: ReplacedButton | None = None
    card: Annotated[TemplateCard | None, Name("template_card")] = None
    replacement: Annotated[str | None, Name("template_card.replace_text")] = None
    translate_ids: Annotated[bool | None, Name("enable_id_trans"), FLAG] = None

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if (self.button is None) == (self.card is None):
            yield "button", "or template_card must be given, and only one of them"
        if self.replacement is not None and self.card is None:
            yield "replace_text", "needs a template_card"


class Day(IntEnum):
    """Which day is counted."""

    TODAY = 0
    YESTERDAY = 1


@dataclass(frozen=True, slots=True)
class AppCount:
    """How many messages an app sent on the day."""

    agent_id: int
    name: str
    count: int


async def send_message(client: PlatformCalls, message: AppMessage) -> SentMessage:
    """Send; see `SentMessage` for what success leaves open.

    Raises:
        RequestInvalid: a documented limit is broken.
        PlatformError: refused or not answered.
    """
    answer = Answer(SEND, await client.call(SEND, to_body(SEND, message)))
    return SentMessage(
        msgid=answer.text("msgid", ""),
        invalid_staff=_split(answer, "invaliduser"),
        invalid_departments=_split(answer, "invalidparty"),
        invalid_tags=_split(answer, "invalidtag"),
        unlicensed_staff=_split(answer, "unlicenseduser"),
        response_code=answer.text("response_code", ""),
    )


async def recall_message(client: PlatformCalls, msgid: str) -> None:
    """Take a message back, within 24 hours and with the app that sent it."""
    await client.call(RECALL, {"msgid": msgid})


async def update_card(client: PlatformCalls, change: CardChange) -> tuple[str, ...]:
    """Change a card; returns the members for whom it was not done.

    Raises:
        RequestInvalid: a documented limit is broken.
        PlatformError: refused; the response code works once, for 72 hours.
    """
    answer = Answer(UPDATE_CARD, await client.call(UPDATE_CARD, to_body(UPDATE_CARD, change)))
    return answer.texts("invaliduser")


async def count_messages(client: PlatformCalls, day: Day = Day.TODAY) -> tuple[AppCount, ...]:
    """Count what each app sent."""
    answer = Answer(STATISTICS, await client.call(STATISTICS, {"time_type": day.value}))
    return tuple(
        AppCount(item.number("agentid"), item.text("app_name", ""), item.number("count"))
        for item in answer.children("statistics")
    )


def _split(answer: Answer, name: str) -> tuple[str, ...]:
    return tuple(part for part in answer.text(name, "").split("|") if part)
