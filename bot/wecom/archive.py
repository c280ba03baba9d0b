"""Reading the session archive (会话内容存档): what a source must offer, and the one that speaks HTTP.

The vendor's library is native code (06-session-archive.md, 6.2). `bot.finance` loads it behind the same protocol; the
HTTP source talks to a process that has it, or to the simulator.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import httpx

from bot.errors import BotError, PlatformError, PlatformMisconfigured, PlatformUnavailable, RateLimited
from bot.wecom.answers import Answer
from bot.wecom.errcodes import Reaction, reaction_to
from bot.wecom.http import read_json

_TOO_MUCH = 301058
_MAX_LIMIT = 1000
# Return values of the library, 6.2: network, parse, system.
_TRY_AGAIN = frozenset({10001, 10002, 10003})
# Encryption, trusted IP, certificate.
_MEND_FIRST = frozenset({10004, 10009, 10011})
_MEANINGS = {
    10000: "a wrong argument: a bug of ours",
    10001: "no network",
    10002: "the answer could not be read",
    10003: "the system refused",
    10004: "the key's length or the encryption is wrong: check the RSA key at 管理工具 → 会话内容存档",
    10005: "no such file",
    10006: "it does not decrypt",
    10007: "the RSA key of that version is not there",
    10008: "the random key cannot be read",
    10009: "this machine's IP is not trusted: enter it at 管理工具 → 会话内容存档 → 可信IP",
    10010: "the data has expired at the source",
    10011: "the certificate is refused: check the machine's clock and its certificates",
}
# One call of GetChatData: a number and a limit to the answer's JSON.
AskPage: TypeAlias = Callable[[int, int], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class EncryptedRecord:
    """One record as it is fetched. `publickey_ver` names the private key that opens `encrypt_random_key`."""

    seq: int
    msgid: str
    publickey_ver: int
    encrypt_random_key: str
    encrypt_chat_msg: str


@dataclass(frozen=True, slots=True)
class MediaChunk:
    """A part of a file of the archive, 512 KB at most. `index` asks for the next one; `finished`: there is none."""

    index: str
    data: bytes = field(repr=False)
    finished: bool


class RecordUndecryptable(BotError):
    """The library cannot decrypt this one record; others may be fine. `ret` is its return value."""

    code = "archive.undecryptable"

    def __init__(self, ret: int) -> None:
        super().__init__(f"the archive library could not decrypt a record (return value {ret})")
        self.ret = ret


class ArchiveSource(Protocol):
    """Where archive records come from."""

    async def fetch(self, seq: int, limit: int) -> list[EncryptedRecord]:
        """Return at most `limit` records after `seq`, in order; empty when there is nothing new.

        Raises:
            PlatformError: the source refuses or does not answer.
        """
        ...

    async def decrypt(self, key: str, msg: str) -> str:
        """Return the JSON text of one record, given its random key in clear.

        Raises:
            RecordUndecryptable: it will not decrypt under that key.
            PlatformError: the source does not answer; the record may be tried again.
        """
        ...


class MediaSource(Protocol):
    """Where the files of archived messages come from."""

    async def media(self, file_id: str, index: str = "") -> MediaChunk:
        """Return the part of a file that `index` names, the first for an empty one.

        Raises:
            PlatformError: 10005 unknown id, 10010 expired; or the source refuses or does not answer.
        """
        ...


def worth_another_try(ret: int) -> bool:
    """Tell whether the library's return value may be another one next time."""
    return ret in _TRY_AGAIN


def refused_by_library(call: str, ret: int) -> PlatformError:
    """Return the error for a return value that is not 0: try again, mend first, or neither helps."""
    meaning = _MEANINGS.get(ret, "an undocumented return value of the archive library")
    if ret in _TRY_AGAIN:
        return PlatformUnavailable(call, ret, meaning)
    if ret in _MEND_FIRST:
        return PlatformMisconfigured(call, ret, meaning)
    return PlatformError(call, ret, meaning)


async def fetch_page(ask: AskPage, seq: int, limit: int) -> list[EncryptedRecord]:
    """Return records after `seq`; asks for half as many while the answer would be too large (301058).

    Raises:
        PlatformError: the answer's own errcode says so, or it is not in the documented form.
    """
    limit = min(limit, _MAX_LIMIT)
    while True:
        answer = await ask(seq, limit)
        errcode = Answer("chatdata", answer).number("errcode", 0)
        if errcode != _TOO_MUCH or limit == 1:
            break
        limit //= 2
    if errcode:
        raise _refused("chatdata", errcode, str(answer.get("errmsg", "")))
    return [_record(item) for item in Answer("chatdata", answer).children("chatdata")]


class HttpArchiveSource:
    """The archive over HTTP, in the shape of the library's two calls."""

    def __init__(self, base_url: str, corp_id: str, secret: str, http: httpx.AsyncClient) -> None:
        self._base_url = base_url.rstrip("/")
        self._corp_id = corp_id
        self._secret = secret
        self._http = http

    async def fetch(self, seq: int, limit: int) -> list[EncryptedRecord]:
        """Return records after `seq`; asks for half as many while the answer would be too large (301058)."""

        async def ask(seq: int, limit: int) -> Mapping[str, Any]:
            return await self._post("chatdata", self._login() | {"seq": seq, "limit": limit})

        return await fetch_page(ask, seq, limit)

    async def decrypt(self, key: str, msg: str) -> str:
        """Return the JSON text of one record."""
        answer = Answer("decrypt", await self._post("decrypt", {"encrypt_key": key, "encrypt_msg": msg}))
        ret = answer.number("ret", 0)
        if worth_another_try(ret):
            raise refused_by_library("decrypt", ret)
        if ret:
            raise RecordUndecryptable(ret)
        return answer.text("data")

    async def media(self, file_id: str, index: str = "") -> MediaChunk:
        """Return the part of a file that `index` names, the first for an empty one."""
        body = self._login() | {"sdkfileid": file_id, "indexbuf": index}
        answer = Answer("media", await self._post("media", body))
        ret = answer.number("ret", 0)
        if ret:
            raise refused_by_library("media", ret)
        try:
            data = base64.b64decode(answer.text("data"), validate=True)
        except binascii.Error as error:
            raise PlatformUnavailable("media", errmsg="the part is not base64") from error
        return MediaChunk(answer.text("outindexbuf", ""), data, bool(answer.fields.get("is_finish")))

    async def close(self) -> None:
        """Do nothing: the HTTP client belongs to whoever made it."""

    def _login(self) -> dict[str, Any]:
        return {"corpid": self._corp_id, "secret": self._secret}

    async def _post(self, call: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            response = await self._http.post(f"{self._base_url}/_sdk/{call}", json=body)
        except httpx.TransportError as error:
            raise PlatformUnavailable(call, errmsg=type(error).__name__) from error
        if response.status_code == 404:
            raise PlatformMisconfigured(call, -1, "no archive source answers at this address")
        return read_json(call, response)

    def __repr__(self) -> str:
        return f"HttpArchiveSource({self._base_url!r})"


def _record(item: Answer) -> EncryptedRecord:
    return EncryptedRecord(
        seq=item.number("seq"),
        msgid=item.text("msgid"),
        publickey_ver=item.number("publickey_ver"),
        encrypt_random_key=item.text("encrypt_random_key"),
        encrypt_chat_msg=item.text("encrypt_chat_msg"),
    )


def _refused(call: str, errcode: int, errmsg: str) -> PlatformError:
    match reaction_to(errcode):
        case Reaction.RETRY:
            return PlatformUnavailable(call, errcode, errmsg)
        case Reaction.SLOW:
            return RateLimited(call, errcode, errmsg)
        case Reaction.CONFIG:
            return PlatformMisconfigured(call, errcode, errmsg)
        case _:
            return PlatformError(call, errcode, errmsg)
