"""What a kf message may hold, and how a phone shows it (07, 7.3)."""

from collections.abc import Callable, Mapping

from simulator.api.cards import check_menu, show_menu
from simulator.api.found_media import find_media
from simulator.api.params import check_bytes, cut_bytes, need_object, need_text, read_text
from simulator.chats import Line
from simulator.errors import ApiError
from simulator.kf_desk import LABELS, MEDIA_LABELS
from simulator.platform import Platform
from simulator.state import Json

TEXT_BYTES = 2048
TEXT_AND_MENU = frozenset({"text", "msgmenu"})
MINIPROGRAM_ITEMS = 10
DEGREES = {"latitude": 90, "longitude": 180}


def read_content(platform: Platform, body: Json, allowed: frozenset[str] | None) -> Line:
    """Return the line a phone shows of a request's content.

    Raises:
        ApiError: 40008 for a type that is none or not `allowed`, otherwise what its check says.
    """
    msgtype = need_text(body, "msgtype")
    read = READERS.get(msgtype)
    if read is None or (allowed is not None and msgtype not in allowed):
        raise ApiError(40008)
    return read(platform, need_object(body, msgtype, 44004 if msgtype == "text" else 40063))


def _text(_: Platform, text: Json) -> Line:
    return Line(cut_bytes(need_text(text, "content", 44004), TEXT_BYTES))


def _menu(_: Platform, menu: Json) -> Line:
    check_menu(menu)
    items = menu.get("list") or []
    if sum(item["type"] == "miniprogram" for item in items) > MINIPROGRAM_ITEMS:
        raise ApiError(40058, "invalid parameter: msgmenu.list has more than 10 miniprogram items")
    for item in items:
        entry = item[item["type"]]
        if item["type"] == "view":
            need_text(entry, "url")
        if item["type"] == "miniprogram":
            need_text(entry, "appid")
            need_text(entry, "pagepath")
    view = show_menu(menu)
    return Line(view["title"], "card", view)


def _media(kind: str) -> Callable[[Platform, Json], Line]:
    def read(platform: Platform, media: Json) -> Line:
        return Line(MEDIA_LABELS[kind] + find_media(platform, need_text(media, "media_id"), kind))

    return read


def _link(platform: Platform, link: Json) -> Line:
    title = check_bytes(need_text(link, "title"), 128, "title")
    check_bytes(read_text(link, "desc"), 512, "desc")
    check_bytes(need_text(link, "url"), 2048, "url")
    find_media(platform, need_text(link, "thumb_media_id"), "image")
    return Line(f"{LABELS['link']}{title}")


def _miniprogram(platform: Platform, program: Json) -> Line:
    need_text(program, "appid")
    need_text(program, "pagepath")
    find_media(platform, need_text(program, "thumb_media_id"), "image")
    return Line(f"{LABELS['miniprogram']}{check_bytes(need_text(program, 'title'), 64, 'title')}")


def _location(_: Platform, place: Json) -> Line:
    for name, most in DEGREES.items():
        value = place.get(name)
        if value is None:
            raise ApiError(40063, f"missing: {name}")
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > most:
            raise ApiError(40058, f"invalid parameter: {name}")
    return Line(f"{LABELS['location']}{need_text(place, 'name')}{read_text(place, 'address')}")


def _business_card(platform: Platform, card: Json) -> Line:
    member = platform.world.find_member(need_text(card, "userid"))
    if member is None:
        raise ApiError(40003)
    return Line(f"{LABELS['business_card']}{member.name}")


def _ca_link(_: Platform, link: Json) -> Line:
    return Line(f"[获客链接] {check_bytes(need_text(link, 'link_url'), 2048, 'link_url')}")


READERS: Mapping[str, Callable[[Platform, Json], Line]] = {
    "text": _text,
    "msgmenu": _menu,
    **{kind: _media(kind) for kind in MEDIA_LABELS},
    "link": _link,
    "miniprogram": _miniprogram,
    "location": _location,
    "business_card": _business_card,
    "ca_link": _ca_link,
}
