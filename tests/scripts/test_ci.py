"""`.ci/run`: brings the browser and the compiler, and shows the tests' result even when a check is red."""

from tests.scripts.bare_machine import BareMachine

BASH = "#!/usr/bin/env bash\n"


def be_a_fresh_debian(machine: BareMachine, apt_get: str) -> None:
    """Give the machine root and an apt-get of the test's own making; waiting takes no time."""
    machine.give_command("id", BASH + "echo 0\n")
    machine.give_command("sleep", BASH)
    machine.give_command("apt-get", BASH + f'echo "apt-get $*" >>"$FAKE_NOTES"\n{apt_get}\n')


def test_browser_and_chinese_font_are_installed_before_the_tests(machine: BareMachine) -> None:
    chromium = machine.tools / "chromium"
    be_a_fresh_debian(machine, f'case "$*" in *install*) cp "{machine.tools}/id" "{chromium}" ;; esac')

    result = machine.run(".ci/run")

    update, install, *_ = machine.installations()
    assert update.endswith("update")
    assert install.endswith("chromium fonts-noto-cjk gcc libc6-dev")
    assert "not browser" not in result.stdout


def test_only_what_is_missing_is_installed(machine: BareMachine) -> None:
    be_a_fresh_debian(machine, "")
    machine.give_command("chromium", BASH)

    machine.run(".ci/run")

    _, install, *_ = machine.installations()
    assert install.endswith("--no-install-recommends gcc libc6-dev")


def test_what_is_there_is_not_installed_again(machine: BareMachine) -> None:
    be_a_fresh_debian(machine, "exit 1")
    machine.give_command("chromium", BASH)
    machine.give_command("gcc", BASH)

    machine.run(".ci/run")

    assert not any(line.startswith("apt-get") for line in machine.installations())


def test_what_cannot_be_had_is_one_sentence_after_three_attempts(machine: BareMachine) -> None:
    be_a_fresh_debian(machine, "exit 100")

    result = machine.run(".ci/run")

    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith(".ci/run: apt-get could not install chromium fonts-noto-cjk")
    assert len(machine.installations()) == 3


def test_tests_run_although_a_check_is_red(machine: BareMachine) -> None:
    machine.give_command("chromium", BASH)
    machine.give_command("gcc", BASH)

    result = machine.run(".ci/run", "-x")

    assert "scripts/check: " in result.stderr
    assert "format (mend with scripts/lint)" in result.stderr
    assert result.stdout.endswith("pytest -m pytest -n auto -m not slow -x\n")
    assert result.returncode == 1
