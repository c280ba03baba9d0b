"""What the simulator offers answers as the catalogue says, refuses as documented, and leaves nothing out silently."""

import pytest

from simulator.api.dispatch import ENDPOINTS
from tests.contracts.catalogue import list_apis
from tests.simulator.contract import app_scenarios, contact_scenarios, kf_scenarios
from tests.simulator.contract.book import SCENARIOS, Book, Scenario
from tests.simulator.contract.left_out import FAMILIES, LEFT_OUT
from tests.simulator.harness import Sim

assert app_scenarios, contact_scenarios
assert kf_scenarios


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
async def test_answers_are_the_catalogues_and_refusals_the_documented(sim: Sim, scenario: Scenario) -> None:
    await scenario(Book(sim))


async def test_every_endpoint_succeeds_and_refuses_somewhere(sim: Sim) -> None:
    seen = Book(sim)
    for scenario in SCENARIOS:
        await sim.do("reset")
        sim.tokens.clear()
        sim.bot.received.clear()
        sim.platform.limits.forget()
        await scenario(seen)
    assert set(ENDPOINTS) - seen.succeeded == set()
    assert set(ENDPOINTS) - seen.refused == set()


def test_every_api_of_the_families_is_offered_or_left_out_with_a_reason() -> None:
    wanted = {api for api in list_apis() if api.split()[1].startswith(FAMILIES)}
    assert set(ENDPOINTS) <= wanted
    assert wanted - set(ENDPOINTS) == set(LEFT_OUT)
