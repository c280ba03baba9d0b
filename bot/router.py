"""Which handler takes which event: an ordered list, read from top to bottom. `bot/dispatcher.py` runs it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from bot.context import Context, Reply
from bot.events import Event

C = TypeVar("C", bound=Context)
E = TypeVar("E", bound=Event)

Handler: TypeAlias = Callable[[E, C], Awaitable[Sequence[Reply]]]
Filter: TypeAlias = Callable[[E, C], bool]


@dataclass(frozen=True, slots=True)
class Route(Generic[C]):
    """One entry: the kind of event, the questions it must answer with yes, and who takes it."""

    event: type[Event]
    filters: tuple[Callable[[Any, C], bool], ...]
    handler: Callable[[Any, C], Awaitable[Sequence[Reply]]]
    router: str

    def takes(self, event: Event, ctx: C) -> bool:
        """Say whether this route wants the event."""
        return isinstance(event, self.event) and all(question(event, ctx) for question in self.filters)

    @property
    def name(self) -> str:
        """Return `router.handler`, for logs and the trace."""
        return f"{self.router}.{self.handler.__name__}"


class Router(Generic[C]):
    """Collects the routes of one topic."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.routes: list[Route[C]] = []

    def on(self, event: type[E], *filters: Filter[E, C]) -> Callable[[Handler[E, C]], Handler[E, C]]:
        """Register the decorated handler for events of this kind for which every filter says yes."""

        def register(handler: Handler[E, C]) -> Handler[E, C]:
            self.routes.append(Route(event, filters, handler, self.name))
            return handler

        return register
