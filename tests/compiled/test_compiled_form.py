"""The compiled form says what it is, and passes the tests of the engine, the stores and the oracle."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.compiled_runs import call, run_tests
from tests.conftest import ROOT, outdated

VERSION = ("-c", "import sys, streamseg.cli; sys.argv = ['streamseg', '--version']; streamseg.cli.main()")


def test_it_says_that_it_is_compiled(compiled_checkout: Path) -> None:
    assert call(compiled_checkout, *VERSION).strip().endswith("(compiled)")


def test_every_module_of_the_list_is_compiled(compiled_checkout: Path) -> None:
    libraries = {path.name.partition(".")[0] for path in (compiled_checkout / "streamseg").rglob("*.so")}
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["streamseg"]["compiled"]
    assert libraries == {Path(one).stem for one in listed} | {"hot_path__mypyc"}


@pytest.mark.parametrize("room", ["engine", "store", "oracle"])
def test_the_tests_of_a_room_pass(compiled_checkout: Path, room: str) -> None:
    run_tests(compiled_checkout, f"tests/{room}")


def build(checkout: Path, switch: str, compiler: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"],
        cwd=checkout,
        env={**os.environ, "STREAMSEG_COMPILE": switch, "CC": compiler},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What setup.py reads, without any compiled module."""
    for name in ("setup.py", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_without_a_compiler_it_stays_plain_and_says_what_to_install(checkout: Path) -> None:
    told = build(checkout, "try", "no-such-compiler")
    assert (told.returncode, list(checkout.rglob("*.so"))) == (0, [])
    assert told.stdout == (
        "not compiled: a C compiler (no-such-compiler) is missing; streamseg runs the same, but slower. "
        "To compile, install it, e.g. apt-get install gcc python3-dev\n"
    )


def test_without_a_compiler_a_demand_to_compile_fails(checkout: Path) -> None:
    told = build(checkout, "1", "no-such-compiler")
    assert told.returncode == 1
    assert "cannot compile: a C compiler (no-such-compiler) is missing" in told.stderr


def test_an_unknown_switch_is_refused(checkout: Path) -> None:
    told = build(checkout, "yes", "cc")
    assert told.returncode == 1
    assert "STREAMSEG_COMPILE=yes is unknown" in told.stderr


def test_a_changed_source_makes_the_compiled_module_outdated(tmp_path: Path) -> None:
    source, library = tmp_path / "values.py", tmp_path / "values.cpython-311-x86_64-linux-gnu.so"
    shared = tmp_path / "hot_path__mypyc.cpython-311-x86_64-linux-gnu.so"
    for at, path in enumerate((source, library, shared)):
        path.touch()
        os.utime(path, (at, at))
    assert outdated(tmp_path) == []
    os.utime(source, (9, 9))
    assert outdated(tmp_path) == [source]
    source.unlink()
    assert outdated(tmp_path) == [source]
