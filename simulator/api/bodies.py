"""The bodies of app messages and group messages by msgtype: the documented checks, and the line a phone shows."""

from collections.abc import Callable, Mapping

from simulator.api.cards import check_template_card, check_textcard, show_template_card, show_textcard
from simulator.api.found_media import find_media
from simulator.api.params import check_bytes, cut_bytes, need_object, need_text, read_number, read_objects, read_text
from simulator.chats import Line
from simulator.errors import ApiError
from simulator.platform import Platform
from simulator.state import Json

TEXT_BYTES = 2048
URL_BYTES = 2048
ARTICLE_BYTES = 666 * 1024
MEDIA_TYPES = {"image": "[图片]", "voice": "[语音]", "file": "[文件]", "video": "[视频]"}
NEVER_SAFE = frozenset({"voice", "textcard", "markdown", "template_card", "miniprogram_notice"})
BodyReader = Callable[[Platform, Json], Line]


def read_body(platform: Platform, body: Json, readers: Mapping[str, BodyReader]) -> Line:
    """Check the content of a message against its msgtype and return what a phone shows.

    Raises:
        ApiError: 40008 for a msgtype that is not among `readers`, else what the content breaks.
    """
    msgtype = need_text(body, "msgtype")
    reader = readers.get(msgtype)
    if reader is None:
        raise ApiError(40008)
    check_safe(body, msgtype)
    return reader(platform, body)


def check_safe(body: Json, msgtype: str) -> None:
    """Refuse `safe` where a message type cannot be confidential."""
    safe = read_number(body, "safe", 0, 0, 2)
    if not safe:
        return
    if msgtype == "news":
        raise ApiError(40074)
    if msgtype in NEVER_SAFE or (safe == 2 and msgtype != "mpnews"):
        raise ApiError(40058, f"invalid parameter: safe {safe} with msgtype {msgtype}")


def check_url(fields: Json, name: str = "url") -> str:
    """Return a required address of at most 2048 bytes; 45034 without a scheme."""
    url = check_bytes(need_text(fields, name), URL_BYTES, name, 40058)
    if "://" not in url:
        raise ApiError(45034)
    return url


def read_text_body(_platform: Platform, body: Json) -> Line:
    """Read `text`: what is beyond 2048 bytes is cut, as the platform does."""
    return Line(cut_bytes(need_text(need_object(body, "text", 44004), "content", 44004), TEXT_BYTES))


def read_markdown(_platform: Platform, body: Json) -> Line:
    """Read `markdown`: more than 2048 bytes are refused."""
    content = need_text(need_object(body, "markdown", 44004), "content", 44004)
    return Line(check_bytes(content, TEXT_BYTES, "markdown.content"), "markdown")


def read_media(platform: Platform, body: Json) -> Line:
    """Read an image, voice, file or video: the media must be of that kind."""
    msgtype = body["msgtype"]
    content = need_object(body, msgtype)
    filename = find_media(platform, need_text(content, "media_id"), msgtype)
    if msgtype == "video":
        check_bytes(read_text(content, "title"), 128, "video.title", 40058)
        check_bytes(read_text(content, "description"), 512, "video.description", 40058)
    return Line(f"{MEDIA_TYPES[msgtype]}{filename}")


def read_textcard(_platform: Platform, body: Json) -> Line:
    """Read a `textcard`."""
    card = need_object(body, "textcard")
    check_textcard(card)
    check_url(card)
    return card_line(show_textcard(card))


def read_template_card(platform: Platform, body: Json) -> Line:
    """Read a `template_card`; a task_id may be used once."""
    card = need_object(body, "template_card")
    check_template_card(card)
    task_id = card.get("task_id")
    if task_id and platform.world.find_card_message(task_id) is not None:
        raise ApiError(42014, "task_id was used before")
    return card_line(show_template_card(card))


def read_news(_platform: Platform, body: Json) -> Line:
    """Read `news`: 1 to 8 articles, each with an address or a mini program."""
    articles = _read_articles(body, "news")
    for article in articles:
        check_bytes(need_text(article, "title"), 128, "title", 40058)
        check_bytes(read_text(article, "description"), 512, "description", 40058)
        if article.get("appid"):
            check_bytes(need_text(article, "pagepath"), 128, "pagepath", 40058)
        else:
            check_url(article)
    return _article_line(articles)


def read_mpnews(platform: Platform, body: Json) -> Line:
    """Read `mpnews`: 1 to 8 articles whose text the platform keeps."""
    articles = _read_articles(body, "mpnews")
    for article in articles:
        check_bytes(need_text(article, "title"), 128, "title", 40058)
        find_media(platform, need_text(article, "thumb_media_id"), "image")
        check_bytes(read_text(article, "author"), 64, "author", 45032)
        check_bytes(need_text(article, "content", 44004), ARTICLE_BYTES, "content")
        check_bytes(read_text(article, "digest"), 512, "digest", 40058)
    return _article_line(articles)


def _read_articles(body: Json, msgtype: str) -> list[Json]:
    articles = read_objects(need_object(body, msgtype), "articles", 8, 45008)
    if not articles:
        raise ApiError(45008)
    return articles


def _article_line(articles: list[Json]) -> Line:
    return Line("\n".join(f"[图文] {article['title']}" for article in articles))


def read_miniprogram_notice(_platform: Platform, body: Json) -> Line:
    """Read a `miniprogram_notice`: for named members only, 4 to 12 characters of title."""
    notice = need_object(body, "miniprogram_notice")
    if "@all" in read_text(body, "touser").split("|"):
        raise ApiError(40058, "invalid parameter: touser @all with msgtype miniprogram_notice")
    need_text(notice, "appid", 90200)
    if not isinstance(notice.get("page", ""), str):
        raise ApiError(90204)
    _check_length(need_text(notice, "title"), "title")
    if notice.get("description"):
        _check_length(read_text(notice, "description"), "description")
    facts = read_objects(notice, "content_item", 10, 90201)
    for fact in facts:
        _check_item(fact, "key", 10, 90202)
        _check_item(fact, "value", 30, 90203)
    rows = [f"{fact['key']}：{fact['value']}" for fact in facts]
    return Line("\n".join([f"[小程序] {notice['title']}", *rows]))


def _check_length(text: str, name: str) -> None:
    if not 4 <= len(text) <= 12:
        raise ApiError(40058, f"invalid parameter: {name} must have 4 to 12 characters")


def _check_item(fact: Json, name: str, most: int, errcode: int) -> None:
    if not 1 <= len(read_text(fact, name)) <= most:
        raise ApiError(errcode)


def card_line(view: Json) -> Line:
    """Return the line of a card, with its words as text."""
    text = "\n".join(part for part in (view["title"], view["description"]) if part)
    return Line(text, "card", view)


GROUP_BODIES: Mapping[str, BodyReader] = {
    "text": read_text_body,
    "markdown": read_markdown,
    "textcard": read_textcard,
    "news": read_news,
    "mpnews": read_mpnews,
    **dict.fromkeys(MEDIA_TYPES, read_media),
}
APP_BODIES: Mapping[str, BodyReader] = {
    **GROUP_BODIES,
    "template_card": read_template_card,
    "miniprogram_notice": read_miniprogram_notice,
}
