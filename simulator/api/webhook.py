"""Group webhooks (消息推送, 04, 4.5): the key in the query is the credential; there is no token."""

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping

from simulator.api.bodies import card_line, check_url
from simulator.api.cards import check_template_card, show_template_card
from simulator.api.endpoint import NO_TOKEN, Answer, Endpoint, ok
from simulator.api.found_media import need_media
from simulator.api.media import IMAGE_STARTS, MEGABYTE, check_voice, keep_upload, need_upload
from simulator.api.params import check_bytes, cut_bytes, need_object, need_text, read_objects, read_text, read_texts
from simulator.chats import Line, say_as_bot
from simulator.errors import ApiError
from simulator.platform import ApiCall, Platform
from simulator.state import ChatKind, Json
from simulator.state_apps import Robot

TEXT_BYTES = 2048
MARKDOWN_BYTES = 4096
IMAGE_BYTES = 2 * MEGABYTE
LARGEST = {"file": 20 * MEGABYTE, "voice": 2 * MEGABYTE}
CARD_TYPES = frozenset({"text_notice", "news_notice"})


def send(platform: Platform, call: ApiCall) -> Answer:
    """Put a message into the group of a robot: at most 20 a minute."""
    robot = _need_robot(platform, call)
    msgtype = need_text(call.body, "msgtype")
    reader = READERS.get(msgtype)
    if reader is None:
        raise ApiError(40008)
    most = platform.config.robot_messages_per_minute
    if most and platform.count_recent(f"robot:{robot.key}", 60) >= most:
        raise ApiError(45009)
    line = reader(platform, robot, call.body)
    platform.note_recent(f"robot:{robot.key}")
    shown = say_as_bot(platform, ChatKind.GROUP, robot.chat_id, line)
    platform.record_sent("webhook", [robot.chat_id], call.body, shown.id)
    return ok()


def upload_media(platform: Platform, call: ApiCall) -> Answer:
    """Store a file or a voice that only this robot can send, for three days."""
    robot = _need_robot(platform, call)
    kind = need_text(call.params, "type", 40005)
    if kind not in LARGEST:
        raise ApiError(40005)
    upload = need_upload(call, LARGEST[kind])
    if kind == "voice":
        check_voice(upload.content)
    media = keep_upload(platform, upload, kind, f"robot:{robot.key}")
    return ok(type=kind, media_id=media.media_id, created_at=str(media.created_at))


def _need_robot(platform: Platform, call: ApiCall) -> Robot:
    robot = platform.world.robots.find(read_text(call.params, "key"))
    if robot is None or robot.removed:
        raise ApiError(93000)
    if not robot.allowed:
        raise ApiError(93001)
    return robot


def _read_text_body(_platform: Platform, _robot: Robot, body: Json) -> Line:
    text = need_object(body, "text", 44004)
    content = check_bytes(need_text(text, "content", 44004), TEXT_BYTES, "text.content")
    mentioned = [*read_texts(text, "mentioned_list", 1000), *read_texts(text, "mentioned_mobile_list", 1000)]
    return Line(" ".join([content, *(f"@{name}" for name in mentioned)]))


def _read_markdown(_platform: Platform, _robot: Robot, body: Json) -> Line:
    content = need_text(need_object(body, body["msgtype"], 44004), "content", 44004)
    return Line(check_bytes(content, MARKDOWN_BYTES, "markdown.content"), "markdown")


def _read_image(_platform: Platform, _robot: Robot, body: Json) -> Line:
    image = need_object(body, "image")
    try:
        raw = base64.b64decode(need_text(image, "base64"), validate=True)
    except binascii.Error as error:
        raise ApiError(40058, "invalid parameter: image.base64") from error
    if len(raw) > IMAGE_BYTES:
        raise ApiError(40009)
    if not raw.startswith(IMAGE_STARTS):
        raise ApiError(40123)
    if need_text(image, "md5").lower() != hashlib.md5(raw, usedforsecurity=False).hexdigest():
        raise ApiError(40058, "invalid parameter: image.md5 is not that of the raw bytes")
    return Line("[图片]")


def _read_news(_platform: Platform, _robot: Robot, body: Json) -> Line:
    articles = read_objects(need_object(body, "news"), "articles", 8, 45008)
    if not articles:
        raise ApiError(45008)
    for article in articles:
        check_bytes(need_text(article, "title"), 128, "title", 40058)
        check_bytes(read_text(article, "description"), 512, "description", 40058)
        check_url(article)
    return Line("\n".join(f"[图文] {article['title']}" for article in articles))


def _read_file(platform: Platform, robot: Robot, body: Json) -> Line:
    kind = body["msgtype"]
    media_id = need_text(need_object(body, kind), "media_id")
    media = need_media(platform, media_id, kind, f"robot:{robot.key}")
    return Line(cut_bytes(f"[{'文件' if kind == 'file' else '语音'}]{media.filename}", TEXT_BYTES))


def _read_card(_platform: Platform, _robot: Robot, body: Json) -> Line:
    card = need_object(body, "template_card")
    check_template_card(card)
    if card["card_type"] not in CARD_TYPES:
        raise ApiError(40058, "invalid parameter: a webhook sends text_notice and news_notice only")
    return card_line(show_template_card(card))


READERS: Mapping[str, Callable[[Platform, Robot, Json], Line]] = {
    "text": _read_text_body,
    "markdown": _read_markdown,
    "markdown_v2": _read_markdown,
    "image": _read_image,
    "news": _read_news,
    "template_card": _read_card,
    "file": _read_file,
    "voice": _read_file,
}
ENDPOINTS = {
    "POST /cgi-bin/webhook/send": Endpoint(send, NO_TOKEN),
    "POST /cgi-bin/webhook/upload_media": Endpoint(upload_media, NO_TOKEN),
}
