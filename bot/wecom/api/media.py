"""Files at the platform: upload and download (04-sending.md, 4.6).

A `media_id` lives three days and serves every app of the corp; keep the file and its hash ourselves, and upload again
before it ends.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Annotated

from bot.wecom.answers import Answer
from bot.wecom.api.calls import DownloadedFile, PlatformCalls, PlatformFiles
from bot.wecom.api.wire import FILLED, Bytes, Name, RequestInvalid, join_params, to_body

UPLOAD = "POST /cgi-bin/media/upload"
UPLOAD_IMAGE = "POST /cgi-bin/media/uploadimg"
UPLOAD_ATTACHMENT = "POST /cgi-bin/media/upload_attachment"
UPLOAD_BY_URL = "POST /cgi-bin/media/upload_by_url"
UPLOAD_RESULT = "POST /cgi-bin/media/get_upload_by_url_result"
DOWNLOAD = "GET /cgi-bin/media/get"
DOWNLOAD_JSSDK = "GET /cgi-bin/media/get/jssdk"

MEDIA_LIVES = timedelta(days=3)
LEAST_BYTES = 6
_MB = 1024 * 1024


class MediaKind(StrEnum):
    """What an uploaded file is to be used as."""

    IMAGE = "image"
    VOICE = "voice"
    VIDEO = "video"
    FILE = "file"


class AttachmentUse(IntEnum):
    """Where an attachment is to be used."""

    MOMENTS = 1
    PRODUCT_ALBUM = 2


LARGEST = {
    MediaKind.IMAGE: 10 * _MB,
    MediaKind.VOICE: 2 * _MB,
    MediaKind.VIDEO: 10 * _MB,
    MediaKind.FILE: 20 * _MB,
}
LARGEST_ATTACHMENT = {MediaKind.IMAGE: 10 * _MB, MediaKind.VIDEO: 10 * _MB, MediaKind.FILE: 10 * _MB}


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file to upload. The platform reads `name` and its ending; `content_type` is a MIME type."""

    name: str
    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class StoredMedia:
    """An uploaded file and when the platform forgets it."""

    media_id: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class UrlUpload:
    """A large file (at most 200 MB) the platform fetches itself; `url` must answer range requests."""

    kind: Annotated[MediaKind, Name("type")]
    url: Annotated[str, FILLED]
    filename: Annotated[str, FILLED]
    md5: Annotated[str | None, Bytes(32, least=32)] = None
    # 1, a group's welcome, is the only use that is documented
    scene: int = 1


class UrlUploadStatus(IntEnum):
    """How far a fetch is [K]."""

    RUNNING = 1
    DONE = 2
    FAILED = 3


@dataclass(frozen=True, slots=True)
class UrlUploadResult:
    """How far a fetch is; `media_id` once it is done, `errcode` when it failed."""

    status: int
    media_id: str | None
    errcode: int


async def upload_media(client: PlatformFiles, kind: MediaKind, file: LocalFile) -> StoredMedia:
    """Upload for messages, welcomes and broadcasts.

    Raises:
        RequestInvalid: too large or too small for its kind.
        PlatformError: refused or not answered.
    """
    check_size(UPLOAD, file, LARGEST[kind])
    return read_media(Answer(UPLOAD, await _upload(client, UPLOAD, join_params(type=kind.value), file)))


async def upload_image(client: PlatformFiles, file: LocalFile) -> str:
    """Upload a picture for the inside of articles and return its lasting address; 1,000 a day, 3,000 a month."""
    check_size(UPLOAD_IMAGE, file, LARGEST[MediaKind.IMAGE])
    return Answer(UPLOAD_IMAGE, await _upload(client, UPLOAD_IMAGE, {}, file)).text("url")


async def upload_attachment(client: PlatformFiles, kind: MediaKind, use: AttachmentUse, file: LocalFile) -> StoredMedia:
    """Upload for moments or the product album, which take no other media.

    Raises:
        RequestInvalid: there is no such attachment, or its size is wrong.
        PlatformError: refused or not answered.
    """
    if kind not in LARGEST_ATTACHMENT:
        raise RequestInvalid(UPLOAD_ATTACHMENT, "media_type", "must be image, video or file")
    check_size(UPLOAD_ATTACHMENT, file, LARGEST_ATTACHMENT[kind])
    params = join_params(media_type=kind.value, attachment_type=use.value)
    return read_media(Answer(UPLOAD_ATTACHMENT, await _upload(client, UPLOAD_ATTACHMENT, params, file)))


async def upload_by_url(client: PlatformCalls, upload: UrlUpload) -> str:
    """Have the platform fetch a video or a file and return the job's id, good for 60 minutes."""
    if upload.kind not in (MediaKind.VIDEO, MediaKind.FILE):
        raise RequestInvalid(UPLOAD_BY_URL, "type", "must be video or file")
    return Answer(UPLOAD_BY_URL, await client.call(UPLOAD_BY_URL, to_body(UPLOAD_BY_URL, upload))).text("jobid")


async def get_upload_result(client: PlatformCalls, job_id: str) -> UrlUploadResult:
    """Return how far a fetch is; an event tells when it has ended."""
    answer = Answer(UPLOAD_RESULT, await client.call(UPLOAD_RESULT, {"jobid": job_id}))
    detail = answer.find_child("detail")
    return UrlUploadResult(
        status=answer.number("status"),
        media_id=(detail.text("media_id", "") or None) if detail else None,
        errcode=detail.number("errcode", 0) if detail else 0,
    )


async def download_media(client: PlatformFiles, media_id: str) -> DownloadedFile:
    """Return a file.

    Raises:
        PlatformError: 40007 unknown or expired.
    """
    return await client.download(DOWNLOAD, params=join_params(media_id=media_id))


async def download_voice(client: PlatformFiles, media_id: str) -> DownloadedFile:
    """Return what the JS-SDK recorded, in speex at 16 kHz."""
    return await client.download(DOWNLOAD_JSSDK, params=join_params(media_id=media_id))


def check_size(api: str, file: LocalFile, most: int) -> None:
    """Check a file against the platform's sizes, in bytes.

    Raises:
        RequestInvalid: too large, or not more than five bytes.
    """
    if len(file.content) > most:
        raise RequestInvalid(api, "media", f"is longer than {most} bytes")
    if len(file.content) < LEAST_BYTES:
        raise RequestInvalid(api, "media", f"is shorter than {LEAST_BYTES} bytes")
    if not file.name:
        raise RequestInvalid(api, "media", "has no file name")


def read_media(answer: Answer) -> StoredMedia:
    """Read what every upload of a file answers."""
    created_at = datetime.fromtimestamp(answer.digits("created_at"), UTC)
    return StoredMedia(answer.text("media_id"), created_at, created_at + MEDIA_LIVES)


async def _upload(client: PlatformFiles, api: str, params: Mapping[str, str], file: LocalFile) -> dict[str, object]:
    return await client.upload(
        api, params=params, filename=file.name, content=file.content, content_type=file.content_type
    )
