"""The log has a line for each event of a worker's life, for people or for programs."""

from __future__ import annotations

import io
import logging
import time
from pathlib import Path

import orjson
import pytest
from aiokafka.errors import KafkaConnectionError
from confluent_kafka import Producer

from agents.demo.embedded import EmbeddedBroker, EmbeddedWorker
from agents.worker.log_format import set_up
from agents.worker.readiness_log import ReadinessLog
from streamseg.engine.partition import Partition
from streamseg.errors import ConfigurationError
from streamseg.records.inputs import Record
from tests.agents.installation import installed


def record(message: str, *arguments: object, error: BaseException | None = None) -> logging.LogRecord:
    information = None if error is None else (type(error), error, error.__traceback__)
    made = logging.LogRecord("agents.worker", logging.WARNING, __file__, 1, message, arguments, information)
    made.created = 1_777_593_600.25
    return made


def written(made: logging.LogRecord, log_format: str = "json", level: int = logging.INFO) -> str:
    """What a handler of the worker writes of a record."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    set_up(handler, log_format, level)
    handler.handle(made)
    return stream.getvalue().removesuffix("\n")


def failed(error: Exception, cause: Exception | None = None) -> Exception:
    """The exception, raised in this function because of another one."""
    try:
        raise error from cause
    except Exception as raised:
        return raised


def test_a_line_for_programs_is_one_object() -> None:
    line = written(record("partition %d\nis at work", 3))
    assert "\n" not in line
    assert orjson.loads(line) == {
        "time": "2026-05-01T00:00:00.250Z",
        "level": "warning",
        "logger": "agents.worker",
        "message": "partition 3\nis at work",
    }


def test_a_line_for_people_has_time_level_and_place() -> None:
    assert written(record("at work"), "text").endswith(" WARNING agents.worker: at work")


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_an_exception_is_told_by_class_and_place_and_not_by_its_text(log_format: str) -> None:
    error = failed(KeyError("contact-71"), failed(ValueError("contact-72")))
    told = written(record("failed because of %r", error, error=error), log_format)
    assert "failed because of KeyError" in told
    assert "contact-7" not in told
    assert "test_life_in_the_log.py" in told
    assert told.index("ValueError") < told.index("direct cause") < told.rindex("KeyError")
    assert ("\n" in told) is (log_format == "text")


def test_at_the_level_debug_the_text_is_there() -> None:
    error = failed(KeyError("contact-71"))
    told = written(record("failed because of %r", error, error=error), level=logging.DEBUG)
    assert "because of KeyError('contact-71')" in told
    assert "KeyError: 'contact-71'" in orjson.loads(told)["error"]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ConfigurationError("set STREAMSEG_DATA_DIR"), "set STREAMSEG_DATA_DIR"),
        (KafkaConnectionError("kafka-1:9092"), "kafka-1:9092"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (Exception("IO error: No space left on device: /data/1.log"), "/data/1.log"),
    ],
)
def test_texts_that_never_have_data_of_contacts_stay(error: Exception, text: str) -> None:
    assert text in orjson.loads(written(record("failed", error=failed(error))))["error"]
    assert text in written(record("failed: %s", error), "text")


@pytest.mark.parametrize("error", [Exception("contact-71"), RuntimeError("IO error: contact-71")])
def test_other_texts_do_not(error: Exception) -> None:
    assert "contact-71" not in written(record("failed: %s", error, error=failed(error)), "text")


def test_a_circle_of_causes_and_a_group_are_told_once() -> None:
    first, second = ValueError("contact-71"), KeyError("contact-72")
    first.__context__, second.__context__ = second, first
    group = ExceptionGroup("contact-73", [first, failed(TypeError("contact-74"))])
    told = orjson.loads(written(record("failed", error=failed(group))))["error"]
    assert "contact-7" not in told
    assert [told.count(name) for name in ("ExceptionGroup", "ValueError", "KeyError", "TypeError")] == [1] * 4


def test_of_what_asyncio_says_the_tasks_are_left_out() -> None:
    said = record("Task exception was never retrieved\nfuture: <Task exception=KeyError('contact-71')>")
    said.name = "asyncio"
    assert orjson.loads(written(said))["message"] == "Task exception was never retrieved"


def test_a_fault_of_the_engine_puts_no_data_of_a_contact_into_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    set_up(handler, "text", logging.INFO)

    def take(_: object, taken: Record, latest_ms: int | None = None) -> None:
        raise KeyError(f"no rows of {taken.key!r} in {taken.value!r}")

    monkeypatch.setattr(Partition, "take", take)
    logging.getLogger().addHandler(handler)
    try:
        with EmbeddedBroker() as broker:
            settings = installed(broker, tmp_path)
            worker = EmbeddedWorker(settings)
            worker.start()
            producer = Producer({"bootstrap.servers": settings.bootstrap_servers, "log_level": 0})
            producer.produce("contact-updates", b'{"contact_id": "contact-71"}', key="contact-71")
            assert producer.flush(30) == 0
            deadline = time.monotonic() + 60
            while worker.running:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            with pytest.raises(KeyError, match="contact-71"):
                worker.stop()
    finally:
        logging.getLogger().removeHandler(handler)
    log = stream.getvalue()
    assert "Crashed reason=KeyError" in log
    assert "in take" in log
    assert "contact-71" not in log


def test_ready_and_no_longer_ready_are_each_said_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    reasons = ["the topics have not been read"]
    log = ReadinessLog(lambda: reasons, lambda: 0)
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
