"""The archive's native SDK over HTTP: the same three questions, until the C library of a later issue answers them."""

import base64
import json
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from simulator.archive import load_public_key, seal, unseal
from simulator.crypto import CryptoError
from simulator.errors import ApiError
from simulator.platform import Platform, platform_of
from simulator.state import Json

CHUNK_BYTES = 512 * 1024
RET_OK, RET_PARAMETERS, RET_BAD_FILEID, RET_DECRYPT = 0, 10000, 10005, 10006
MOST_RECORDS = 1000


class Pull(BaseModel):
    """GetChatData: records after `seq`."""

    corpid: str
    secret: str
    seq: int = Field(ge=0)
    limit: int


class Decrypt(BaseModel):
    """DecryptData: the RSA-decrypted random string and one encrypt_chat_msg."""

    encrypt_key: str
    encrypt_msg: str


class MediaRequest(BaseModel):
    """GetMediaData: first with an empty indexbuf, then with the one of the last answer."""

    sdkfileid: str
    indexbuf: str = ""


router = APIRouter(prefix="/_sdk")
ThePlatform = Annotated[Platform, Depends(platform_of)]


@router.post("/chatdata")
async def chatdata(platform: ThePlatform, pull: Pull) -> Json:
    """Return sealed records after a number."""
    try:
        return {"errcode": 0, "errmsg": "ok", "chatdata": _pull(platform, pull)}
    except ApiError as error:
        return {**error.answer(), "chatdata": []}


@router.post("/decrypt")
async def decrypt(request: Decrypt) -> Json:
    """Open one record."""
    try:
        return {"ret": RET_OK, "data": unseal(request.encrypt_key, request.encrypt_msg)}
    except CryptoError:
        return {"ret": RET_DECRYPT, "data": ""}


@router.post("/media")
async def media(platform: ThePlatform, request: MediaRequest) -> Json:
    """Return one chunk of a file."""
    return _media(platform, request)


def _pull(platform: Platform, pull: Pull) -> list[Json]:
    if pull.corpid != platform.config.corp_id:
        raise ApiError(40013)
    if pull.secret != platform.config.archive_secret:
        raise ApiError(40001)
    if platform.config.archive_public_key_pem is None:
        raise ApiError(301053)
    if not 1 <= pull.limit <= MOST_RECORDS:
        raise ApiError(40058, "invalid parameter: limit must be from 1 to 1000")
    key = load_public_key(platform.config.archive_public_key_pem)
    answer = []
    for seq in range(pull.seq + 1, pull.seq + pull.limit + 1):
        row = platform.world.archive.find(str(seq))
        if row is None:  # numbers have no gaps here: this is the end
            break
        random_key, message = seal(json.dumps(row.body, ensure_ascii=False), key)
        answer.append(
            {
                "seq": row.seq,
                "msgid": row.msgid,
                "publickey_ver": platform.config.publickey_ver,
                "encrypt_random_key": random_key,
                "encrypt_chat_msg": message,
            }
        )
    return answer


def _media(platform: Platform, request: MediaRequest) -> Json:
    media = next((row for row in platform.world.media.rows.values() if row.sdkfileid == request.sdkfileid), None)
    if media is None:
        return {"ret": RET_BAD_FILEID, "outindexbuf": "", "data": "", "is_finish": True}
    if request.indexbuf and not request.indexbuf.isdigit():
        return {"ret": RET_PARAMETERS, "outindexbuf": "", "data": "", "is_finish": True}
    start = int(request.indexbuf or 0)
    content = base64.b64decode(media.content)
    chunk = content[start : start + CHUNK_BYTES]
    end = start + len(chunk)
    return {
        "ret": RET_OK,
        "outindexbuf": str(end),
        "data": base64.b64encode(chunk).decode(),
        "is_finish": end >= len(content),
    }
