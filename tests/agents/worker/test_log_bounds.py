"""A message that a library logs hundreds of times a second is logged once a minute."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from aiokafka.errors import KafkaConnectionError

from agents.worker.log_bounds import BrokerErrorsInALine, OnceAMinute


class Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.lines: list[str] = []
        self.addFilter(OnceAMinute(["aiokafka"], timer=lambda: self.now))
        self.addFilter(BrokerErrorsInALine())
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def log() -> Iterator[Log]:
    handler = Log()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


def test_a_message_that_repeats_comes_once_a_minute_with_how_often_it_came(log: Log) -> None:
    client = logging.getLogger("aiokafka.client")
    for number in range(400):
        client.error("cannot connect to node %d", number)
    log.now = 60
    client.error("cannot connect to node %d", 7)
    client.error("something else")
    assert log.lines == [
        "cannot connect to node 0",
        "cannot connect to node 7 (and 399 times more in between)",
        "something else",
    ]


def test_our_own_messages_all_come(log: Log) -> None:
    for name in ("agents.worker.segment_app", "aiokafkalike"):
        for _ in range(2):
            logging.getLogger(name).warning("said by %s", name)
    assert len(log.lines) == 4


def test_an_error_of_a_broker_has_no_traceback_and_any_other_has(log: Log) -> None:
    for error in (KafkaConnectionError("closed"), ZeroDivisionError("ours")):
        try:
            raise error
        except Exception:
            logging.getLogger("agents.worker.segment_app").exception("failed")
    assert log.lines[0] == "failed"
    assert "ZeroDivisionError: ours" in log.lines[1]
