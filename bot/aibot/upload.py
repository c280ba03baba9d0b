"""Files over the long connection (08-aibot.md, 8.5): in chunks, one after the other.

In parallel they may meet system errors [T], and a bot's files are small.
"""

import base64
import hashlib
from typing import Any, Literal, TypeAlias

from bot.aibot.connection import AiBotConnection
from bot.aibot.frames import CHUNK_BYTES, MOST_CHUNKS, Command, new_req_id
from bot.errors import PlatformError

MediaType: TypeAlias = Literal["file", "image", "voice", "video"]
MOST_BYTES = CHUNK_BYTES * MOST_CHUNKS
_TOO_LARGE = 846614
_NO_ID = -2


async def upload_media(connection: AiBotConnection, kind: MediaType, filename: str, content: bytes) -> str:
    """Upload a file; return the media id under which it can be sent.

    Raises:
        PlatformError: too large or empty, refused, not answered, or answered without an id.
    """
    if not 0 < len(content) <= MOST_BYTES:
        raise PlatformError(Command.UPLOAD_INIT, _TOO_LARGE, f"a file has 1 to {MOST_BYTES} bytes")
    chunks = [content[start : start + CHUNK_BYTES] for start in range(0, len(content), CHUNK_BYTES)]
    init = {
        "type": kind,
        "filename": filename,
        "total_size": len(content),
        "total_chunks": len(chunks),
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
    }
    upload_id = _id_of(Command.UPLOAD_INIT, await _ask(connection, Command.UPLOAD_INIT, init), "upload_id")
    for index, chunk in enumerate(chunks):
        body = {"upload_id": upload_id, "chunk_index": index, "base64_data": base64.b64encode(chunk).decode()}
        await _ask(connection, Command.UPLOAD_CHUNK, body)
    finish = await _ask(connection, Command.UPLOAD_FINISH, {"upload_id": upload_id})
    return _id_of(Command.UPLOAD_FINISH, finish, "media_id")


async def _ask(connection: AiBotConnection, command: Command, body: dict[str, Any]) -> dict[str, Any]:
    return await connection.request(command, body, new_req_id(command))


def _id_of(command: Command, answer: dict[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise PlatformError(command, _NO_ID, f"the answer has no {name}")
    return value
