"""What the typed functions need of the client, and paging by cursor or by offset."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

from bot.errors import PlatformError
from bot.wecom.answers import ANSWER_UNREADABLE, Answer


class PlatformCalls(Protocol):
    """JSON in and out: the one thing most functions need of `bot.wecom.client.WeComClient`."""

    async def call(
        self,
        api: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, str] | None = None,
        app: str = "app",
    ) -> dict[str, Any]:
        """Call an API by its method and path."""
        ...


class DownloadedFile(Protocol):
    """A file as the platform gave it."""

    @property
    def content(self) -> bytes:
        """The bytes."""
        ...

    @property
    def content_type(self) -> str:
        """The MIME type."""
        ...

    @property
    def filename(self) -> str:
        """The name the platform gives it, empty when it gives none."""
        ...


class PlatformFiles(Protocol):
    """Files in and out."""

    async def upload(
        self,
        api: str,
        *,
        params: Mapping[str, str],
        filename: str,
        content: bytes,
        content_type: str,
        app: str = "app",
    ) -> dict[str, Any]:
        """Send a file as the multipart field `media`."""
        ...

    async def download(self, api: str, *, params: Mapping[str, str], app: str = "app") -> DownloadedFile:
        """Fetch a file."""
        ...


class PagesDoNotMove(PlatformError):
    """The platform says there is more, but from the same place: going on would never end."""

    code = "platform.pages"

    def __init__(self, api: str) -> None:
        super().__init__(api, ANSWER_UNREADABLE, "the cursor does not move")


async def iter_pages(
    client: PlatformCalls, api: str, body: Mapping[str, Any], *, app: str = "app"
) -> AsyncIterator[Answer]:
    """Yield the pages of a POST that takes `cursor` and answers `next_cursor`, until that is empty.

    Where the answer has `has_more`, it decides: a page may be empty and yet not the last.

    Raises:
        PagesDoNotMove: a page gave its own cursor as that of the next.
    """
    cursor = ""
    while True:
        answer = Answer(api, await client.call(api, {**body, **({"cursor": cursor} if cursor else {})}, app=app))
        yield answer
        cursor = next_cursor(answer, cursor)
        if not cursor:
            return


def next_cursor(answer: Answer, asked: str) -> str:
    """Return the cursor of the page after the one that was asked for with `asked`; empty at the end.

    Raises:
        PagesDoNotMove: there is said to be more, but from the same place.
    """
    if not has_next_page(answer):
        return ""
    cursor = answer.text("next_cursor", "")
    if cursor in ("", asked):
        raise PagesDoNotMove(answer.api)
    return cursor


def has_next_page(answer: Answer) -> bool:
    """Tell whether the platform has more: by `has_more`, or `is_last`, or a `next_cursor` that is not empty."""
    if answer.has("has_more"):
        return answer.truth("has_more")
    if answer.has("is_last"):
        return not answer.truth("is_last")
    return answer.text("next_cursor", "") != ""


async def iter_offset_pages(
    client: PlatformCalls, api: str, body: Mapping[str, Any], items: str, limit: int, *, app: str = "app"
) -> AsyncIterator[Answer]:
    """Yield the pages of a POST that takes `offset` and `limit`, until one is shorter than `limit`."""
    offset = 0
    while True:
        answer = Answer(api, await client.call(api, {**body, "offset": offset, "limit": limit}, app=app))
        yield answer
        count = len(answer.children(items))
        if count < limit:
            return
        offset += count
