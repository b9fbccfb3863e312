"""The headers of the records that streamseg writes to `segment-definitions`.

Compaction keeps only the last record of a segment. So its headers hold the facts that follow from the records
before it. Each header is an integer in decimal. A record that another program wrote has none of them.

segment.born        offset of the tombstone that ended the last segment of this id; -1: none is known
segment.introduced  offset of the record with which the formula came into force; absent if it is this record
segment.answers     offset of the record of this key that this record confirms or, if it was refused, undoes
"""

from __future__ import annotations

from typing import NamedTuple

from streamseg.records.inputs import Headers, Record

_BORN, _INTRODUCED, _ANSWERS = "segment.born", "segment.introduced", "segment.answers"


class Statement(NamedTuple):
    """The values of the headers of a record; None for an absent header."""

    born: int | None = None
    introduced: int | None = None
    answers: int | None = None

    @classmethod
    def of(cls, record: Record) -> Statement:
        """Return the values in a record's headers; all are None if one of them is not an integer."""
        if not record.headers:
            return _NOTHING
        found = dict(record.headers)
        try:
            return cls(*(None if name not in found else int(found[name]) for name in _NAMES))
        except ValueError:
            return _NOTHING

    def headers(self) -> Headers:
        """Return the values as headers of a record."""
        pairs = zip(_NAMES, self, strict=True)
        return tuple((name, str(value).encode()) for name, value in pairs if value is not None)


_NAMES = (_BORN, _INTRODUCED, _ANSWERS)
_NOTHING = Statement()
