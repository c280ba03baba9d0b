"""Temporary media (04, 4.6): upload and download, valid for three days."""

import base64
import hashlib

from simulator.api.endpoint import ANY, Answer, BinaryAnswer, Endpoint, ok
from simulator.api.messages import find_media
from simulator.api.params import need_text
from simulator.errors import ApiError
from simulator.platform import ApiCall, Platform
from simulator.state import Media

SMALLEST = 6  # a file must be larger than 5 bytes
MEGABYTE = 1024 * 1024
LARGEST = {"image": 10 * MEGABYTE, "voice": 2 * MEGABYTE, "video": 10 * MEGABYTE, "file": 20 * MEGABYTE}
IMAGE_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
VOICE_START = b"#!AMR"


def upload(platform: Platform, call: ApiCall) -> Answer:
    """Store a file and return its media_id."""
    kind = need_text(call.params, "type", 40005)
    if kind not in LARGEST:
        raise ApiError(40005)
    if call.upload is None or not call.upload.content:
        raise ApiError(44001)
    content = call.upload.content
    if len(content) < SMALLEST:
        raise ApiError(40006)
    if len(content) > LARGEST[kind]:
        raise ApiError(45001)
    if kind == "image" and not content.startswith(IMAGE_STARTS):
        raise ApiError(40123)
    if kind == "voice" and not content.startswith(VOICE_START):
        raise ApiError(40004)
    media = Media(
        media_id=platform.new_id("3"),
        type=kind,
        filename=call.upload.filename,
        content_type=call.upload.content_type,
        created_at=platform.clock.seconds(),
        content=base64.b64encode(content).decode(),
        md5sum=hashlib.md5(content, usedforsecurity=False).hexdigest(),
        size_bytes=len(content),
        sdkfileid=platform.new_id("sdk"),
    )
    platform.world.media.put(media)
    return ok(type=kind, media_id=media.media_id, created_at=media.created_at)


def download(platform: Platform, call: ApiCall) -> Answer:
    """Return the file of a media_id; an error comes as JSON."""
    media_id = need_text(call.params, "media_id")
    find_media(platform, media_id)
    media = platform.world.media.rows[media_id]
    return BinaryAnswer(base64.b64decode(media.content), media.content_type, media.filename)


ENDPOINTS = {
    "POST /cgi-bin/media/upload": Endpoint(upload, ANY),
    "GET /cgi-bin/media/get": Endpoint(download, ANY),
}
