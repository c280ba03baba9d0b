"""Every text has English, and an English page shows Chinese only where it is people's own words."""

import re
from html.parser import HTMLParser

import pytest
from babel.messages.pofile import read_po

from console.i18n import load_catalogue
from tests.console.extraction import CHINESE, ROOT, iter_messages
from tests.console.world import (
    World,
    give_a_todo,
    handle_message,
    offer_a_reply,
    open_a_case,
    plan_a_broadcast,
    send_card,
)

_PLACES = re.compile(r"%\((\w+)\)s")


def test_every_text_has_english() -> None:
    catalogue = load_catalogue("en")
    missing = [text for text in iter_messages() if catalogue.gettext(text) == text]
    assert missing == []


def test_english_keeps_the_places_for_values() -> None:
    catalogue = load_catalogue("en")
    for text in iter_messages():
        assert set(_PLACES.findall(text)) == set(_PLACES.findall(catalogue.gettext(text))), text


def test_catalogue_has_no_text_that_nobody_uses() -> None:
    used = set(iter_messages())
    with (ROOT / "i18n/en/LC_MESSAGES/messages.po").open("rb") as file:
        unused = [message.id for message in read_po(file) if message.id and message.id not in used]
    assert unused == []


class _OurWords(HTMLParser):
    """Collects text and readable attributes outside elements marked as Chinese."""

    VOID = frozenset({"meta", "link", "input", "br", "img", "path", "rect"})

    def __init__(self) -> None:
        super().__init__()
        self.chinese_depth = 0
        self.stack: list[bool] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        is_theirs = values.get("lang") == "zh-CN" or "aria-hidden" in values
        if not (is_theirs or self.chinese_depth):
            for name in ("aria-label", "title", "placeholder", "alt", "data-confirm", "data-undo", "data-offline"):
                self._keep(values.get(name))
        if tag not in self.VOID:
            self.stack.append(is_theirs)
            self.chinese_depth += is_theirs

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID and self.stack:
            self.chinese_depth -= self.stack.pop()

    def handle_data(self, data: str) -> None:
        if not self.chinese_depth:
            self._keep(data)

    def _keep(self, text: str | None) -> None:
        if text and CHINESE.search(text):
            self.found.append(text.strip())


@pytest.mark.parametrize("staff_id", ["rm001", "co001", "ad001"])
async def test_english_pages_show_chinese_only_in_peoples_own_words(world: World, staff_id: str) -> None:
    await open_a_case(world)
    await give_a_todo(world)
    broadcast = await plan_a_broadcast(world)
    suggestion = await offer_a_reply(world)
    await send_card(world)
    await handle_message(world, "app:1")
    await handle_message(world, "app:2", blocked=True)
    client = await world.login(staff_id)
    paths = ["/login?lang=en", "/", "/simulator?msg=app:1,app:2", "/simulator?as=owner", "/simulator?as=group&find=x"]
    paths += ["/scripts", "/scripts/S-0001", "/broadcasts", f"/broadcasts/{broadcast}", "/review", "/audit?verify=true"]
    paths += ["/health", f"/sidebar/reply/{suggestion}", "/nothing"]
    case = re.search(r"/review/case_[0-9a-z]+", (await client.get("/review")).text)
    paths += [case.group()] if case else []
    for path in paths:
        reader = _OurWords()
        reader.feed((await client.get(path, params=None if "?" in path else {"lang": "en"})).text)
        assert reader.found == [], path
