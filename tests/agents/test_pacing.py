"""How long a broker may hold back an empty answer."""

from __future__ import annotations

import pytest

from agents.pacing import Pacing


@pytest.mark.parametrize(
    ("silent_seconds", "wait_ms"), [(0.0, 10), (0.9, 10), (1.0, 100), (9.9, 100), (10.0, 250), (3_600.0, 250)]
)
def test_the_longer_no_record_came_the_longer_a_fetch_waits(silent_seconds: float, wait_ms: int) -> None:
    assert Pacing().fetch_wait_after(silent_seconds) == wait_ms
