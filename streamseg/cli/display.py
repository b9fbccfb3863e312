"""Rows, fields and times in the form for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from rich import box
from rich.cells import cell_len
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from streamseg.catalogue.labels import COLUMNS, OPERATIONS, STATUSES, TYPES, Language
from streamseg.cli import words
from streamseg.times import parse_timestamp_ms

_LEAST_FIRST: Final = ("operations", "created_at", "created_by", "updated_by", "updated_at", "type")
"""The columns of the list that a narrow terminal omits, in this order."""
_LONGEST_NAME: Final = 30
_BETWEEN_COLUMNS: Final = 3
_STYLES = {"completed": "green", "calculating": "yellow", "not_calculated": "dim", "shared": "dim"}


def instant(value: str | int | None) -> str:
    """Return a time of the API in this machine's timezone, to the minute; unchanged if no calendar has that
    time."""
    if value is None:
        return ""
    try:
        at = datetime.fromtimestamp(parse_timestamp_ms(value, ZoneInfo("UTC")) / 1000, UTC)
        return at.astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return str(value)


def status(row: Mapping[str, Any], language: Language) -> Text:
    """Return the status of a row, with the progress of a calculation."""
    name = row["status"]
    text = row.get("status_label") or (STATUSES[name].of(language) if name in STATUSES else name)
    if name == "calculating":
        text += f" {row['progress']:.0%}"
    return Text(text, style=_STYLES.get(name, ""))


def kind(row: Mapping[str, Any], language: Language) -> str:
    """Return the display name of a row's type."""
    name = row["type"]
    label: str = row.get("type_label") or (TYPES[name].of(language) if name in TYPES else name)
    return label


def indented(line: str) -> Padding:
    """Return a line that begins with blanks; when wrapped, it continues below its first word."""
    text = line.lstrip(" ")
    return Padding(Text(text), (0, 0, 0, len(line) - len(text)), expand=False)


def plain_table(*headings: str) -> Table:
    """Return an empty table without rules between its rows."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def segment_table(rows: Iterable[Mapping[str, Any]], language: Language, width: int) -> Table:
    """Return the list of segments in the product's columns. The id, which commands take, is under the name.

    If the terminal has too few columns (`width`), the least important ones are omitted, so that no cell
    wraps.
    """
    shown = [_cells(row, language) for row in rows]
    names = list(COLUMNS)
    for least in _LEAST_FIRST:
        if _needed(names, shown, language) <= width:
            break
        names.remove(least)
    table = plain_table(*(COLUMNS[name].of(language) for name in names))
    table.columns[names.index("contacts")].justify = "right"
    for cells in shown:
        table.add_row(*(cells[name] for name in names))
    return table


def _cells(row: Mapping[str, Any], language: Language) -> dict[str, str | Text]:
    operations = (
        OPERATIONS[one].of(language) if one in OPERATIONS else one for one in row.get("operations", ())
    )
    return {
        "name": Text(row["name"]).append(f"\n{row['segment_id']}", style="dim"),
        "type": kind(row, language),
        "status": status(row, language),
        "contacts": f"{row['contacts']:,}",
        "created_by": row["created_by"] or "",
        "created_at": instant(row["created_at"]),
        "updated_by": row["updated_by"] or "",
        "updated_at": instant(row["updated_at"]),
        "operations": " ".join(operations),
    }


def _needed(names: Sequence[str], shown: Sequence[Mapping[str, str | Text]], language: Language) -> int:
    """Return the terminal columns that the table needs so that no cell wraps; only a long name may wrap."""
    widths = []
    for name in names:
        texts = [COLUMNS[name].of(language), *(str(cells[name]) for cells in shown)]
        lines = [line for text in texts for line in text.splitlines()]
        widths.append(max(map(cell_len, lines)))
    widths[0] = min(widths[0], _LONGEST_NAME)
    return sum(widths) + _BETWEEN_COLUMNS * (len(widths) - 1)


def field_table(fields: Mapping[str, str | Text]) -> Table:
    """Return a table of names beside their values. Names without a value are left out."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in fields.items():
        if value:
            table.add_row(name, value)
    return table


def segment_fields(row: Mapping[str, Any], language: Language) -> Table:
    """Return the fields of one segment, without its definition."""
    label = {name: one.of(language) for name, one in COLUMNS.items()}
    return field_table(
        {
            label["name"]: row["name"],
            words.SEGMENT_ID.of(language): row["segment_id"],
            label["type"]: kind(row, language),
            label["status"]: status(row, language),
            label["contacts"]: f"{row['contacts']:,}",
            words.GROUP.of(language): row["group"],
            words.VERSION.of(language): str(row["version"]),
            label["created_by"]: row["created_by"] or "",
            label["created_at"]: instant(row["created_at"]),
            label["updated_by"]: row["updated_by"] or "",
            label["updated_at"]: instant(row["updated_at"]),
            words.SHARED_WITH.of(language): ", ".join(row.get("shared_with") or ()),
        }
    )
