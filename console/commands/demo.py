"""`rmbot demo`: a whole invented bank in one process, with a simulated platform; nothing leaves the machine."""

import asyncio
import json
import os
import secrets
import socket
import string
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import httpx
import structlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from bot.errors import SettingsError
from bot.ids import GroupChatId, StaffId
from bot.settings import AppSettings, ArchiveSettings, CallbackSettings, KfSettings, StorageSettings, WeComSettings
from bot.storage.database import Database
from bot.storage.migrate import migrate
from console.auth.demo import do_install_demo_accounts
from console.commands.serve import QuietServer, WebServer, web_config
from console.compose import Service, build_service
from console.settings import ConsoleSettings, Settings
from customers import list_group_members
from handlers.settings import HandlersSettings
from knowledge_base import do_install_starter
from sop import do_install_demo_plans

log = structlog.get_logger("console.demo")

_LETTERS = string.ascii_letters + string.digits
_MARKER = "story-told"


@dataclass(frozen=True, slots=True)
class DemoSecrets:
    """What the invented bank and the simulated platform share. Made once for each data folder."""

    token: str
    aes_key: str
    aibot_token: str
    aibot_aes_key: str
    console_key: str
    archive_private_pem: str
    archive_public_pem: str


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """Where everything of one demo is. The doors are bound already, so that nobody else can take the ports."""

    folder: Path
    host: str
    door: socket.socket
    simulator_door: socket.socket
    secrets: DemoSecrets
    database_url: str

    @property
    def port(self) -> int:
        """Return the port of the pages."""
        return int(self.door.getsockname()[1])

    @property
    def simulator_port(self) -> int:
        """Return the port of the simulated platform."""
        return int(self.simulator_door.getsockname()[1])

    @property
    def url(self) -> str:
        """Return the address of the pages, as this machine reaches them."""
        everywhere = self.host == "0.0.0.0"  # noqa: S104  compared, not bound
        return f"http://{'127.0.0.1' if everywhere else self.host}:{self.port}"

    @property
    def simulator_url(self) -> str:
        """Return the address of the simulated platform."""
        return f"http://127.0.0.1:{self.simulator_port}"


# Makes the simulator's ASGI application; given by cli.py, because only the command line may import it.
SimulatorFactory = Callable[[DemoPlan], Any]


def prepare(folder: Path, host: str, port: int, database_url: str | None) -> DemoPlan:
    """Make the folder and the secrets, and find the ports.

    Raises:
        SettingsError: the port is taken, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        made = _load_secrets(folder / "demo-secrets.json")
    except OSError as error:
        raise SettingsError(
            f"the data folder {folder} cannot be used ({error.strerror}): choose another one with --data DIR"
        ) from error
    url = database_url or f"sqlite+aiosqlite:///{folder / 'rmbot.db'}"
    return DemoPlan(folder, host, _bind(host, port), _bind("127.0.0.1", 0), made, url)


def _bind(host: str, port: int) -> socket.socket:
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((host, port))
    except OSError as error:
        door.close()
        raise SettingsError(
            f"port {port} on {host} cannot be used ({error.strerror}): stop what uses it, or choose another one "
            f"with --port {port + 1}"
        ) from error
    return door


def _load_secrets(path: Path) -> DemoSecrets:
    if path.exists():
        return DemoSecrets(**json.loads(path.read_text(encoding="utf-8")))
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    made = DemoSecrets(
        token=_random(24),
        aes_key=_aes_key(),
        aibot_token=_random(24),
        aibot_aes_key=_aes_key(),
        console_key=secrets.token_urlsafe(48),
        archive_private_pem=private.decode(),
        archive_public_pem=public.decode(),
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(made), file)
    return made


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def _aes_key() -> str:
    # The 43rd character carries two spare bits; A keeps them zero, for receivers that insist on it.
    return _random(42) + "A"


def demo_settings(plan: DemoPlan) -> Settings:
    """Return the settings of the invented bank: what an operator would put into .env."""
    made = plan.secrets
    return Settings(
        _env_file=None,
        storage=StorageSettings(url=plan.database_url),
        wecom=WeComSettings(
            corp_id="ww0000000000000001",
            api_base=plan.simulator_url,
            app=AppSettings(agent_id=1000002, secret=SecretStr("demo-app-secret-0000000000000000000000000001")),
            callback=CallbackSettings(token=SecretStr(made.token), aes_key=SecretStr(made.aes_key)),
            aibot_callback=CallbackSettings(token=SecretStr(made.aibot_token), aes_key=SecretStr(made.aibot_aes_key)),
            kf=KfSettings(secret=SecretStr("demo-kf-secret-00000000000000000000000000001"), open_kfids=("wkDEMO0001",)),
            archive=ArchiveSettings(
                secret=SecretStr("demo-archive-secret-000000000000000000000001"),
                relay_url=plan.simulator_url,
                private_keys={1: SecretStr(made.archive_private_pem)},
                poll_seconds=5,
            ),
        ),
        handlers=HandlersSettings(public_url=plan.url, knowledge_owner="rm001", duty_staff="rm001"),
        console=ConsoleSettings(
            host=plan.host,
            port=plan.port,
            public_url=plan.url,
            secret_key=SecretStr(made.console_key),
            demo=True,
            simulator_url=plan.simulator_url,
        ),
    )


async def run_demo(plan: DemoPlan, make_simulator: SimulatorFactory, say: Callable[[str], None]) -> None:
    """Start the simulator, install what a new bank needs, and serve until a signal."""
    simulator = QuietServer(web_config(make_simulator(plan), "127.0.0.1", plan.simulator_port))
    platform = asyncio.create_task(simulator.serve(sockets=[plan.simulator_door]))
    service = await build_service(demo_settings(plan))
    try:
        await migrate(service.database)
        await install(service)
        await simulator.ready.wait()
        await service.start()
        service.timers.soon("demo.fill", lambda: fill(service, plan, say))
        server = WebServer(web_config(service.app, plan.host, plan.port))
        announce = asyncio.create_task(_announce(server, plan, say))
        await server.serve(sockets=[plan.door])
        announce.cancel()
    finally:
        await service.stop()
        simulator.should_exit = True
        await platform


async def install(service: Service) -> None:
    """Install lexicon, scripts, shelf and accounts. Doing it again changes nothing."""
    now = service.clock.now()
    async with service.database.transaction() as tx:
        await service.lexicons.do_install_default(tx, now)
        await do_install_starter(tx, now)
        await do_install_demo_accounts(tx, now)


async def fill(service: Service, plan: DemoPlan, say: Callable[[str], None]) -> None:
    """Read the invented bank's people from the platform, start its plans, and let its first day happen."""
    await service.sync()
    async with service.database.transaction() as tx:
        await do_install_demo_plans(
            tx, service.clock.now(), created_by=StaffId("rm001"), owner_ids=[StaffId("rm001"), StaffId("rm002")]
        )
    marker = plan.folder / _MARKER
    if not marker.exists():
        await tell_story(service.database, plan.simulator_url)
        marker.touch()
    say("the invented bank is complete: 30 managers, 2,000 customers, 60 groups, and a first day of conversations")


async def tell_story(database: Database, simulator_url: str) -> None:
    """Let people of the invented bank say what stands in story.toml, so that the archive is not empty."""
    story = tomllib.loads((resources.files("console") / "demo" / "story.toml").read_text(encoding="utf-8"))
    async with httpx.AsyncClient(base_url=simulator_url, timeout=10) as http:
        people = (await http.get("/_sim/people", params={"limit": 200})).json()
        for scene in story["scene"]:
            group = people["groups"][scene["group"]]
            async with database.reading() as tx:
                members = await list_group_members(tx, GroupChatId(group["chat_id"]))
            outsiders = [member.member_id for member in members if member.member_id.startswith("wm")]
            await _play(http, group, outsiders, scene)


async def _play(
    http: httpx.AsyncClient, group: dict[str, Any], outsiders: Sequence[str], scene: dict[str, Any]
) -> None:
    owner, partner = group["owner"], outsiders[scene.get("customer", 0) % len(outsiders)]
    for speaker, text in scene["lines"]:
        if scene["kind"] == "group":
            sender = owner if speaker == "rm" else outsiders[speaker % len(outsiders)]
            path, body = f"/_sim/groups/{group['chat_id']}/messages", {"sender": sender, "mention_bot": False}
        else:
            sender = owner if speaker == "rm" else partner
            path, body = "/_sim/chats/messages", {"userid": owner, "external_userid": partner, "sender": sender}
        response = await http.post(path, json={**body, "text": text})
        if response.is_error:
            log.warning("demo.line_refused", status=response.status_code)


async def _announce(server: WebServer, plan: DemoPlan, say: Callable[[str], None]) -> None:
    await server.ready.wait()
    say(f"客户经理助手 RM Assistant is running: {plan.url}   (data in {plan.folder}, Ctrl-C stops it)")
