"""Questions about the repository itself that no linter asks; `scripts/check` runs them.

Is the lock in step with pyproject.toml and free of addresses? Does every dependency have its reason in the docs? Does
a tracked file name this machine or the package index it uses? Is there a changelog fragment? Do links between
pages lead somewhere? Nothing here changes a file. Each `find_` function returns the complaints, empty when all is
well, each a sentence that names the file and the next step.
"""

import configparser
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
REASONS = "docs/explanation/dependencies.md"
RUNTIME_LOCK = "requirements.lock"
DEV_LOCK = "requirements-dev.lock"
BUILD_LOCK = "requirements-build.lock"

_PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>[^\s;\\]+)")
_DIRECT = re.compile(r"^ +#\s+(?:via )?rm-assistant \(pyproject\.toml")
_FRAGMENT = re.compile(r"^\d+(?:-[a-z0-9-]+)?\.(?:added|changed|fixed|removed|security)\.md$")
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HOME = re.compile(r"(?<![\w.])/(?:root|home/(?!user\b|you\b)[a-z][\w-]*|Users/(?!you\b)[A-Za-z][\w-]*)/")
_INDEX_OPTION = re.compile(r"(?:--|\b)(?:extra-)?index-url\b\s*[= ]\s*[\"']?https?://|https?://[^\s\"'/]+/simple\b")
_CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Pin:
    """One pinned package of a lock file: its canonical name, its version and how many file hashes it has.

    `direct` says that pyproject.toml asks for it by name; the others come with those.
    """

    name: str
    version: str
    hashes: int
    direct: bool


def parse_lock(text: str) -> list[Pin]:
    """Read a lock file in the format of `uv pip compile`, in its order.

    A package may stand there twice, with versions for different platforms.
    """
    pins: list[Pin] = []
    for line in text.splitlines():
        if match := _PIN.match(line):
            pins.append(Pin(canonicalize_name(match["name"]), match["version"], 0, direct=False))
        elif pins and "--hash=sha256:" in line:
            pins[-1] = replace(pins[-1], hashes=pins[-1].hashes + 1)
        elif pins and _DIRECT.match(line):
            pins[-1] = replace(pins[-1], direct=True)
    return pins


def list_requirements(project: Mapping[str, Any], *groups: str) -> list[Requirement]:
    """List what pyproject.toml asks for by name: the run-time dependencies, or those of the named groups."""
    if not groups:
        return [Requirement(text) for text in project["project"]["dependencies"]]
    return [Requirement(text) for group in groups for text in project["dependency-groups"][group]]


def find_lock_drift(lock_name: str, pins: Sequence[Pin], wanted: Sequence[Requirement]) -> list[str]:
    """Find requirements the lock does not fulfil, pins nobody asks for any more, and pins without hashes."""
    specifiers: dict[str, SpecifierSet] = {
        canonicalize_name(requirement.name): requirement.specifier for requirement in wanted
    }
    missing = specifiers.keys() - {pin.name for pin in pins}
    faults = [f"{name} of pyproject.toml is missing" for name in sorted(missing)]
    for pin in pins:
        specifier = specifiers.get(pin.name)
        if not pin.hashes:
            faults.append(f"{pin.name} has no hash")
        if specifier is None and pin.direct:
            faults.append(f"{pin.name} is no longer in pyproject.toml")
        if specifier is not None and not specifier.contains(pin.version, prereleases=True):
            faults.append(f"{pin.name} is pinned to {pin.version}, pyproject.toml asks for {specifier}")
    return [f"{lock_name}: {fault}; run scripts/lock" for fault in faults]


def find_version_differences(lock_name: str, part: Iterable[Pin], whole: Iterable[Pin]) -> list[str]:
    """Find packages that one lock pins otherwise than the development lock, which contains them all."""
    known = {(pin.name, pin.version) for pin in whole}
    return [
        f"{lock_name}: {pin.name} {pin.version} differs from {DEV_LOCK}; run scripts/lock"
        for pin in part
        if (pin.name, pin.version) not in known
    ]


def find_unexplained(page: str, wanted: Iterable[Requirement]) -> list[str]:
    """Find dependencies without a line of their own in the page of reasons (a table row that starts with the name)."""
    explained = {canonicalize_name(name) for name in re.findall(r"^\| `([^`\[]+)", page, re.MULTILINE)}
    return [
        f"{REASONS}: {requirement.name} has no line; say why it is there and what was rejected"
        for requirement in wanted
        if canonicalize_name(requirement.name) not in explained
    ]


def list_index_hosts(environment: Mapping[str, str], config_texts: Iterable[str]) -> set[str]:
    """List the hosts from which this machine's package clients install, so that none of them gets into a file."""
    values = [value for name, value in environment.items() if name.startswith(("PIP_", "UV_", "NPM_CONFIG_"))]
    for text in config_texts:
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read_string(text)
        except configparser.Error:
            continue
        values += [value for section in parser.sections() for _, value in parser.items(section) if value]
    hosts = {urlsplit(word).hostname for value in values for word in value.split() if "://" in word}
    return {host for host in hosts if host and host not in {"localhost", "127.0.0.1", "::1"}}


def list_machine_paths(root: Path) -> set[str]:
    """List the absolute paths by which a file could give away where this copy of the repository lies."""
    if len(root.parts) <= 2:
        return set()  # in a container the root may be /app, and that is a word of many texts
    paths = {str(root)}
    # Neighbours are worth naming only in a folder made for projects, not in one that everybody has.
    if root.parent.name not in {"tmp", "home", "src", "opt", "usr", "var"}:
        paths |= {str(path) for path in root.parent.iterdir() if path.is_dir()}
    return paths


def find_addresses(name: str, text: str, hosts: Iterable[str], paths: Iterable[str]) -> list[str]:
    """Find package index addresses and paths of one machine in a text."""
    complaints = []
    for number, line in enumerate(text.splitlines(), 1):
        if any(host in line for host in hosts) or _INDEX_OPTION.search(line):
            complaints.append(
                f"{name}:{number}: names a package index; where packages come from is each machine's affair"
            )
        if _HOME.search(line) or any(re.search(r"(?<![\w.])" + re.escape(path) + r"(?![\w-])", line) for path in paths):
            complaints.append(f"{name}:{number}: names a path of one machine; make it relative to the repository")
    return complaints


def find_fragment_faults(names: Iterable[str], changelog: str, version: str) -> list[str]:
    """Find fragments with a wrong name, and a version that the changelog neither tells nor prepares."""
    fragments = [name for name in names if name != "README.md"]
    complaints = [
        f"changes/{name}: name it <issue>.<added|changed|fixed|removed|security>.md"
        for name in fragments
        if not _FRAGMENT.match(name)
    ]
    if f"## [{version}]" not in changelog and not fragments:
        complaints.append(f"changes/: no fragment, and CHANGELOG.md has no section [{version}]; add a fragment")
    return complaints


def find_dead_links(name: str, text: str, root: Path) -> list[str]:
    """Find relative links of a page that lead to no file; links to the web and within the page are not followed."""
    complaints = []
    for match in _LINK.finditer(_CODE_BLOCK.sub("", text)):
        target = match["target"].split("#")[0]
        if not target or re.match(r"^[a-z][a-z0-9+.-]*:", target):
            continue
        if not (root / Path(name).parent / target).exists():
            complaints.append(f"{name}: the link to {target} leads nowhere")
    return complaints


def _list_files(root: Path) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of each text file that is, or would be, committed; binary files are left out."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root,
        check=False,
        capture_output=True,
        text=True,
    )
    if listing.returncode:
        print("not a git checkout: files are not searched for addresses", file=sys.stderr)
    for name in filter(None, listing.stdout.split("\0")):
        try:
            yield name, (root / name).read_text(encoding="utf-8")
        except (FileNotFoundError, IsADirectoryError, UnicodeDecodeError):
            continue


def _read_client_configs() -> list[str]:
    home = Path.home()
    places = [
        Path(os.environ.get("PIP_CONFIG_FILE") or os.devnull),
        Path("/etc/pip.conf"),
        home / ".config/pip/pip.conf",
        home / ".pip/pip.conf",
        home / "Library/Application Support/pip/pip.conf",
    ]
    return [place.read_text(encoding="utf-8") for place in places if place.is_file()]


def list_complaints(root: Path) -> list[str]:
    """Ask all the questions of the repository at `root`."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    locks = {name: (root / name).read_text(encoding="utf-8") for name in (RUNTIME_LOCK, DEV_LOCK, BUILD_LOCK)}
    pins = {name: parse_lock(text) for name, text in locks.items()}
    runtime, dev, build = (list_requirements(project, *groups) for groups in ((), ("dev",), ("build",)))
    complaints = [
        *find_lock_drift(RUNTIME_LOCK, pins[RUNTIME_LOCK], runtime),
        *find_lock_drift(DEV_LOCK, pins[DEV_LOCK], [*runtime, *dev, *build]),
        *find_lock_drift(BUILD_LOCK, pins[BUILD_LOCK], build),
        *find_version_differences(RUNTIME_LOCK, pins[RUNTIME_LOCK], pins[DEV_LOCK]),
        *find_version_differences(BUILD_LOCK, pins[BUILD_LOCK], pins[DEV_LOCK]),
        *find_unexplained((root / REASONS).read_text(encoding="utf-8"), [*runtime, *dev, *build]),
        *find_fragment_faults(
            sorted(path.name for path in (root / "changes").iterdir()),
            (root / "CHANGELOG.md").read_text(encoding="utf-8"),
            project["project"]["version"],
        ),
    ]
    hosts = list_index_hosts(os.environ, _read_client_configs())
    paths = list_machine_paths(root)
    for name, text in _list_files(root):
        complaints += find_addresses(name, text, hosts, paths)
        if name.endswith(".md"):
            complaints += find_dead_links(name, text, root)
    return complaints


def main() -> int:
    """Print each complaint on its own line; 1 when there is any."""
    complaints = list_complaints(ROOT)
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    raise SystemExit(main())
