"""Who may open which page."""

from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from bot.errors import Forbidden
from bot.ids import StaffId
from console.app import create_console
from console.auth.models import Surface
from console.auth.sessions import Principal
from console.health import HealthReport
from console.rights import Right, Role
from console.routing import Needs
from tests.console.world import World

PAGES = {
    "/": {"rm001", "co001", "ad001"},
    "/simulator": {"rm001", "co001", "ad001"},
    "/scripts": {"rm001", "co001", "ad001"},
    "/scripts/S-0001": {"rm001", "co001", "ad001"},
    "/broadcasts": {"rm001", "co001", "ad001"},
    "/review": {"co001"},
    "/audit": {"co001", "ad001"},
    "/health": {"ad001"},
}


def _routes(app: FastAPI) -> list[APIRoute]:
    found: list[APIRoute] = []

    def walk(routes: Any) -> None:
        for route in routes:
            if isinstance(route, APIRoute):
                found.append(route)
            elif hasattr(route, "original_router"):
                walk(route.original_router.routes)

    walk(app.routes)
    return found


async def test_every_route_names_the_right_it_needs(world: World) -> None:
    routes = _routes(create_console(world.services))
    assert len(routes) > 20
    for route in routes:
        rights = [one.dependency.right for one in route.dependencies if isinstance(one.dependency, Needs)]
        assert len(rights) == 1, route.path


@pytest.mark.parametrize("staff_id", ["rm001", "co001", "ad001"])
async def test_pages_open_for_the_roles_that_have_the_right_and_no_other(world: World, staff_id: str) -> None:
    client = await world.login(staff_id)
    for path, allowed in PAGES.items():
        answer = await client.get(path)
        assert answer.status_code == (200 if staff_id in allowed else 403), (staff_id, path)
        if answer.status_code == 403:
            assert "您没有这个权限" in answer.text


async def test_pages_send_a_stranger_to_the_login_and_back(world: World) -> None:
    for path in PAGES:
        answer = await world.client().get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login")


async def test_a_fragment_asked_for_without_login_gets_401_instead_of_a_login_page(world: World) -> None:
    answer = await world.client().get("/review", headers={"X-Fragment": "queue"})
    assert answer.status_code == 401


async def test_an_unknown_address_is_told_in_words(world: World) -> None:
    client = await world.login("rm001")
    answer = await client.get("/nothing-here")
    assert answer.status_code == 404
    assert "没有找到" in answer.text


async def test_every_answer_carries_the_security_headers(world: World) -> None:
    for path in ("/login", "/healthz", "/nothing"):
        headers = (await world.client().get(path)).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"


async def test_a_failure_of_ours_is_a_page_without_its_reason(world: World) -> None:
    async def health() -> HealthReport:
        raise RuntimeError("a secret reason")

    world.services = replace(world.services, health=health)
    answer = await world.client().get("/healthz")
    assert answer.status_code == 500
    assert "secret reason" not in answer.text
    assert "系统出错了" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_side_bar_session_opens_nothing_else() -> None:
    principal = Principal(StaffId("rm001"), "李娜", Role.RM, "", "x", surface=Surface.SIDEBAR)
    assert principal.has(Right.SEND_REPLIES)
    assert not principal.has(Right.READ_SCRIPTS)
    with pytest.raises(Forbidden):
        principal.check(Right.SIMULATE)


async def test_static_files_may_be_kept_for_ever_under_their_hash(world: World) -> None:
    client = world.client()
    page = (await client.get("/login")).text
    address = page.split('<script src="')[1].split('"')[0]
    answer = await client.get(address)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert (await client.get("/static/old/app.js")).headers["cache-control"] == "no-cache"
    assert (await client.get("/static/old/secrets.txt")).status_code == 404
