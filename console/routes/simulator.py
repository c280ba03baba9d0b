"""The simulator page: play a person of WeCom on the left, see what the assistant did on the right. Demo only."""

from dataclasses import dataclass, replace
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Form
from sqlalchemy import func
from sqlmodel import col, select
from starlette.responses import Response

from bot import audit
from bot.errors import Forbidden, NotFound, PlatformError
from bot.ids import StaffId
from bot.inbox.models import InboxRow, Source
from bot.inbox.store import find_by_dedupe_key
from bot.outbox.store import list_for_cause
from bot.storage.database import Tx
from console.auth.models import Surface
from console.auth.sessions import do_open_session
from console.i18n import N_
from console.render import View
from console.rights import Right, Role
from console.routing import CurrentView, needs
from console.security import SIDEBAR_COOKIE, SIDEBAR_PATH, is_secure
from console.stage.client import ChatMessage, GroupTask, SimulatorClient
from console.stage.people import fill_seat, find_people, name_seat
from console.stage.seats import SEAT_WORDS, SUGGESTIONS, TRIES, Seat, SeatKind, seat_kind
from console.stage.story import Story, tell_story
from customers import find_staff

router = APIRouter()
_UNREACHABLE = N_("模拟器没有回应。请确认它还在运行，或重新启动演示。")
_NO_PEOPLE = N_("客户和群还在从企业微信同步，请稍等几秒再刷新。")
_SINCE = "since:"


def _client(view: View) -> SimulatorClient:
    url = view.services.simulator_url
    if not view.services.has_simulator or url is None:
        raise NotFound("there is no simulator outside the demo")
    return SimulatorClient(view.services.http, url)


def _read_seat(query: str) -> Seat:
    fields = {name: values[0] for name, values in parse_qs(query).items()}
    return Seat(
        seat_kind(fields.get("as")), fields.get("staff", ""), fields.get("customer", ""), fields.get("chat", "")
    )


@router.get("/simulator", dependencies=[needs(Right.SIMULATE)])
async def show_simulator(
    view: CurrentView, msg: str = "", draft: str = "", mention: str = "", find: str | None = None
) -> Response:
    """Show the page; `msg` names the events whose story is told, `draft` what the field begins with."""
    client = _client(view)
    wanted = _read_seat(view.request.url.query)
    async with view.services.db.reading() as tx:
        seat = await fill_seat(tx, wanted)
        stories = await _tell(tx, msg)
        if view.fragment == "did":
            return _fragment(view, "simulator/_did.html", seat=seat, msg=msg, **stories)
        name, place = await name_seat(tx, seat)
        chooser = await _chooser(tx, seat, find)
        seats = await _seats(tx, seat)
    chat, problem = await _chat(client, seat, view.services.public_url)
    if view.fragment == "chat":
        return _fragment(view, "simulator/_chat.html", seat=seat, **chat)
    return view.page(
        "simulator/_phone.html" if view.fragment == "phone" else "simulator/page.html",
        seat=seat,
        seat_words=SEAT_WORDS[seat.kind],
        seats=seats,
        tries=[{**_fields(item), "href": replace(seat, kind=item.kind).url(draft=item.text)} for item in TRIES],
        suggestions=SUGGESTIONS[seat.kind],
        chooser=chooser,
        msg=msg,
        draft=draft,
        mention=bool(mention),
        problem=problem if seat.is_complete else _NO_PEOPLE,
        **{**chat, "chat_title": chat["chat_title"] or place or name},
        **stories,
    )


def _fragment(view: View, template: str, **values: Any) -> Response:
    return view.page(template, fragments={}, **values)


def _fields(item: Any) -> dict[str, Any]:
    return {name: getattr(item, name) for name in ("number", "title", "watch")}


@router.post("/simulator/say", dependencies=[needs(Right.SIMULATE)])
async def post_message(
    view: CurrentView,
    seat: Annotated[str, Form(max_length=1000)],
    text: Annotated[str, Form(min_length=1, max_length=2000)],
    mention_bot: Annotated[str, Form()] = "",
) -> Response:
    """Say something as the person of the seat, then show what comes of it."""
    place = _read_seat(seat)
    return view.redirect(place.url(msg=await _say(_client(view), place, text.strip(), bool(mention_bot))))


async def _say(client: SimulatorClient, seat: Seat, text: str, mention_bot: bool) -> str:
    """Send the words through the simulator; return the keys the inbox will know them by."""
    match seat.kind:
        case SeatKind.RM | SeatKind.OWNER:
            return f"{Source.APP}:{await client.write_to_app(seat.staff_id, text)}"
        case SeatKind.KF:
            return f"{Source.KF}:{await client.write_to_kf(seat.customer_id, text)}"
        case SeatKind.SINGLE:
            msgid = await client.write_to_chat(seat.staff_id, seat.customer_id, seat.customer_id, text)
            return f"{Source.ARCHIVE}:{msgid}"
        case SeatKind.GROUP:
            msgid, bot_msgid = await client.write_to_group(
                seat.chat_id, seat.customer_id, text, mention_bot=mention_bot
            )
            keys = [f"{Source.AIBOT}:{bot_msgid}"] if bot_msgid else []
            return ",".join([*keys, f"{Source.ARCHIVE}:{msgid}"])


@router.post("/simulator/press", dependencies=[needs(Right.SIMULATE)])
async def post_press(
    view: CurrentView,
    seat: Annotated[str, Form(max_length=1000)],
    task_id: Annotated[str, Form(max_length=256)],
    key: Annotated[str, Form(max_length=1024)],
) -> Response:
    """Press a card's button."""
    place = _read_seat(seat)
    async with view.services.db.reading() as tx:
        newest = (await tx.exec(select(func.max(InboxRow.id)))).one() or 0
    dedupe_key = await _client(view).press_button(place.staff_id, task_id, key)
    return view.redirect(place.url(msg=dedupe_key or f"{_SINCE}{newest}:{place.staff_id}"))


@router.post("/simulator/confirm", dependencies=[needs(Right.SIMULATE)])
async def post_confirm(
    view: CurrentView,
    seat: Annotated[str, Form(max_length=1000)],
    msgid: Annotated[str, Form(max_length=256)],
) -> Response:
    """Confirm a broadcast task as the group's owner."""
    place = _read_seat(seat)
    await _client(view).confirm_group_task(msgid, place.staff_id)
    return view.redirect(place.url(), view.gettext(N_("已确认发送，可以去看群发进度。")))


@router.post("/simulator/aibot", dependencies=[needs(Right.SIMULATE)])
async def post_aibot(
    view: CurrentView,
    seat: Annotated[str, Form(max_length=1000)],
    admitted: Annotated[str, Form()] = "",
) -> Response:
    """Let the AI bot into the group, or turn it out."""
    place = _read_seat(seat)
    await _client(view).admit_bot(place.chat_id, admitted=bool(admitted))
    words = N_("这个群现在允许 AI 机器人了。@它试试。") if admitted else N_("这个群不再允许 AI 机器人。")
    return view.redirect(place.url(bot="1" if admitted else "0"), view.gettext(words))


@router.post("/simulator/open", dependencies=[needs(Right.SIMULATE)])
async def post_open(
    view: CurrentView,
    staff: Annotated[str, Form(max_length=64)],
    path: Annotated[str, Form(max_length=500)],
) -> Response:
    """Open a side bar page as the member played, as WeCom's own login would: a session for those pages only."""
    _client(view)
    if not path.startswith(f"{SIDEBAR_PATH}/") or "\\" in path or urlsplit(path).netloc:
        raise Forbidden("only side bar pages are opened for somebody else")
    async with view.services.db.transaction() as tx:
        member = await find_staff(tx, StaffId(staff))
        if member is None or not member.active:
            raise NotFound("no such member")
        token = await do_open_session(
            tx,
            staff_id=member.id,
            name=member.name,
            role=Role.RM,
            position=member.position,
            now=view.now,
            surface=Surface.SIDEBAR,
        )
        await audit.record(
            tx,
            actor=view.actor.staff_id,
            action="console.demo_sidebar_opened",
            subject=f"staff:{member.id}",
            details={},
            now=view.now,
        )
    response = view.redirect(path)
    response.set_cookie(
        SIDEBAR_COOKIE,
        view.renderer.keys.seal(token),
        path=SIDEBAR_PATH,
        httponly=True,
        samesite="lax",
        secure=is_secure(view.services),
    )
    return response


@dataclass(frozen=True, slots=True)
class _Line:
    """A message for the template, with what only we know about its card."""

    message: ChatMessage
    our_path: str | None

    @property
    def sidebar_path(self) -> str | None:
        """Return where the card leads when that is one of our side bar pages."""
        return self.our_path if self.our_path and self.our_path.startswith(f"{SIDEBAR_PATH}/") else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.message, name)


@dataclass(frozen=True, slots=True)
class _Task:
    """A broadcast task for the template."""

    task: GroupTask

    @property
    def waiting(self) -> bool:
        """Tell whether it still wants its member's confirmation."""
        return self.task.status == "pending"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.task, name)


async def _chat(client: SimulatorClient, seat: Seat, public_url: str) -> tuple[dict[str, Any], str | None]:
    """Return what the phone shows; a silent simulator is a note on the page, not an error page."""
    empty: dict[str, Any] = {"messages": (), "tasks": (), "group": None, "chat_title": ""}
    if not seat.is_complete:
        return empty, None
    try:
        if seat.kind is SeatKind.OWNER:
            tasks = await client.list_group_tasks(seat.staff_id)
            return {**empty, "tasks": [_Task(task) for task in tasks]}, None
        conversation = await client.get_conversation(*seat.conversation())
        is_group = seat.kind is SeatKind.GROUP
        group = {"admitted": await client.is_bot_admitted(seat.chat_id)} if is_group else None
    except PlatformError:
        return empty, _UNREACHABLE
    return {
        "messages": [_Line(item, _our_path(item, public_url)) for item in conversation.messages],
        "tasks": (),
        "group": group,
        "chat_title": conversation.title,
    }, None


def _our_path(message: ChatMessage, public_url: str) -> str | None:
    """Return the path of a card's address when it leads to one of our own pages."""
    given, ours = urlsplit(message.card.url or "") if message.card else urlsplit(""), urlsplit(public_url)
    if not given.netloc or (given.scheme, given.netloc) != (ours.scheme, ours.netloc):
        return None
    return given.path or "/"


async def _seats(tx: Tx, seat: Seat) -> list[dict[str, Any]]:
    rows = []
    for kind, words in SEAT_WORDS.items():
        other = await fill_seat(tx, replace(seat, kind=kind))
        name, _place = await name_seat(tx, other)
        rows.append(
            {
                "kind": kind,
                "name": name,
                "title": words.title,
                "purpose": words.purpose,
                "href": other.url(),
                "is_staff": kind in {SeatKind.RM, SeatKind.OWNER},
            }
        )
    return rows


async def _chooser(tx: Tx, seat: Seat, find: str | None) -> dict[str, Any]:
    found = await find_people(tx, seat, find.strip()) if find is not None else []
    return {
        "open": find is not None,
        "find": find or "",
        "found": [{"name": item.name, "detail": item.detail, "href": item.seat.url()} for item in found],
    }


@dataclass(frozen=True, slots=True)
class _Quiet:
    """An event that has not come in yet."""

    quiet: bool = True
    done: bool = False


@dataclass(frozen=True, slots=True)
class _Told:
    """An event's story for the template."""

    story: Story
    quiet: bool = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.story, name)


async def _tell(tx: Tx, msg: str) -> dict[str, Any]:
    stories: list[_Quiet | _Told] = []
    for key in [part for part in msg.split(",")[:3] if part]:
        row = await _find_event(tx, key)
        if row is None or row.id is None:
            stories.append(_Quiet())
            continue
        stories.append(_Told(tell_story(row, await list_for_cause(tx, row.id))))
    return {"stories": stories, "finished": all(item.done for item in stories)}


async def _find_event(tx: Tx, key: str) -> InboxRow | None:
    if not key.startswith(_SINCE):
        return await find_by_dedupe_key(tx, key)
    number, _, staff_id = key.removeprefix(_SINCE).partition(":")
    if not number.isdigit():
        return None
    query = (
        select(InboxRow)
        .where(
            col(InboxRow.id) > int(number),
            InboxRow.source == Source.APP,
            col(InboxRow.conversation).contains(staff_id, autoescape=True),
        )
        .order_by(col(InboxRow.id))
        .limit(1)
    )
    return (await tx.exec(query)).first()
