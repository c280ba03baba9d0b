"""群 webhook (消息推送): a robot that only speaks, in one group of members (04-sending.md, 4.5).

No token: the key in the address is the credential, and as secret as one. Twenty messages a minute for each robot.
"""

import base64
import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, TypeAlias

from pydantic import SecretStr

from bot.wecom.answers import Answer
from bot.wecom.api.calls import PlatformCalls, PlatformFiles
from bot.wecom.api.cards import NewsNotice, TextNotice
from bot.wecom.api.media import LocalFile, StoredMedia, check_size, read_media
from bot.wecom.api.messages import FileBody, NewsBody, VoiceBody
from bot.wecom.api.wire import Bytes, Name, Tagged, join_params, to_body
from bot.wecom.client import NO_TOKEN

SEND = "POST /cgi-bin/webhook/send"
UPLOAD = "POST /cgi-bin/webhook/upload_media"

PER_MINUTE = 20
_MB = 1024 * 1024
# Base64 makes four characters of three bytes.
_MAX_IMAGE_CHARS = (2 * _MB + 2) // 3 * 4


@dataclass(frozen=True, slots=True)
class WebhookText:
    """Words; people are mentioned by userid or mobile, `@all` is everyone."""

    kind: ClassVar[str] = "text"

    content: Annotated[str, Bytes(2048, least=1)]
    mentioned: Annotated[tuple[str, ...], Name("mentioned_list")] = ()
    mentioned_mobiles: Annotated[tuple[str, ...], Name("mentioned_mobile_list")] = ()


@dataclass(frozen=True, slots=True)
class WebhookMarkdown:
    """The small subset of Markdown; `<@userid>` mentions."""

    kind: ClassVar[str] = "markdown"

    content: Annotated[str, Bytes(4096, least=1)]


@dataclass(frozen=True, slots=True)
class WebhookMarkdown2:
    """Markdown with lists, tables and code, without colours and mentions; clients from 4.1.36 show it."""

    kind: ClassVar[str] = "markdown_v2"

    content: Annotated[str, Bytes(4096, least=1)]


@dataclass(frozen=True, slots=True)
class WebhookImage:
    """A jpg or png of at most 2 MB, inside the message; made by `image_of`."""

    kind: ClassVar[str] = "image"

    base64: Annotated[str, Bytes(_MAX_IMAGE_CHARS, least=1)]
    md5: Annotated[str, Bytes(32, least=32)]


WebhookBody: TypeAlias = (
    WebhookText
    | WebhookMarkdown
    | WebhookMarkdown2
    | WebhookImage
    | NewsBody
    | FileBody
    | VoiceBody
    | TextNotice
    | NewsNotice
)


class WebhookMedia(StrEnum):
    """What can be uploaded for a robot."""

    FILE = "file"
    VOICE = "voice"


_LARGEST = {WebhookMedia.FILE: 20 * _MB, WebhookMedia.VOICE: 2 * _MB}


@dataclass(frozen=True, slots=True)
class _WebhookMessage:
    body: Annotated[WebhookBody, Tagged()]


def image_of(content: bytes) -> WebhookImage:
    """Return a picture as the body wants it."""
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return WebhookImage(base64.b64encode(content).decode(), digest)


async def send_by_webhook(client: PlatformCalls, key: SecretStr, body: WebhookBody) -> None:
    """Say something in the robot's group.

    Raises:
        RequestInvalid: a documented limit is broken.
        PlatformError: 93000 the key is not good or the robot was removed, 93001 the group does not allow it.
    """
    params = join_params(key=key.get_secret_value())
    await client.call(SEND, to_body(SEND, _WebhookMessage(body)), params=params, app=NO_TOKEN)


async def upload_for_webhook(client: PlatformFiles, key: SecretStr, kind: WebhookMedia, file: LocalFile) -> StoredMedia:
    """Upload a file for this robot alone, for three days.

    Raises:
        RequestInvalid: too large or too small for its kind.
        PlatformError: refused or not answered.
    """
    check_size(UPLOAD, file, _LARGEST[kind])
    answer = await client.upload(
        UPLOAD,
        params=join_params(key=key.get_secret_value(), type=kind.value),
        filename=file.name,
        content=file.content,
        content_type=file.content_type,
        app=NO_TOKEN,
    )
    return read_media(Answer(UPLOAD, answer))
