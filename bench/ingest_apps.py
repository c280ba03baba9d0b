"""The two applications `bench/ingest.py` compares: our callback edge, and a typed FastAPI echo.

Started by the bench, each in one process: `python -m bench.ingest_apps edge|echo PORT [DATABASE_URL]`.
"""

import asyncio
import logging
import sys

import structlog
import uvicorn
import uvloop
from fastapi import FastAPI
from pydantic import BaseModel

import bot.inbox.models  # noqa: F401  registers the table
from bot.clock import SystemClock
from bot.doors.readers import AppReader
from bot.inbox.appenders import make_appender
from bot.inbox.writer import GroupCommitWriter
from bot.storage.database import Database
from bot.webhook import CallbackEdge, CallbackUrl
from tests.bot.edge import CRYPTO


class Envelope(BaseModel):
    """What the echo reads: the same values as a callback, in a typed body."""

    to_user_name: str
    agent_id: int
    encrypt: str


class Answer(BaseModel):
    """What the echo says."""

    length: int
    agent_id: int


def make_echo() -> FastAPI:
    """Return the reference: a typed FastAPI endpoint that validates its body and answers from it."""
    app = FastAPI()

    @app.post("/wecom/app")
    async def echo(envelope: Envelope, msg_signature: str, timestamp: int, nonce: str) -> Answer:
        return Answer(length=len(envelope.encrypt) + len(msg_signature) + len(nonce), agent_id=envelope.agent_id)

    return app


async def serve_edge(port: int, url: str) -> None:
    """Serve our edge in front of a FastAPI application, as the product does, without workers."""
    database = await Database.open(url)
    await database.create_all()
    writer = GroupCommitWriter(database, make_appender(database))
    urls = {"/wecom/app": CallbackUrl(CRYPTO, AppReader())}
    edge = CallbackEdge(urls, writer, SystemClock(), make_echo(), max_bytes=262_144, max_skew_seconds=172_800)
    await _serve(edge, port)
    await writer.close()
    await database.close()


async def _serve(app: object, port: int) -> None:
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]  # an ASGI application of our own types
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
        loop="uvloop",
        http="httptools",
    )
    await uvicorn.Server(config).serve()


def main() -> None:
    """Run one of the two."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    kind, port = sys.argv[1], int(sys.argv[2])
    runner = serve_edge(port, sys.argv[3]) if kind == "edge" else _serve(make_echo(), port)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(runner)


if __name__ == "__main__":
    main()
