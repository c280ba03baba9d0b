"""`scripts/serve` and `scripts/test`: what they pass on, and what they say about what they could not run."""

from tests.scripts.bare_machine import BareMachine

NO_CHROMIUM_HINT = "apt-get install chromium fonts-noto-cjk"


def test_serve_installs_and_starts_the_demo_with_its_options(machine: BareMachine) -> None:
    result = machine.run("scripts/serve", "--port", "8123", "--data", "my data")

    assert result.returncode == 0, result.stderr
    assert result.stdout == "rmbot demo --port 8123 --data my data\n"


def test_serve_installs_no_development_tools(machine: BareMachine) -> None:
    machine.run("scripts/serve")

    assert not any("requirements-dev.lock" in line for line in machine.installations())


def test_serve_starts_nothing_when_the_installation_failed(machine: BareMachine) -> None:
    result = machine.run("scripts/serve", FAKE_MINOR="9")

    assert result.returncode == 1
    assert "older than 3.11" in result.stderr
    assert result.stdout == ""


def test_tests_get_their_arguments_and_leave_out_the_slow_ones(machine: BareMachine) -> None:
    machine.give_command("chromium", "#!/usr/bin/env bash\n")

    result = machine.run("scripts/test", "tests/bot", "-k", "two words")

    assert result.stdout == "pytest -m pytest -n auto -m not slow tests/bot -k two words\n"
    assert NO_CHROMIUM_HINT not in result.stderr


def test_all_tests_run_on_request(machine: BareMachine) -> None:
    machine.give_command("chromium", "#!/usr/bin/env bash\n")

    assert machine.run("scripts/test", "--all", "-x").stdout == "pytest -m pytest -n auto -x\n"


def test_without_chromium_the_rest_runs_and_the_last_lines_say_what_did_not(machine: BareMachine) -> None:
    result = machine.run("scripts/test")

    assert result.returncode == 0
    assert result.stdout == "pytest -m pytest -n auto -m not slow and not browser\n"
    *_, left_out, advice = result.stderr.splitlines()
    assert left_out == "tests/console/test_pages.py (2)"
    assert NO_CHROMIUM_HINT in advice


def test_red_tests_stay_red_without_chromium(machine: BareMachine) -> None:
    result = machine.run("scripts/test", FAKE_PYTEST_EXIT="3")

    assert result.returncode == 3
    assert NO_CHROMIUM_HINT in result.stderr


def test_own_chromium_can_be_named(machine: BareMachine) -> None:
    machine.give_command("my-browser", "#!/usr/bin/env bash\n")

    assert "not browser" not in machine.run("scripts/test", CHROMIUM="my-browser").stdout
