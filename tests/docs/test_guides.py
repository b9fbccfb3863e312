"""The two guides for people who change the code name files that are there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDES = ("ARCHITECTURE.md", "CONTRIBUTING.md")
_FILE = re.compile(r"`((?:agents|streamseg|schemas|tests|docs|deploy|benchmarks)/[\w./-]*)`")


@pytest.mark.parametrize("guide", GUIDES)
def test_every_file_that_is_named_is_there(guide: str) -> None:
    named = set(_FILE.findall((ROOT / guide).read_text()))
    assert len(named) > 20
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_the_architecture_names_every_room_and_stays_short() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    rooms = {
        f"{path.parent.relative_to(ROOT)}/"
        for package in ("streamseg", "agents")
        for path in (ROOT / package).glob("*/__init__.py")
    }
    assert {room for room in rooms if f"`{room}`" not in text} == set()
    assert len(text.splitlines()) < 200


def test_every_target_that_contributing_names_is_in_the_makefile() -> None:
    named = set(re.findall(r"(?:`|\n)make (\w+)", (ROOT / "CONTRIBUTING.md").read_text()))
    made = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert len(named) > 5
    assert named - made == set()


def test_the_version_tells_main_from_the_last_release() -> None:
    first, *_ = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert version.endswith(".dev0") if first == "Unreleased" else version == first
