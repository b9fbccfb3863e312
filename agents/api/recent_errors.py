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
    contact. Of a message it keeps the first line."""

    def __init__(self, kept: int = KEPT) -> None:
        super().__init__(logging.WARNING)
        self._kept = kept
        self._lines: OrderedDict[tuple[str, str], Json] = OrderedDict()

    def emit(self, record: logging.LogRecord) -> None:
        # asyncio adds the task, with its exception, in further lines.
        kind = (record.name, _first_line(str(record.msg)))
        before = self._lines.pop(kind, None)
        self._lines[kind] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
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


def _message(record: logging.LogRecord) -> str:
    """Return the first line of the message. In the message about an exception stands only its class: mode
    writes the whole exception when a service crashes."""
    values = record.args
    if record.exc_info and isinstance(values, tuple):
        values = tuple(type(one).__name__ if isinstance(one, BaseException) else one for one in values)
    text = str(record.msg)
    return _first_line(text % values if values else text)


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _raised(error: BaseException | None) -> Iterator[Json]:
    # An exception that is raised from one of its own consequences is in the chain of its causes.
    shown: set[int] = set()
    while error is not None and id(error) not in shown:
        shown.add(id(error))
        frames = []
        trace = error.__traceback__
        while trace is not None:
            frames.append((trace.tb_frame.f_code, trace.tb_lineno))
            trace = trace.tb_next
        yield {"class": type(error).__name__, "at": places_of(frames)}
        error = error.__cause__ or error.__context__
