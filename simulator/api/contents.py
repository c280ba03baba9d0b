"""What welcome messages, broadcasts and group welcome templates carry: text and attachments (05, 5.4)."""

from simulator.api.found_media import find_media
from simulator.api.params import check_bytes, need_object, need_text, read_objects, read_text
from simulator.errors import ApiError
from simulator.platform import Platform
from simulator.state import Json

CONTENT_BYTES = 4000
MOST_ATTACHMENTS = 9
ATTACHMENTS = ("image", "link", "miniprogram", "file", "video")  # in the order in which the platform prefers them


def read_content(platform: Platform, body: Json) -> tuple[str, list[Json]]:
    """Return text and attachments of a welcome or broadcast after the documented checks."""
    text = read_content_text(body, CONTENT_BYTES)
    attachments = read_objects(body, "attachments", MOST_ATTACHMENTS)
    if not text and not attachments:
        raise ApiError(40063, "text and attachments are both empty")
    for attachment in attachments:
        msgtype = need_text(attachment, "msgtype")
        if msgtype not in ATTACHMENTS:
            raise ApiError(41065)
        check_attachment(platform, msgtype, need_object(attachment, msgtype))
    return text, attachments


def read_content_text(body: Json, most_bytes: int) -> str:
    """Return `text.content`, "" when there is none."""
    if not body.get("text"):
        return ""
    return check_bytes(read_text(need_object(body, "text"), "content"), most_bytes, "text.content")


def check_attachment(platform: Platform, msgtype: str, content: Json) -> None:
    """Refuse an attachment that lacks a part, is too long, or whose media cannot be used."""
    if msgtype == "link":
        check_bytes(need_text(content, "title"), 128, "link.title", 40058)
        check_bytes(read_text(content, "desc"), 512, "link.desc", 40058)
        need_text(content, "url")
    elif msgtype == "miniprogram":
        check_bytes(need_text(content, "title"), 64, "miniprogram.title", 40058)
        need_text(content, "appid")
        need_text(content, "page")
        find_media(platform, need_text(content, "pic_media_id"), "image")
    elif msgtype != "image" or content.get("media_id") or not content.get("pic_url"):
        find_media(platform, need_text(content, "media_id"), msgtype)
