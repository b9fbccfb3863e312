"""Contact ids in a file: one on each line, or a column of a CSV file.

A file whose first line contains a column `contact_id` is CSV even without --column, since no contact has that
id. Any other first line that looks like a heading, or has several columns, is refused until --column names
the column with the ids: a heading is not a contact. The file is UTF-8, or UTF-16 with a byte order mark.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple

from streamseg.cli.list_headings import Columns, columns_of
from streamseg.errors import ConfigurationError

MAX_ID_BYTES: Final = 1_024
"""The longest contact id that is accepted, in UTF-8 bytes. A longer line is not an id."""

_FIRST_LINE_CHARACTERS: Final = 64 << 10
_LOOKED_AT_BYTES: Final = 1 << 10
_UTF_16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")

Rejection = Literal["empty", "too_long", "invalid_utf8", "control_character", "duplicate"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file, counted from 1; in a CSV file, the line where its row begins. It has an id, or the
    reason why it has none."""

    number: int
    contact_id: str
    rejection: Rejection | None = None


def read_contact_ids(path: Path, column: str | None) -> Iterator[Line]:
    """Yield every line of the file, or every row of a CSV file with a heading. Spaces around an id are
    dropped. The accepted ids are kept in memory, to find duplicates.

    Raises ConfigurationError if the file cannot be read, is not a CSV file with that column, or seems to have
    a column that must be named.
    """
    known: set[str] = set()
    try:
        text = _Text(path, _encoding(path))
        columns = columns_of(text.first_line(), column, file=str(path))
        for number, found in text.lines() if columns is None else text.cells(columns):
            rejection = _rejection(found, known)
            if rejection is None:
                known.add(found)
            yield Line(number, found if rejection in (None, "duplicate") else "", rejection)
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not valid UTF-16; save it as UTF-8") from error
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
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in text):
        return "control_character"
    return "duplicate" if text in known else None


class _Encoding(NamedTuple):
    name: str
    errors: str


def _encoding(path: Path) -> _Encoding:
    with path.open("rb") as stream:
        start = stream.read(_LOOKED_AT_BYTES)
    if start.startswith(_UTF_16_MARKS) and start[2:4] != b"\0\0":
        return _Encoding("utf-16", "strict")
    if b"\0" in start:
        raise ConfigurationError(f"{path} is not text in UTF-8, or UTF-16 with its mark; save it as UTF-8")
    # Bytes that are not UTF-8 become lone surrogates, which `_rejection` detects.
    return _Encoding("utf-8-sig", "surrogateescape")


class _Text:
    """The lines and cells of a file."""

    def __init__(self, path: Path, encoding: _Encoding) -> None:
        self._path = path
        self._encoding = encoding

    def first_line(self) -> str:
        with self._path.open(
            encoding=self._encoding.name, errors=self._encoding.errors, newline=""
        ) as stream:
            return stream.readline(_FIRST_LINE_CHARACTERS)

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield every line with its number."""
        name, errors = self._encoding
        with self._path.open(encoding=name, errors=errors, newline="\n") as stream:
            for number, line in enumerate(stream, start=1):
                yield number, line.strip()

    def cells(self, columns: Columns) -> Iterator[tuple[int, str]]:
        """Yield the column's cell in every row below the heading, with the number of the line where the row
        begins."""
        name, errors = self._encoding
        with self._path.open(encoding=name, errors=errors, newline="") as stream:
            rows = csv.reader(stream, delimiter=columns.separator)
            try:
                next(rows, [])
                begins = rows.line_num + 1
                for row in rows:
                    if row:
                        yield begins, row[columns.position].strip() if columns.position < len(row) else ""
                    begins = rows.line_num + 1
            except csv.Error as error:
                raise ConfigurationError(f"{self._path}, line {rows.line_num}: {error}") from error
