"""Reading the session archive (会话内容存档): what a source must offer, and the one that speaks HTTP.

The vendor's library is native code (06-session-archive.md, 6.2). Whoever loads it stands behind the same protocol; the
HTTP source talks to a process that has it, or to the simulator.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from bot.errors import BotError, PlatformError, PlatformMisconfigured, PlatformUnavailable, RateLimited
from bot.wecom.answers import Answer
from bot.wecom.errcodes import Reaction, reaction_to
from bot.wecom.http import read_json

_TOO_MUCH = 301058
_MAX_LIMIT = 1000
# Return values of the library, 6.2.
_SDK_TRY_AGAIN = frozenset({10001, 10003})


@dataclass(frozen=True, slots=True)
class EncryptedRecord:
    """One record as it is fetched. `publickey_ver` names the private key that opens `encrypt_random_key`."""

    seq: int
    msgid: str
    publickey_ver: int
    encrypt_random_key: str
    encrypt_chat_msg: str


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


class HttpArchiveSource:
    """The archive over HTTP, in the shape of the library's two calls."""

    def __init__(self, base_url: str, corp_id: str, secret: str, http: httpx.AsyncClient) -> None:
        self._base_url = base_url.rstrip("/")
        self._corp_id = corp_id
        self._secret = secret
        self._http = http

    async def fetch(self, seq: int, limit: int) -> list[EncryptedRecord]:
        """Return records after `seq`; asks for half as many while the answer would be too large (301058)."""
        limit = min(limit, _MAX_LIMIT)
        while True:
            answer = await self._post("chatdata", self._login() | {"seq": seq, "limit": limit})
            errcode = Answer("chatdata", answer).number("errcode", 0)
            if errcode != _TOO_MUCH or limit == 1:
                break
            limit //= 2
        if errcode:
            raise _refused("chatdata", errcode, str(answer.get("errmsg", "")))
        return [_record(item) for item in Answer("chatdata", answer).children("chatdata")]

    async def decrypt(self, key: str, msg: str) -> str:
        """Return the JSON text of one record."""
        answer = Answer("decrypt", await self._post("decrypt", {"encrypt_key": key, "encrypt_msg": msg}))
        ret = answer.number("ret", 0)
        if ret in _SDK_TRY_AGAIN:
            raise PlatformUnavailable("decrypt", ret)
        if ret:
            raise RecordUndecryptable(ret)
        return answer.text("data")

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
