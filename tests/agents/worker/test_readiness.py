"""A worker is ready while it works on everything that was assigned to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agents.worker.readiness import ReadinessFacts, reasons_not_ready

READY = ReadinessFacts(
    ending=False,
    brokers=None,
    clock=None,
    catalogue=None,
    folder=None,
    disk=None,
    topics=True,
    assigned={0, 1},
    at_work=[0, 1],
)


def test_a_worker_that_does_all_that_it_was_given_is_ready() -> None:
    assert reasons_not_ready(READY) == []


def test_a_worker_without_partitions_stands_by_and_is_ready() -> None:
    assert reasons_not_ready(READY._replace(assigned=set(), at_work=[])) == []


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"ending": True}, "the worker is ending"),
        ({"brokers": "no Kafka answered"}, "no Kafka answered"),
        ({"clock": "the clock of this host jumped"}, "the clock of this host jumped"),
        ({"catalogue": "no right"}, "the catalogue is not led: no right"),
        ({"folder": Path("data/2")}, "the data folder data/2 was removed; restart the worker"),
        ({"disk": "1 MiB free"}, "1 MiB free"),
        ({"topics": False}, "the definitions and the catalogue have not been read yet"),
        ({"assigned": None}, "the group has not settled yet which partitions this worker has"),
        ({"at_work": [1]}, "the state of these partitions is still being read: 0"),
        ({"at_work": []}, "the state of these partitions is still being read: 0, 1"),
    ],
)
def test_what_is_missing_is_told(changed: dict[str, Any], reason: str) -> None:
    assert reasons_not_ready(READY._replace(**changed)) == [reason]


def test_all_that_is_missing_is_told_at_once() -> None:
    nothing = ReadinessFacts(
        ending=True,
        brokers="b",
        clock="c",
        catalogue="d",
        folder=Path("e"),
        disk="f",
        topics=False,
        assigned=None,
        at_work=[],
    )
    assert len(reasons_not_ready(nothing)) == 8
