"""A machine with nothing but bash, coreutils and the Python a test gives it.

The scripts run for real, in a copy of the repository's files whose path has a space in it; only Python is a stand-in,
which answers what the scripts ask of it and notes what it was told to install. Nothing is downloaded.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
_TOOLS = (
    *("bash", "basename", "cat", "chmod", "cp", "df", "dirname", "env", "grep", "head", "mkdir"),
    *("mv", "rm", "sed", "sleep", "sort", "uniq"),
)
_PYTHON = r"""#!/usr/bin/env bash
set -e
home=$(cd "$(dirname "$0")/.." && pwd -P)
case "$*" in
  *version_info*) echo "${FAKE_MINOR:-11}" ;;
  --version) echo "Python 3.${FAKE_MINOR:-11}.0" ;;
  *"import ensurepip, venv"*) exit "${FAKE_VENV_MISSING:-0}" ;;
  *sys.prefix*) echo "$home" ;;
  *"-m venv"*)
    [[ $* != *--clear* ]] || rm -rf "${@: -1}"
    mkdir -p "${@: -1}/bin" && cp "$0" "${@: -1}/bin/python"
    echo "venv" >>"$FAKE_NOTES" ;;
  *"-m pip install"*)
    echo "$* PIP_TARGET=${PIP_TARGET:-} PIP_INDEX_URL=${PIP_INDEX_URL:-} TMPDIR=$TMPDIR" >>"$FAKE_NOTES"
    if [[ -n ${FAKE_PIP_SAYS:-} ]]; then echo "$FAKE_PIP_SAYS"; exit 1; fi
    printf '#!/usr/bin/env bash\necho "rmbot $*"\n' >"$home/bin/rmbot"
    chmod +x "$home/bin/rmbot" ;;
  *"-m pytest --collect-only"*) printf 'tests/console/test_pages.py::test_a\ntests/console/test_pages.py::test_b\n' ;;
  *"-m pytest"*) echo "pytest $*" ; exit "${FAKE_PYTEST_EXIT:-0}" ;;
esac
"""


@dataclass
class BareMachine:
    """Runs scripts of a copied repository with a PATH and an environment of the test's own making."""

    root: Path
    tools: Path
    notes: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a script from another folder than the repository's."""
        return subprocess.run(
            [str(self.root / script), *arguments],
            cwd=self.tools,
            env={**self._base(), **self.environment, **environment},
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def give_python(self, name: str = "python3") -> None:
        """Put a stand-in for Python on the PATH; FAKE_MINOR says which 3.x it is."""
        self.give_command(name, _PYTHON)

    def give_command(self, name: str, text: str) -> None:
        """Put an executable script on the PATH, in place of a tool of the same name."""
        path = self.tools / name
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def installations(self) -> list[str]:
        """List what Python was asked to make or to install, in order; forget it afterwards."""
        lines = self.notes.read_text(encoding="utf-8").splitlines() if self.notes.exists() else []
        self.notes.unlink(missing_ok=True)
        return lines

    def _base(self) -> Mapping[str, str]:
        return {"PATH": str(self.tools), "HOME": str(self.tools), "FAKE_NOTES": str(self.notes), "LC_ALL": "C.UTF-8"}


def make_bare_machine(folder: Path) -> BareMachine:
    """Copy what the scripts read into `folder/a place with spaces`, with tools but no Python on the PATH."""
    root = folder / "a place with spaces"
    tools = folder / "tools"
    root.mkdir()
    tools.mkdir()
    shutil.copytree(REPOSITORY / "scripts", root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(REPOSITORY / ".ci", root / ".ci")
    for name in ("pyproject.toml", "requirements.lock", "requirements-dev.lock", "requirements-build.lock"):
        shutil.copy(REPOSITORY / name, root / name)
    for name in _TOOLS:
        found = shutil.which(name)
        assert found is not None, f"{name} is needed by the scripts and by these tests"
        os.symlink(found, tools / name)
    return BareMachine(root=root, tools=tools, notes=folder / "notes")
