"""The service and the platform as processes of their own, for benches that kill, flood or disturb them."""

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx

from bot.wecom.crypto import CallbackCrypto
from simulator.config import DEMO_AES_KEY, DEMO_CORP_ID, DEMO_TOKEN

# The callback URL's secrets, the same on both sides, so that the simulator's own callbacks are taken as well.
CRYPTO = CallbackCrypto(DEMO_TOKEN, DEMO_AES_KEY, DEMO_CORP_ID)


@dataclass
class Node:
    """The service as a process that can be killed and started again on the same database."""

    environment: dict[str, str]
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it is not ready yet."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "console.cli", "serve"], env=self.environment, stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        """Kill it as a power cut would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    async def wait_ready(self) -> None:
        """Return when it takes callbacks."""
        async with httpx.AsyncClient() as http:
            for _ in range(600):
                try:
                    if (await http.get(f"http://127.0.0.1:{self.port}/healthz")).status_code == 200:
                        return
                except httpx.HTTPError:
                    await asyncio.sleep(0.05)
        raise RuntimeError("the service did not start")


def environment(port: int, simulator: int, url: str) -> dict[str, str]:
    """Return the settings of the service, as an operator would set them."""
    return {
        **os.environ,
        "RMBOT_STORAGE__URL": url,
        "RMBOT_WECOM__CORP_ID": DEMO_CORP_ID,
        "RMBOT_WECOM__API_BASE": f"http://127.0.0.1:{simulator}",
        "RMBOT_WECOM__APP__AGENT_ID": "1000002",
        "RMBOT_WECOM__APP__SECRET": "demo-app-secret-0000000000000000000000000001",
        "RMBOT_WECOM__CALLBACK__TOKEN": DEMO_TOKEN,
        "RMBOT_WECOM__CALLBACK__AES_KEY": DEMO_AES_KEY,
        "RMBOT_CONSOLE__PORT": str(port),
        "RMBOT_CONSOLE__SECRET_KEY": "x" * 40,
        # a killed node's claims come free soon, so that the run is short
        "RMBOT_INBOX__LEASE_SECONDS": "5",
        "RMBOT_OUTBOX__LEASE_SECONDS": "5",
    }


def start_simulator(port: int, service_port: int, state_file: Path, staff: int) -> subprocess.Popen[bytes]:
    """Start the simulated platform, which calls back the service at its port."""
    options = {
        "port": port,
        "staff": staff,
        "customers": 1000,
        "groups": 10,
        "state-file": state_file,
        "callback-base": f"http://127.0.0.1:{service_port}",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return subprocess.Popen(
        [sys.executable, "-m", "simulator", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
