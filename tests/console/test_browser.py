"""The pages in a real browser: clean console, no foreign request, no accessibility finding, and the keys work."""

import asyncio
import gzip
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, Response, async_playwright, expect

from bot.storage.database import Database
from console.app import create_console
from console.auth.sessions import do_end_sessions_of
from tests.console.world import (
    World,
    give_a_todo,
    handle_message,
    make_world,
    offer_a_reply,
    open_a_case,
    open_another_case,
    plan_a_broadcast,
    send_card,
)

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, PHONE = (1440, 900), (390, 844)
MOST_BYTES = 20_000
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Chromium; .ci/run installs it"),
]

_NOTE_VIOLATIONS = (
    "window.violations = [];"
    "document.addEventListener('securitypolicyviolation', e => window.violations.push(e.violatedDirective));"
)


@dataclass(slots=True)
class Site:
    """The console on a port, with a browser to look at it."""

    world: World
    url: str
    browser: Browser
    broadcast: str = ""
    problems: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def open(
        self,
        staff_id: str | None,
        size: tuple[int, int] = WIDE,
        *,
        language: str = "zh",
        dark: bool = False,
        script: bool = True,
    ) -> AsyncIterator[Page]:
        """Give a page of a fresh browser, logged in; what the browser complains about is gathered."""
        context = await self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
        )
        page = await context.new_page()
        await page.add_init_script(_NOTE_VIOLATIONS)
        self._listen(context, page)
        await page.goto(f"{self.url}/login?lang={language}")
        if staff_id:
            await page.get_by_test_id(f"enter-{staff_id}").click()
            await page.get_by_test_id("greeting").wait_for()
        yield page
        await context.close()

    def _listen(self, context: BrowserContext, page: Page) -> None:
        def on_request(url: str) -> None:
            if not url.startswith((self.url, "data:")):
                self.problems.append(f"foreign request {url}")

        context.on("request", lambda request: on_request(request.url))
        page.on("pageerror", lambda error: self.problems.append(f"{page.url}: {error}"))
        page.on(
            "console",
            lambda line: (
                self.problems.append(f"{page.url}: {line.text}") if line.type in {"error", "warning"} else None
            ),
        )

    async def check(self, page: Page, answer: Response | None = None) -> None:
        """Assert that the page as it stands is clean."""
        assert self.problems == []
        assert await page.evaluate("window.violations") == []
        found = await Axe().run(page)
        grave = [item for item in found.response["violations"] if item["impact"] in {"serious", "critical"}]
        assert grave == [], [(item["id"], item["nodes"][0]["html"][:200]) for item in grave]
        width = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert width <= 0, f"{page.url} is wider than the screen by {width}"
        if answer is not None:
            assert len(gzip.compress(await answer.body())) < MOST_BYTES, page.url


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """The console with something on every page, on a port of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    db = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'browser.db'}")
    await db.create_all()
    world = await make_world(db)
    world.services = replace(world.services, public_url=f"http://127.0.0.1:{port}")
    await open_a_case(world)
    await open_another_case(world)
    await give_a_todo(world)
    await offer_a_reply(world)
    await send_card(world)
    await handle_message(world, "app:1")
    await handle_message(world, "app:2", blocked=True)
    broadcast = await plan_a_broadcast(world)
    config = uvicorn.Config(
        create_console(world.services), port=port, log_level="error", timeout_graceful_shutdown=1, ws="none"
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.02)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield Site(world, config_url(port), browser, broadcast)
        await browser.close()
    server.should_exit = True
    await running
    await world.services.http.aclose()
    await world.platform.close()
    await db.close()


def config_url(port: int) -> str:
    """Return the address on this machine."""
    return f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("size", "language", "dark"),
    [(WIDE, "zh", False), (PHONE, "zh", True), (WIDE, "en", True), (PHONE, "en", False)],
    ids=["wide-zh-light", "phone-zh-dark", "wide-en-dark", "phone-en-light"],
)
async def test_every_page_is_clean(site: Site, size: tuple[int, int], language: str, dark: bool) -> None:
    pages = {
        "rm001": [
            "/",
            "/simulator?msg=app:1",
            "/simulator?as=group&msg=app:2",
            "/simulator?as=owner",
            "/scripts",
            "/scripts/S-0001",
            "/broadcasts",
            f"/broadcasts/{site.broadcast}",
            "/sidebar/reply/sug_0001",
        ],
        "co001": ["/", "/review", "/audit?verify=true"],
        "ad001": ["/", "/groups", "/channels", "/health"],
    }
    for staff_id, paths in pages.items():
        async with site.open(staff_id, size, language=language, dark=dark) as page:
            for path in paths:
                answer = await page.goto(site.url + path)
                await site.check(page, answer)
            if staff_id == "co001":
                await page.goto(f"{site.url}/review")
                await page.get_by_test_id("queue").get_by_role("link").filter(has_text="李娜").first.click()
                await page.get_by_test_id("verdict-form").wait_for()
                await site.check(page, await page.reload())
    async with site.open(None, size, language=language, dark=dark) as page:
        await site.check(page)


async def test_words_are_sent_with_enter_but_not_while_an_input_method_composes(site: Site) -> None:
    async with site.open("rm001") as page:
        await page.goto(f"{site.url}/simulator")
        field_ = page.get_by_label("消息", exact=True)
        await field_.focus()
        session = await page.context.new_cdp_session(page)
        await session.send("Input.imeSetComposition", {"text": "nihao", "selectionStart": 5, "selectionEnd": 5})
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("waiting")).to_have_count(0)
        await session.send("Input.imeSetComposition", {"text": "", "selectionStart": 0, "selectionEnd": 0})
        await field_.fill("客户问大额存单怎么说")
        await field_.press("Enter")
        await expect(page.get_by_test_id("chat")).to_contain_text("客户问大额存单怎么说")
        await expect(field_).to_have_value("")
        await expect(field_).to_be_focused()
        await expect(page.get_by_test_id("waiting")).to_be_visible()
        msg = page.url.split("msg=")[1].replace("%3A", ":")
        await handle_message(site.world, msg)
        await expect(page.get_by_test_id("step-delivery")).to_be_visible()
        await site.check(page)


async def test_suggestions_fill_the_field(site: Site) -> None:
    async with site.open("rm001") as page:
        await page.goto(f"{site.url}/simulator")
        await page.get_by_text("查一下王芳", exact=True).click()
        await expect(page.get_by_label("消息", exact=True)).to_have_value("查一下王芳")


async def test_simulator_works_without_script(site: Site) -> None:
    async with site.open("rm001", script=False) as page:
        await page.goto(f"{site.url}/simulator")
        await page.get_by_text("查一下王芳", exact=True).click()
        await page.get_by_test_id("send").click()
        await expect(page.get_by_test_id("chat")).to_contain_text("查一下王芳")


async def test_cases_are_decided_with_keys_and_taken_back(site: Site) -> None:
    async with site.open("co001") as page:
        await page.goto(f"{site.url}/review")
        lines = page.get_by_test_id("queue").locator(".case-list a")
        await expect(lines).to_have_count(2)
        await lines.first.click()
        await page.get_by_test_id("verdict-form").wait_for()
        first = page.url
        await page.keyboard.press("1")
        await expect(page.get_by_test_id("case-problem")).to_contain_text("请选择误报的原因")
        site.problems.clear()  # the browser notes the 422, as it should
        await page.get_by_label("误报原因").select_option("quotation")
        await page.get_by_test_id("case").get_by_role("heading").first.click()
        await page.keyboard.press("1")
        await expect(lines).to_have_count(1)
        await expect(page.locator(".toast")).to_contain_text("结论已记录")
        assert page.url != first
        await expect(page.get_by_test_id("verdict-form")).to_be_visible()
        await page.keyboard.press("u")
        await page.wait_for_url(first)
        await expect(lines).to_have_count(2)
        await site.check(page)


async def test_reply_is_checked_while_it_is_edited_and_then_sent(site: Site) -> None:
    async with site.open("rm001", PHONE) as page:
        await page.goto(f"{site.url}/sidebar/reply/sug_0001")
        text = page.get_by_test_id("reply-text")
        await text.fill("这款理财保本保息")
        await expect(page.get_by_test_id("check")).to_contain_text("还不能发")
        await page.get_by_test_id("use-rewritten").click()
        await expect(page.get_by_test_id("check")).to_contain_text("可以发")
        await site.check(page)
        await page.get_by_test_id("send").click()
        await expect(page.get_by_test_id("done")).to_be_visible()


async def test_search_follows_what_is_typed(site: Site) -> None:
    async with site.open("rm001") as page:
        await page.goto(f"{site.url}/scripts")
        await page.keyboard.press("/")
        await page.keyboard.type("zzz")
        await expect(page.get_by_test_id("empty")).to_be_visible()
        await page.get_by_label("搜索话术").fill("大额存单")
        await expect(page.get_by_test_id("scripts")).to_contain_text("大额存单")


async def test_expired_login_keeps_what_was_written(site: Site) -> None:
    async with site.open("rm001") as page:
        await page.goto(f"{site.url}/simulator")
        async with site.world.db.transaction() as tx:
            await do_end_sessions_of(tx, "rm001")
        draft = page.get_by_label("消息", exact=True)
        await draft.fill("写了一半的话")
        await draft.press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text("登录已过期")
        await expect(draft).to_have_value("写了一半的话")
