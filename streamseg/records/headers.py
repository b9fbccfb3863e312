"""What streamseg says in the headers of the records that it writes to `segment-definitions`.

Compaction keeps a segment's last record alone, so what follows from the records before it stands in its
headers. All are integers in decimal; a record of somebody else has none.

segment.born        offset of the tombstone that ended the last segment of this id, -1: none is known
segment.introduced  offset of the record by which the formula came into force; left out where it is this one
segment.answers     offset of the record of this key that this one confirms or, where that was refused, undoes
"""

from __future__ import annotations

from typing import NamedTuple

from streamseg.records.inputs import Headers, Record

_BORN, _INTRODUCED, _ANSWERS = "segment.born", "segment.introduced", "segment.answers"


class Statement(NamedTuple):
    """The headers of a record; None where there is none."""

    born: int | None = None
    introduced: int | None = None
    answers: int | None = None

    @classmethod
    def of(cls, record: Record) -> Statement:
        """What a record says; nothing, where a header is no integer."""
        if not record.headers:
            return _NOTHING
        found = dict(record.headers)
        try:
            return cls(*(None if name not in found else int(found[name]) for name in _NAMES))
        except ValueError:
            return _NOTHING

    def headers(self) -> Headers:
        """As headers of a record."""
        pairs = zip(_NAMES, self, strict=True)
        return tuple((name, str(value).encode()) for name, value in pairs if value is not None)


_NAMES = (_BORN, _INTRODUCED, _ANSWERS)
_NOTHING = Statement()
