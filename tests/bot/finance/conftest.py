"""A simulator with an archive, the compiled fake of the library, and sources that use it."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bot.finance.process import ChildLimits
from bot.finance.source import LibraryConfig, NativeArchiveSource
from bot.wecom.archive import ArchiveSource, EncryptedRecord
from simulator import BankSize, SimConfig, create_app
from simulator.config import DEMO_ARCHIVE_SECRET, DEMO_CORP_ID
from simulator.native.build import NoCompiler, build_library
from tests.running import running

CRASH_SEQ, HANG_SEQ = 13, 14


@cache
def private_key(version: int) -> rsa.RSAPrivateKey:
    """The bank's key of a version."""
    assert version
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(version: int) -> str:
    """The public half, as the bank enters it at the platform."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return private_key(version).public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def compiled(*defines: str) -> Path:
    """Return the fake library; the test is skipped, and says so, where there is no C compiler."""
    try:
        return build_library(defines)
    except NoCompiler as missing:
        pytest.skip(str(missing))


@dataclass
class Archive:
    """A running simulator, seen from the control side."""

    http: httpx.AsyncClient

    async def do(self, path: str, body: Any = None) -> dict[str, Any]:
        """Act through the control API."""
        answer = await self.http.post(f"/_sim/archive/{path}", json=body if body is not None else {})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def say(self, text: str, **more: Any) -> dict[str, Any]:
        """Put a text into the archive."""
        return await self.do("records", {"msgtype": "text", "body": {"content": text}, **more})

    async def calls(self) -> list[dict[str, Any]]:
        """Return what the library asked."""
        return list((await self.http.get("/_sim/archive/calls")).json())


@pytest.fixture
async def archive(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Archive]:
    """A simulator that the library finds by WEWORK_SIM_URL."""
    config = SimConfig(size=BankSize(2, 4, 1), archive_public_key_pem=public_pem(1))
    async with running(create_app(config)) as url, httpx.AsyncClient(base_url=url) as http:
        monkeypatch.setenv("WEWORK_SIM_URL", url)
        yield Archive(http)


@asynccontextmanager
async def a_source(
    library: Path, limits: ChildLimits | None = None, **changes: Any
) -> AsyncIterator[NativeArchiveSource]:
    """A source that uses a library; its child is gone at the end."""
    values: dict[str, Any] = {"path": str(library), "corp_id": DEMO_CORP_ID, "secret": DEMO_ARCHIVE_SECRET, **changes}
    source = NativeArchiveSource(LibraryConfig(**values, limits=limits or ChildLimits()))
    try:
        yield source
    finally:
        await source.close()


@pytest.fixture
async def source(archive: Archive) -> AsyncIterator[NativeArchiveSource]:
    """A source that uses the plain library."""
    assert archive
    async with a_source(compiled()) as opened:
        yield opened


def random_string_of(record: EncryptedRecord) -> str:
    """Unwrap a record's random string with the key of its version."""
    wrapped = base64.b64decode(record.encrypt_random_key)
    return private_key(record.publickey_ver).decrypt(wrapped, padding.PKCS1v15()).decode()


async def opened(source: ArchiveSource, record: EncryptedRecord) -> dict[str, Any]:
    """Return a record in clear."""
    return dict(json.loads(await source.decrypt(random_string_of(record), record.encrypt_chat_msg)))


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A marked value in our own environment, which the child must not see."""
    monkeypatch.setenv("RMBOT_WECOM__APP__SECRET", "must-not-be-seen")
