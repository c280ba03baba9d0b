"""The questions `scripts/check` asks about the repository: what they find, and what they leave alone."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from scripts import hygiene

LOCK = """\
fastapi==0.121.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via rm-assistant (pyproject.toml)
starlette==1.0.1
    # via fastapi
uvloop==0.22.1 ; sys_platform != 'win32' \\
    --hash=sha256:cc
    # via
    #   -c requirements.lock
    #   rm-assistant (pyproject.toml)
"""
# In pieces, because the question is asked about this file too.
WEB = "https:" + "//"
WANTED = [Requirement("fastapi>=0.120"), Requirement("uvloop>=0.22; sys_platform != 'win32'")]


def test_lock_is_read_with_versions_hashes_and_who_asked() -> None:
    assert hygiene.parse_lock(LOCK) == [
        hygiene.Pin("fastapi", "0.121.0", 2, direct=True),
        hygiene.Pin("starlette", "1.0.1", 0, direct=False),
        hygiene.Pin("uvloop", "0.22.1", 1, direct=True),
    ]


def test_version_for_one_platform_is_compared_too() -> None:
    forked = LOCK + "uvloop==0.21.0 ; sys_platform == 'sunos' \\\n    --hash=sha256:dd\n"

    found = hygiene.find_lock_drift("x.lock", hygiene.parse_lock(forked), WANTED)

    assert "x.lock: uvloop is pinned to 0.21.0, pyproject.toml asks for >=0.22; run scripts/lock" in found


def test_pin_without_hash_is_found() -> None:
    assert hygiene.find_lock_drift("x.lock", hygiene.parse_lock(LOCK), WANTED) == [
        "x.lock: starlette has no hash; run scripts/lock"
    ]


@pytest.mark.parametrize(
    ("wanted", "complaint"),
    [
        ([*WANTED, Requirement("Rich>=14")], "rich of pyproject.toml is missing"),
        ([Requirement("fastapi>=0.130"), WANTED[1]], "fastapi is pinned to 0.121.0, pyproject.toml asks for >=0.130"),
        (WANTED[:1], "uvloop is no longer in pyproject.toml"),
    ],
    ids=["added", "raised", "removed"],
)
def test_lock_out_of_step_is_found(wanted: list[Requirement], complaint: str) -> None:
    pins = hygiene.parse_lock(LOCK.replace("starlette==1.0.1\n", "starlette==1.0.1 \\\n    --hash=sha256:dd\n"))
    assert hygiene.find_lock_drift("x.lock", pins, WANTED) == []

    found = hygiene.find_lock_drift("x.lock", pins, wanted)

    assert len(found) == 1
    assert complaint in found[0]


def test_locks_that_disagree_are_found() -> None:
    whole = hygiene.parse_lock(LOCK)
    part = hygiene.parse_lock(LOCK.replace("0.121.0", "0.122.0"))

    assert hygiene.find_version_differences("a.lock", whole, whole) == []
    assert "fastapi 0.122.0 differs" in hygiene.find_version_differences("a.lock", part, whole)[0]


def test_dependency_without_a_reason_is_found() -> None:
    page = "| `FastAPI` | pages | Django |\nuvloop is only named in passing: `uvloop`\n"

    assert hygiene.find_unexplained(page, WANTED) == [
        "docs/explanation/dependencies.md: uvloop has no line; say why it is there and what was rejected"
    ]


def test_hosts_of_this_machines_package_clients_are_known() -> None:
    hosts = hygiene.list_index_hosts(
        {"PIP_INDEX_URL": "https://user:word@mirror.invalid/x", "UV_INDEX": "http://127.0.0.1:9/", "PIP_CERT": "/c"},
        [
            f"[global]\nindex-url = {WEB}one.invalid/simple\nextra-index-url =\n  {WEB}two.invalid/a\n",
            "not a config",
        ],
    )

    assert hosts == {"mirror.invalid", "one.invalid", "two.invalid"}


@pytest.mark.parametrize(
    "line",
    [
        "see https://mirror.invalid/packages/x.whl",
        f"pip install --index-url {WEB}other.invalid/ x",
        f"index-url = {WEB}other.invalid",
        f'url = "{WEB}other.invalid/simple/"',
        "open /projects/main/README.md",
        "cd /projects/main",
        "cp /root" + "/notes .",
        "/home" + "/li/venv/bin/python",
    ],
)
def test_address_of_an_index_or_a_machine_is_found(line: str) -> None:
    found = hygiene.find_addresses("a.md", f"first\n{line}\n", ["mirror.invalid"], ["/projects/main"])

    assert len(found) == 1
    assert found[0].startswith("a.md:2: names a ")


@pytest.mark.parametrize(
    "line",
    [
        "https://developer.work.weixin.qq.com/document/path/90235",
        "POST /cgi-bin/externalcontact/add_msg_template",
        "/usr/bin/chromium",
        "[Notes](docs/home/page.md)",
        "/projects/main-road is a street",
        "set PIP_INDEX_URL to your mirror",
        "~/.config/rmbot",
    ],
)
def test_ordinary_addresses_and_paths_are_left_alone(line: str) -> None:
    assert hygiene.find_addresses("a.md", line, ["mirror.invalid"], ["/projects/main"]) == []


def test_short_root_of_a_container_is_no_machine_path() -> None:
    assert hygiene.list_machine_paths(Path("/app")) == set()


def test_fragment_with_an_unreadable_name_is_found() -> None:
    names = ["README.md", "2.added.md", "12-scripts.fixed.md", "added.md", "3.new.md"]

    assert [complaint.split(":")[0] for complaint in hygiene.find_fragment_faults(names, "## [0.1.0]", "0.1.0")] == [
        "changes/added.md",
        "changes/3.new.md",
    ]


def test_version_needs_a_fragment_or_a_section() -> None:
    assert hygiene.find_fragment_faults(["README.md", "2.added.md"], "", "0.2.0") == []
    assert hygiene.find_fragment_faults(["README.md"], "## [0.2.0] - 2026-12-01", "0.2.0") == []
    assert hygiene.find_fragment_faults(["README.md"], "## [0.1.0]", "0.2.0") != []


def test_dead_link_is_found_and_living_ones_are_not(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/here.md").touch()
    text = "[a](here.md#part) [b](https://example.com/x) [c](#top) [d](gone.md)\n```\n[e](sample.md)\n```\n"

    assert hygiene.find_dead_links("docs/page.md", text, tmp_path) == [
        "docs/page.md: the link to gone.md leads nowhere"
    ]


def test_every_dependency_of_this_repository_is_locked_and_explained() -> None:
    project = tomllib.loads((hygiene.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*hygiene.list_requirements(project), *hygiene.list_requirements(project, "dev", "build")]
    pins = hygiene.parse_lock((hygiene.ROOT / hygiene.DEV_LOCK).read_text(encoding="utf-8"))

    assert len(wanted) > 30
    assert hygiene.find_lock_drift(hygiene.DEV_LOCK, pins, wanted) == []
    assert hygiene.find_unexplained((hygiene.ROOT / hygiene.REASONS).read_text(encoding="utf-8"), wanted) == []


@pytest.mark.parametrize("name", [hygiene.RUNTIME_LOCK, hygiene.DEV_LOCK, hygiene.BUILD_LOCK])
def test_lock_names_no_address(name: str) -> None:
    text = (hygiene.ROOT / name).read_text(encoding="utf-8")

    assert not re.search(r"https?:|index-url|find-links|file:|/", text.replace("# via", ""))
