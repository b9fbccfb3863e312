"""A worker waits for its brokers and logs the reason without filling its log."""

from __future__ import annotations

import asyncio
import logging

import pytest

from agents.kafka.broker_trouble import Kind, Trouble
from agents.kafka.broker_watch import BrokerWatch
from agents.metrics import Metrics
from agents.pacing import Pacing
from streamseg.errors import ConfigurationError

AWAY = Trouble(Kind.UNREACHABLE, "no Kafka answered")
LOGIN = Trouble(Kind.LOGIN, "the login is refused")


class Brokers:
    """What is found at each look; the last for ever. Each look takes ten seconds of `now`."""

    def __init__(self, *found: Trouble | None) -> None:
        self.found = list(found)
        self.thorough: list[bool] = []
        self.now = 0.0

    def look(self, thorough: bool) -> Trouble | None:
        self.now += 10
        self.thorough.append(thorough)
        return self.found.pop(0) if len(self.found) > 1 else self.found[0]


AT_ONCE = Pacing(broker_look_seconds=0.0, retry_seconds=0.0)


def started(brokers: Brokers, start_seconds: float | None) -> BrokerWatch:
    async def start() -> BrokerWatch:
        watch = BrokerWatch(
            look=brokers.look,
            start_seconds=start_seconds,
            metrics=Metrics(),
            timer=lambda: brokers.now,
            pacing=AT_ONCE,
        )
        await watch.on_start()
        return watch

    return asyncio.run(start())


def test_it_starts_once_nothing_is_in_the_way(caplog: pytest.LogCaptureFixture) -> None:
    brokers = Brokers(*[AWAY] * 9, LOGIN, None)
    with caplog.at_level(logging.INFO):
        watch = started(brokers, 300)
    assert watch.trouble is None
    assert watch.well_since == 110
    assert all(brokers.thorough)
    assert caplog.messages == [
        "no Kafka answered; waiting for up to 300 s",
        "no Kafka answered; waiting for up to 300 s",
        "the login is refused; waiting for up to 300 s",
        "the brokers are there again, after 100 s",
    ]


def test_after_the_time_for_the_start_it_gives_up_with_the_reason() -> None:
    with pytest.raises(ConfigurationError) as raised:
        started(Brokers(LOGIN), 30)
    assert str(raised.value) == "the login is refused (given up after 30 s, STREAMSEG_START_TIMEOUT_MS)"


def test_a_worker_that_was_at_work_never_gives_up() -> None:
    assert started(Brokers(*[AWAY] * 1_000, None), None).trouble is None


def test_what_happens_later_is_noticed_and_so_is_its_end() -> None:
    brokers = Brokers(None, None, AWAY, AWAY, None, None)
    # Looked at closely from the first trouble until it is over.
    looks = [True, False, False, True, True, False]
    seen: list[Trouble | None] = []

    async def watch() -> None:
        metrics = Metrics()
        service = BrokerWatch(
            look=brokers.look,
            start_seconds=None,
            metrics=metrics,
            timer=lambda: brokers.now,
            pacing=AT_ONCE,
        )
        await service.start()
        while len(brokers.thorough) < len(looks) or service.trouble is not None:
            await asyncio.sleep(0)
            if not seen or seen[-1] is not service.trouble:
                seen.append(service.trouble)
        await service.stop()

    asyncio.run(watch())
    assert seen == [None, AWAY, None]
    assert brokers.thorough[: len(looks)] == looks
