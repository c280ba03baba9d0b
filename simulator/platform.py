"""The parts of one simulated platform, joined once and handed to every API function."""

import secrets
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx
from fastapi import Request

from simulator.aibot_desk import BotDesk
from simulator.archive import ArchiveNotifier
from simulator.bank import check_bank
from simulator.callbacks import CallbackDesk
from simulator.clock import SimClock
from simulator.config import SimConfig
from simulator.faults import FaultDesk
from simulator.fetching import Fetcher
from simulator.limits import CallLimits
from simulator.seed import seed_bank
from simulator.state import ClockMark, Json, SentRequest
from simulator.storage import Journal
from simulator.tokens import TokenDesk
from simulator.world import World

CLOCK = "clock"


class Platform:
    """One corp on the simulated platform. All methods run on one event loop and none of them waits."""

    def __init__(
        self, config: SimConfig, clock: SimClock, callback_transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.config = config
        self.clock = clock
        self.journal = Journal(config.state_file)
        check_bank(self.journal, config.seed, config.size)
        self.world = World(self.journal, lambda world: seed_bank(world, config.seed, config.size))
        self.faults = FaultDesk()
        self.fetcher = Fetcher()
        self.on_clock_moved: Callable[[], None] | None = None
        self._restore_clock()
        self.limits = CallLimits(config.rules, clock)
        self.tokens = TokenDesk(config, self.world, clock)
        self.callbacks = CallbackDesk(config, clock, self.world, self.faults, callback_transport)
        self.archive_notifier = ArchiveNotifier(config, clock, self.callbacks)
        self.aibot = BotDesk()
        self.recent: dict[str, deque[float]] = defaultdict(deque)
        self.kf_empty_pages = 0

    def reset(self) -> None:
        """Begin again with the seeded bank; waiting callbacks are dropped, tokens die. Clock and faults stay."""
        self.aibot.forget()
        self.callbacks.forget()
        self.archive_notifier.forget()
        self.recent.clear()
        self.limits.lift()
        self.kf_empty_pages = 0
        moved = self.world.clock_marks.find(CLOCK) is not None
        self.world.reset()
        if moved:
            self.keep_clock()

    def keep_clock(self) -> None:
        """Remember over a restart how the clock was moved."""
        self.world.clock_marks.put(ClockMark(CLOCK, *self.clock.mark()))
        if self.on_clock_moved is not None:
            self.on_clock_moved()

    def _restore_clock(self) -> None:
        mark = self.world.clock_marks.find(CLOCK)
        if mark is not None:
            self.clock.restore(mark.real, mark.simulated, mark.speed)

    async def close(self) -> None:
        """Stop what runs and make the state durable."""
        self.archive_notifier.forget()
        await self.aibot.close()
        await self.fetcher.close()
        await self.callbacks.close()
        self.journal.close()

    def new_id(self, prefix: str = "") -> str:
        """Return an unguessable id such as the platform's msgids and codes."""
        return prefix + secrets.token_urlsafe(24)

    def new_message_number(self) -> str:
        """Return a MsgId as app callbacks carry it: a 64-bit integer as text."""
        return str(7_000_000_000_000_000_000 + self.world.next_number("msgid"))

    def record_sent(self, kind: str, to: list[str], body: Json, msgid: str, dropped: list[str] | None = None) -> None:
        """Keep an accepted sending request, for tests that count effects."""
        seq = self.world.next_number("sent")
        self.world.sent.put(SentRequest(seq, kind, to, body, msgid, self.clock.now(), dropped or []))

    def count_recent(self, key: str, window_seconds: float) -> int:
        """Return how often `note_recent` was called for a key within the window."""
        times = self.recent[key]
        start = self.clock.now() - window_seconds
        return sum(1 for at in times if at > start)

    def note_recent(self, key: str, keep_seconds: float = 3600) -> None:
        """Remember one use of a key now, and forget those older than `keep_seconds`."""
        now = self.clock.now()
        times = self.recent[key]
        times.append(now)
        while times and times[0] <= now - keep_seconds:
            times.popleft()


def platform_of(request: Request) -> Platform:
    """Return the platform of the app that a request came to (a FastAPI dependency)."""
    platform = request.app.state.platform
    assert isinstance(platform, Platform)
    return platform


@dataclass(frozen=True, slots=True)
class Upload:
    """One uploaded file of a multipart request."""

    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One API request after token and JSON were checked; `app` is empty for calls without a token."""

    params: Mapping[str, str]
    body: Json
    app: str
    upload: Upload | None = None
    base_url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
