"""The latest warnings and errors of a worker, for a diagnosis: in memory only, and bounded in number."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator
from datetime import UTC, datetime

from agents.api.stacks import places_of
from streamseg.json_text import Json

KEPT = 50


class RecentErrors(logging.Handler):
    """Keeps the latest line of each kind of warning and error, and how often that kind was logged. Lines that
    one place in the code logs with different values are of one kind.

    Of an exception it keeps the class and the places in the code, and not the text, which may have data of a
    contact."""

    def __init__(self, kept: int = KEPT) -> None:
        super().__init__(logging.WARNING)
        self._kept = kept
        self._lines: OrderedDict[tuple[str, str], Json] = OrderedDict()

    def emit(self, record: logging.LogRecord) -> None:
        kind = (record.name, str(record.msg))
        before = self._lines.pop(kind, None)
        self._lines[kind] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "times": 1 if before is None else before["times"] + 1,
            "raised": list(_raised(record.exc_info[1] if record.exc_info else None)),
        }
        if len(self._lines) > self._kept:
            self._lines.popitem(last=False)

    def lines(self) -> list[Json]:
        """Return one object for each kind, the latest last: `time` (RFC 3339, UTC), `level`, `logger`,
        `message`, `times`, and `raised`, the exception that was logged and then its causes."""
        # Threads log too: the copy is made under the lock under which `emit` is called.
        self.acquire()
        try:
            return list(self._lines.values())
        finally:
            self.release()


def _raised(error: BaseException | None) -> Iterator[Json]:
    while error is not None:
        frames = []
        trace = error.__traceback__
        while trace is not None:
            frames.append((trace.tb_frame.f_code, trace.tb_lineno))
            trace = trace.tb_next
        yield {"class": type(error).__name__, "at": places_of(frames)}
        error = error.__cause__ or error.__context__
