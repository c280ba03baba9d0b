"""Uploads and downloads (04, 4.6): temporary files of three days, attachments, permanent images, uploads by url."""

import base64
import hashlib
import re
from datetime import datetime
from urllib.parse import urlsplit

from simulator.api.endpoint import ANY, APP, Answer, BinaryAnswer, Endpoint, ok
from simulator.api.found_media import need_media
from simulator.api.params import need_text, read_number, read_text
from simulator.clock import CHINA
from simulator.errors import ApiError
from simulator.media_forms import AMR, JPEG, PNG, count_film_seconds, count_voice_seconds, is_film, read_pixels
from simulator.platform import ApiCall, Platform, Upload
from simulator.state import Media
from simulator.state_apps import UploadedImage, UploadJob

SMALLEST = 6  # a file must be larger than 5 bytes
MEGABYTE = 1024 * 1024
LARGEST = {"image": 10 * MEGABYTE, "voice": 2 * MEGABYTE, "video": 10 * MEGABYTE, "file": 20 * MEGABYTE}
LARGEST_ATTACHMENT = {"image": 10 * MEGABYTE, "video": 10 * MEGABYTE, "file": 10 * MEGABYTE}
LARGEST_BY_URL = 200 * MEGABYTE
TOO_BIG = {"image": 40009, "video": 40011}
IMAGE_STARTS = (JPEG, PNG)
LONGEST_VOICE_SECONDS = 60
LONGEST_MOMENT_FILM_SECONDS = 30
MOMENT_PIXELS = (10_800, 1_080)  # the long and the short side
IMAGES_PER_DAY, IMAGES_PER_MONTH = 1_000, 3_000
USES = {1: "moment", 2: "album"}
JOB_LIFE_SECONDS = 3600
RANGE = re.compile(r"bytes=(\d+)-(\d*)")


def need_upload(call: ApiCall, most: int, errcode: int = 45001) -> Upload:
    """Return the uploaded file; 44001 when there is none, 40006 when it is too small, `errcode` beyond `most`."""
    if call.upload is None or not call.upload.content:
        raise ApiError(44001)
    if len(call.upload.content) < SMALLEST:
        raise ApiError(40006)
    if len(call.upload.content) > most:
        raise ApiError(errcode)
    return call.upload


def check_voice(content: bytes) -> None:
    """Refuse what is not AMR (40004) or longer than a minute (45007)."""
    if not content.startswith(AMR.strip()):
        raise ApiError(40004)
    if count_voice_seconds(content) > LONGEST_VOICE_SECONDS:
        raise ApiError(45007)


def _check_form(kind: str, content: bytes) -> None:
    if kind == "image" and not content.startswith(IMAGE_STARTS):
        raise ApiError(40123)
    if kind == "voice":
        check_voice(content)
    if kind == "video" and not is_film(content):
        raise ApiError(40004)


def keep_upload(platform: Platform, upload: Upload, kind: str, use: str = "") -> Media:
    """Store a checked file under a new media_id."""
    media = Media(
        media_id=platform.new_id("3"),
        type=kind,
        filename=upload.filename,
        content_type=upload.content_type,
        created_at=platform.clock.seconds(),
        content=base64.b64encode(upload.content).decode(),
        md5sum=hashlib.md5(upload.content, usedforsecurity=False).hexdigest(),
        size_bytes=len(upload.content),
        sdkfileid=platform.new_id("sdk"),
        use=use,
    )
    return platform.world.media.put(media)


def upload(platform: Platform, call: ApiCall) -> Answer:
    """Store a file and return its media_id."""
    kind = need_text(call.params, "type", 40005)
    if kind not in LARGEST:
        raise ApiError(40005)
    given = need_upload(call, LARGEST[kind], TOO_BIG.get(kind, 45001))
    _check_form(kind, given.content)
    media = keep_upload(platform, given, kind)
    return ok(type=kind, media_id=media.media_id, created_at=media.created_at)


def upload_attachment(platform: Platform, call: ApiCall) -> Answer:
    """Store a picture, film or file for moments (`attachment_type` 1) or the product album (2)."""
    kind = need_text(call.params, "media_type", 40005)
    if kind not in LARGEST_ATTACHMENT:
        raise ApiError(40005)
    use = USES[read_number(call.params, "attachment_type", None, 1, 2)]
    given = need_upload(call, LARGEST_ATTACHMENT[kind], 41064)
    _check_form(kind, given.content)
    if use == "moment":
        _check_moment_form(kind, given.content)
    media = keep_upload(platform, given, kind, use)
    return ok(type=kind, media_id=media.media_id, created_at=media.created_at)


def _check_moment_form(kind: str, content: bytes) -> None:
    pixels = read_pixels(content) if kind == "image" else None
    if pixels is not None and (max(pixels) > MOMENT_PIXELS[0] or min(pixels) > MOMENT_PIXELS[1]):
        raise ApiError(40009)
    seconds = count_film_seconds(content) if kind == "video" else None
    if seconds is not None and seconds > LONGEST_MOMENT_FILM_SECONDS:
        raise ApiError(40011)


def uploadimg(platform: Platform, call: ApiCall) -> Answer:
    """Store a permanent picture for the text of an mpnews: 1000 a day, 3000 a month."""
    given = need_upload(call, LARGEST["image"], 40009)
    _check_form("image", given.content)
    day = datetime.fromtimestamp(platform.clock.now(), CHINA)
    for name, most in ((f"{day:%Y-%m-%d}", IMAGES_PER_DAY), (f"{day:%Y-%m}", IMAGES_PER_MONTH)):
        used = platform.world.counters.find(f"uploadimg:{name}")
        if used is not None and used.value >= most:
            raise ApiError(45009)
    platform.world.next_number(f"uploadimg:{day:%Y-%m-%d}")
    platform.world.next_number(f"uploadimg:{day:%Y-%m}")
    content = base64.b64encode(given.content).decode()
    image = platform.world.images.put(UploadedImage(platform.new_id("img"), given.content_type, content))
    return ok(url=f"{call.base_url.rstrip('/')}/_images/{image.image_id}")


def download(platform: Platform, call: ApiCall) -> Answer:
    """Return the file of a media_id, or the asked part of it; an error comes as JSON."""
    media = need_media(platform, need_text(call.params, "media_id"))
    content = base64.b64decode(media.content)
    asked = RANGE.fullmatch(call.headers.get("range", ""))
    if asked is None:
        return BinaryAnswer(content, media.content_type, media.filename)
    start, end = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
    span = {"Content-Range": f"bytes {start}-{end}/{len(content)}"}
    if start >= len(content) or end < start:
        span = {"Content-Range": f"bytes */{len(content)}"}
        return BinaryAnswer(b"", media.content_type, media.filename, 416, span)
    return BinaryAnswer(content[start : end + 1], media.content_type, media.filename, 206, span)


def download_jssdk(platform: Platform, call: ApiCall) -> Answer:
    """Return a voice that a page recorded by JS-SDK."""
    media = need_media(platform, need_text(call.params, "media_id"), "voice", "jssdk")
    return BinaryAnswer(base64.b64decode(media.content), media.content_type, media.filename)


def upload_by_url(platform: Platform, call: ApiCall) -> Answer:
    """Begin to fetch a film or file from an address; `upload_media_job_finish` tells when it is done."""
    body = call.body
    read_number(body, "scene", None, 1, 1)
    kind = need_text(body, "type", 40005)
    if kind not in {"video", "file"}:
        raise ApiError(40005)
    filename = need_text(body, "filename")
    url = need_text(body, "url")
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ApiError(40094)
    md5 = read_text(body, "md5").lower()
    job = UploadJob(platform.new_id("job"), kind, filename, platform.clock.now())
    platform.world.upload_jobs.put(job)
    platform.fetcher.fetch(url, LARGEST_BY_URL, lambda content: _finish_job(platform, job, content, md5))
    return ok(jobid=job.jobid)


def _finish_job(platform: Platform, job: UploadJob, content: bytes | None, md5: str) -> None:
    """Keep what was fetched, or why it could not be used, and call back; None is a failed fetch."""
    job.status, job.errcode = _judge_fetched(job, content, md5)
    if content is not None and job.status == 2:
        upload = Upload(job.filename, "video/mp4" if job.type == "video" else "application/octet-stream", content)
        job.media_id = keep_upload(platform, upload, job.type).media_id
    platform.world.upload_jobs.put(job)
    config = platform.config
    event = {
        "ToUserName": config.corp_id,
        "FromUserName": "sys",
        "CreateTime": platform.clock.seconds(),
        "MsgType": "event",
        "Event": "upload_media_job_finish",
        "JobId": job.jobid,
    }
    platform.callbacks.send_xml("app", config.app_callback, event, config.agent_id)
    platform.journal.flush()


def _judge_fetched(job: UploadJob, content: bytes | None, md5: str) -> tuple[int, int]:
    """Return (status, errcode) of a finished job."""
    if content is None:
        return 3, 40094
    if len(content) < SMALLEST:
        return 3, 40006
    if job.type == "video" and not is_film(content):
        return 3, 40004
    if md5 and hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
        return 3, 40058
    return 2, 0


def get_upload_by_url_result(platform: Platform, call: ApiCall) -> Answer:
    """Return how an upload by url stands; a job is known for 60 minutes."""
    job = platform.world.upload_jobs.find(need_text(call.body, "jobid"))
    if job is None or platform.clock.now() > job.created_at + JOB_LIFE_SECONDS:
        raise ApiError(40088)
    detail: dict[str, object] = {"errcode": job.errcode, "errmsg": "ok" if not job.errcode else "failed"}
    if job.status == 2:
        detail["media_id"] = job.media_id
        detail["created_at"] = platform.world.media.rows[job.media_id].created_at
    return ok(status=job.status, detail=detail)


ENDPOINTS = {
    "POST /cgi-bin/media/upload": Endpoint(upload, ANY),
    "POST /cgi-bin/media/upload_attachment": Endpoint(upload_attachment, APP),
    "POST /cgi-bin/media/uploadimg": Endpoint(uploadimg, APP),
    "GET /cgi-bin/media/get": Endpoint(download, ANY),
    "GET /cgi-bin/media/get/jssdk": Endpoint(download_jssdk, APP),
    "POST /cgi-bin/media/upload_by_url": Endpoint(upload_by_url, APP),
    "POST /cgi-bin/media/get_upload_by_url_result": Endpoint(get_upload_by_url_result, APP),
}
