"""「联系我」 codes: a customer who scans one becomes a contact of a member (05-customer-contact.md, 5.3).

Codes made here do not show in the platform's console, and a `config_id` that is lost cannot be edited: keep it.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Annotated

from bot.ids import CustomerId, StaffId
from bot.wecom.answers import Answer
from bot.wecom.api.attachments import LinkAttachment, MiniProgramAttachment
from bot.wecom.api.calls import PlatformCalls, iter_pages
from bot.wecom.api.wire import FILLED, Between, Bytes, Chars, Items, Name, to_body

ADD = "POST /cgi-bin/externalcontact/add_contact_way"
GET = "POST /cgi-bin/externalcontact/get_contact_way"
LIST = "POST /cgi-bin/externalcontact/list_contact_way"
UPDATE = "POST /cgi-bin/externalcontact/update_contact_way"
DELETE = "POST /cgi-bin/externalcontact/del_contact_way"
CLOSE_CHAT = "POST /cgi-bin/externalcontact/close_temp_chat"

PAGE = 1000
MAX_PEOPLE = 100
DEFAULT_SPAN = timedelta(days=90)


class WayKind(IntEnum):
    """Whether one member or several take the customers."""

    SINGLE = 1
    SEVERAL = 2


class WayScene(IntEnum):
    """Where the code is shown."""

    MINI_PROGRAM = 1
    QR_CODE = 2


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The closing words of a temporary session, with at most one thing attached."""

    text: Annotated[str | None, Name("text.content"), Bytes(4000, least=1)] = None
    image_media_id: Annotated[str | None, Name("image.media_id")] = None
    link: LinkAttachment | None = None
    mini_program: Annotated[MiniProgramAttachment | None, Name("miniprogram")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _WayParts:
    """What a code has, new or changed. `verify` off lets a customer in without the member's confirmation.

    `state` comes back in the add event and with the customer. The `temporary` parts are for medical sessions only.
    """

    style: int | None = None
    remark: Annotated[str | None, Chars(30)] = None
    skip_verify: bool | None = None
    state: Annotated[str | None, Chars(30)] = None
    staff_ids: Annotated[tuple[StaffId, ...], Name("user"), Items(MAX_PEOPLE)] = ()
    department_ids: Annotated[tuple[int, ...], Name("party"), Items(MAX_PEOPLE)] = ()
    is_temporary: Annotated[bool | None, Name("is_temp")] = None
    code_seconds: Annotated[int | None, Name("expires_in"), Between(1, 2**31 - 1)] = None
    chat_seconds: Annotated[int | None, Name("chat_expires_in"), Between(1, 2**31 - 1)] = None
    unionid: str | None = None
    is_exclusive: bool | None = None
    mark_source: bool | None = None
    conclusion: Annotated[Conclusion | None, Name("conclusions")] = None

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if len(self.staff_ids) + len(self.department_ids) > MAX_PEOPLE:
            yield "user", f"and party together are longer than {MAX_PEOPLE} entries"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewContactWay(_WayParts):
    """A code to be made."""

    kind: Annotated[WayKind, Name("type")]
    scene: WayScene

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        yield from _WayParts.list_problems(self)
        if self.kind is WayKind.SINGLE and (len(self.staff_ids) != 1 or self.department_ids):
            yield "user", "must be exactly one for type 1"
        if self.kind is WayKind.SEVERAL and not (self.staff_ids or self.department_ids):
            yield "user", "and party are both missing"
        if self.style is not None and self.scene is not WayScene.MINI_PROGRAM:
            yield "style", "is for scene 1 only"
        if not self.is_temporary and (self.code_seconds or self.chat_seconds or self.unionid or self.conclusion):
            yield "is_temp", "must be true for expires_in, chat_expires_in, unionid and conclusions"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactWayEdit(_WayParts):
    """What is to change of a code; what is `None` or empty stays."""

    config_id: Annotated[str, FILLED]


@dataclass(frozen=True, slots=True)
class MadeContactWay:
    """A code that was made; `qr_code` is the address of its picture, for the QR scene."""

    config_id: str
    qr_code: str | None


@dataclass(frozen=True, slots=True)
class ContactWay:
    """A code as the platform keeps it. `kind` and `scene` are as in `WayKind` and `WayScene`."""

    config_id: str
    kind: int
    scene: int
    style: int
    remark: str
    skip_verify: bool
    state: str
    qr_code: str | None
    staff_ids: tuple[StaffId, ...]
    department_ids: tuple[int, ...]
    is_temporary: bool
    code_seconds: int | None
    chat_seconds: int | None
    unionid: str | None
    is_exclusive: bool
    mark_source: bool
    conclusion_text: str | None


async def add_contact_way(client: PlatformCalls, way: NewContactWay) -> MadeContactWay:
    """Make a code; 500,000 exist at most in a corp, those of groups included."""
    answer = Answer(ADD, await client.call(ADD, to_body(ADD, way)))
    return MadeContactWay(answer.text("config_id"), answer.text("qr_code", "") or None)


async def get_contact_way(client: PlatformCalls, config_id: str) -> ContactWay:
    """Return a code."""
    return _read_way(Answer(GET, await client.call(GET, {"config_id": config_id})).child("contact_way"))


async def iter_contact_way_ids(
    client: PlatformCalls, since: datetime | None = None, until: datetime | None = None
) -> AsyncIterator[tuple[str, ...]]:
    """Yield the config ids of codes made in a span, page by page; the last 90 days without one.

    Codes made before 11 July 2021 are never listed.
    """
    body: dict[str, int] = {"limit": PAGE}
    if since is not None:
        body["start_time"] = int(since.timestamp())
    if until is not None:
        body["end_time"] = int(until.timestamp())
    async for page in iter_pages(client, LIST, body):
        yield tuple(item.text("config_id") for item in page.children("contact_way"))


async def update_contact_way(client: PlatformCalls, edit: ContactWayEdit) -> None:
    """Change a code; its picture stays the same."""
    await client.call(UPDATE, to_body(UPDATE, edit))


async def delete_contact_way(client: PlatformCalls, config_id: str) -> None:
    """Delete a code; scanning it does nothing from then on."""
    await client.call(DELETE, {"config_id": config_id})


async def close_temporary_chat(client: PlatformCalls, staff_id: StaffId, customer_id: CustomerId) -> None:
    """End a temporary session; its closing words are sent."""
    await client.call(CLOSE_CHAT, {"userid": staff_id, "external_userid": customer_id})


def _read_way(way: Answer) -> ContactWay:
    conclusion = way.find_child("conclusions")
    words = conclusion.find_child("text") if conclusion else None
    return ContactWay(
        config_id=way.text("config_id"),
        kind=way.number("type"),
        scene=way.number("scene"),
        style=way.number("style", 0),
        remark=way.text("remark", ""),
        skip_verify=way.truth("skip_verify", True),
        state=way.text("state", ""),
        qr_code=way.text("qr_code", "") or None,
        staff_ids=tuple(StaffId(staff_id) for staff_id in way.texts("user")),
        department_ids=way.numbers("party"),
        is_temporary=way.truth("is_temp", False),
        code_seconds=way.number("expires_in", 0) or None,
        chat_seconds=way.number("chat_expires_in", 0) or None,
        unionid=way.text("unionid", "") or None,
        is_exclusive=way.truth("is_exclusive", False),
        mark_source=way.truth("mark_source", True),
        conclusion_text=words.text("content") if words else None,
    )
