"""The binding by itself, in this process: every pointer that was given out comes back, whatever happens."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from bot.finance.library import FinanceSdk, LibraryUnusable, Route, SdkReturned, load_library
from simulator.config import DEMO_ARCHIVE_SECRET, DEMO_CORP_ID
from tests.bot.finance.conftest import Archive, compiled

COUNTERS = ("FakeLiveSdks", "FakeLiveSlices", "FakeLiveMedia", "FakeLiveBuffers")


def not_given_back(library: Any) -> dict[str, int]:
    return {name: int(getattr(library, name)()) for name in COUNTERS}


def an_sdk(secret: str = DEMO_ARCHIVE_SECRET) -> FinanceSdk:
    return FinanceSdk(str(compiled()), DEMO_CORP_ID, secret, Route(timeout_seconds=5))


async def blocking(work: Callable[[], Any]) -> Any:
    """The library blocks, and the simulator it asks runs in this loop."""
    return await asyncio.to_thread(work)


async def test_nothing_leaks_over_calls_that_succeed_and_calls_that_fail(archive: Archive) -> None:
    said = await archive.do("records", {"msgtype": "file"})
    await archive.say("坏的", broken="cipher")
    file_id = said["record"]["file"]["sdkfileid"]
    library = load_library(str(compiled()))

    def work() -> None:
        with an_sdk() as sdk:
            for _ in range(50):
                assert json.loads(sdk.chat_data(0, 10))["errcode"] == 0
                assert sdk.media_part(file_id, "").finished
                for failing in (
                    lambda: sdk.chat_data(0, 0),
                    lambda: sdk.decrypt("0" * 64, "AAAA"),
                    lambda: sdk.decrypt("", ""),
                    lambda: sdk.media_part("none", ""),
                    lambda: sdk.media_part(file_id, "?"),
                    lambda: sdk.media_part("", ""),
                ):
                    with pytest.raises(SdkReturned):
                        failing()
            assert not_given_back(library) == {**dict.fromkeys(COUNTERS, 0), "FakeLiveSdks": 1}

    await blocking(work)
    assert not_given_back(library) == dict.fromkeys(COUNTERS, 0)


def test_a_refused_login_gives_the_handle_back() -> None:
    library = load_library(str(compiled()))
    with pytest.raises(SdkReturned) as raised:
        an_sdk(secret="")
    assert raised.value.ret == 10000
    assert not_given_back(library) == dict.fromkeys(COUNTERS, 0)


async def test_lengths_are_believed_and_not_a_closing_nul(archive: Archive) -> None:
    """The fake puts '#' behind what it hands out: whoever reads up to a NUL reads that, and more."""
    said = await archive.do("records", {"msgtype": "file", "file_base64": "AAECAAM="})

    def work() -> bytes:
        with an_sdk() as sdk:
            json.loads(sdk.chat_data(0, 10))
            return sdk.media_part(said["record"]["file"]["sdkfileid"], "").data

    assert await blocking(work) == bytes([0, 1, 2, 0, 3])


def test_closing_twice_does_no_harm() -> None:
    sdk = an_sdk()
    sdk.close()
    with suppress(SdkReturned):
        sdk.close()


def test_another_library_is_not_taken_for_this_one() -> None:
    with pytest.raises(LibraryUnusable, match="NewSdk"):
        load_library("libc.so.6")
