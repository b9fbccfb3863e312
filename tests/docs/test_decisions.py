"""docs/decisions: numbered without a gap, listed in the index, each with the same four parts."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import DOCS, sections

FOLDER = DOCS / "decisions"
FILES = sorted(path.name for path in FOLDER.glob("0*.md"))


def test_the_index_lists_them_in_order() -> None:
    rows = re.findall(r"^\| (\d+) \| \[(.+)\]\((.+)\) \|$", (FOLDER / "README.md").read_text("utf-8"), re.M)
    assert [name for _, _, name in rows] == FILES
    assert [int(number) for number, _, _ in rows] == list(range(1, len(FILES) + 1))
    titles = [sections(f"decisions/{name}")[0].title for name in FILES]
    assert titles == [f"{int(number)}. {title}" for number, title, _ in rows]


@pytest.mark.parametrize("name", FILES)
def test_each_has_problem_choice_alternatives_and_what_would_reverse_it(name: str) -> None:
    parts = sections(f"decisions/{name}")[1:]
    assert [part.title for part in parts] == ["Problem", "Choice", "Alternatives", "What would reverse it"]
    assert all(part.text.strip() for part in parts)
