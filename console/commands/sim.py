"""`rmbot sim`: the simulated platform alone, for people who build and test other bots, and its switches.

With `console/cli.py` the only place of ours that knows the simulator; importing this module loads it.
"""

import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import uvicorn

from bot.errors import SettingsError
from bot.texts import Texts, load_texts
from simulator.app import create_app
from simulator.bank import BankMismatchError, count_rows, find_note, spell, write_bank
from simulator.config import BankSize, SimConfig
from simulator.seed import Progress

DEFAULT_PORT = 8800
DEFAULT_BOT = "http://127.0.0.1:8000"
DEFAULT_URL = f"http://127.0.0.1:{DEFAULT_PORT}"
_PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class SizeChoice:
    """Which bank was asked for; None leaves it to the state file, or to the demo's bank."""

    customers: int | None = None
    staff: int | None = None
    groups: int | None = None
    seed: int | None = None

    def is_open(self) -> bool:
        """Say whether nothing was asked for."""
        return self == SizeChoice()

    def size(self) -> BankSize:
        """Return the size, with the demo's where nothing was asked for."""
        given = {"customers": self.customers, "staff": self.staff, "groups": self.groups}
        return replace(BankSize(), **{name: value for name, value in given.items() if value is not None})


def prepare(
    bot: str,
    state: Path | None,
    choice: SizeChoice,
    archive_key: Path | None,
    *,
    aibot_websocket: bool = False,
) -> SimConfig:
    """Return the configuration of a simulator whose callbacks go to `bot`.

    Raises:
        SettingsError: an address that is none, a key that cannot be read, or a state file of another bank.
    """
    if urlsplit(bot).scheme not in {"http", "https"} or not urlsplit(bot).netloc:
        raise SettingsError(f"{bot} is not a complete address: --bot takes one like {DEFAULT_BOT}")
    config = SimConfig.for_base(bot, size=choice.size(), aibot_mode="websocket" if aibot_websocket else "webhook")
    if choice.seed is not None:
        config = replace(config, seed=choice.seed)
    if archive_key is not None:
        config = replace(config, archive_public_key_pem=_read_key(archive_key))
    return config if state is None else _with_state(config, state, choice)


def _with_state(config: SimConfig, state: Path, choice: SizeChoice) -> SimConfig:
    _check_folder(state)
    try:
        note = find_note(state)
    except BankMismatchError as error:
        raise SettingsError(str(error)) from error
    config = replace(config, state_file=str(state))
    if note is None:
        return config
    held = replace(config, seed=note.seed, size=BankSize(note.staff, note.customers, note.groups))
    if not choice.is_open() and (config.seed, config.size) != (held.seed, held.size):
        raise SettingsError(
            f"{state} holds a bank of {spell(note)}: leave out the sizes and the seed, or choose another file"
        )
    return held


def _read_key(path: Path) -> str:
    try:
        pem = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the archive key {path} cannot be read as a PEM file") from error
    if "PUBLIC KEY" not in pem:
        raise SettingsError(f"{path} is not a public key in PEM: the platform gets the public half only")
    return pem


def _check_folder(path: Path) -> None:
    if not path.parent.is_dir():
        raise SettingsError(f"the folder of {path} does not exist: make it first, or choose another file")


def bind(host: str, port: int) -> socket.socket:
    """Take the port before the bank is made.

    Raises:
        SettingsError: it is taken, or the address is not this machine's.
    """
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((host, port))
        door.listen()
    except (OSError, OverflowError) as error:
        door.close()
        raise SettingsError(
            f"port {port} on {host} cannot be used ({getattr(error, 'strerror', None) or error}): "
            f"stop what uses it, or choose another one with --port {DEFAULT_PORT + 1}"
        ) from error
    return door


def run(config: SimConfig, door: socket.socket, say: Callable[[str], None], language: str) -> None:
    """Make the bank, say where everything is, and serve until a signal comes.

    Raises:
        SettingsError: the state file belongs to another bank.
    """
    try:
        app = create_app(config)
    except BankMismatchError as error:
        raise SettingsError(str(error)) from error
    say(describe(config, door, language))
    settings = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
    uvicorn.Server(settings).run(sockets=[door])


def describe(config: SimConfig, door: socket.socket, language: str) -> str:
    """Say where the simulator is, what its secrets are, and how to point a bot at it."""
    host, port = door.getsockname()[:2]
    everywhere = host == "0.0.0.0"  # noqa: S104  compared, not bound
    base = f"http://{'127.0.0.1' if everywhere else host}:{port}"
    target = config.app_callback
    return load_texts("console", language).render(
        "sim.started",
        base=base,
        ws=base.replace("http", "ws", 1) + "/aibot/ws",
        customers=config.size.customers,
        staff=config.size.staff,
        groups=config.size.groups,
        corp_id=config.corp_id,
        agent_id=config.agent_id,
        app_secret=config.app_secret,
        kf_secret=config.kf_secret,
        open_kfid=config.open_kfid,
        archive_secret=config.archive_secret,
        app_url=target.url,
        token=target.token,
        aes_key=target.aes_key,
        aibot_url=config.aibot_callback.url,
        aibot_id=config.aibot_id,
        aibot_secret=config.aibot_secret,
        aibot_token=config.aibot_callback.token,
        aibot_aes_key=config.aibot_callback.aes_key,
        url_option="" if base == DEFAULT_URL else f" --url {base}",
    )


def seed_file(state: Path, choice: SizeChoice, tell: Progress, *, replace_it: bool) -> str:
    """Write a bank into a state file and say which; `tell` hears of the progress.

    Raises:
        SettingsError: the file holds something and is not to be replaced, or is no state file.
    """
    _check_folder(state)
    try:
        note = find_note(state)
        if note is not None and not replace_it:
            raise SettingsError(f"{state} holds a bank of {spell(note)} already: --replace makes it anew")
        seed = SimConfig().seed if choice.seed is None else choice.seed
        written = write_bank(state, seed, choice.size(), tell)
    except BankMismatchError as error:
        raise SettingsError(str(error)) from error
    return f"{state}: {spell(written)}; {state.stat().st_size / 1e6:.1f} MB; sha256 {written.digest}"


def rows_of(choice: SizeChoice) -> tuple[BankSize, int]:
    """Return how much there is to make and about how many rows to write."""
    return choice.size(), count_rows(choice.size())


# the switches of a running simulator


def ask(url: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """Call the control API of a running simulator.

    Raises:
        SettingsError: nobody answers there, or the call is refused; in the simulator's words.
    """
    try:
        answer = httpx.request(
            method, f"{url.rstrip('/')}/_sim/{path}", json=body, timeout=_PATIENCE_SECONDS, trust_env=False
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SettingsError(
            f"no simulator answers at {url} ({type(error).__name__}): start one with `rmbot sim`, "
            "or say where it is with --url"
        ) from error
    if not answer.is_success:
        raise SettingsError(f"the simulator refused: {_refusal(answer)}")
    try:
        return answer.json()
    except ValueError as error:
        raise SettingsError(f"what answers at {url} is not the simulator") from error


def _refusal(answer: httpx.Response) -> str:
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status_code}"
    if isinstance(detail, str):
        return detail
    return "; ".join(f"{'.'.join(map(str, item['loc'][1:]))}: {item['msg']}" for item in detail)


def add_fault(url: str, fault: Mapping[str, Any]) -> Any:
    """Switch one more fault on, beside those that are on."""
    shown = ask(url, "GET", "faults")
    return ask(url, "PUT", "faults", {**_settable(shown), "faults": [*_settable(shown)["faults"], dict(fault)]})


def set_callback_faults(url: str, changes: Mapping[str, Any]) -> Any:
    """Change what happens to callbacks, beside the faults that are on."""
    shown = _settable(ask(url, "GET", "faults"))
    return ask(url, "PUT", "faults", {**shown, "callbacks": {**shown["callbacks"], **changes}})


def _settable(shown: Any) -> dict[str, Any]:
    """Return what was shown without its hit counts, as it can be set again."""
    faults = [{name: value for name, value in fault.items() if name != "hits"} for fault in shown["faults"]]
    callbacks = {name: value for name, value in shown["callbacks"].items() if name != "hits"}
    return {"faults": faults, "callbacks": callbacks, "seed": shown["seed"]}


def spell_faults(shown: Any, language: str) -> str:
    """Say which faults are on, one a line."""
    texts = load_texts("console", language)
    lines = [_spell_fault(fault, texts) for fault in shown["faults"]]
    callbacks = shown["callbacks"]
    if any(callbacks[name] for name in ("duplicate", "reorder", "lost", "delay_seconds")):
        lines.append(texts.render("sim.callback_faults", **callbacks["hits"], settings=_compact(callbacks)))
    return "\n".join(lines) or texts["sim.no_faults"]


def _spell_fault(fault: Mapping[str, Any], texts: Texts) -> str:
    left = "∞" if fault["count"] is None else str(fault["count"] - fault["hits"])
    return texts.render("sim.fault", left=left, **fault)


def _compact(callbacks: Mapping[str, Any]) -> str:
    return json.dumps({name: value for name, value in callbacks.items() if name != "hits" and value})


def check_callbacks(url: str, language: str) -> tuple[bool, str]:
    """Let the simulator check the bot's callback addresses; return whether all is well, and a line for each outcome."""
    found = ask(url, "POST", "callbacks/check", {})
    outcomes: dict[tuple[str, str, str], list[str]] = {}
    for row in found:
        outcome = ("✓" if row["ok"] else "✗", row["url"], row[language])
        outcomes.setdefault(outcome, []).append(row["kind"])
    lines = [f"{mark} {', '.join(kinds)}  {at}\n  {words}" for (mark, at, words), kinds in outcomes.items()]
    return all(row["ok"] for row in found), "\n".join(lines)
