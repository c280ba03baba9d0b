"""`rmbot`: the command line. Names and options only; the work is in `console/commands/`.

Imports stand inside the commands: reading a callback on standard input must not wait for the whole service to load.
"""

import asyncio
import sys
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
audit = typer.Typer(no_args_is_help=True, help="The audit trail.")
account = typer.Typer(no_args_is_help=True, help="Who may log in to the console.")
cli.add_typer(wecom, name="wecom")
cli.add_typer(inbox, name="inbox")
cli.add_typer(outbox, name="outbox")
cli.add_typer(audit, name="audit")
cli.add_typer(account, name="account")


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
