"""The pages of docs/: their sections, fenced JSON and tables."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"

_SECTION = re.compile(r"^(#{1,6}) (.+)$")


@dataclass(frozen=True)
class Section:
    """A heading with the text below it, up to the next heading of any level."""

    level: int
    title: str
    line: int
    text: str

    @property
    def json(self) -> list[Any]:
        """The parsed ```json blocks, in order."""
        return [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", self.text, re.M | re.S)]

    @property
    def rows(self) -> list[list[str]]:
        """The cells of every table's body rows, in order."""
        rows: list[list[str]] = []
        body = False
        for line in self.text.splitlines():
            if not line.startswith("|"):
                body = False
            elif re.fullmatch(r"[|\- ]+", line):
                body = True
            elif body:
                rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
        return rows


def sections(page: str) -> list[Section]:
    """The sections of a page of docs/, in order; headings inside code blocks are none."""
    found: list[tuple[int, str, int, list[str]]] = []
    fenced = False
    for number, line in enumerate((DOCS / page).read_text(encoding="utf-8").splitlines(), start=1):
        fenced ^= line.startswith("```")
        heading = None if fenced else _SECTION.match(line)
        if heading:
            found.append((len(heading[1]), heading[2], number, []))
        else:
            found[-1][3].append(line)
    return [Section(level, title, number, "\n".join(text) + "\n") for level, title, number, text in found]


def section(page: str, title: str) -> Section:
    """The one section of a page with that title."""
    (only,) = (one for one in sections(page) if one.title == title)
    return only


def below(page: str, title: str) -> list[Section]:
    """The section with that title and those of a deeper level that follow it."""
    every = sections(page)
    start = next(index for index, one in enumerate(every) if one.title == title)
    inner = [every[start]]
    for one in every[start + 1 :]:
        if one.level <= every[start].level:
            break
        inner.append(one)
    return inner
