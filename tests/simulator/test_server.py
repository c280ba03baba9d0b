"""The simulator as a process of its own, over real HTTP."""

import contextlib
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
import typer
from cryptography.hazmat.primitives.asymmetric import rsa

from simulator import BankSize, SimConfig, crypto, xml
from simulator.cli import load_config
from simulator.config import DEMO_APP_SECRET
from tests.simulator.harness import public_pem

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(*options: str) -> Iterator[str]:
    """Start `python -m simulator` and yield its base URL."""
    port = free_port()
    command = [sys.executable, "-m", "simulator", "--port", str(port), *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment) as process:
        try:
            base = f"http://127.0.0.1:{port}"
            _wait_until_up(base, process)
            yield base
        finally:
            process.kill()


def _wait_until_up(base: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"{base}/_sim/health", trust_env=False)
            return
        time.sleep(0.05)
    pytest.fail("the simulator did not start")


def test_process_keeps_what_it_answered_over_a_kill(tmp_path: Path) -> None:
    options = ("--state-file", str(tmp_path / "sim.db"), "--staff", "3", "--customers", "9", "--groups", "3")
    with running(*options) as base, httpx.Client(base_url=base, trust_env=False) as client:
        people = client.get("/_sim/people").json()
        assert people["customers"][0]["name"] == "王芳"
        group = people["groups"][0]["chat_id"]
        customer = people["customers"][0]["external_userid"]
        message = {"sender": customer, "text": "在吗", "mention_bot": False}
        assert client.post(f"/_sim/groups/{group}/messages", json=message).status_code == 200
        params = {"corpid": "ww0000000000000001", "corpsecret": DEMO_APP_SECRET}
        assert client.get("/cgi-bin/gettoken", params=params).json()["errcode"] == 0
    with running(*options) as base, httpx.Client(base_url=base, trust_env=False) as client:
        shown = client.get("/_sim/conversations", params={"kind": "group", "key": group}).json()
        assert [line["text"] for line in shown["messages"]] == ["在吗"]


class RecordingBot(http.server.BaseHTTPRequestHandler):
    """A bot on a real socket that keeps what was posted to it."""

    posted: ClassVar[list[tuple[str, bytes]]] = []

    def do_POST(self) -> None:
        """Take one callback."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.posted.append((self.path, body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_process_posts_callbacks_over_a_real_socket() -> None:
    RecordingBot.posted.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), RecordingBot) as bot:
        threading.Thread(target=bot.serve_forever, daemon=True).start()
        base_url = f"http://127.0.0.1:{bot.server_port}"
        with running("--callback-base", base_url, "--customers", "9") as base:
            message = {"userid": "rm001", "text": "你好"}
            httpx.post(f"{base}/_sim/app/messages", json=message, trust_env=False)
            deadline = time.monotonic() + 10
            while not RecordingBot.posted and time.monotonic() < deadline:
                time.sleep(0.02)
        bot.shutdown()
    ((path, body),) = RecordingBot.posted
    assert path.startswith("/wecom/app?msg_signature=")
    target = SimConfig().app_callback
    message_xml, receive_id = crypto.decrypt(xml.parse(body.decode())["Encrypt"], target.aes_key)
    assert receive_id == SimConfig().corp_id
    assert xml.parse(message_xml)["Content"] == "你好"


def test_options_and_config_file_make_the_config(tmp_path: Path, archive_key: rsa.RSAPrivateKey) -> None:
    pem = tmp_path / "archive.pem"
    pem.write_text(public_pem(archive_key), encoding="ascii")
    made = load_config(None, "http://bot.example/", tmp_path / "s.db", pem, BankSize(2, 3, 4), 7)
    assert made.app_callback.url == "http://bot.example/wecom/app"
    assert made.aibot_callback.url == "http://bot.example/wecom/aibot"
    assert made.aibot_callback.receive_id == ""
    assert (made.size, made.seed) == (BankSize(2, 3, 4), 7)
    assert made.archive_public_key_pem == public_pem(archive_key)
    file = tmp_path / "sim.json"
    file.write_text(json.dumps({"app_secret": "given", "retry": {"attempts": 2}}), encoding="utf-8")
    made = load_config(file, "http://unused", None, None, BankSize(), None)
    assert (made.app_secret, made.retry.attempts, made.corp_id) == ("given", 2, SimConfig().corp_id)


@pytest.mark.parametrize("content", ["{", '{"token_ttl_seconds": "soon"}', '{"tokenTtl": 1}'])
def test_bad_config_file_is_named_without_its_values(tmp_path: Path, content: str) -> None:
    file = tmp_path / "sim.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(typer.BadParameter) as refusal:
        load_config(file, "http://unused", None, None, BankSize(), None)
    assert "sim.json" in str(refusal.value)
    assert "soon" not in str(refusal.value)
    with pytest.raises(typer.BadParameter):
        load_config(tmp_path / "absent.json", "http://unused", None, None, BankSize(), None)


def test_secrets_do_not_show_in_the_config() -> None:
    shown = repr(SimConfig())
    assert DEMO_APP_SECRET not in shown
    assert SimConfig().app_callback.aes_key not in shown
