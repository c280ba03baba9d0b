"""Compile the fake of the archive SDK with whatever C compiler there is; the result is kept by content.

The product never needs this: a bank has the vendor's library. It is for tests, the demo and whoever builds against the
simulator: `python -m simulator.native.build` prints the path of the library.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

SOURCE = Path(__file__).with_name("finance_sdk.c")
COMPILERS = ("cc", "gcc", "clang")
FLAGS = ("-std=c99", "-D_POSIX_C_SOURCE=200809L", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared")


class NoCompiler(RuntimeError):
    """There is no C compiler on this machine."""

    def __init__(self) -> None:
        super().__init__(
            f"no C compiler found (looked for $CC, {', '.join(COMPILERS)}): install gcc or clang to build the fake "
            "archive library; the archive over HTTP (wecom.archive.relay_url) works without it"
        )


class BuildFailed(RuntimeError):
    """The compiler refused the source; the message is its own."""


def find_compiler() -> str:
    """Return the C compiler's path: $CC, else cc, gcc or clang.

    Raises:
        NoCompiler: there is none.
    """
    for name in (os.environ.get("CC", ""), *COMPILERS):
        found = shutil.which(name) if name else None
        if found:
            return found
    raise NoCompiler


def build_library(defines: Sequence[str] = (), cache: Path | None = None) -> Path:
    """Compile the library, unless it is in the cache already, and return its path.

    `defines` are build flags of the source, like FAKE_CRASH_AT_SEQ=13. `cache` is a directory; the default is one of
    this user below the system's directory for temporary files. Safe to call from several processes at once.

    Raises:
        NoCompiler: there is no C compiler.
        BuildFailed: it does not compile.
    """
    compiler = find_compiler()
    flags = [*FLAGS, *(f"-D{define}" for define in defines)]
    content = hashlib.sha256(SOURCE.read_bytes() + "\0".join([compiler, *flags]).encode()).hexdigest()[:16]
    directory = cache or _own_cache()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    library = directory / f"libfinance_sdk_{content}.so"
    if not library.exists():
        _compile(compiler, flags, library)
    return library


def _own_cache() -> Path:
    # a name of this user's own, closed to others: a library somebody else could replace must not be loaded
    directory = Path(tempfile.gettempdir()) / f"wecom-sim-native-{os.getuid()}"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if directory.stat().st_uid != os.getuid():
        raise BuildFailed(f"{directory} belongs to somebody else")
    return directory


def _compile(compiler: str, flags: Sequence[str], library: Path) -> None:
    with tempfile.TemporaryDirectory(dir=library.parent) as scratch:
        made = Path(scratch) / library.name
        command = [compiler, *flags, "-o", str(made), str(SOURCE)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own source
        if done.returncode != 0:
            raise BuildFailed(f"{compiler} could not compile {SOURCE.name}:\n{done.stderr}")
        made.replace(library)


def main() -> int:
    """Build the plain library and print its path; say what is missing when it cannot be built."""
    try:
        sys.stdout.write(f"{build_library()}\n")
    except (NoCompiler, BuildFailed) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
