"""「今日待办」: a manager's open to-dos, and closing one with a button."""

from collections.abc import Sequence
from datetime import date, datetime

from bot.clock import CHINA
from bot.context import Button, Card, Reply, StaffChat, Text
from bot.errors import Conflict, Forbidden, NotFound
from bot.events import CardButtonClicked, StaffTextMessage
from bot.ids import new_id
from bot.router import Router
from handlers.cards import close_card, replace_card
from handlers.context import DeskContext
from handlers.filters import pressed, staff_wants
from handlers.intent_labels import Intent
from handlers.times import TimeKind, find_times
from sop import TodoRow, access_todo, do_complete_todo, list_todos

router: Router[DeskContext] = Router("tasks")

_DAY_MARK = "@"
_SHOWN = 5  # a card takes six buttons, and more lines than this are not read on a phone


@router.on(StaffTextMessage, staff_wants(Intent.TODAYS_TASKS))
async def list_tasks(event: StaffTextMessage, ctx: DeskContext) -> Sequence[Reply]:
    """List what is due on the day asked about (today unless another is named), the most urgent first."""
    day = _day_asked(event.text, ctx)
    todos = await list_todos(ctx.tx, event.staff_id, day)
    ctx.trace.note("tasks", day=day.isoformat(), count=len(todos))
    name = _day_name(day, ctx)
    if not todos:
        return [Reply(StaffChat(event.staff_id), Text(ctx.texts.render("tasks.none", day=name)), "tasks")]
    card = _card(day, todos, f"{new_id('tasks')}{_DAY_MARK}{day.isoformat()}", ctx)
    return [Reply(StaffChat(event.staff_id), card, "tasks")]


@router.on(CardButtonClicked, pressed("todo"))
async def complete_task(event: CardButtonClicked, ctx: DeskContext) -> Sequence[Reply]:
    """Mark the to-do as done, if it is the member's own and still open; the card then shows what is left."""
    answer = Reply(StaffChat(event.staff_id), Text(await _complete(event, ctx)), "task_done")
    return [answer, *await _show_rest(event, ctx)]


async def _complete(event: CardButtonClicked, ctx: DeskContext) -> str:
    try:
        todo = await access_todo(ctx.tx, event.staff_id, event.key.split(":", 1)[1])
        await do_complete_todo(ctx.tx, todo.id, ctx.now)
    except (NotFound, Forbidden):
        return ctx.texts["tasks.not_yours"]
    except Conflict:
        return ctx.texts["tasks.closed"]
    return ctx.texts.render("tasks.done", title=todo.title)


async def _show_rest(event: CardButtonClicked, ctx: DeskContext) -> Sequence[Reply]:
    day = _day_of_card(event.task_id)
    todos = await list_todos(ctx.tx, event.staff_id, day) if day else ()
    if day is None or not todos:
        return close_card(event, ctx, "done")
    return replace_card(event, ctx, _card(day, todos, event.task_id, ctx))


def _day_of_card(task_id: str) -> date | None:
    """Return the day a card lists, kept in its task id; `None` for a card that holds none."""
    try:
        return date.fromisoformat(task_id.partition(_DAY_MARK)[2])
    except ValueError:
        return None


def _card(day: date, todos: Sequence[TodoRow], task_id: str, ctx: DeskContext) -> Card:
    shown = todos[:_SHOWN]
    lines = [_line(number, todo, ctx) for number, todo in enumerate(shown, start=1)]
    if len(todos) > _SHOWN:
        lines.append(ctx.texts.render("tasks.more", count=len(todos) - _SHOWN))
    return Card(
        title=ctx.texts.render("tasks.title", day=_day_name(day, ctx), count=len(todos)),
        description="\n".join(lines),
        buttons=tuple(
            Button(ctx.texts.render("tasks.done_button", number=number), f"todo:{todo.id}")
            for number, todo in enumerate(shown, start=1)
        ),
        task_id=task_id,
    )


def _line(number: int, todo: TodoRow, ctx: DeskContext) -> str:
    if todo.due_at is None:
        return ctx.texts.render("tasks.line", number=number, title=todo.title)
    if todo.due_at < ctx.now:
        return ctx.texts.render("tasks.overdue", number=number, title=todo.title)
    return ctx.texts.render("tasks.due", number=number, title=todo.title, time=_clock(todo.due_at))


def _clock(at: datetime) -> str:
    return at.astimezone(CHINA).strftime("%m-%d %H:%M")


def _day_asked(text: str, ctx: DeskContext) -> date:
    for found in find_times(text, ctx.now):
        if found.kind is TimeKind.ON and found.on is not None and found.on >= ctx.today:
            return found.on
        if found.kind is TimeKind.RANGE and isinstance(found.until, date) and not isinstance(found.until, datetime):
            return max(found.until, ctx.today)
    return ctx.today


def _day_name(day: date, ctx: DeskContext) -> str:
    if day == ctx.today:
        return ctx.texts["tasks.today"]
    return ctx.texts.render("tasks.other_day", month=day.month, day=day.day)
