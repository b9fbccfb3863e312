"""Keeps out of the log what libraries repeat, and tracebacks that nobody can act on."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Sequence

from aiokafka.errors import KafkaError

_NUMBERS = re.compile(r"\d+")


class BrokerErrorsInALine(logging.Filter):
    """Takes away the traceback of an error that came from a broker: where it was raised says nothing that its
    words do not."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], KafkaError):
            record.exc_info = record.exc_text = None
        return True


class OnceAMinute(logging.Filter):
    """Lets a message of the given loggers, and of those below them, through once a minute, whatever numbers
    are in it, and says then how many were left out. A client that cannot reach its broker says so hundreds of
    times a second."""

    def __init__(
        self, loggers: Sequence[str], *, seconds: float = 60.0, timer: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._loggers = tuple(loggers)
        self._seconds = seconds
        self._timer = timer
        self._passed: dict[tuple[str, int, str], float] = {}
        self._left_out: dict[tuple[str, int, str], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.split(".", 1)[0] not in self._loggers:
            return True
        kind = (record.name, record.levelno, _NUMBERS.sub("#", record.getMessage()))
        now = self._timer()
        passed = self._passed.get(kind)
        if passed is not None and now - passed < self._seconds:
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            return False
        self._forget(now)
        self._passed[kind] = now
        left_out = self._left_out.pop(kind, 0)
        if left_out:
            record.msg = f"{record.getMessage()} (and {left_out} times more in between)"
            record.args = None
        return True

    def _forget(self, now: float) -> None:
        """Messages that have not come for long, so that their number has an end."""
        gone = [kind for kind, passed in self._passed.items() if now - passed > 10 * self._seconds]
        for kind in gone:
            del self._passed[kind]
            self._left_out.pop(kind, None)
