"""A simulator of a small bank for every test, with its callbacks going to a fake bot."""

from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from simulator import BankSize, RetryPlan, SimConfig
from tests.simulator.harness import Sim, close_sim, new_sim, public_pem


@pytest.fixture(scope="session")
def archive_key() -> rsa.RSAPrivateKey:
    """The bank's archive key pair."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def config(archive_key: rsa.RSAPrivateKey) -> SimConfig:
    """A bank of 6 managers, 60 customers and 6 groups that does not wait."""
    return SimConfig(
        size=BankSize(6, 60, 6),
        archive_public_key_pem=public_pem(archive_key),
        retry=RetryPlan(timeout_seconds=1, backoff_seconds=(0.0,)),
        archive_notify_gap_seconds=0.05,
        broadcast_settle_seconds=0,
    )


@pytest.fixture
async def sim(config: SimConfig) -> AsyncIterator[Sim]:
    """A running simulator."""
    running = new_sim(config)
    yield running
    await close_sim(running)
