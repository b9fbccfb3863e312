"""A worker's clock can be set wrong, and its waits still end in time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.chaos.host_clock import HostClock
from tests.lacking import lacks

_PROGRAM = """
import time
from confluent_kafka import Consumer
consumer = Consumer({"bootstrap.servers": "127.0.0.1:1", "group.id": "nobody", "log_level": 0})
before = time.monotonic()
consumer.poll(0.2)
waited = time.monotonic() - before
print(time.time() - {now}, time.time_ns() / 1e9 - {now}, waited, time.monotonic() - {steady})
"""


def test_the_time_of_day_is_wrong_and_all_else_is_right(tmp_path: Path) -> None:
    clock = HostClock(tmp_path)
    if not clock.can_be_set:
        lacks("a C compiler", "a worker's clock cannot be set wrong")
    for seconds in (3_600, -3_600, 0):
        clock.set(seconds)
        program = _PROGRAM.replace("{now}", repr(time.time_ns() / 1e9)).replace(
            "{steady}", repr(time.monotonic())
        )
        said = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, **clock.environment},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout
        ahead, ahead_by_ns, waited, passed = map(float, said.split())
        assert seconds <= ahead <= seconds + passed + 1
        assert seconds <= ahead_by_ns <= seconds + passed + 1
        # Without a right deadline the wait would take an hour, or no time at all.
        assert 0.1 < waited < 100
