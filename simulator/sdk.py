"""The archive's native library, asked over HTTP: as plain JSON for whoever has no C compiler, and for the fake library.

Under /_sdk/native the answer's body is what the library puts into its slice, and headers carry what it returns beside
it (`X-Sdk-Ret`, `X-Sdk-Index`, `X-Sdk-Finish`), so that simulator/native/finance_sdk.c needs to read no JSON.
"""

import base64
import json
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from simulator import archive_control
from simulator.archive_desk import (
    RET_IP,
    RET_OK,
    UNTRUSTED_IP,
    fetch_page,
    media_chunk,
    note_call,
    open_record,
    take_fault,
)
from simulator.errors import ApiError
from simulator.platform import Platform, platform_of
from simulator.state import Json
from simulator.state_archive import ArchiveCall


class Login(BaseModel):
    """Who asks, and how the library was told to go out."""

    corpid: str = ""
    secret: str = ""
    proxy: str = ""
    passwd: str = ""
    timeout: int = 0


class Pull(Login):
    """GetChatData: records after `seq`."""

    seq: int = Field(ge=0)
    limit: int


class Decrypt(BaseModel):
    """DecryptData: the RSA-decrypted random string and one encrypt_chat_msg."""

    encrypt_key: str
    encrypt_msg: str


class MediaRequest(Login):
    """GetMediaData: first with an empty indexbuf, then with the one of the last answer."""

    sdkfileid: str
    indexbuf: str = ""


router = APIRouter()
router.routes.extend(archive_control.router.routes)
ThePlatform = Annotated[Platform, Depends(platform_of)]


@router.post("/_sdk/chatdata")
async def chatdata(platform: ThePlatform, pull: Pull) -> Json:
    """Return sealed records after a number."""
    _ret, page = _chatdata(platform, pull)
    return page


@router.post("/_sdk/decrypt")
async def decrypt(platform: ThePlatform, request: Decrypt) -> Json:
    """Open one record."""
    ret, text = _decrypt(platform, request)
    return {"ret": ret, "data": text}


@router.post("/_sdk/media")
async def media(platform: ThePlatform, request: MediaRequest) -> Json:
    """Return one chunk of a file."""
    ret, index, data, finish = _media(platform, request)
    return {"ret": ret, "outindexbuf": index, "data": base64.b64encode(data).decode(), "is_finish": finish}


@router.post("/_sdk/native/chatdata")
async def native_chatdata(platform: ThePlatform, pull: Pull) -> Response:
    """Answer GetChatData."""
    ret, page = _chatdata(platform, pull)
    return _raw(ret, json.dumps(page, ensure_ascii=False).encode())


@router.post("/_sdk/native/decrypt")
async def native_decrypt(platform: ThePlatform, request: Decrypt) -> Response:
    """Answer DecryptData."""
    ret, text = _decrypt(platform, request)
    return _raw(ret, text.encode())


@router.post("/_sdk/native/media")
async def native_media(platform: ThePlatform, request: MediaRequest) -> Response:
    """Answer GetMediaData."""
    ret, index, data, finish = _media(platform, request)
    answer = _raw(ret, data)
    answer.headers["X-Sdk-Index"] = index
    answer.headers["X-Sdk-Finish"] = "1" if finish else "0"
    return answer


def _raw(ret: int, body: bytes) -> Response:
    return Response(body, media_type="application/octet-stream", headers={"X-Sdk-Ret": str(ret)})


def _chatdata(platform: Platform, pull: Pull) -> tuple[int, Json]:
    ret, errcode = take_fault(platform, "chatdata")
    answer: Json = {"errcode": 0, "errmsg": "ok", "chatdata": []}
    try:
        if errcode:
            raise ApiError(errcode)
        if ret == RET_OK:
            answer["chatdata"] = fetch_page(platform, pull.corpid, pull.secret, pull.seq, pull.limit)
    except ApiError as error:
        answer |= error.answer()
        if error.errcode == UNTRUSTED_IP and not errcode:
            ret = RET_IP  # the library says so itself; only a planned fault leaves it to the JSON
    _note(platform, "chatdata", pull, ret, answer["errcode"], pull.seq, pull.limit)
    return ret, answer


def _decrypt(platform: Platform, request: Decrypt) -> tuple[int, str]:
    ret, _ = take_fault(platform, "decrypt")
    return (ret, "") if ret else open_record(request.encrypt_key, request.encrypt_msg)


def _media(platform: Platform, request: MediaRequest) -> tuple[int, str, bytes, bool]:
    ret, _ = take_fault(platform, "media")
    answer = (ret, "", b"", True) if ret else media_chunk(platform, request.sdkfileid, request.indexbuf)
    _note(platform, "media", request, answer[0], 0, 0, 0)
    return answer


def _note(platform: Platform, call: str, login: Login, ret: int, errcode: int, seq: int, limit: int) -> None:
    note_call(platform, ArchiveCall(call, ret, errcode, seq, limit, login.proxy, login.passwd, login.timeout))
