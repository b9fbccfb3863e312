"""The accepted time when wall clocks jump, with and without a broker's clock to compare."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.partitions.clock import STEP_MS, BelievableClock, Evidence

START_MS = 1_777_593_600_000
DAY_MS = 86_400_000
TOLERANCE_MS = 60_000


class Host:
    """A host whose wall clock can be set wrong, and a broker's clock. `now` is the true time, from 0 (ms)."""

    def __init__(self, *, wrong_ms: int = 0) -> None:
        self.clock = BelievableClock(TOLERANCE_MS)
        self.now = 0
        self.wrong_ms = wrong_ms
        self.broker_wrong_ms = 0

    @property
    def wall_ms(self) -> int:
        return START_MS + self.now + self.wrong_ms

    @property
    def steady_ms(self) -> float:
        return 5_000.0 + self.now

    def after(self, passed_ms: int) -> int:
        """How much the believed time differs from the true one, so much later."""
        self.now += passed_ms
        return self.clock.look(self.wall_ms, self.steady_ms) - START_MS - self.now

    def hear(self, *, takes_ms: int = 10) -> None:
        asked_ms = self.steady_ms
        broker_ms = START_MS + self.now + self.broker_wrong_ms
        self.now += takes_ms
        self.clock.compare(Evidence(broker_ms, asked_ms, self.steady_ms), self.wall_ms)


@pytest.fixture
def host() -> Host:
    host = Host()
    assert host.after(0) == 0
    return host


def test_a_clock_that_moves_as_it_should_is_believed(host: Host) -> None:
    assert [host.after(250) for _ in range(1_000)] == [0] * 1_000
    assert host.clock.doubt is None


def test_a_jump_ahead_is_not_followed_and_said_until_it_is_over(host: Host) -> None:
    host.wrong_ms = DAY_MS
    assert host.after(250) == 0
    assert host.clock.doubt == "the clock of this host jumped 86,400.0 s ahead"
    assert host.after(4_000) == 0
    host.wrong_ms = 0
    assert host.after(250) == 0
    assert host.clock.doubt is None


def test_a_jump_back_is_followed_where_nothing_speaks_for_what_was_believed(host: Host) -> None:
    host.wrong_ms = -DAY_MS
    assert host.after(250) == -DAY_MS
    assert host.clock.doubt == "the clock of this host jumped 86,400.0 s back"


def test_a_jump_back_is_not_followed_where_a_broker_speaks_for_what_was_believed(host: Host) -> None:
    host.wrong_ms = -DAY_MS
    host.hear()
    assert host.after(250) == 0
    assert host.clock.doubt is not None


def test_a_clock_that_is_set_right_is_believed_once_a_broker_has_said_so() -> None:
    host = Host(wrong_ms=-30_000)
    assert host.after(0) == -30_000
    host.wrong_ms = 0
    assert host.after(250) == -30_000
    host.hear()
    assert host.clock.doubt is None
    assert host.after(250) == 0


def test_a_broker_that_is_asked_for_long_settles_nothing(host: Host) -> None:
    host.wrong_ms = DAY_MS
    host.hear(takes_ms=2 * DAY_MS)
    assert host.clock.doubt is not None


def test_a_clock_that_is_wrong_from_the_start_is_held_at_the_brokers() -> None:
    host = Host(wrong_ms=DAY_MS)
    assert host.after(0) == DAY_MS, "nothing was heard yet"
    host.hear()
    assert host.clock.doubt == "the clock of this host is 86,400.0 s ahead of the brokers' clock"
    assert 0 <= host.after(60_000) <= 10
    host.wrong_ms = 0
    host.hear()
    assert host.clock.doubt is None
    assert host.after(250) == 0


def test_of_two_clocks_that_have_always_differed_the_earlier_is_taken() -> None:
    host = Host()
    host.broker_wrong_ms = DAY_MS
    host.after(0)
    host.hear()
    assert host.clock.doubt == "the clock of this host is 86,400.0 s behind the brokers' clock"
    assert host.after(250) == 0
    host.broker_wrong_ms = -DAY_MS
    host.hear()
    assert -DAY_MS <= host.after(250) <= 10 - DAY_MS


def test_small_corrections_are_followed_and_do_not_add_up(host: Host) -> None:
    for _ in range(50):
        host.wrong_ms += STEP_MS
        host.after(250)
    assert host.after(0) <= 2 * STEP_MS
    assert host.clock.doubt is not None


def test_a_clock_that_gains_a_little_is_followed_for_days(host: Host) -> None:
    for _ in range(2_000):
        host.wrong_ms += 30
        assert host.after(60_000) == host.wrong_ms
    assert host.clock.doubt is None


@given(st.lists(st.tuples(st.integers(0, 30_000), st.integers(-DAY_MS, DAY_MS), st.booleans()), max_size=30))
def test_whatever_a_host_does_the_believed_time_is_never_far_ahead_of_a_broker_that_is_right(
    moves: list[tuple[int, int, bool]],
) -> None:
    host = Host()
    host.hear()
    for passed_ms, wrong_ms, heard in moves:
        host.wrong_ms = wrong_ms
        assert host.after(passed_ms) <= TOLERANCE_MS
        if heard:
            host.hear()
