"""What each function sends is as the catalogue says, and it reads answers with all keys and with the required ones."""

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import bot
import bot.wecom.api
from bot.wecom import contacts, groupsend
from tests.bot.contract.examples import EXAMPLES, Example
from tests.bot.contract.recorder import Recorder, connect
from tests.bot.contract.ways import WAYS
from tests.contracts.catalogue import check_request, list_apis

_API = re.compile(r"(?:GET|POST) /cgi-bin/[\w/]+")
_GET_TOKEN = "GET /cgi-bin/gettoken"


async def run(example: Example, recorder: Recorder) -> None:
    async with connect(recorder) as client:
        result = example.function(client, *example.args, **example.kwargs)
        if isinstance(result, AsyncIterator):
            async for _ in result:
                pass
        elif isinstance(result, Awaitable):
            await result


def list_problems(recorder: Recorder) -> list[str]:
    return [
        f"{request.api}: {problem}"
        for request in recorder.requests
        for problem in check_request(request.api, request.params, request.body)
    ]


@pytest.mark.parametrize("full_answer", [True, False], ids=["full answer", "least answer"])
@pytest.mark.parametrize(
    "example", EXAMPLES, ids=lambda example: f"{example.name}-{'full' if example.full else 'least'}"
)
async def test_request_is_as_the_catalogue_says_and_its_answer_is_read(example: Example, full_answer: bool) -> None:
    recorder = Recorder(full_answer)
    await run(example, recorder)
    assert recorder.calls
    assert list_problems(recorder) == []


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
async def test_each_way_of_sending_keeps_to_the_catalogue(way: Any) -> None:
    recorder = Recorder(full=True)
    async with connect(recorder) as client:
        await way.send(client)
    assert recorder.calls
    assert list_problems(recorder) == []


def list_api_functions() -> list[Callable[..., Any]]:
    """List the public functions that call the platform."""
    names = {name for _, name, _ in pkgutil.iter_modules(bot.wecom.api.__path__, "bot.wecom.api.")}
    modules = [importlib.import_module(name) for name in sorted(names - {"bot.wecom.api.calls"})]
    return [
        function
        for module in (*modules, contacts, groupsend)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and next(iter(inspect.signature(function).parameters), "") == "client"
    ]


@pytest.mark.parametrize("function", list_api_functions(), ids=lambda f: f"{f.__module__}.{f.__name__}")
def test_every_function_has_a_full_and_a_minimal_example(function: Callable[..., Any]) -> None:
    sizes = {example.full for example in EXAMPLES if example.function is function}
    assert sizes == {True, False}


async def test_every_api_named_in_the_product_has_an_example() -> None:
    called: set[str] = set()
    for example in EXAMPLES:
        recorder = Recorder(full=True)
        await run(example, recorder)
        called |= {request.api for request in recorder.requests}
    for way in WAYS:
        recorder = Recorder(full=True)
        async with connect(recorder) as client:
            await way.send(client)
        called |= {request.api for request in recorder.requests}
    named = set(list_named_apis())
    assert named <= set(list_apis()), "not in the catalogue"
    assert named - called - {RESPONSE_URL} == set()


# Never sent to a path of ours: the address comes with the message (08, 8.3). See test_aibot_bodies.
RESPONSE_URL = "POST /cgi-bin/aibot/response"


def list_named_apis() -> Iterator[str]:
    """Yield every API named by a string in the product's sources, limits and patterns left out."""
    for path in Path(bot.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _API.fullmatch(node.value):
                yield node.value
