"""Links and paths in the Markdown pages: each leads to a file that exists, and to a heading of that file."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, sections

ROOT = DOCS.parent
FOLDERS = (".", "docs", "docs/decisions", "deploy", "examples", "benchmarks")
PAGES = sorted(
    path.relative_to(ROOT).as_posix() for folder in FOLDERS for path in (ROOT / folder).glob("*.md")
)


def prose(page: str) -> str:
    """The text of a page without its code blocks."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def anchor(title: str) -> str:
    """A heading's anchor, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    """The anchors of all headings of a page."""
    return {anchor(one.title) for one in sections(os.path.relpath(path, DOCS))}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_a_file_and_a_heading(page: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)]+?)\)", prose(page)):
        path, _, fragment = target.partition("#")
        linked = (ROOT / page).parent / path if path else ROOT / page
        assert linked.exists(), target
        if fragment:
            assert fragment in anchors(linked), target


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_exist(page: str) -> None:
    for path in re.findall(
        r"`((?:streamseg|schemas|tests|agents|deploy|benchmarks|console|docs|examples)/[\w./]*)`", prose(page)
    ):
        assert (ROOT / path).exists(), path
