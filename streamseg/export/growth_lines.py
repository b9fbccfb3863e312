"""How many contacts entered and left segments, as lines, and back.

A partition keeps these sums by segment and quarter of an hour; they are about no single contact.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import orjson

from streamseg.errors import MoveCode, StateMoveError
from streamseg.store import layout
from streamseg.store.growth import Counts, add


def growth_lines(records: Iterable[tuple[bytes, bytes]]) -> Iterator[bytes]:
    """Yield one line a segment and birth, with its line feed: `counts` maps the first instant of a quarter of
    an hour (epoch ms, as text) to the sums of `streamseg.store.growth`. The records are in the order of
    keys."""
    read = ((*layout.read_growth_key(key), value) for key, value in records)
    for (segment_id, born), rows in groupby(read, lambda row: row[:2]):
        counts = {str(quarter_ms): orjson.Fragment(value) for _, _, quarter_ms, value in rows}
        yield orjson.dumps({"segment_id": segment_id, "born": born, "counts": counts}) + b"\n"


def growth_records(files: Sequence[Iterable[bytes]]) -> Iterator[tuple[bytes, bytes | None]]:
    """Yield the records of a partition that takes over the sums of some files of lines, in the order of keys.
    Raises StateMoveError for lines of another form."""
    rows = heapq.merge(*map(_rows, files), key=_key)
    for key, alike in groupby(rows, _key):
        total: Counts = []
        for _, counts in alike:
            add(total, counts)
        yield key, orjson.dumps(total)


def _rows(lines: Iterable[bytes]) -> Iterator[tuple[bytes, Counts]]:
    for line in lines:
        try:
            row = orjson.loads(line)
            pairs = [
                (layout.growth_key(row["segment_id"], row["born"], int(at)), list(counts))
                for at, counts in row["counts"].items()
            ]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StateMoveError(
                MoveCode.EXPORT_UNREADABLE,
                f"a line of sums has another form ({type(error).__name__}); import it with the release that "
                "wrote it",
            ) from error
        yield from pairs


def _key(row: tuple[bytes, Counts]) -> bytes:
    return row[0]
