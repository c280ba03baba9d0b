"""The pulls that keep their own cursor in the database ask as the catalogue says."""

from typing import Any

import pytest

from bot.clock import SystemClock
from bot.doors.kf import KfPuller
from bot.kf.ledger import KfLedger
from bot.storage.database import Database
from tests.bot.contract.recorder import Recorder, connect
from tests.contracts.catalogue import check_request


@pytest.mark.parametrize("token", ["token of the event", None], ids=["with the event's token", "by the timer"])
async def test_kf_pull_is_as_the_catalogue_says(db: Database, token: str | None) -> None:
    recorder = Recorder(full=True)
    async with connect(recorder) as client:
        puller = KfPuller(db, client, SystemClock(), KfLedger(), "node")
        await puller.pull("wk1", token)
    (request,) = recorder.calls
    body: dict[str, Any] = request.body or {}
    assert check_request(request.api, request.params, body) == []
    assert body.get("token") == token
