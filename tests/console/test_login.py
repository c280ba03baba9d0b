"""Login, lock-out, sessions, and posts that do not come from our own page."""

from datetime import timedelta

import pytest
from sqlmodel import select

from bot.storage.database import Database
from console.auth.demo import DEMO_PASSWORD
from console.auth.local import FAILURES_ALLOWED, LOCK_TIME, do_put_account
from console.auth.models import AccountRow, LoginSessionRow
from console.auth.sessions import ABSOLUTE_LIMIT, IDLE_LIMIT
from console.rights import Role
from console.routes.account import safe_next
from tests.console.world import BASE, World, add_officer, make_world


async def test_right_password_opens_the_page_that_was_wanted(world: World) -> None:
    client = world.client()
    answer = await client.post("/login", data={"staff_id": "co001", "password": DEMO_PASSWORD, "next": "/review"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/review"
    assert (await client.get("/review")).status_code == 200


async def test_wrong_password_and_unknown_name_are_told_the_same(world: World) -> None:
    client = world.client()
    answers = [
        await client.post("/login", data={"staff_id": staff_id, "password": "wrong"})
        for staff_id in ("co001", "nobody")
    ]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert all("工号或密码不对" in answer.text for answer in answers)
    assert not any("set-cookie" in answer.headers for answer in answers)


async def test_account_is_locked_after_wrong_passwords_and_opens_again_later(world: World) -> None:
    client = world.client()
    for _ in range(FAILURES_ALLOWED):
        answer = await client.post("/login", data={"staff_id": "co001", "password": "wrong"})
    assert "账号已锁定" in answer.text
    right = {"staff_id": "co001", "password": DEMO_PASSWORD}
    assert (await world.client().post("/login", data=right)).status_code == 422
    world.clock.advance(LOCK_TIME + timedelta(seconds=1))
    assert (await client.post("/login", data=right)).status_code == 303


async def test_session_ends_when_idle(world: World) -> None:
    client = await world.login("rm001")
    world.clock.advance(IDLE_LIMIT - timedelta(seconds=1))
    assert (await client.get("/")).status_code == 200
    world.clock.advance(IDLE_LIMIT - timedelta(seconds=1))
    assert (await client.get("/")).status_code == 200
    world.clock.advance(IDLE_LIMIT)
    assert (await client.get("/")).status_code == 303


async def test_session_ends_at_last_however_busy(world: World) -> None:
    client = await world.login("rm001")
    step = timedelta(minutes=20)
    for _ in range(int(ABSOLUTE_LIMIT / step) - 1):
        world.clock.advance(step)
        assert (await client.get("/healthz")).status_code in {200, 503}
        assert (await client.get("/login/done")).status_code == 200
    world.clock.advance(step)
    assert (await client.get("/")).status_code == 303


async def test_logout_ends_the_session_on_every_node(world: World) -> None:
    here = await world.login("rm001")
    there = world.client()
    there.cookies.set("rm_session", here.cookies["rm_session"])
    assert (await there.get("/")).status_code == 200
    assert (await here.post("/logout")).status_code == 303
    assert (await there.get("/")).status_code == 303


async def test_a_new_role_ends_what_was_open(world: World) -> None:
    client = await world.login("co001")
    async with world.db.transaction() as tx:
        await do_put_account(
            tx,
            staff_id="co001",
            name="周敏",
            role=Role.ADMIN,
            position="总行",
            password="another-password",
            now=world.clock.now(),
        )
    assert (await client.get("/review")).status_code == 303


async def test_the_token_is_nowhere_in_the_database(world: World) -> None:
    client = await world.login("rm001")
    token = client.cookies["rm_session"].rpartition(".")[0]
    async with world.db.reading() as tx:
        rows = (await tx.exec(select(LoginSessionRow))).all()
    assert len(rows) == 1
    assert token not in rows[0].token_sha256


async def test_a_forged_cookie_is_nobody(world: World) -> None:
    client = world.client()
    client.cookies.set("rm_session", "forged.signature")
    assert (await client.get("/")).status_code == 303


CSRF_CASES: list[tuple[dict[str, str], int]] = [
    ({"Origin": BASE}, 303),
    ({"Origin": "https://elsewhere.example"}, 403),
    ({"Origin": ""}, 403),
    ({"Origin": BASE, "Sec-Fetch-Site": "cross-site"}, 403),
    ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 303),
    ({"Origin": BASE, "X-CSRF-Token": "wrong"}, 403),
]


async def test_a_post_counts_only_from_our_own_page(world: World) -> None:
    client = await world.login("rm001")
    for headers, status in CSRF_CASES:
        answer = await client.post("/settings", data={"theme": "dark"}, headers=headers)
        assert answer.status_code == status, headers


async def test_the_token_of_the_page_is_good_for_a_post(world: World) -> None:
    client = await world.login("rm001")
    token = (await client.get("/")).text.split('name="csrf-token" content="')[1].split('"')[0]
    answer = await client.post("/settings", data={"theme": "dark"}, headers={"Origin": "", "X-CSRF-Token": token})
    assert answer.status_code == 303
    other = await world.login("co001")
    answer = await other.post("/settings", data={"theme": "dark"}, headers={"X-CSRF-Token": token})
    assert answer.status_code == 403


async def test_demo_entrance_and_password_do_not_exist_outside_the_demo(db: Database) -> None:
    world = await make_world(db, demo=False, public_url="https://console.test")
    client = world.client(Origin="https://console.test")
    page = await client.get("/login")
    assert DEMO_PASSWORD not in page.text
    assert "以 李娜 的身份进入" not in page.text
    assert (await client.post("/login/demo", data={"staff_id": "rm001"})).status_code == 404
    answer = await client.post("/login", data={"staff_id": "co001", "password": DEMO_PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-rm_session=")
    assert "Secure" in cookie
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()


async def test_outside_the_demo_only_the_configured_origin_is_ours(db: Database) -> None:
    world = await make_world(db, demo=False, public_url="https://console.bank.example")
    answer = await world.client().post("/login", data={"staff_id": "co001", "password": "x"})
    assert answer.status_code == 403


async def test_language_and_theme_stay_with_the_account(world: World) -> None:
    client = await world.login("co001")
    await client.post("/settings", data={"lang": "en", "next": "/review?lang=zh"})
    await client.post("/settings", data={"theme": "dark"})
    elsewhere = await world.login("co001")
    page = (await elsewhere.get("/")).text
    assert 'lang="en"' in page
    assert 'data-theme="dark"' in page
    async with world.db.reading() as tx:
        account = await tx.get(AccountRow, "co001")
    assert account is not None
    assert (account.language, account.theme) == ("en", "dark")


async def test_another_officer_logs_in_with_a_password_of_their_own(world: World) -> None:
    await add_officer(world, "co002")
    client = world.client()
    answer = await client.post("/login", data={"staff_id": "co002", "password": "another-password"})
    assert answer.status_code == 303
    assert "吴刚" in (await client.get("/")).text


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("/review?tab=mine", "/review?tab=mine"),
        ("https://elsewhere.example/", "/"),
        ("//elsewhere.example/", "/"),
        ("/\\elsewhere.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_login_leads_only_to_our_own_pages(given: str, used: str) -> None:
    assert safe_next(given) == used
