"""The builder begins with recipes of the cookbook as they stand there."""

from __future__ import annotations

import json

from tests.docs.recipes import CHOSEN, FILE, recipes


def test_the_recipes_of_the_builder_are_those_of_the_cookbook() -> None:
    found = json.loads(FILE.read_text(encoding="utf-8"))
    assert found == recipes(), "run python -m tests.docs.recipes"
    assert len(found) == len(CHOSEN) == 10
