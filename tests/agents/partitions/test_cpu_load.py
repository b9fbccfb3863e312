"""The load of a thread, from its CPU time and the clock."""

from __future__ import annotations

from agents.partitions.cpu_load import CpuLoad


class Thread:
    """CPU time and wall time, s, as they are set."""

    def __init__(self) -> None:
        self.cpu = 5.0
        self.wall = 100.0

    def pass_by(self, seconds: float, *, share: float) -> None:
        self.wall += seconds
        self.cpu += seconds * share


def _load(thread: Thread) -> CpuLoad:
    return CpuLoad(busy=lambda: thread.cpu, wall=lambda: thread.wall)


def test_it_follows_the_share_of_the_core() -> None:
    thread = Thread()
    load = _load(thread)
    assert load.share() == 0.0
    for _ in range(10):
        thread.pass_by(0.2, share=0.8)
        load.share()
    assert 0.79 < load.share() <= 0.8
    for _ in range(10):
        thread.pass_by(0.2, share=0.0)
        load.share()
    assert load.share() < 0.01


def test_a_moment_is_no_sample() -> None:
    thread = Thread()
    load = _load(thread)
    thread.pass_by(0.01, share=1.0)
    assert load.share() == 0.0


def test_it_is_never_more_than_one_core() -> None:
    """The two clocks are not read at the same instant."""
    thread = Thread()
    load = _load(thread)
    for _ in range(20):
        thread.pass_by(0.2, share=1.5)
        assert load.share() <= 1.0
