"""Trouble with the brokers ends an app but not the process; any other error ends both."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka.errors import GroupAuthorizationFailedError, KafkaTimeoutError, MessageSizeTooLargeError
from confluent_kafka import KafkaError, KafkaException

from agents.pacing import Pacing
from agents.worker import life as worker_life
from agents.worker.life import NotStoppedError, live
from agents.worker.stall_guard import CutOffError, StoodStillError
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings


class App:
    """Ends with an error, or by being stopped."""

    def __init__(self, error: BaseException | None, *, ended: bool = True, works: bool = True) -> None:
        self.works = works
        self.error = error
        self.ended = ended


@pytest.fixture
def outcome(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs these apps one after the other; what each was told."""

    async def run(app: App, stop: asyncio.Event, *, ready: Callable[[], None]) -> None:
        if app.works:
            ready()
        if app.error is not None:
            raise app.error

    monkeypatch.setattr(worker_life, "run", run)

    def lived(*apps: App, **settings: Any) -> list[str | None]:
        waiting, made = list(apps), list[str | None]()

        def make(trouble: str | None) -> Any:
            made.append(trouble)
            return waiting.pop(0)

        at_once = Pacing(first_pause_seconds=0.0, longest_pause_seconds=0.0)
        asyncio.run(live(Settings(**settings), make, asyncio.Event(), pacing=at_once))
        return made

    return lived


def caused(error: Exception) -> Exception:
    wrapped = RuntimeError("a task failed")
    wrapped.__cause__ = error
    return wrapped


@pytest.mark.parametrize(
    "trouble",
    [
        KafkaTimeoutError(),
        CutOffError("not heard of for 30 s"),
        KafkaException(KafkaError(KafkaError._TRANSPORT)),
        ConnectionResetError(),
        caused(KafkaTimeoutError()),
    ],
)
def test_trouble_with_the_brokers_is_followed_by_another_app(outcome: Any, trouble: Exception) -> None:
    first, *later = outcome(App(trouble), App(trouble), App(None))
    assert first is None
    assert len(later) == 2
    assert all(later)


@pytest.mark.parametrize(
    "fault",
    [
        ZeroDivisionError(),
        ConfigurationError("not so"),
        OSError(28, "No space left on device"),
        StoodStillError("for 40 s"),
        MessageSizeTooLargeError(),
    ],
)
def test_anything_else_ends_the_process(outcome: Any, fault: Exception) -> None:
    with pytest.raises(type(fault)):
        outcome(App(fault), App(None))


def test_nothing_refers_to_an_app_that_ended_when_the_next_one_is_made(outcome: Any) -> None:
    alive: list[bool] = []
    made: list[weakref.ref[App]] = []

    def make(_: str | None) -> Any:
        gc.collect()
        alive.extend(app() is not None for app in made)
        app = App(None if made else KafkaTimeoutError())
        made.append(weakref.ref(app))
        return app

    at_once = Pacing(first_pause_seconds=0.0, longest_pause_seconds=0.0)
    asyncio.run(live(Settings(), make, asyncio.Event(), pacing=at_once))
    assert alive == [False]


def test_an_app_that_could_not_be_stopped_ends_the_process(outcome: Any) -> None:
    with pytest.raises(KafkaTimeoutError):
        outcome(App(KafkaTimeoutError(), ended=False), App(None))


def test_a_last_app_that_could_not_be_stopped_ends_the_process_with_an_error(outcome: Any) -> None:
    with pytest.raises(NotStoppedError, match="what was not saved is done again"):
        outcome(App(None, ended=False))


def test_an_app_that_was_stopped_is_the_last(outcome: Any) -> None:
    assert outcome(App(None)) == [None]


def test_a_right_that_is_missing_is_told_in_words_and_not_waited_for_for_ever(outcome: Any) -> None:
    forbidden = App(GroupAuthorizationFailedError("streamseg"), works=False)
    words = (
        "the brokers give this user no right to READ on the group streamseg; "
        "grant it (`streamseg topics acls` prints the Kafka ACLs)"
    )
    assert outcome(forbidden, App(None)) == [None, words]
    with pytest.raises(ConfigurationError, match=r"no right to READ on the group streamseg.*given up after"):
        outcome(*[forbidden] * 100_000, start_timeout_ms=1)
