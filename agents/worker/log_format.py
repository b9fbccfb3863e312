"""Formats log lines, as text or for programs as one JSON object a line."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import orjson

TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class JsonLines(logging.Formatter):
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


def formatter(log_format: str) -> logging.Formatter:
    """Return the formatter for the setting `log_format`: `json`, or text for any other value."""
    return JsonLines() if log_format == "json" else logging.Formatter(TEXT)
