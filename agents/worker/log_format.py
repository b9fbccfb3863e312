"""Formats log lines, as text or for programs as one JSON object a line.

The text of an exception may hold data of a contact: `KeyError: 'c1'`. So of exceptions a log has the classes
and the places in the code, and the texts only of those that never have such data. At the level debug it has
all.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Final

import orjson
from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException

from streamseg.errors import StreamsegError

TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

# Our own errors, which have no data of contacts by rule, and those of brokers, sockets and the disk.
_HARMLESS: Final = (StreamsegError, KafkaError, KafkaException, OSError)
_CAUSE = "\nThe above exception was the direct cause of the following exception:\n"
_DURING = "\nDuring handling of the above exception, another exception occurred:\n"

ExceptionInformation = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


class Lines(logging.Formatter):
    """Formats a log line as text."""

    def __init__(self, *, with_texts: bool) -> None:
        """`with_texts` is whether all exceptions are shown with their texts."""
        super().__init__(TEXT)
        self._with_texts = with_texts

    def format(self, record: logging.LogRecord) -> str:
        # Another handler may have left its own text of the exception in the record.
        record.exc_text = None
        line = super().format(record)
        record.exc_text = None
        return line

    def formatException(self, ei: ExceptionInformation) -> str:  # noqa: N802 - a method of logging
        if self._with_texts or ei[1] is None:
            return super().formatException(ei)
        return "".join(_lines_of(ei[1], set())).rstrip("\n")


class JsonLines(Lines):
    """Formats a log line as JSON: `time` (RFC 3339, UTC, ms), `level`, `logger`, `message`, and `error` with
    the traceback if one was logged."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return orjson.dumps(line).decode()


class WithoutTexts(logging.Filter):
    """Replaces an exception among a message's values by its class: mode writes the exception when a service
    crashes. Of a message of asyncio it keeps the first line; the others hold tasks with their exceptions."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(map(_without_text, record.args))
        if record.name == "asyncio":
            record.msg = str(record.msg).partition("\n")[0]
        return True


def set_up(handler: logging.Handler, log_format: str, level: int) -> None:
    """Let a handler write lines in the form of the setting `log_format`: `json`, or text for any other value.
    `level` is that of the log."""
    with_texts = level <= logging.DEBUG
    handler.setFormatter((JsonLines if log_format == "json" else Lines)(with_texts=with_texts))
    if not with_texts:
        handler.addFilter(WithoutTexts())


def _without_text(value: object) -> object:
    hidden = isinstance(value, BaseException) and not _is_harmless(value)
    return _Name(type(value).__name__) if hidden else value


class _Name(str):
    """A text that is also shown by `%r` without quotation marks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _is_harmless(error: BaseException) -> bool:
    """Return whether the text of an exception has no data of contacts. What RocksDB says of the disk, a bare
    Exception of rocksdict, names files only, and an operator needs it."""
    if type(error) is Exception:
        return str(error).startswith("IO error: ")
    return isinstance(error, _HARMLESS)


def _lines_of(error: BaseException, shown: set[int]) -> Iterator[str]:
    """Yield the lines of a traceback, causes first. `shown` are the exceptions that came before, by identity:
    a chain of causes may be a circle."""
    shown.add(id(error))
    cause = error.__cause__
    before = cause if cause is not None else None if error.__suppress_context__ else error.__context__
    if before is not None and id(before) not in shown:
        yield from _lines_of(before, shown)
        yield _DURING if cause is None else _CAUSE
        yield "\n"
    if error.__traceback__ is not None:
        yield "Traceback (most recent call last):\n"
        yield from traceback.format_tb(error.__traceback__)
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    text = str(error) if _is_harmless(error) else ""
    yield f"{name}: {text}\n" if text else f"{name}\n"
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            if id(one) not in shown:
                yield from _lines_of(one, shown)
