"""Compiling the fake of the archive SDK."""

import subprocess
import sys
from pathlib import Path

import pytest

from simulator.native import build
from simulator.native.build import BuildFailed, NoCompiler, build_library


def need_compiler() -> None:
    try:
        build.find_compiler()
    except NoCompiler as missing:
        pytest.skip(str(missing))


def test_without_a_compiler_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(NoCompiler, match="install gcc or clang"):
        build_library()
    done = subprocess.run([sys.executable, "-m", "simulator.native.build"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "install gcc or clang" in done.stderr


def test_the_same_source_and_flags_are_compiled_once(tmp_path: Path) -> None:
    need_compiler()
    plain = build_library(cache=tmp_path)
    made_at = plain.stat().st_mtime_ns
    assert build_library(cache=tmp_path) == plain
    assert plain.stat().st_mtime_ns == made_at
    assert build_library(["FAKE_CRASH_AT_SEQ=1"], tmp_path) != plain


def test_a_source_that_does_not_compile_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need_compiler()
    broken = tmp_path / "broken.c"
    broken.write_text("int main(", encoding="ascii")
    monkeypatch.setattr(build, "SOURCE", broken)
    with pytest.raises(BuildFailed, match=r"broken\.c"):
        build_library(cache=tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())
