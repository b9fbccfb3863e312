"""Contact ids in a file: one a line, or a column of a CSV file.

A file whose first line names a column `contact_id` is CSV, whether that was said or not: nobody means a
contact of that name.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from streamseg.errors import ConfigurationError

MAX_ID_BYTES: Final = 1_024
"""The longest contact id that is taken, in UTF-8: longer ones are lines that hold something else."""

_COLUMN: Final = "contact_id"
_FIRST_LINE_CHARACTERS: Final = 64 << 10

Rejection = Literal["empty", "too_long", "invalid_utf8", "duplicate"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file, counted from 1 (of a CSV file, where its row begins): an id, or why it has none."""

    number: int
    contact_id: str
    rejection: Rejection | None = None


def read_contact_ids(path: Path, column: str | None) -> Iterator[Line]:
    """Every line of the file, or every row of a CSV file with a heading; spaces around an id are dropped.
    The ids that passed are kept in memory, to find duplicates.

    Raises ConfigurationError where the file cannot be read or is no CSV file with that column."""
    known: set[str] = set()
    try:
        wanted = _named_column(path) if column is None else column
        for number, text in _lines(path) if wanted is None else _cells(path, wanted):
            rejection = _rejection(text, known)
            if rejection is None:
                known.add(text)
            yield Line(number, text if rejection in (None, "duplicate") else "", rejection)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error


def _rejection(text: str, known: set[str]) -> Rejection | None:
    if not text:
        return "empty"
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "invalid_utf8"
    if size > MAX_ID_BYTES:
        return "too_long"
    return "duplicate" if text in known else None


def _named_column(path: Path) -> str | None:
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        first = stream.readline(_FIRST_LINE_CHARACTERS)
    names = [name.strip() for name in next(csv.reader([first]), [])]
    return _COLUMN if _COLUMN in names else None


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    # Bytes that are not UTF-8 become lone surrogates, by which they are known later.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as stream:
        for number, line in enumerate(stream, start=1):
            yield number, line.strip()


def _cells(path: Path, column: str) -> Iterator[tuple[int, str]]:
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        rows = csv.reader(stream)
        try:
            heading = next(rows, [])
            position = _position(path, heading, column)
            begins = rows.line_num + 1
            for row in rows:
                if row:
                    yield begins, row[position].strip() if position < len(row) else ""
                begins = rows.line_num + 1
        except csv.Error as error:
            raise ConfigurationError(f"{path}, line {rows.line_num}: {error}") from error


def _position(path: Path, heading: Iterable[str], column: str) -> int:
    names = [name.strip() for name in heading]
    if column not in names:
        raise ConfigurationError(f"{path} has no column {column}; it has {', '.join(names) or 'none'}")
    return names.index(column)
