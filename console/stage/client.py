"""Speaks to the simulator's control API. Values from there are read into typed ones here and nowhere else.

The page plays a person at WeCom's side. It touches nothing of ours: what we then do comes in through our callback, the
way everything does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from bot.errors import Conflict, NotFound, PlatformUnavailable

_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class CardButton:
    """A button of a card."""

    text: str
    key: str


@dataclass(frozen=True, slots=True)
class ChatCard:
    """A card as it stands in a chat."""

    title: str
    description: str
    facts: tuple[tuple[str, str], ...]
    buttons: tuple[CardButton, ...]
    url: str | None
    task_id: str | None


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation. `sender_kind` is staff, customer or bot; `note` what the platform adds to it."""

    seq: int
    id: str
    sender: str
    sender_name: str
    sender_kind: str
    kind: str
    text: str
    card: ChatCard | None
    at: datetime | None
    note: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """A chat as its people see it, oldest first."""

    title: str
    messages: tuple[ChatMessage, ...]


@dataclass(frozen=True, slots=True)
class GroupTask:
    """A broadcast task waiting in a member's WeCom. `status` is the simulator's word."""

    msgid: str
    chat_type: str
    text: str
    chat_ids: tuple[str, ...]
    status: str
    created_at: datetime | None


class SimulatorClient:
    """The control API at `base_url`. Every call raises `PlatformUnavailable` when nobody answers there."""

    def __init__(self, http: httpx.AsyncClient, base_url: str) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")

    async def write_to_app(self, staff_id: str, text: str) -> str:
        """Write to the app as a member; return the message's id."""
        answer = await self._post("/_sim/app/messages", {"userid": staff_id, "text": text})
        return str(answer.get("msg_id", ""))

    async def press_button(self, staff_id: str, task_id: str, key: str) -> str:
        """Press a card's button as a member; return the event's id where the simulator tells one."""
        answer = await self._post("/_sim/app/clicks", {"userid": staff_id, "task_id": task_id, "key": key})
        return str(answer.get("dedupe_key") or "")

    async def enter_app(self, staff_id: str) -> None:
        """Open the app as a member."""
        await self._post("/_sim/app/enter", {"userid": staff_id})

    async def enter_kf(self, customer_id: str) -> None:
        """Open the 微信客服 chat as a customer."""
        await self._post("/_sim/kf/enter", {"external_userid": customer_id})

    async def write_to_kf(self, customer_id: str, text: str) -> str:
        """Write to 微信客服 as a customer; return the message's id."""
        answer = await self._post("/_sim/kf/messages", {"external_userid": customer_id, "text": text})
        return str(answer.get("msgid", ""))

    async def write_to_group(
        self, chat_id: str, sender: str, text: str, *, mention_bot: bool = False
    ) -> tuple[str, str]:
        """Write to a customer group; return the ids of the message and, when the bot was mentioned, of its copy."""
        answer = await self._post(
            f"/_sim/groups/{chat_id}/messages", {"sender": sender, "text": text, "mention_bot": mention_bot}
        )
        return str(answer.get("msgid", "")), str(answer.get("bot_msgid") or "")

    async def write_to_chat(self, staff_id: str, customer_id: str, sender: str, text: str) -> str:
        """Write to the single chat of a member and a customer; return the message's id."""
        body = {"userid": staff_id, "external_userid": customer_id, "sender": sender, "text": text}
        return str((await self._post("/_sim/chats/messages", body)).get("msgid", ""))

    async def admit_bot(self, chat_id: str, *, admitted: bool) -> None:
        """Let the AI bot into a group, or turn it out."""
        await self._post(f"/_sim/groups/{chat_id}/aibot", {"admitted": admitted})

    async def list_group_tasks(self, staff_id: str) -> list[GroupTask]:
        """List the broadcast tasks of a member, newest first."""
        answer = await self._get("/_sim/groupmsgs", {"userid": staff_id})
        rows = answer if isinstance(answer, list) else answer.get("groupmsgs", [])
        tasks = [_read_task(row) for row in rows]
        return sorted(tasks, key=lambda task: task.created_at or datetime.min.replace(tzinfo=UTC), reverse=True)

    async def confirm_group_task(self, msgid: str, staff_id: str) -> None:
        """Confirm a broadcast task as its member: now it goes out."""
        await self._post(f"/_sim/groupmsgs/{msgid}/confirm", {"userid": staff_id})

    async def get_conversation(self, kind: str, key: str) -> Conversation:
        """Return the newest messages of a chat; an unknown one is empty."""
        try:
            answer = await self._get("/_sim/conversations", {"kind": kind, "key": key})
        except NotFound:
            return Conversation("", ())
        return Conversation(
            title=str(answer.get("title", "")),
            messages=tuple(_read_message(row) for row in answer.get("messages", []))[-80:],
        )

    async def is_bot_admitted(self, chat_id: str) -> bool:
        """Tell whether a group admits the AI bot."""
        answer = await self._get("/_sim/people", {"q": chat_id, "limit": "1"})
        return any(bool(group.get("aibot")) for group in answer.get("groups", []))

    async def _get(self, path: str, params: Mapping[str, str]) -> Any:
        return await self._call("GET", path, params=params)

    async def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = await self._call("POST", path, body=body)
        return answer if isinstance(answer, dict) else {}

    async def _call(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            answer = await self._http.request(
                method, self._base_url + path, params=params, json=body, timeout=_TIMEOUT_SECONDS
            )
        except httpx.HTTPError as error:
            raise PlatformUnavailable(f"{method} {path.split('?', maxsplit=1)[0]}") from error
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise NotFound("the simulator knows no such thing")
        if answer.status_code == httpx.codes.CONFLICT:
            raise Conflict("the simulated platform does not allow that now")
        if answer.is_error:
            raise PlatformUnavailable(f"{method} {path}", answer.status_code)
        return answer.json()


def _read_message(row: Mapping[str, Any]) -> ChatMessage:
    card = row.get("card")
    return ChatMessage(
        seq=int(row.get("seq", 0)),
        id=str(row.get("id", "")),
        sender=str(row.get("sender", "")),
        sender_name=str(row.get("sender_name") or row.get("sender", "")),
        sender_kind=str(row.get("sender_kind", "")),
        kind=str(row.get("kind", "text")),
        text=str(row.get("text") or ""),
        card=_read_card(card) if isinstance(card, Mapping) else None,
        at=_read_time(row.get("at")),
        note=str(row.get("note") or ""),
    )


def _read_card(row: Mapping[str, Any]) -> ChatCard:
    return ChatCard(
        title=str(row.get("title") or ""),
        description=str(row.get("description") or ""),
        facts=tuple((str(name), str(value)) for name, value in row.get("facts") or ()),
        buttons=tuple(CardButton(str(item["text"]), str(item["key"])) for item in row.get("buttons") or ()),
        url=row.get("url") or None,
        task_id=row.get("task_id") or None,
    )


def _read_task(row: Mapping[str, Any]) -> GroupTask:
    return GroupTask(
        msgid=str(row.get("msgid", "")),
        chat_type=str(row.get("chat_type", "")),
        text=str(row.get("text") or ""),
        chat_ids=tuple(str(item) for item in row.get("chat_ids") or ()),
        status=str(row.get("status", "")),
        created_at=_read_time(row.get("created_at")),
    )


def _read_time(value: object) -> datetime | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value / 1000 if value > 10**11 else value, UTC)
    if isinstance(value, str) and value:
        parsed = datetime.fromisoformat(value)
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return None
