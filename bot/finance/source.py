"""The session archive through the vendor's library in its own process: the same questions as over HTTP.

What a return value calls for follows the table of 06-session-archive.md, 6.2. A record that does not open is set aside
by whoever pulls (RecordUndecryptable), also one that the library dies of twice: it must not hold up all others.
"""

import json
from dataclasses import dataclass, field
from typing import TypeAlias

import httpx

from bot.errors import PlatformError, PlatformMisconfigured, PlatformUnavailable
from bot.finance.frames import RET_NOT_LOADED, Frame
from bot.finance.process import ChildLimits, ChildLost, LibraryProcess, OpenRefused
from bot.settings import WeComSettings
from bot.wecom.archive import (
    EncryptedRecord,
    HttpArchiveSource,
    MediaChunk,
    RecordUndecryptable,
    fetch_page,
    refused_by_library,
    worth_another_try,
)

# Not one of the library's: the record killed the process, twice.
RET_LIBRARY_DIED = -10


@dataclass(frozen=True, slots=True)
class LibraryConfig:
    """Where the library is and how it goes out. Masked in `repr` where secret by whoever holds it: do not log it."""

    path: str
    corp_id: str
    secret: str
    proxy: str = ""
    proxy_password: str = ""
    timeout_seconds: int = 10
    limits: ChildLimits = field(default_factory=ChildLimits)

    def __repr__(self) -> str:
        return f"LibraryConfig({self.path!r})"


class NativeArchiveSource:
    """Reads the archive through the library. One page, record or part of a file at a time; the child does the work."""

    def __init__(self, config: LibraryConfig) -> None:
        self._path = config.path
        opening = {
            "call": "open",
            "path": config.path,
            "corp_id": config.corp_id,
            "secret": config.secret,
            "proxy": config.proxy,
            "passwd": config.proxy_password,
            "timeout_seconds": config.timeout_seconds,
        }
        self.process = LibraryProcess(opening, config.limits)

    async def fetch(self, seq: int, limit: int) -> list[EncryptedRecord]:
        """Return records after `seq`; asks for half as many while the answer would be too large (301058)."""
        return await fetch_page(self._chat_data, seq, limit)

    async def decrypt(self, key: str, msg: str) -> str:
        """Return the JSON text of one record."""
        question = Frame({"call": "decrypt", "key": key}, msg.encode())
        try:
            answer = await self._ask(question, "decrypt")
        except PlatformUnavailable as error:
            if not isinstance(error.__cause__, ChildLost) or error.__cause__.reason == "waiting":
                raise
            answer = await self._once_more(question)
        ret = _ret(answer)
        if worth_another_try(ret):
            raise refused_by_library("decrypt", ret)
        if ret:
            raise RecordUndecryptable(ret)
        return answer.body.decode("utf-8", "replace")

    async def media(self, file_id: str, index: str = "") -> MediaChunk:
        """Return the part of a file that `index` names, the first for an empty one.

        Raises:
            PlatformError: 10005 unknown id, 10010 expired; or the source cannot be used now.
        """
        answer = await self._ask(Frame({"call": "media", "file_id": file_id, "index": index}), "media")
        _refuse(_ret(answer), "media")
        return MediaChunk(str(answer.head.get("index", "")), answer.body, bool(answer.head.get("finished")))

    async def close(self) -> None:
        """End the child."""
        await self.process.close()

    async def _once_more(self, question: Frame) -> Frame:
        """Ask a fresh child; when this one dies of the record, too, it is the record."""
        try:
            return await self.process.ask(question)
        except ChildLost as error:
            if error.reason in ("waiting", "no_start"):
                raise PlatformUnavailable("decrypt", errmsg=str(error)) from error
            raise RecordUndecryptable(RET_LIBRARY_DIED) from error
        except OpenRefused as error:
            raise _cannot_open(error, "decrypt") from error

    async def _chat_data(self, seq: int, limit: int) -> dict[str, object]:
        answer = await self._ask(Frame({"call": "chat_data", "seq": seq, "limit": limit}), "chatdata")
        _refuse(_ret(answer), "chatdata")
        try:
            page = json.loads(answer.body)
        except ValueError as error:
            raise PlatformUnavailable("chatdata", errmsg="the page is not JSON") from error
        if not isinstance(page, dict):
            raise PlatformUnavailable("chatdata", errmsg="the page is not an object")
        return page

    async def _ask(self, question: Frame, call: str) -> Frame:
        try:
            return await self.process.ask(question)
        except ChildLost as error:
            raise PlatformUnavailable(call, errmsg=str(error)) from error
        except OpenRefused as error:
            raise _cannot_open(error, call) from error

    def __repr__(self) -> str:
        return f"NativeArchiveSource({self._path!r})"


AnyArchiveSource: TypeAlias = NativeArchiveSource | HttpArchiveSource


def open_archive_source(wecom: WeComSettings, http: httpx.AsyncClient) -> AnyArchiveSource | None:
    """Return the source that is configured: the library, else the relay, else none. Nothing is started yet."""
    archive = wecom.archive
    secret = archive.secret.get_secret_value()
    if archive.sdk_path:
        config = LibraryConfig(
            path=archive.sdk_path,
            corp_id=wecom.corp_id,
            secret=secret,
            proxy=archive.sdk_proxy,
            proxy_password=archive.sdk_proxy_password.get_secret_value(),
            timeout_seconds=archive.sdk_timeout_seconds,
            limits=ChildLimits(archive.sdk_call_seconds, archive.sdk_memory_mb * 1024 * 1024),
        )
        return NativeArchiveSource(config)
    return HttpArchiveSource(archive.relay_url, wecom.corp_id, secret, http) if archive.relay_url else None


def _ret(answer: Frame) -> int:
    ret = answer.head.get("ret")
    return ret if isinstance(ret, int) else RET_NOT_LOADED


def _refuse(ret: int, call: str) -> None:
    """Raise what a return value calls for; nothing for 0."""
    if ret:
        raise refused_by_library(call, ret)


def _cannot_open(error: OpenRefused, call: str) -> PlatformError:
    if error.ret == RET_NOT_LOADED:
        return PlatformMisconfigured(call, error.ret, f"the archive library cannot be loaded: {error.reason}")
    return refused_by_library(call, error.ret)
