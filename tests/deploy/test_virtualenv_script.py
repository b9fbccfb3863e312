"""deploy/virtualenv.sh takes the fastest interpreter that can make a virtualenv."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "deploy" / "virtualenv.sh"
TOOLS = ("bash", "env", "awk", "head", "rm", "mkdir", "cp", "cat")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder that is the whole PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return folder


def interpreter(path: Path, name: str, described: str | None, *, works: bool = True) -> Path:
    """An interpreter that describes itself like this (None: it is too old), and makes virtualenvs if it
    works."""
    made = path / name
    describe = "exit 1" if described is None else f"echo {described}"
    make = (
        'mkdir -p "$3/bin" && { [[ $0 -ef $3/bin/python ]] || cp "$0" "$3/bin/python"; }'
        if works
        else "echo No module named venv; exit 1"
    )
    made.write_text(f"#!/usr/bin/env bash\nif [[ $1 == -c ]]; then {describe}; else {make}; fi\n")
    made.chmod(0o755)
    return made


def call(path: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [SCRIPT, path.parent / "made", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env={"PATH": str(path)})


def test_an_optimized_interpreter_is_preferred(path: Path) -> None:
    interpreter(path, "python3", "no 3.11.7")
    optimized = interpreter(path, "python3.12", "yes 3.12.1")
    interpreter(path, "python3.13", "no 3.13.0")
    told = call(path)
    assert told.stdout == f"took {optimized} (Python 3.12.1, built with profile-guided optimization)\n"
    assert (path.parent / "made/bin/python").read_text() == optimized.read_text()


def test_without_an_optimized_one_the_first_is_taken(path: Path) -> None:
    first = interpreter(path, "python3", "no 3.11.7")
    interpreter(path, "python3.13", "no 3.13.0")
    told = call(path)
    assert told.stdout == f"took {first} (Python 3.11.7, built without profile-guided optimization)\n"


def test_one_that_is_too_old_or_cannot_make_a_virtualenv_is_passed_over(path: Path) -> None:
    interpreter(path, "python3", None)
    broken = interpreter(path, "python3.12", "yes 3.12.1", works=False)
    taken = interpreter(path, "python3.13", "no 3.13.0")
    told = call(path)
    assert told.stdout.startswith(f"took {taken} ")
    assert told.stderr == f"{broken} cannot make a virtualenv: No module named venv\n"


def test_a_given_interpreter_wins(path: Path) -> None:
    interpreter(path, "python3", "yes 3.11.7")
    given = interpreter(path, "python3.13", "no 3.13.0")
    assert call(path, given).stdout.startswith(f"took {given} ")


def test_a_given_interpreter_that_is_too_old_is_refused(path: Path) -> None:
    given = interpreter(path, "python3.10", None)
    told = call(path, given)
    assert told.returncode == 1
    assert told.stderr == f"{given} is not Python 3.11 or later\n"


def test_a_virtualenv_keeps_its_interpreter(path: Path) -> None:
    given = interpreter(path, "python3.13", "no 3.13.0")
    call(path, given)
    interpreter(path, "python3", "yes 3.11.7")
    told = call(path)
    assert (told.returncode, told.stdout) == (0, "")
    assert (path.parent / "made/bin/python").read_text() == given.read_text()


def test_without_any_interpreter_it_says_what_to_install(path: Path) -> None:
    told = call(path)
    assert told.returncode == 1
    assert "apt-get install python3 python3-venv" in told.stderr
