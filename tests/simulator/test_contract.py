"""The reference page lists every route of the simulator and every API it offers."""

import re
from pathlib import Path

from fastapi.routing import APIRoute

from simulator import aibot_control, control, sdk
from simulator.api.dispatch import ENDPOINTS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "simulator.md"


def test_reference_page_lists_every_route() -> None:
    page = PAGE.read_text(encoding="utf-8")
    listed = set(re.findall(r"`((?:GET|POST|PUT|DELETE) /_(?:sim|sdk)/[^`]*)`", page))
    routes = {
        f"{method} {route.path}"
        for router in (control.router, aibot_control.router, sdk.router)
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    assert listed == routes


def test_reference_page_names_every_api() -> None:
    page = PAGE.read_text(encoding="utf-8")
    short = {name: name.split()[1].removeprefix("/cgi-bin/") for name in ENDPOINTS}
    tails = {name: re.sub(r"^(externalcontact|kf|msgaudit)/", "", path) for name, path in short.items()}
    assert [name for name, tail in tails.items() if f"{tail}`" not in page and f"{tail}?" not in page] == []
