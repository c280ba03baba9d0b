"""The command line: `python -m simulator`."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from pydantic import TypeAdapter, ValidationError

from simulator.app import create_app
from simulator.bank import BankMismatchError
from simulator.config import DEMO_BASE, BankSize, SimConfig

cli = typer.Typer(add_completion=False, help="WeCom simulator: the platform's side, for demos and tests.")


def load_config(
    config_file: Path | None,
    callback_base: str,
    state_file: Path | None,
    archive_public_key: Path | None,
    size: BankSize,
    seed: int | None,
) -> SimConfig:
    """Return the config of a start: the file's values (JSON of SimConfig) or the demo's, then the options.

    Raises:
        typer.BadParameter: a file that cannot be read, or that names an unknown or mistyped field.
    """
    config = SimConfig.for_base(callback_base, size=size)
    try:
        if config_file is not None:
            config = TypeAdapter(SimConfig).validate_json(config_file.read_bytes())
        if archive_public_key is not None:
            config = replace(config, archive_public_key_pem=archive_public_key.read_text(encoding="ascii"))
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, item["loc"])) or "file" for item in error.errors())
        raise typer.BadParameter(f"{config_file}: not a valid configuration ({fields})") from error
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"cannot read a file: {error}") from error
    if state_file is not None:
        config = replace(config, state_file=str(state_file))
    return config if seed is None else replace(config, seed=seed)


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8800,
    state_file: Annotated[Path | None, typer.Option(help="SQLite file that keeps chats over restarts.")] = None,
    callback_base: Annotated[str, typer.Option(help="Base URL of the bot; callbacks go below it.")] = DEMO_BASE,
    config_file: Annotated[
        Path | None, typer.Option(help="JSON file with SimConfig's fields; it replaces --callback-base and the sizes.")
    ] = None,
    archive_public_key: Annotated[
        Path | None, typer.Option(help="PEM file of the bank's RSA-2048 archive key.")
    ] = None,
    staff: Annotated[int, typer.Option(min=1, help="Relationship managers.")] = 30,
    customers: Annotated[int, typer.Option(min=1, help="Customers.")] = 2000,
    groups: Annotated[int, typer.Option(min=0, help="Customer groups.")] = 60,
    seed: Annotated[int | None, typer.Option(help="Seed of the invented bank.")] = None,
) -> None:
    """Start the simulator."""
    size = BankSize(staff, customers, groups)
    config = load_config(config_file, callback_base, state_file, archive_public_key, size, seed)
    try:
        app = create_app(config)
    except BankMismatchError as error:
        raise typer.BadParameter(str(error)) from error
    uvicorn.run(app, host=host, port=port, log_level="warning")


def main() -> None:
    """Run the command line."""
    cli()
