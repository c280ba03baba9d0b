"""What the AI bot's platform accepts as an answer (08, 8.2): documented limits, each refusal with its reason. Pure."""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Any

from simulator.api.cards import check_template_card
from simulator.api.params import check_bytes, need_object, need_text, read_objects, read_text
from simulator.errors import ApiError
from simulator.state import Json

CONTENT_BYTES = 20_480
FEEDBACK_ID_BYTES = 256
MOST_IMAGES = 10
IMAGE_BYTES = 10 * 1024 * 1024
STREAM_SECONDS = 360.0
PASSIVE_SECONDS = 5.0
BAD_TYPE = 846697
TOO_LONG = 45002

ALLOWED = {
    "message": frozenset({"stream", "template_card", "stream_with_template_card"}),
    "refresh": frozenset({"stream", "stream_with_template_card"}),
    "enter": frozenset({"text", "template_card"}),
}


@dataclass(frozen=True, slots=True)
class StreamPart:
    """One word of a stream: the whole text so far, and whether it is the last."""

    id: str
    content: str
    finish: bool
    images: int
    feedback_id: str


def read_msgtype(body: Json, cause: str) -> str:
    """Return the type of an answer, if it is one that this callback may get."""
    msgtype = need_text(body, "msgtype")
    if msgtype not in ALLOWED.get(cause, ()):
        raise ApiError(BAD_TYPE, f"msgtype {msgtype} is no answer to {cause}")
    return msgtype


def read_stream(body: Json, expected_id: str) -> StreamPart:
    """Return the stream of an answer; `expected_id` is what was begun, "" before the first word."""
    stream = need_object(body, "stream")
    stream_id = need_text(stream, "id")
    if expected_id and stream_id != expected_id:
        raise ApiError(40058, "stream.id is not the stream that was asked about")
    finish = stream.get("finish", False)
    if not isinstance(finish, bool):
        raise ApiError(40058, "invalid parameter: stream.finish must be a boolean")
    content = check_bytes(read_text(stream, "content"), CONTENT_BYTES, "stream.content", TOO_LONG)
    images = read_objects(stream, "msg_item", MOST_IMAGES)
    if images and not finish:
        raise ApiError(40058, "stream.msg_item is allowed only with finish")
    for image in images:
        _check_image(image)
    return StreamPart(stream_id, content, finish, len(images), read_feedback_id(stream))


def read_feedback_id(owner: Json) -> str:
    """Return the id under which an answer can be judged; "" when it cannot."""
    feedback = owner.get("feedback")
    if feedback is None:
        return ""
    if not isinstance(feedback, dict):
        raise ApiError(40058, "invalid parameter: feedback must be an object")
    return check_bytes(read_text(feedback, "id"), FEEDBACK_ID_BYTES, "feedback.id", 40058)


def _check_image(item: Json) -> None:
    if item.get("msgtype") != "image":
        raise ApiError(BAD_TYPE, "stream.msg_item takes images only")
    image = need_object(item, "image")
    try:
        content = base64.b64decode(need_text(image, "base64"), validate=True)
    except binascii.Error as error:
        raise ApiError(40058, "stream.msg_item.image.base64 is not base64") from error
    if len(content) > IMAGE_BYTES:
        raise ApiError(TOO_LONG, "the image is larger than 10 MB")
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != need_text(image, "md5").lower():
        raise ApiError(40058, "stream.msg_item.image.md5 does not fit")


def read_card(body: Json) -> Json:
    """Return the card of an answer."""
    card = need_object(body, "template_card")
    check_template_card(card)
    return card


def read_update(body: Json, task_id: str, in_group: bool) -> tuple[Json, list[Any]]:
    """Return the new card of a press and for whom; no one named means all who see it."""
    if body.get("response_type") != "update_template_card":
        raise ApiError(BAD_TYPE, "the answer to a pressed card is update_template_card")
    card = need_object(body, "template_card")
    check_template_card(card, replacing=True)
    if card.get("task_id") != task_id:
        raise ApiError(42014, "the task_id is not that of the pressed card")
    users = body.get("userids") or []
    if not isinstance(users, list) or (users and not in_group):
        raise ApiError(40058, "userids is for groups only")
    return card, users
