"""How fast and how often we call: which limits an API has, whose budget a call uses, and when a refused one may be
repeated. Pure; `bot/wecom/pacer.py` keeps the counts.

Source: ../shared/wecom/03-tokens-errors-limits.md, 3.2. The numbers themselves are settings (`wecom.pace`).
"""

import hashlib
import math
import random
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Protocol

from bot.errors import PlatformError
from bot.settings import ApiLimit, PaceSettings

# Natural days and months of the platform are China's.
_CHINA = timezone(timedelta(hours=8))
MINUTE, HOUR, DAY, MONTH = 60, 3600, 86_400, 30 * 86_400

# What says something to a person: never waits here and is never repeated here, because the outbox plans it.
_SAYING = frozenset(
    {
        "POST /cgi-bin/message/send",
        "POST /cgi-bin/appchat/send",
        "POST /cgi-bin/webhook/send",
        "POST /cgi-bin/kf/send_msg",
        "POST /cgi-bin/kf/send_msg_on_event",
        "POST /cgi-bin/externalcontact/send_welcome_msg",
        "POST /cgi-bin/externalcontact/add_msg_template",
        "POST /cgi-bin/externalcontact/add_moment_task",
    }
)
# The last word of the path of calls that only read, and may be repeated whatever became of the first.
_READING = ("get", "list", "batchget", "sync_msg", "check_", "statistic", "transfer_result", "convert", "contact_list")
# Codes that say: not carried out, ask again. -1 and broken connections do not say that it was not.
_NOT_DONE = frozenset({6000, 45033, 45035})
# 41063 is not among these: whoever looks at a broadcast's results comes back by itself.
_ASK_AGAIN = _NOT_DONE | {-1}
_TRIES = 3
# Added to a wait, so that it does not end a moment too early.
_MARGIN = 0.05

# Fields that name the object a write changes: two writes on one object at a time are refused with 45035.
_WRITES_ON: Mapping[str, tuple[str, ...]] = {
    "POST /cgi-bin/externalcontact/mark_tag": ("userid", "external_userid"),
    "POST /cgi-bin/externalcontact/remark": ("userid", "external_userid"),
    "POST /cgi-bin/externalcontact/transfer_customer": ("handover_userid",),
    "POST /cgi-bin/externalcontact/resigned/transfer_customer": ("handover_userid",),
    "POST /cgi-bin/externalcontact/groupchat/transfer": ("new_owner",),
    "POST /cgi-bin/externalcontact/groupchat/onjob_transfer": ("new_owner",),
    "POST /cgi-bin/externalcontact/edit_corp_tag": (),
    "POST /cgi-bin/externalcontact/del_corp_tag": (),
    "POST /cgi-bin/externalcontact/add_corp_tag": (),
    "POST /cgi-bin/appchat/update": ("chatid",),
    "POST /cgi-bin/kf/service_state/trans": ("open_kfid", "external_userid"),
}
_TAG_WRITES = ("edit_corp_tag", "del_corp_tag", "add_corp_tag")


_patience: ContextVar[float] = ContextVar("patience", default=math.inf)


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Have calls inside wait for their turn at most so long: for who holds a lease, or has somebody waiting."""
    token = _patience.set(min(seconds, _patience.get()))
    try:
        yield
    finally:
        _patience.reset(token)


def longest_wait(demand: "Demand", settings: PaceSettings) -> float:
    """Return for how many seconds the call may wait for its turn, here and now."""
    return min(settings.max_wait_seconds, _patience.get()) if demand.waits else 0.0


@dataclass(frozen=True, slots=True)
class Demand:
    """What one call needs. `api` may carry a variant after `#`; `key` is the digest of a group webhook's key.

    `waits`: the call may wait for its turn. `writes_on` names the object it changes, if writes on it must take turns.
    """

    api: str
    app: str
    cost: int = 1
    key: str = ""
    waits: bool = True
    writes_on: str | None = None


class Pace(Protocol):
    """Lets calls through."""

    def permit(self, demand: Demand) -> AbstractAsyncContextManager[None]:
        """Return what surrounds the call; entering it waits, or raises RateLimited."""
        ...

    async def refused(self, demand: Demand, errcode: int) -> float:
        """Note that the platform said: too many. Returns for how many seconds such calls stop."""
        ...

    async def worked(self, demand: Demand) -> None:
        """Note a success: what was stopped goes on."""
        ...


class Unpaced:
    """Lets everything through: for tools that make a handful of calls."""

    def permit(self, demand: Demand) -> AbstractAsyncContextManager[None]:
        """Let it through."""
        return nullcontext()

    async def refused(self, demand: Demand, errcode: int) -> float:
        """Return how long the shortest window is closed."""
        return MINUTE

    async def worked(self, demand: Demand) -> None:
        """Keep nothing."""


def describe(api: str, app: str, params: Mapping[str, str], body: Mapping[str, Any]) -> Demand:
    """Return what the call needs."""
    variant = "#no-token" if api == "POST /cgi-bin/kf/sync_msg" and not body.get("token") else ""
    key = hashlib.sha256(params["key"].encode()).hexdigest()[:16] if "/webhook/" in api and "key" in params else ""
    return Demand(
        api=api + variant,
        app=app,
        cost=_persons(api, body),
        key=key,
        waits=api not in _SAYING,
        writes_on=_writes_on(api, body),
    )


def _persons(api: str, body: Mapping[str, Any]) -> int:
    """Return the person-times of a message to members: at least one, and one for each member it names."""
    return max(1, len(str(body.get("touser", "")).split("|"))) if api == "POST /cgi-bin/message/send" else 1


def _writes_on(api: str, body: Mapping[str, Any]) -> str | None:
    fields = _WRITES_ON.get(api)
    if fields is None:
        return None
    family = "corp_tags" if api.endswith(_TAG_WRITES) else api.partition(" ")[2]
    if api.endswith(("mark_tag", "remark")):
        family = "follow_user"
    return ":".join([family, *(str(body.get(field, "")) for field in fields)])


def is_reading(api: str) -> bool:
    """Say whether a call only reads, so that repeating it does no harm."""
    method, _, path = api.partition(" ")
    return method == "GET" or path.rpartition("/")[2].startswith(_READING)


def retry_wait(api: str, error: PlatformError, attempt: int, spread: float | None = None) -> float | None:
    """Return after how many seconds the call may be made again, after `attempt` tries; `None` when it may not.

    `spread` in [0, 1) is where inside the back-off it falls; random when it is not given.
    """
    codes = _ASK_AGAIN if is_reading(api) else _NOT_DONE
    if api in _SAYING or attempt >= _TRIES or error.errcode not in codes or not error.retryable:
        return None
    longest = 0.5 * float(2**attempt)
    return longest * (0.5 + 0.5 * (random.random() if spread is None else spread))  # noqa: S311  only to spread


def limit_for(settings: PaceSettings, demand: Demand) -> ApiLimit:
    """Return the first row of the table whose pattern takes the call; the last row takes all."""
    return next(row for row in settings.table if _matches(row.api, demand.api))


def _matches(pattern: str, api: str) -> bool:
    return api.startswith(pattern[:-1]) if pattern.endswith("*") else api == pattern


def budget_of(limit: ApiLimit, demand: Demand) -> str:
    """Return whose count a call adds to: one for each API, and in it for the corp, the application or the key."""
    holder = {"corp": "corp", "app": demand.app, "key": demand.key}[limit.per]
    return f"{demand.api}|{holder}"


def windows_of(limit: ApiLimit, settings: PaceSettings) -> dict[int, int]:
    """Return what may be used in each window, by its length in seconds: our share of what is documented."""
    documented = {MINUTE: limit.per_minute, HOUR: limit.per_hour, DAY: limit.per_day, MONTH: limit.per_month}
    if limit.per_account_and_day:
        documented[DAY] = limit.per_account_and_day * settings.accounts
    return {seconds: max(1, int(most * settings.share)) for seconds, most in documented.items() if most}


def largest_block(windows: Mapping[int, int]) -> int:
    """Return how many permits a node may take at once: a twentieth of the tightest window."""
    return max(1, min(windows.values(), default=1) // 20)


@dataclass(frozen=True, slots=True)
class Window:
    """A count. `before` is what the window before this one held: minutes and hours slide, days and months do not."""

    seconds: int
    starts_at: datetime
    taken: int = 0
    before: int = 0

    def at(self, now: datetime) -> "Window":
        """Return the window as it stands now: the same, the next, or an empty one."""
        starts_at = window_start(now, self.seconds)
        if starts_at <= self.starts_at:
            return self
        is_next = starts_at - self.starts_at <= timedelta(seconds=self.seconds)
        return Window(self.seconds, starts_at, 0, self.taken if is_next else 0)

    def _elapsed(self, now: datetime) -> float:
        return min(max((now - self.starts_at).total_seconds() / self.seconds, 0.0), 1.0)

    def _overhang(self, now: datetime) -> float:
        return self.before * (1 - self._elapsed(now)) if self.seconds <= HOUR else 0.0

    def room(self, most: int, now: datetime) -> int:
        """Return how many more fit in."""
        return max(0, int(most - self.taken - self._overhang(now)))

    def wait_seconds(self, most: int, cost: int, now: datetime) -> float:
        """Return how long until `cost` more fit in: when enough of the window before has slid out, or in the next."""
        if self.room(most, now) >= cost:
            return 0.0
        elapsed = self._elapsed(now) * self.seconds
        missing = cost + self.taken - most
        if self.seconds > HOUR:
            return self.seconds - elapsed + _MARGIN
        if missing > 0:  # not in this window; in the next, what was taken in this one slides out
            return self.seconds - elapsed + _slid_out(self.taken, most - cost) * self.seconds + _MARGIN
        return max(0.0, _slid_out(self.before, -missing) * self.seconds - elapsed) + _MARGIN


def _slid_out(count: int, most: int) -> float:
    """Return which part of a window must pass until at most `most` of the `count` before it still weigh."""
    return max(0.0, 1 - most / count) if count else 0.0


def window_start(now: datetime, seconds: int) -> datetime:
    """Return when the window began that holds `now`; days begin at midnight in China."""
    if seconds >= DAY:
        day = now.astimezone(_CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
        if seconds >= MONTH:
            day = day.replace(day=1)
        return day.astimezone(UTC)
    epoch = int(now.timestamp())
    return datetime.fromtimestamp(epoch - epoch % seconds, UTC)


def closed_for(windows: Mapping[int, int], strikes: int, now: datetime) -> float:
    """Return for how many seconds an API stops after 45009, the `strikes`th in a row.

    The platform does not say which window overflowed: a minute is assumed first, whatever the table says, then longer
    ones. A day's window is closed to the end of the natural day (03, 3.2).
    """
    lengths = sorted({MINUTE, *windows})
    length = lengths[min(strikes - 1, len(lengths) - 1)]
    if length < DAY:
        return float(length)
    return (window_start(now, DAY) + timedelta(days=1) - now).total_seconds()
