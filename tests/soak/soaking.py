"""One soak: a chaos run with few faults and samples of what each worker takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.chaos.plan import Rhythm
from tests.chaos.run import Options, Run
from tests.soak.creep import Trend, trends
from tests.soak.samples import Sample, Sampler

FAULTS = (
    "kill",
    "terminate",
    "freeze_briefly",
    "freeze_past_session",
    "join_and_leave",
    "lose_one_folder",
    "kill_broker",
    "slow_broker",
    "fill_disk",
    "set_clock",
)
_FOR_EVER = 1e9
_MOST_SAMPLES = 400
_LEAST_RETENTION_SECONDS = 60


class Load(NamedTuple):
    """What a soak is made of. `between_seconds`: the shortest and the longest time between two faults;
    `quiet_seconds`: a sample counts if no fault happened for so long."""

    seconds: float
    seed: int
    records_per_second: int = 120
    contacts: int = 2_000
    quiet_contacts: int = 20_000
    between_seconds: tuple[float, float] = (150.0, 450.0)
    quiet_seconds: float = 60.0


class Result(NamedTuple):
    """The end of a soak. `line`: the figures of the run in one line; `right`: whether every check passed and
    nothing creeps; `faults_at`: when a fault happened, in s."""

    line: str
    right: bool
    trends: list[Trend]
    samples: list[Sample]
    faults_at: list[float]


def soak(load: Load, folder: Path, say: Callable[[str], None]) -> Result:
    """Run a soak; `folder` is for its data. What was found wrong is kept in a folder beside it."""
    # The history has to reach its full length in the part of the run that does not count.
    retention = max(_LEAST_RETENTION_SECONDS, int(load.seconds / 8))
    options = Options(
        seed=load.seed,
        seconds=load.seconds,
        faults=FAULTS,
        contacts=load.contacts,
        quiet_contacts=load.quiet_contacts,
        records_per_second=load.records_per_second,
        settle_seconds=600.0,
        definition_seconds=30.0,
        # One worker is never disturbed, because a process that lives long shows what a restart hides.
        rhythm=Rhythm(load.between_seconds, (_FOR_EVER, _FOR_EVER)),
        compact_changelog=True,
        forgetful=True,
        environment={"STREAMSEG_HISTORY_RETENTION_MS": str(retention * 1000)},
    )
    sampler = Sampler(max(2.0, load.seconds / _MOST_SAMPLES), _telling(say))
    run = Run(options, folder, say, watching=sampler.watching)
    right = run()
    if not right:
        run.keep(folder.with_name(f"{folder.name}-kept"))
    found = trends(sampler.samples, load.seconds, quiet=_quiet(run.acted_at, load.quiet_seconds))
    creeping = any(one.creeps for one in found)
    return Result(run.figures.line(), right and not creeping, found, sampler.samples, run.acted_at)


def _quiet(acted_at: list[float], quiet_seconds: float) -> Callable[[float], bool]:
    def quiet(at_seconds: float) -> bool:
        return not any(0 <= at_seconds - acted < quiet_seconds for acted in acted_at)

    return quiet


def _telling(say: Callable[[str], None]) -> Callable[[Sample], None]:
    def tell(sample: Sample) -> None:
        say(
            f"{sample.at_seconds:7.0f} s  worker-{sample.number}: {sample.resident >> 20} MiB, "
            f"{sample.descriptors} files, {sample.threads} threads, {sample.disk >> 20} MiB on disk"
        )

    return tell
