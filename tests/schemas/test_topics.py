"""The names of topics are defined in one place."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from schemas import topics
from schemas.generate import TOPIC_VALUES

ROOT = Path(__file__).parents[2]
NAMES = {
    "contact-updates",
    "behavior-events",
    "segment-commands",
    "segment-definitions",
    "membership-changes",
    "segment-memberships",
    "channel-suppressions",
    "segment-catalog",
    "dead-letters",
    "audit",
}
MODULES = [path for room in ("agents", "streamseg", "schemas") for path in (ROOT / room).rglob("*.py")]


def test_the_names_are_those_of_the_contract() -> None:
    assert {value for value in vars(topics).values() if isinstance(value, str)} & NAMES == NAMES


def test_every_topic_but_that_of_refused_records_has_a_schema() -> None:
    assert TOPIC_VALUES.keys() == NAMES - {topics.DEAD_LETTERS}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_other_module_spells_a_name(module: Path) -> None:
    if module == ROOT / "schemas" / "topics.py":
        return
    nodes = ast.walk(ast.parse(module.read_text("utf-8")))
    texts = [str(node.value) for node in nodes if isinstance(node, ast.Constant)]
    assert not [text for text in texts if text.rstrip("/") in NAMES]
