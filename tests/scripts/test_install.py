"""`scripts/install`: an environment from nothing, nothing the second time, one sentence when it cannot be."""

import subprocess

import pytest

from tests.scripts.bare_machine import BareMachine


def assert_refused_in_one_sentence(result: subprocess.CompletedProcess[str], *words: str) -> None:
    """The last line, and only one, names the script and says what to do; no stack trace, exit code 1."""
    assert result.returncode == 1, result.stderr
    complaints = [line for line in result.stderr.splitlines() if line.startswith("scripts/install: ")]
    assert complaints == [result.stderr.splitlines()[-1]]
    assert "Traceback" not in result.stderr + result.stdout
    for word in words:
        assert word in complaints[0]


def test_environment_with_the_command_is_made_from_nothing(machine: BareMachine) -> None:
    result = machine.run("scripts/install")

    assert result.returncode == 0, result.stderr
    assert (machine.root / ".venv/bin/rmbot").exists()
    venv, build_tools, dependencies, ourselves = machine.installations()
    assert venv == "venv"
    assert "--require-hashes -r " in build_tools
    assert "/requirements-build.lock" in build_tools
    assert "--require-hashes --no-build-isolation -r " in dependencies
    assert "/requirements.lock" in dependencies
    assert "--no-deps --no-build-isolation -e" in ourselves


def test_second_run_does_nothing(machine: BareMachine) -> None:
    machine.run("scripts/install")
    machine.installations()

    result = machine.run("scripts/install")

    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert machine.installations() == []


def test_development_tools_come_with_their_option_and_bring_the_rest(machine: BareMachine) -> None:
    machine.run("scripts/install", "--dev")
    assert any("requirements-dev.lock" in line for line in machine.installations())

    machine.run("scripts/install")

    assert machine.installations() == []


@pytest.mark.parametrize("changed", ["requirements.lock", "pyproject.toml"])
def test_changed_dependencies_are_installed_into_the_same_environment(machine: BareMachine, changed: str) -> None:
    machine.run("scripts/install")
    machine.installations()
    with (machine.root / changed).open("a", encoding="utf-8") as file:
        file.write("# changed\n")

    assert machine.run("scripts/install").returncode == 0

    assert "venv" not in (lines := machine.installations())
    assert len(lines) == 3


def test_moved_folder_gets_a_new_environment(machine: BareMachine) -> None:
    machine.run("scripts/install")
    machine.installations()
    machine.root = machine.root.rename(machine.root.with_name("elsewhere"))

    assert machine.run("scripts/install").returncode == 0

    assert machine.installations()[0] == "venv"


def test_failed_installation_is_taken_up_again(machine: BareMachine) -> None:
    assert machine.run("scripts/install", FAKE_PIP_SAYS="Read timed out").returncode == 1
    machine.installations()

    assert machine.run("scripts/install").returncode == 0

    assert len(machine.installations()) == 3
    assert not (machine.root / ".venv.lock").exists()


def test_lock_left_by_a_killed_run_is_taken_over(machine: BareMachine) -> None:
    lock = machine.root / ".venv.lock"
    lock.mkdir()
    ended = subprocess.Popen(["true"])
    ended.wait()
    (lock / "pid").write_text(str(ended.pid), encoding="utf-8")

    assert machine.run("scripts/install").returncode == 0


def test_settings_that_say_where_from_are_kept_and_those_that_say_where_to_are_not(machine: BareMachine) -> None:
    machine.run("scripts/install", PIP_INDEX_URL="http://mirror.invalid/", PIP_TARGET="/nowhere", PIP_USER="1")

    _, *installs = machine.installations()
    assert all("PIP_TARGET= " in line and "PIP_INDEX_URL=http://mirror.invalid/" in line for line in installs)


def test_small_temporary_folder_does_not_matter(machine: BareMachine) -> None:
    machine.run("scripts/install", TMPDIR="/nowhere")

    _, *installs = machine.installations()
    assert all(f"TMPDIR={machine.root}/.venv/.tmp" in line for line in installs)
    assert not (machine.root / ".venv/.tmp").exists()


def test_first_supported_python_is_taken_when_the_usual_one_is_old(bare: BareMachine) -> None:
    bare.give_command("python3", "#!/usr/bin/env bash\necho 8\n")
    bare.give_python("python3.12")

    assert bare.run("scripts/install", FAKE_MINOR="12").returncode == 0


def test_missing_python_is_one_sentence(bare: BareMachine) -> None:
    assert_refused_in_one_sentence(bare.run("scripts/install"), "no Python was found", "apt-get install python3")


@pytest.mark.parametrize("minor", ["8", "10"])
def test_old_python_is_one_sentence(machine: BareMachine, minor: str) -> None:
    assert_refused_in_one_sentence(machine.run("scripts/install", FAKE_MINOR=minor), "older than 3.11", "PYTHON=")
    assert machine.installations() == []


def test_chosen_python_that_does_not_start_is_one_sentence(machine: BareMachine) -> None:
    assert_refused_in_one_sentence(
        machine.run("scripts/install", PYTHON="/nowhere/python"), "'/nowhere/python'", "unset it"
    )


def test_missing_venv_module_is_one_sentence(machine: BareMachine) -> None:
    result = machine.run("scripts/install", FAKE_VENV_MISSING="1")

    assert_refused_in_one_sentence(result, "lacks its venv module", "apt-get install python3-venv")


def test_little_space_is_one_sentence(machine: BareMachine) -> None:
    machine.give_command("df", "#!/usr/bin/env bash\necho Filesystem\necho /dev/x 100000 80000 20480 80% /\n")

    assert_refused_in_one_sentence(machine.run("scripts/install"), "only 20 MB are free", "free some space")
    assert machine.installations() == []


@pytest.mark.parametrize(
    ("pip_says", "told"),
    [
        ("ERROR: No matching distribution found for aiosqlite==1 (from versions: none)", "connect this machine"),
        ("WARNING: NameResolutionError: Failed to resolve", "connect this machine"),
        ("ERROR: No matching distribution found for daachorse==1.2", "no file of daachorse==1.2 for this Python"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "the disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "pip cache purge"),
        ("SSLError(SSLCertVerificationError: CERTIFICATE_VERIFY_FAILED)", "PIP_CERT"),
        ("Preparing\nERROR: something new happened", "something new happened"),
    ],
    ids=["index empty", "no network", "no file", "disk full", "other file", "certificate", "unknown"],
)
def test_what_pip_says_becomes_one_sentence(machine: BareMachine, pip_says: str, told: str) -> None:
    assert_refused_in_one_sentence(machine.run("scripts/install", FAKE_PIP_SAYS=pip_says), told)


def test_unknown_failure_leaves_the_whole_output_beside_the_sentence(machine: BareMachine) -> None:
    result = machine.run("scripts/install", FAKE_PIP_SAYS="one\ntwo\nERROR: three")

    log = machine.root / ".venv/install.log"
    assert str(log) in result.stderr
    assert log.read_text(encoding="utf-8").startswith("one\ntwo\n")


def test_unknown_option_is_one_sentence(machine: BareMachine) -> None:
    assert_refused_in_one_sentence(machine.run("scripts/install", "--develop"), "unknown option '--develop'", "--dev")


def test_uv_is_used_when_it_is_there(machine: BareMachine) -> None:
    machine.give_command("uv", '#!/usr/bin/env bash\necho "uv $*" >>"$FAKE_NOTES"\n')

    machine.run("scripts/install")

    assert [line.split(" ")[0] for line in machine.installations()] == ["venv", "uv", "uv", "uv"]


def test_pip_takes_over_when_uv_cannot(machine: BareMachine) -> None:
    machine.give_command("uv", "#!/usr/bin/env bash\nexit 2\n")

    assert machine.run("scripts/install").returncode == 0

    assert (machine.root / ".venv/bin/rmbot").exists()


def test_environment_whose_python_is_gone_is_made_anew(machine: BareMachine) -> None:
    broken = machine.root / ".venv/bin/python"
    broken.parent.mkdir(parents=True)
    broken.symlink_to("/nowhere/python3")

    assert machine.run("scripts/install").returncode == 0

    assert machine.installations()[0] == "venv"
