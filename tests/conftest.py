"""Fixtures everybody uses: an open database, on both engines."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

import tests.all_models  # noqa: F401  registers every table
from bot.storage.database import Database
from tests.postgres import PostgresServer


def pytest_xdist_auto_num_workers() -> int:
    """Say how many processes `-n auto` takes: each has a PostgreSQL server of its own, so not one for every core."""
    return min(os.cpu_count() or 1, 4)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this test session's own, started when the first test asks for it."""
    server = PostgresServer.start()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database, once for each engine."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'test.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.empty_database() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables, made once: copying it is far quicker than creating them for every test."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    asyncio.run(_create_all(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    """A PostgreSQL database with all tables, made once."""
    postgres.create("with_tables")
    asyncio.run(_create_all(postgres.url("with_tables")))
    return "with_tables"


async def _create_all(url: str) -> None:
    database = await Database.open(url)
    await database.create_all()
    await database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def tables_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with all tables and no rows, once for each engine."""
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "test.db")
        yield f"sqlite+aiosqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.empty_database(request.getfixturevalue("postgres_template")) as url:
        yield url


@pytest.fixture
async def db(tables_url: str) -> AsyncIterator[Database]:
    """An open database with all tables, once for each engine."""
    database = await Database.open(tables_url)
    yield database
    await database.close()
