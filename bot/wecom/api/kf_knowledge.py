"""微信客服's own knowledge base: groups of questions with their answers (07-kf.md, 7.5).

With our approved scripts in it, the platform's bot answers without us. Self-built apps only: their own token is used,
not that of the application named `kf`.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeAlias

from bot.wecom.answers import Answer
from bot.wecom.api.calls import PlatformCalls, iter_pages
from bot.wecom.api.wire import FILLED, KEPT, Chars, Items, Name, Tagged, to_body

GROUP_ADD = "POST /cgi-bin/kf/knowledge/add_group"
GROUP_RENAME = "POST /cgi-bin/kf/knowledge/mod_group"
GROUP_DELETE = "POST /cgi-bin/kf/knowledge/del_group"
GROUP_LIST = "POST /cgi-bin/kf/knowledge/list_group"
INTENT_ADD = "POST /cgi-bin/kf/knowledge/add_intent"
INTENT_UPDATE = "POST /cgi-bin/kf/knowledge/mod_intent"
INTENT_DELETE = "POST /cgi-bin/kf/knowledge/del_intent"
INTENT_LIST = "POST /cgi-bin/kf/knowledge/list_intent"

PAGE = 1000
MAX_INTENTS_PER_GROUP = 200


@dataclass(frozen=True, slots=True)
class AnswerImage:
    """An uploaded picture."""

    kind: ClassVar[str] = "image"

    media_id: str


@dataclass(frozen=True, slots=True)
class AnswerVideo:
    """An uploaded video."""

    kind: ClassVar[str] = "video"

    media_id: str


@dataclass(frozen=True, slots=True)
class AnswerLink:
    """A web page."""

    kind: ClassVar[str] = "link"

    title: str
    url: str
    description: Annotated[str | None, Name("desc")] = None
    picture_url: Annotated[str | None, Name("pic_url")] = None


@dataclass(frozen=True, slots=True)
class AnswerMiniProgram:
    """A page of a mini program."""

    kind: ClassVar[str] = "miniprogram"

    app_id: Annotated[str, Name("appid")]
    page: Annotated[str, Name("pagepath")]
    title: str | None = None
    thumb_media_id: str | None = None


AnswerAttachment: TypeAlias = AnswerImage | AnswerVideo | AnswerLink | AnswerMiniProgram


@dataclass(frozen=True, slots=True)
class KnowledgeQuestion:
    """One way to ask."""

    text: Annotated[str, Name("text.content"), Chars(200, least=1)]


@dataclass(frozen=True, slots=True)
class KnowledgeAnswer:
    """What is answered."""

    text: Annotated[str, Name("text.content"), Chars(500, least=1)]
    attachments: Annotated[tuple[AnswerAttachment, ...], Tagged(), Items(4), KEPT] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewIntent:
    """A question, other ways to ask it, and its one answer."""

    group_id: Annotated[str, FILLED]
    question: KnowledgeQuestion
    answers: Annotated[tuple[KnowledgeAnswer, ...], Items(1, least=1)]
    similar: Annotated[tuple[KnowledgeQuestion, ...], Name("similar_questions.items"), Items(100)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentEdit:
    """What is to change; what is `None` or empty stays."""

    intent_id: Annotated[str, FILLED]
    question: KnowledgeQuestion | None = None
    answers: Annotated[tuple[KnowledgeAnswer, ...], Items(1)] = ()
    similar: Annotated[tuple[KnowledgeQuestion, ...], Name("similar_questions.items"), Items(100)] = ()


@dataclass(frozen=True, slots=True)
class KnowledgeGroup:
    """A group of at most 200 questions; the default one cannot be deleted."""

    id: str
    name: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class Intent:
    """A question as the platform keeps it. Of attachments it tells names, not media ids: only their kinds are kept."""

    id: str
    group_id: str
    question: str
    similar: tuple[str, ...]
    answer: str
    attachment_kinds: tuple[str, ...]


async def add_knowledge_group(client: PlatformCalls, name: str) -> str:
    """Make a group and return its id."""
    return Answer(GROUP_ADD, await client.call(GROUP_ADD, {"name": name})).text("group_id")


async def rename_knowledge_group(client: PlatformCalls, group_id: str, name: str) -> None:
    """Rename a group."""
    await client.call(GROUP_RENAME, {"group_id": group_id, "name": name})


async def delete_knowledge_group(client: PlatformCalls, group_id: str) -> None:
    """Delete a group with its questions."""
    await client.call(GROUP_DELETE, {"group_id": group_id})


async def iter_knowledge_groups(client: PlatformCalls) -> AsyncIterator[KnowledgeGroup]:
    """Yield all groups."""
    async for page in iter_pages(client, GROUP_LIST, {"limit": PAGE}):
        for item in page.children("group_list"):
            yield KnowledgeGroup(item.text("group_id"), item.text("name", ""), item.truth("is_default", False))


async def add_intent(client: PlatformCalls, intent: NewIntent) -> str:
    """Add a question and return its id."""
    return Answer(INTENT_ADD, await client.call(INTENT_ADD, to_body(INTENT_ADD, intent))).text("intent_id")


async def update_intent(client: PlatformCalls, edit: IntentEdit) -> None:
    """Change a question."""
    await client.call(INTENT_UPDATE, to_body(INTENT_UPDATE, edit))


async def delete_intent(client: PlatformCalls, intent_id: str) -> None:
    """Delete a question."""
    await client.call(INTENT_DELETE, {"intent_id": intent_id})


async def iter_intents(client: PlatformCalls, group_id: str | None = None) -> AsyncIterator[Intent]:
    """Yield the questions of a group, or all."""
    body: dict[str, Any] = {"limit": PAGE} | ({"group_id": group_id} if group_id else {})
    async for page in iter_pages(client, INTENT_LIST, body):
        for item in page.children("intent_list"):
            yield _read_intent(item)


def _read_intent(item: Answer) -> Intent:
    answers = item.children("answers")
    similar = item.find_child("similar_questions")
    return Intent(
        id=item.text("intent_id"),
        group_id=item.text("group_id"),
        question=_read_words(item.child("question")),
        similar=tuple(_read_words(other) for other in similar.children("items")) if similar else (),
        answer=_read_words(answers[0]) if answers else "",
        attachment_kinds=_read_kinds(answers),
    )


def _read_words(item: Answer) -> str:
    return item.child("text").text("content")


def _read_kinds(answers: Sequence[Answer]) -> tuple[str, ...]:
    return tuple(attachment.text("msgtype") for answer in answers for attachment in answer.children("attachments"))
