"""The log has a line for each event of a worker's life, for people or for programs."""

from __future__ import annotations

import logging
import sys

import orjson
import pytest

from agents.worker.log_format import formatter
from agents.worker.readiness_log import ReadinessLog


def record(message: str, *arguments: object, error: BaseException | None = None) -> logging.LogRecord:
    information = None if error is None else (type(error), error, error.__traceback__)
    made = logging.LogRecord("agents.worker", logging.WARNING, __file__, 1, message, arguments, information)
    made.created = 1_777_593_600.25
    return made


def test_a_line_for_programs_is_one_object() -> None:
    line = formatter("json").format(record("partition %d\nis at work", 3))
    assert "\n" not in line
    assert orjson.loads(line) == {
        "time": "2026-05-01T00:00:00.250Z",
        "level": "warning",
        "logger": "agents.worker",
        "message": "partition 3\nis at work",
    }


def test_an_error_is_in_the_same_object() -> None:
    try:
        raise ValueError("this one")
    except ValueError:
        error = sys.exc_info()[1]
    line = formatter("json").format(record("failed", error=error))
    assert "\n" not in line
    assert "ValueError: this one" in orjson.loads(line)["error"]


def test_a_line_for_people_has_time_level_and_place() -> None:
    assert formatter("text").format(record("at work")).endswith(" WARNING agents.worker: at work")


def test_ready_and_no_longer_ready_are_each_said_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    reasons = ["the topics have not been read"]
    log = ReadinessLog(lambda: reasons)
    log.look()
    assert caplog.messages == []
    reasons = []
    log.look()
    log.look()
    reasons = ["no Kafka answered", "no clock"]
    log.look()
    reasons = ["no Kafka answered"]
    log.look()
    reasons = []
    log.look()
    assert caplog.messages == ["ready", "no longer ready: no Kafka answered; no clock", "ready"]
