"""Keeps repeated messages of libraries, and tracebacks without use, out of the log."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Sequence

from aiokafka.errors import KafkaError

_NUMBERS = re.compile(r"\d+")


class BrokerErrorsInALine(logging.Filter):
    """Removes the traceback of an error that came from a broker: the message alone explains it."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], KafkaError):
            record.exc_info = record.exc_text = None
        return True


class OnceAMinute(logging.Filter):
    """Passes a message of the given loggers, and of loggers below them, once a minute, and adds how many were
    left out since. Messages that differ only in numbers count as the same message. A client that cannot reach
    its broker logs this hundreds of times a second."""

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
        """Forget messages that have not come for a long time, so that memory stays bounded."""
        gone = [kind for kind, passed in self._passed.items() if now - passed > 10 * self._seconds]
        for kind in gone:
            del self._passed[kind]
            self._left_out.pop(kind, None)
