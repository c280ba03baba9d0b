"""`rmbot`: the command line. Names and options only; the work is in `console/commands/`.

Imports stand inside the commands: reading a callback on standard input must not wait for the whole service to load.
"""

import asyncio
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import BotError, CallbackMalformed, SettingsError
from console.commands.wecom import Family

if TYPE_CHECKING:
    from console.commands.demo import DemoPlan

# ruff: noqa: PLC0415  see the module's docstring

cli = typer.Typer(
    no_args_is_help=True, add_completion=False, help="客户经理助手 RM Assistant", pretty_exceptions_enable=False
)
wecom = typer.Typer(no_args_is_help=True, help="Look at what the platform sends.")
inbox = typer.Typer(no_args_is_help=True, help="Events that came in: list them, do failed ones again.")
outbox = typer.Typer(no_args_is_help=True, help="Replies on their way out: list them, send failed ones again.")
quarantine = typer.Typer(no_args_is_help=True, help="Recipients the platform cannot reach, and are left alone.")
audit = typer.Typer(no_args_is_help=True, help="The audit trail.")
account = typer.Typer(no_args_is_help=True, help="Who may log in to the console.")
sim = typer.Typer(help="The simulated platform alone, for building and testing bots; and its switches.")
cli.add_typer(wecom, name="wecom")
cli.add_typer(sim, name="sim")
cli.add_typer(inbox, name="inbox")
cli.add_typer(outbox, name="outbox")
outbox.add_typer(quarantine, name="quarantine")
cli.add_typer(audit, name="audit")
cli.add_typer(account, name="account")


# Where `rmbot sim seed` writes when it is not told where: beside the service's own data.
SIM_STATE = Path("data/simulator.db")


def main() -> None:
    """Run the command; errors of ours become one clear message and exit code 2."""
    try:
        cli()
    except SettingsError as error:
        typer.echo(f"rmbot: {error}", err=True)
        sys.exit(2)
    except BotError as error:
        typer.echo(f"rmbot: {error} [{error.code}]", err=True)
        sys.exit(1)
    except SQLAlchemyError as error:  # its own words may hold the address with the password
        kind = type(error).__name__
        typer.echo(
            f"rmbot: the database cannot be used ({kind}): run `rmbot migrate`, or `rmbot doctor` to see why", err=True
        )
        sys.exit(2)


@cli.command()
def demo(
    port: Annotated[int, typer.Option(help="Port of the pages.")] = 8000,
    data: Annotated[Path, typer.Option(help="Folder for everything the demo stores.")] = Path("data"),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    database: Annotated[str | None, typer.Option(help="Another database than SQLite in the data folder.")] = None,
) -> None:
    """Run an invented bank with a simulated platform, in one process; nothing leaves the machine."""
    from console.commands import demo as bank
    from console.commands.serve import run
    from console.logs import configure_logs

    configure_logs("WARNING")
    plan = bank.prepare(data, host, port, database)
    run(bank.run_demo(plan, _simulator, typer.echo))


def _simulator(plan: "DemoPlan") -> Any:
    from simulator.app import create_app
    from simulator.config import SimConfig

    made = plan.secrets
    return create_app(
        SimConfig.for_base(
            plan.url,
            token=made.token,
            aes_key=made.aes_key,
            aibot_token=made.aibot_token,
            aibot_aes_key=made.aibot_aes_key,
            archive_public_key_pem=made.archive_public_pem,
            state_file=str(plan.folder / "simulator.db"),
            public_base_url=plan.simulator_url,
        )
    )


@cli.command()
def serve() -> None:
    """Run one node, as the settings say."""
    from console.commands.serve import run
    from console.commands.serve import serve as node
    from console.logs import configure_logs
    from console.settings import load_settings

    configure_logs()
    run(node(load_settings()))


@cli.command()
def migrate() -> None:
    """Bring the database to this version's tables, and install lexicon and scripts when there are none."""
    from console.commands.migrate import migrate as bring
    from console.settings import load_settings

    typer.echo(asyncio.run(bring(load_settings())))


@cli.command()
def doctor(
    lang: Annotated[str, typer.Option(help="zh or en.")] = "zh",
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask the platform.")] = False,
) -> None:
    """Say what is missing or wrong, and what to do about it. Exit code 1 when the service could not work."""
    from console.commands.doctor import examine

    report = asyncio.run(examine(lang, offline=offline))
    typer.echo(report.text)
    raise typer.Exit(0 if report.well else 1)


@cli.command()
def sync(
    status: Annotated[bool, typer.Option("--status", help="Only say how the newest one stands.")] = False,
    lang: Annotated[str, typer.Option(help="zh or en.")] = "zh",
) -> None:
    """Bring the copy of members, customers, tags and groups up to date; goes on where an earlier run stopped."""
    from console.commands.sync import show_status, sync_now
    from console.logs import configure_logs
    from console.settings import load_settings

    configure_logs("WARNING")
    if status:
        typer.echo("\n".join(asyncio.run(show_status(load_settings(), lang))))
        return
    ending = "" if sys.stdout.isatty() else "\n"

    def show(line: str) -> None:
        # on a terminal the line is written over itself
        typer.echo(f"\r\033[K{line}" if not ending else line, nl=bool(ending))

    def say(line: str) -> None:
        typer.echo(line if ending else f"\n{line}")

    if not asyncio.run(sync_now(load_settings(), say, show, lang)):
        raise typer.Exit(1)


@cli.command()
def settings() -> None:
    """List every setting with its default and meaning, as a Markdown table."""
    from console.commands.reference import settings_table

    typer.echo(settings_table())


@wecom.command("decode")
def wecom_decode(family: Annotated[Family, typer.Option(help="Which door the body came through.")]) -> None:
    """Read a decrypted body on standard input and print what it is, as one JSON object."""
    from console.commands.wecom import decode

    try:
        line = decode(family, sys.stdin.buffer.read())
    except CallbackMalformed as error:
        typer.echo(f"rmbot: {error}", err=True)
        raise typer.Exit(1) from None
    sys.stdout.buffer.write(f"{line}\n".encode())


@wecom.command("vectors")
def wecom_vectors(
    file: Annotated[Path, typer.Argument(help="A file of known answers, in the form of vectors.json.")],
) -> None:
    """Check our cryptography against a file of known answers."""
    from console.commands.wecom_vectors import check_vectors, read_vectors, vectors_table

    checks = check_vectors(read_vectors(file))
    typer.echo(vectors_table(checks))
    raise typer.Exit(1 if any(check.problem for check in checks) else 0)


@inbox.command("list")
def inbox_list(
    state: Annotated[str | None, typer.Option(help="received, processing, done or failed.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List the newest events. Contents are not shown."""
    from bot.inbox.models import InboxState
    from console.commands.rows import list_inbox
    from console.settings import load_settings

    wanted = _state(InboxState, state)
    _print_rows(asyncio.run(list_inbox(load_settings(), wanted, limit, as_json)), "no such events")


@inbox.command("replay")
def inbox_replay(
    row: Annotated[int, typer.Argument(help="Number of a failed event: see `rmbot inbox list`.")],
) -> None:
    """Handle a failed event again, with fresh attempts."""
    from console.commands.rows import replay_inbox
    from console.settings import load_settings

    asyncio.run(replay_inbox(load_settings(), row))
    typer.echo(f"event {row} is back in line; the running service takes it up within seconds")


@outbox.command("list")
def outbox_list(
    state: Annotated[str | None, typer.Option(help="queued, sending, sent, uncertain, failed or blocked.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 20,
) -> None:
    """List the newest replies. Contents are not shown."""
    from bot.outbox.models import OutboxState
    from console.commands.rows import list_outbox
    from console.settings import load_settings

    _print_rows(asyncio.run(list_outbox(load_settings(), _state(OutboxState, state), limit)), "no such replies")


@outbox.command("resend")
def outbox_resend(
    row: Annotated[int, typer.Argument(help="Number of a failed reply, from `rmbot outbox list`.")],
) -> None:
    """Send a failed reply again."""
    from console.commands.rows import resend_outbox
    from console.settings import load_settings

    asyncio.run(resend_outbox(load_settings(), row))
    typer.echo(f"reply {row} is back in line; the running service takes it up within seconds")


@outbox.command("alerts")
def outbox_alerts(
    resolve: Annotated[int | None, typer.Option(help="Close the alert with this number.")] = None,
) -> None:
    """List what an administrator has to mend at the platform, or close one such alert by hand."""
    from console.commands.rows import list_alerts, resolve_alert
    from console.settings import load_settings

    if resolve is None:
        _print_rows(asyncio.run(list_alerts(load_settings())), "no open alerts")
        return
    asyncio.run(resolve_alert(load_settings(), resolve))
    typer.echo(f"alert {resolve} is closed; it opens again when it is seen again")


@quarantine.command("list")
def quarantine_list(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 20,
) -> None:
    """List who is left alone, why, and until when."""
    from console.commands.rows import list_quarantine
    from console.settings import load_settings

    _print_rows(asyncio.run(list_quarantine(load_settings(), limit)), "nobody is in quarantine")


@quarantine.command("lift")
def quarantine_lift(
    recipient: Annotated[str, typer.Argument(help="As `rmbot outbox quarantine list` shows it, e.g. app:zhangsan.")],
) -> None:
    """Let a recipient be tried again."""
    from console.commands.rows import lift_quarantine
    from console.settings import load_settings

    asyncio.run(lift_quarantine(load_settings(), recipient))
    typer.echo(f"{recipient} is tried again with the next reply")


@audit.command("verify")
def audit_verify() -> None:
    """Recompute the whole audit chain. Exit code 1 and the first broken place when it does not hold."""
    from console.commands.verify import verify_audit
    from console.settings import load_settings

    check = asyncio.run(verify_audit(load_settings()))
    if not check.ok:
        typer.echo(f"rmbot: the audit trail is broken at entry {check.broken_at} of {check.count}", err=True)
        raise typer.Exit(1)
    typer.echo(f"the audit trail holds: {check.count} entries")


@account.command("put")
def account_put(
    staff_id: Annotated[str, typer.Argument(help="The member's userid in WeCom.")],
    name: Annotated[str, typer.Option(help="Name, as shown.")],
    role: Annotated[str, typer.Option(help="rm, officer or admin.")],
    position: Annotated[str, typer.Option(help="Branch or department, as shown.")] = "",
) -> None:
    """Make an account or change one; asks for the password (or reads a line of standard input)."""
    from console.commands.accounts import put_account
    from console.settings import load_settings

    settings = load_settings()
    if sys.stdin.isatty():
        password = str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    else:
        password = sys.stdin.readline().rstrip("\n")
    asyncio.run(put_account(settings, staff_id=staff_id, name=name, role=role, position=position, password=password))
    typer.echo(f"{staff_id} may log in as {role}; earlier sessions of this account have ended")


SimUrl = Annotated[str, typer.Option("--url", help="Address of the running simulator.")]


class Language(StrEnum):
    """Language of what is printed."""

    ZH = "zh"
    EN = "en"


Lang = Annotated[Language, typer.Option(help="Language of what is printed.")]
SIM_URL = "http://127.0.0.1:8800"


@sim.callback(invoke_without_command=True)
def sim_run(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8800,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    bot: Annotated[str, typer.Option(help="Base address of the bot; callbacks go below it.")] = "http://127.0.0.1:8000",
    state: Annotated[Path | None, typer.Option(help="File that keeps everything over restarts.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the invented bank.")] = None,
    customers: Annotated[
        int | None, typer.Option(min=1, help="Customers; 2000 unless the file says otherwise.")
    ] = None,
    staff: Annotated[int | None, typer.Option(min=1, help="Relationship managers; 30 likewise.")] = None,
    groups: Annotated[int | None, typer.Option(min=0, help="Customer groups; 60 likewise.")] = None,
    archive_key: Annotated[Path | None, typer.Option(help="The bank's archive key, public half, PEM.")] = None,
    aibot_websocket: Annotated[
        bool, typer.Option("--aibot-websocket", help="The AI bot by long connection, not by callback.")
    ] = False,
    lang: Lang = Language.ZH,
) -> None:
    """Run the simulated platform alone, until Ctrl+C."""
    if context.invoked_subcommand is not None:
        return
    from console.commands import sim as simulated

    choice = simulated.SizeChoice(customers, staff, groups, seed)
    with simulated.bind(host, port) as door:
        config = simulated.prepare(bot, state, choice, archive_key, aibot_websocket=aibot_websocket)
        simulated.run(config, door, typer.echo, lang)


@sim.command("seed")
def sim_seed(
    state: Annotated[Path, typer.Option(help="File to write; `rmbot sim --state FILE` runs it.")] = SIM_STATE,
    customers: Annotated[int, typer.Option(min=1, help="Customers.")] = 2000,
    staff: Annotated[int, typer.Option(min=1, help="Relationship managers.")] = 30,
    groups: Annotated[int, typer.Option(min=0, help="Customer groups.")] = 60,
    seed: Annotated[int | None, typer.Option(help="Seed: the same one makes the same bank.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Make it anew, and forget all that happened in it.")
    ] = False,
    lang: Lang = Language.ZH,
) -> None:
    """Write an invented bank of any size into a file."""
    from rich.progress import Progress

    from bot.texts import load_texts
    from console.commands import sim as simulated

    texts = load_texts("console", lang)
    if state == SIM_STATE:
        state.parent.mkdir(exist_ok=True)
    choice = simulated.SizeChoice(customers, staff, groups, seed)
    size, rows = simulated.rows_of(choice)
    with Progress(transient=True) as progress:
        bars = {
            "customers": progress.add_task(texts["sim.making_customers"], total=size.customers),
            "groups": progress.add_task(texts["sim.making_groups"], total=size.groups),
            "rows": progress.add_task(texts["sim.writing_rows"], total=rows),
        }

        def tell(what: str, count: int) -> None:
            progress.update(bars[what], completed=count)

        written = simulated.seed_file(state, choice, tell, replace_it=replace)
    typer.echo(texts.render("sim.seeded", what=written, path=state))


@sim.command("faults")
def sim_faults(
    api: Annotated[str, typer.Option(help="METHOD /path, a prefix of it ending in *, or *.")] = "*",
    kind: Annotated[str | None, typer.Option(help="Switch this fault on: see docs/reference/simulator.md.")] = None,
    probability: Annotated[float, typer.Option(help="From 0 to 1.")] = 1.0,
    count: Annotated[int | None, typer.Option(help="Only the next so many.")] = None,
    seconds: Annotated[float | None, typer.Option(help="How long, for latency and timeout.")] = None,
    errcode: Annotated[int | None, typer.Option(help="Which, for errcode.")] = None,
    duplicate: Annotated[float | None, typer.Option(help="Share of callbacks that come twice.")] = None,
    reorder: Annotated[float | None, typer.Option(help="Share of callbacks that are overtaken.")] = None,
    lost: Annotated[float | None, typer.Option(help="Share of callbacks that never come.")] = None,
    delay: Annotated[float | None, typer.Option(help="Seconds that callbacks come late.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Switch all off.")] = False,
    url: SimUrl = SIM_URL,
    lang: Lang = Language.ZH,
) -> None:
    """Show what goes wrong on purpose in a running simulator; switch one fault more on, or all off."""
    from console.commands import sim as simulated

    shown = simulated.ask(url, "DELETE" if clear else "GET", "faults")
    callbacks = {"duplicate": duplicate, "reorder": reorder, "lost": lost, "delay_seconds": delay}
    changes = {name: value for name, value in callbacks.items() if value is not None}
    if changes:
        shown = simulated.set_callback_faults(url, changes)
    if kind is not None:
        fault = {"api": api, "kind": kind, "probability": probability, "count": count, "seconds": seconds}
        shown = simulated.add_fault(url, {**fault, "errcode": errcode})
    typer.echo(simulated.spell_faults(shown, lang))


@sim.command("clock")
def sim_clock(
    at: Annotated[str | None, typer.Option("--set", help="A time with zone, like 2026-12-31T23:59:00+08:00.")] = None,
    advance: Annotated[float | None, typer.Option(help="Go forward by seconds.")] = None,
    speed: Annotated[float | None, typer.Option(help="Simulated seconds in a real one; 0 stops.")] = None,
    real: Annotated[bool, typer.Option("--real", help="Back to the system's time and speed.")] = False,
    url: SimUrl = SIM_URL,
    lang: Lang = Language.ZH,
) -> None:
    """Show the clock of a running simulator; set it, move it, let it run fast."""
    from bot.texts import load_texts
    from console.commands import sim as simulated

    wanted: dict[str, Any] = {"now": None, "speed": 1.0} if real else {}
    wanted |= {} if at is None else {"now": at}
    wanted |= {} if speed is None else {"speed": speed}
    shown = simulated.ask(url, "PUT", "clock", wanted) if wanted else simulated.ask(url, "GET", "clock")
    if advance is not None:
        shown = simulated.ask(url, "POST", "clock/advance", {"seconds": advance})
    typer.echo(load_texts("console", lang).render("sim.clock", **shown))


@sim.command("check")
def sim_check(url: SimUrl = SIM_URL, lang: Lang = Language.ZH) -> None:
    """Let a running simulator check the bot's callback addresses. Exit code 1 when one does not pass."""
    from console.commands import sim as simulated

    well, lines = simulated.check_callbacks(url, lang)
    typer.echo(lines)
    raise typer.Exit(0 if well else 1)


def _state(states: Any, wanted: str | None) -> Any:
    if wanted is None:
        return None
    try:
        return states(wanted)
    except ValueError:
        raise typer.BadParameter(f"{wanted} is no state; there are: {', '.join(states)}") from None


def _print_rows(lines: list[str], empty: str) -> None:
    typer.echo("\n".join(lines) if lines else empty)


if __name__ == "__main__":
    main()
