"""The archive through the compiled library: pages, keys, files, return values, and a child that fails."""

import asyncio
import base64
import hashlib
import os
import signal
from pathlib import Path

import httpx
import pytest

from bot.errors import PlatformError, PlatformMisconfigured, PlatformUnavailable, RateLimited
from bot.finance.downloads import MediaCorrupt, download_file
from bot.finance.process import ChildLimits
from bot.finance.source import RET_LIBRARY_DIED, LibraryConfig, NativeArchiveSource, open_archive_source
from bot.settings import ArchiveSettings, WeComSettings
from bot.wecom.archive import HttpArchiveSource, MediaChunk, MediaSource, RecordUndecryptable
from simulator.config import DEMO_ARCHIVE_SECRET, DEMO_CORP_ID
from tests.bot.finance.conftest import (
    CRASH_SEQ,
    HANG_SEQ,
    Archive,
    a_source,
    compiled,
    opened,
    public_pem,
)

CHUNK = 512 * 1024
ODD = '中文、emoji 👨‍👩‍👧、𠮷、"引号"\\ 与换行\n和 NUL \x00 之后'


async def test_pages_follow_the_number_over_gaps(archive: Archive, source: NativeArchiveSource) -> None:
    for number in range(5):
        await archive.say(f"第{number}条")
    await archive.do("gap", {"count": 3})
    await archive.say("缺号之后")
    first = await source.fetch(0, 4)
    second = await source.fetch(first[-1].seq, 4)
    assert [record.seq for record in first + second] == [1, 2, 3, 4, 5, 9]
    assert (await opened(source, second[-1]))["text"] == {"content": "缺号之后"}
    assert await source.fetch(9, 1000) == []


async def test_every_character_survives_the_way(archive: Archive, source: NativeArchiveSource) -> None:
    await archive.say(ODD)
    (record,) = await source.fetch(0, 10)
    assert (await opened(source, record))["text"]["content"] == ODD


async def test_records_of_before_a_rotation_open_with_the_old_key(
    archive: Archive, source: NativeArchiveSource
) -> None:
    await archive.say("旧钥匙")
    await archive.do("keys", {"public_key_pem": public_pem(2), "publickey_ver": 2})
    await archive.say("新钥匙")
    records = await source.fetch(0, 10)
    assert [record.publickey_ver for record in records] == [1, 2]
    assert [(await opened(source, record))["text"]["content"] for record in records] == ["旧钥匙", "新钥匙"]


async def test_a_repeated_message_keeps_its_id_under_a_new_number(
    archive: Archive, source: NativeArchiveSource
) -> None:
    said = await archive.say("再来一次")
    await archive.do("repeat", {"msgid": said["msgid"]})
    records = await source.fetch(0, 10)
    assert [record.seq for record in records] == [1, 2]
    assert {record.msgid for record in records} == {said["msgid"]}


async def test_too_large_a_page_is_asked_for_by_halves(archive: Archive, source: NativeArchiveSource) -> None:
    for _ in range(8):
        await archive.say("长" * 500)
    await archive.do("switches", {"most_bytes": 8000})
    records = await source.fetch(0, 8)
    assert 0 < len(records) < 8
    assert [call["limit"] for call in await archive.calls()] == [8, 4, 2]


@pytest.mark.parametrize(
    ("errcode", "error"),
    [(301042, PlatformMisconfigured), (301053, PlatformMisconfigured), (45009, RateLimited), (40058, PlatformError)],
)
async def test_the_pages_own_errcode_is_heeded(
    archive: Archive, source: NativeArchiveSource, errcode: int, error: type[PlatformError]
) -> None:
    await archive.do("faults", [{"call": "chatdata", "errcode": errcode}])
    with pytest.raises(error) as raised:
        await source.fetch(0, 10)
    assert raised.value.errcode == errcode
    assert await source.fetch(0, 10) == []


RETRY, CONFIGURATION, BUSINESS = PlatformUnavailable, PlatformMisconfigured, PlatformError
RETURN_VALUES: list[tuple[int, type[PlatformError]]] = [
    (10000, BUSINESS),
    (10001, RETRY),
    (10002, RETRY),
    (10003, RETRY),
    (10004, CONFIGURATION),
    (10005, BUSINESS),
    (10006, BUSINESS),
    (10007, BUSINESS),
    (10008, BUSINESS),
    (10009, CONFIGURATION),
    (10010, BUSINESS),
    (10011, CONFIGURATION),
    (19999, BUSINESS),
]


@pytest.mark.parametrize(("ret", "error"), RETURN_VALUES)
async def test_every_return_value_of_a_page_or_file_has_its_reaction(
    archive: Archive, source: NativeArchiveSource, ret: int, error: type[PlatformError]
) -> None:
    await archive.do("faults", [{"call": "chatdata", "ret": ret}, {"call": "media", "ret": ret}])
    with pytest.raises(PlatformError) as page:
        await source.fetch(0, 10)
    with pytest.raises(PlatformError) as file:
        await source.media("any")
    assert (type(page.value), page.value.errcode) == (error, ret)
    assert (type(file.value), file.value.errcode) == (error, ret)
    assert await source.fetch(0, 10) == []


@pytest.mark.parametrize(("ret", "error"), RETURN_VALUES)
async def test_a_record_is_set_aside_unless_another_try_may_help(
    archive: Archive, source: NativeArchiveSource, ret: int, error: type[PlatformError]
) -> None:
    await archive.do("faults", [{"call": "decrypt", "ret": ret}])
    expected = error if error is RETRY else RecordUndecryptable
    with pytest.raises(expected):
        await source.decrypt("0" * 64, "AAAA")


async def test_broken_records_are_told_apart(archive: Archive, source: NativeArchiveSource) -> None:
    for kind in ("cipher", "random"):
        await archive.say("坏的", broken=kind)
    cipher, random = await source.fetch(0, 10)
    with pytest.raises(RecordUndecryptable) as wrong:
        await opened(source, cipher)
    assert wrong.value.ret == 10006
    with pytest.raises(RecordUndecryptable) as unread:
        await opened(source, random)
    assert unread.value.ret == 10008


async def test_an_untrusted_address_is_a_matter_of_configuration(archive: Archive, source: NativeArchiveSource) -> None:
    await archive.do("switches", {"trusted_ip": False})
    with pytest.raises(PlatformMisconfigured) as raised:
        await source.fetch(0, 10)
    assert raised.value.errcode == 10009
    assert "可信IP" in str(raised.value)


async def test_old_records_and_files_are_gone_at_the_source(archive: Archive, source: NativeArchiveSource) -> None:
    said = await archive.do("records", {"msgtype": "file"})
    await archive.do("switches", {"retention_days": 0})
    assert await source.fetch(0, 10) == []
    with pytest.raises(PlatformError) as raised:
        await source.media(said["record"]["file"]["sdkfileid"])
    assert raised.value.errcode == 10010


async def test_proxy_and_patience_reach_the_library(archive: Archive) -> None:
    proxy, password = "socks5://10.0.0.1:8081", 'us"er:pa\\ss'
    async with a_source(compiled(), proxy=proxy, proxy_password=password, timeout_seconds=7) as source:
        await source.fetch(0, 10)
        with pytest.raises(PlatformError):
            await source.media("none")
    seen = {(call["call"], call["proxy"], call["passwd"], call["timeout"]) for call in await archive.calls()}
    assert seen == {(call, proxy, password, 7) for call in ("chatdata", "media")}


async def test_no_network_is_worth_another_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEWORK_SIM_URL", "http://127.0.0.1:9")
    async with a_source(compiled()) as source:
        with pytest.raises(PlatformUnavailable) as raised:
            await source.fetch(0, 10)
    assert raised.value.errcode == 10001


# files


async def a_file(archive: Archive, content: bytes) -> dict[str, str]:
    encoded = base64.b64encode(content).decode()
    said = await archive.do("records", {"msgtype": "file", "file_base64": encoded})
    return dict(said["record"]["file"])


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 17])
async def test_a_file_comes_whole_and_checked(
    archive: Archive, source: NativeArchiveSource, tmp_path: Path, size: int
) -> None:
    content = os.urandom(size)
    file = await a_file(archive, content)
    done = await download_file(source, file["sdkfileid"], tmp_path / "file.pdf", file["md5sum"])
    assert (done.size_bytes, done.md5sum) == (size, hashlib.md5(content, usedforsecurity=False).hexdigest())
    assert done.path.read_bytes() == content
    assert os.listdir(tmp_path) == ["file.pdf"]


async def test_a_stopped_download_goes_on_where_it_was(
    archive: Archive, source: NativeArchiveSource, tmp_path: Path
) -> None:
    content = os.urandom(3 * CHUNK)
    file = await a_file(archive, content)
    stopping = _StopsAfter(source, 2)
    with pytest.raises(PlatformUnavailable):
        await download_file(stopping, file["sdkfileid"], tmp_path / "f", file["md5sum"])
    with (tmp_path / "f.part").open("ab") as part:
        part.write(b"half a part that a crash left behind")
    counting = _StopsAfter(source, 10)
    done = await download_file(counting, file["sdkfileid"], tmp_path / "f", file["md5sum"])
    assert done.path.read_bytes() == content
    assert counting.asked == [str(2 * CHUNK)]


async def test_a_wrong_sum_is_tried_once_more_and_then_refused(
    archive: Archive, source: NativeArchiveSource, tmp_path: Path
) -> None:
    file = await a_file(archive, b"content")
    counting = _StopsAfter(source, 10)
    with pytest.raises(MediaCorrupt):
        await download_file(counting, file["sdkfileid"], tmp_path / "f", "0" * 32)
    assert counting.asked == ["", ""]
    assert os.listdir(tmp_path) == []


async def test_a_file_beyond_the_bound_is_refused(
    archive: Archive, source: NativeArchiveSource, tmp_path: Path
) -> None:
    file = await a_file(archive, bytes(2 * CHUNK))
    with pytest.raises(PlatformError):
        await download_file(source, file["sdkfileid"], tmp_path / "f", most_bytes=CHUNK)
    assert os.listdir(tmp_path) == []


async def test_the_relay_gives_the_same_file(archive: Archive, tmp_path: Path) -> None:
    content = os.urandom(CHUNK + 5)
    file = await a_file(archive, content)
    relay = HttpArchiveSource(str(archive.http.base_url), DEMO_CORP_ID, DEMO_ARCHIVE_SECRET, archive.http)
    done = await download_file(relay, file["sdkfileid"], tmp_path / "f", file["md5sum"])
    assert done.path.read_bytes() == content


class _StopsAfter:
    """A source that answers so often and then not any more."""

    def __init__(self, source: MediaSource, times: int) -> None:
        self._source = source
        self._left = times
        self.asked: list[str] = []

    async def media(self, file_id: str, index: str = "") -> MediaChunk:
        if not self._left:
            raise PlatformUnavailable("media")
        self._left -= 1
        self.asked.append(index)
        return await self._source.media(file_id, index)


# the child


async def test_a_killed_child_is_replaced(archive: Archive, source: NativeArchiveSource) -> None:
    await archive.say("一")
    await source.fetch(0, 10)
    first = source.process.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    with pytest.raises(PlatformUnavailable):
        await source.fetch(0, 10)
    assert len(await source.fetch(0, 10)) == 1
    assert source.process.pid not in (None, first)


async def test_a_child_killed_in_mid_call_fails_the_call_and_no_more(archive: Archive) -> None:
    await archive.say("一")
    async with a_source(compiled(f"FAKE_HANG_AT_SEQ={HANG_SEQ}")) as source:
        await source.fetch(0, 10)
        child = source.process.pid
        assert child is not None
        calling = asyncio.create_task(source.fetch(HANG_SEQ, 10))
        await asyncio.sleep(0.05)
        os.kill(child, signal.SIGKILL)
        with pytest.raises(PlatformUnavailable):
            await calling
        assert len(await source.fetch(0, 10)) == 1


async def test_a_call_that_hangs_costs_the_child_its_life(archive: Archive) -> None:
    await archive.say("一")
    async with a_source(compiled(f"FAKE_HANG_AT_SEQ={HANG_SEQ}"), ChildLimits(call_seconds=0.3)) as source:
        await source.fetch(0, 10)
        hung = source.process.pid
        assert hung is not None
        with pytest.raises(PlatformUnavailable):
            await source.fetch(HANG_SEQ, 10)
        with pytest.raises(ProcessLookupError):
            os.kill(hung, 0)
        assert len(await source.fetch(0, 10)) == 1


async def test_a_cancelled_call_leaves_no_answer_for_the_next(archive: Archive) -> None:
    await archive.say("一")
    async with a_source(compiled(f"FAKE_HANG_AT_SEQ={HANG_SEQ}")) as source:
        await source.fetch(0, 10)
        calling = asyncio.create_task(source.fetch(HANG_SEQ, 10))
        await asyncio.sleep(0.05)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        assert len(await source.fetch(0, 10)) == 1


async def test_a_crashing_library_takes_its_own_process_only(archive: Archive) -> None:
    await archive.say("一")
    async with a_source(compiled(f"FAKE_CRASH_AT_SEQ={CRASH_SEQ}")) as source:
        with pytest.raises(PlatformUnavailable):
            await source.fetch(CRASH_SEQ, 10)
        assert len(await source.fetch(0, 10)) == 1


async def test_after_two_failures_in_a_row_the_next_start_waits(archive: Archive) -> None:
    assert archive
    async with a_source(compiled(f"FAKE_CRASH_AT_SEQ={CRASH_SEQ}")) as source:
        for _ in range(2):
            with pytest.raises(PlatformUnavailable):
                await source.fetch(CRASH_SEQ, 10)
        with pytest.raises(PlatformUnavailable, match="waiting"):
            await source.fetch(0, 10)
        assert source.process.pid is None


async def test_a_record_the_library_dies_of_is_set_aside(archive: Archive) -> None:
    await archive.say("毒")
    async with a_source(compiled("FAKE_CRASH_IN_DECRYPT")) as source:
        (record,) = await source.fetch(0, 10)
        with pytest.raises(RecordUndecryptable) as raised:
            await opened(source, record)
    assert raised.value.ret == RET_LIBRARY_DIED


async def test_a_child_that_has_grown_is_replaced(archive: Archive) -> None:
    await archive.say("一")
    async with a_source(compiled(), ChildLimits(memory_bytes=1)) as source:
        assert len(await source.fetch(0, 10)) == 1
        assert source.process.pid is None
        assert len(await source.fetch(0, 10)) == 1


async def test_a_missing_library_names_itself(tmp_path: Path) -> None:
    async with a_source(tmp_path / "libmissing.so") as source:
        with pytest.raises(PlatformMisconfigured, match="libmissing"):
            await source.fetch(0, 10)


async def test_a_file_that_is_no_library_is_a_matter_of_configuration(tmp_path: Path) -> None:
    (tmp_path / "lib.so").write_bytes(b"not a library")
    async with a_source(tmp_path / "lib.so") as source:
        with pytest.raises(PlatformMisconfigured):
            await source.fetch(0, 10)


async def test_the_secret_is_neither_in_arguments_nor_in_the_environment(
    archive: Archive, source: NativeArchiveSource
) -> None:
    assert archive
    await source.fetch(0, 10)
    child = Path("/proc") / str(source.process.pid)
    if not child.exists():
        pytest.skip("this system has no /proc")
    shown = (child / "cmdline").read_bytes() + (child / "environ").read_bytes()
    assert DEMO_ARCHIVE_SECRET.encode() not in shown
    assert b"must-not-be-seen" not in shown


def test_the_secret_is_not_shown() -> None:
    config = LibraryConfig("/lib.so", "ww01", "topsecret", proxy_password="alsosecret")
    assert "secret" not in repr(config)
    assert "secret" not in repr(NativeArchiveSource(config))


async def test_the_library_goes_before_the_relay_and_none_is_none() -> None:
    async with httpx.AsyncClient() as http:

        def kind(**archive: str) -> type:
            return type(open_archive_source(WeComSettings(archive=ArchiveSettings(**archive)), http))

        assert kind(sdk_path="/lib.so", relay_url="http://relay") is NativeArchiveSource
        assert kind(relay_url="http://relay") is HttpArchiveSource
        assert kind() is type(None)
