"""The time from a record to its outputs is told once these were sent and the end is known to be reached."""

from __future__ import annotations

import pytest

from agents.partitions.change_latency import ChangeLatency


@pytest.fixture
def told() -> list[float]:
    return []


@pytest.fixture
def latency(told: list[float]) -> ChangeLatency:
    return ChangeLatency(told.append)


def test_the_earliest_of_what_is_sent_together_counts(latency: ChangeLatency, told: list[float]) -> None:
    latency.caused_outputs(2_000)
    latency.caused_outputs(1_000)
    latency.caused_outputs(3_000)
    latency.at_end()
    assert told == []
    latency.acknowledged(4_000)
    assert told == [3.0]
    latency.acknowledged(9_000)
    latency.at_end()
    assert told == [3.0]


def test_the_end_may_be_known_after_the_sending(latency: ChangeLatency, told: list[float]) -> None:
    latency.caused_outputs(1_000)
    latency.acknowledged(1_500)
    latency.at_end()
    latency.at_end()
    assert told == [0.5]


def test_while_it_catches_up_only_what_is_sent_last_counts(latency: ChangeLatency, told: list[float]) -> None:
    for record_ms in (1_000, 2_000, 9_000):
        latency.caused_outputs(record_ms)
        latency.acknowledged(10_000)
    latency.at_end()
    assert told == [1.0]


def test_an_end_before_a_record_says_nothing_of_it(latency: ChangeLatency, told: list[float]) -> None:
    latency.at_end()
    latency.caused_outputs(1_000)
    latency.acknowledged(2_000)
    assert told == []


def test_a_record_that_is_dated_ahead_takes_no_time(latency: ChangeLatency, told: list[float]) -> None:
    latency.caused_outputs(5_000)
    latency.at_end()
    latency.acknowledged(4_000)
    assert told == [0.0]
