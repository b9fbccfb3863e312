"""The same records and segments through streamseg and through its peers, and whether the same came out.

    python -m venv .venv-peers
    .venv-peers/bin/pip install -e . -r benchmarks/peers/requirements.txt
    .venv-peers/bin/python -m benchmarks.peers
    .venv-peers/bin/python -m benchmarks.peers --only duckdb_sql bytewax_flow --repeats 1

Two frames. In the first one the records come from a list in the process and each engine keeps state in its
own store; set-up is not counted. In the second one they lie in a Kafka broker (deploy/kafka.sh, or
--bootstrap) and the changes go back to it. All that are installed take their turn, as many times over as
asked for; each rate is compared with streamseg's in the same frame and round, and medians with their spread
are shown.

Of each peer's changes the report says how many are the same as streamseg's, time included. Memberships, as
they follow from the changes, are compared with streamseg's twice: at the time of the last record, and when
the peer can know them. That is as of each contact's own last record, since some peers know of no time but a
record's; or, for one that recomputes, at each recomputation, all added up.

What no peer is asked for: segments that are defined or changed while it runs, and their look back; built-in
segments, unsubscribing and derived events, which streamseg judges here as always; refusing bad records; and
conditions that the workload does not use. --history all has the peers keep what looking back would need, and
tell repeated events, as streamseg does in any case.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType

from benchmarks.figures import Figure, about_the_machine, command, table
from benchmarks.kafka import broker
from benchmarks.peers.evaluate import Change
from benchmarks.peers.job import Job, Pair, Result, members

HERE = ("streamseg_here", "by_hand", "bytewax_flow", "pyflink_job", "pathway_table", "duckdb_sql")
ON_KAFKA = ("streamseg_worker", "quix_app", "quix_exactly_once", "faust_agent")

Run = Callable[[Path], Result]


@dataclass
class Peer:
    """One peer, and what its runs gave."""

    module: ModuleType
    run: Run
    results: list[Result] = field(default_factory=list)

    def measure(self) -> None:
        # What was made for others is not to be gone through while this one runs.
        gc.collect()
        gc.freeze()
        with tempfile.TemporaryDirectory(prefix="streamseg-peers-") as folder:
            self.results.append(self.run(Path(folder)))


def installed(names: Iterable[str]) -> list[ModuleType]:
    """Those whose library is there; the others are named."""
    found = []
    for name in names:
        try:
            found.append(importlib.import_module(f"benchmarks.peers.{name}"))
        except ModuleNotFoundError as error:
            print(f"left out: {name} (no module {error.name})")
    return found


def report(peers: list[Peer], job: Job) -> None:
    """The first one is what the others are compared with."""
    base = peers[0]
    expected = _until_end(base, job)
    rows = [_row(peer, base, expected, job) for peer in peers]
    heading = [
        "",
        "records/s",
        "times streamseg's",
        "processor, µs a record",
        "changes",
        "of them streamseg's",
        "members at the end: equal, missing, extra",
        "members when it can know",
    ]
    print(table(heading, rows))
    for peer in peers:
        print(f"\n{peer.module.NAME}: {peer.module.LIMITS}")
        if peer.results[-1].remark:
            print(f"Last run: {peer.results[-1].remark}.")


def _row(peer: Peer, base: Peer, expected: list[Change], job: Job) -> list[str]:
    count = len(job.records)
    ratios = [
        other.seconds / result.seconds for result, other in zip(peer.results, base.results, strict=True)
    ]
    changes = _until_end(peer, job)
    return [
        peer.module.NAME,
        Figure([count / result.seconds for result in peer.results]).text(0),
        Figure(ratios).text(2),
        Figure([result.cpu_seconds / count * 1e6 for result in peer.results]).text(0),
        f"{len(changes):,}",
        f"{(Counter(changes) & Counter(expected)).total():,}",
        _compared([(members(expected), members(changes))]),
        _compared(_known(expected, changes, peer.results[-1].instants, job)),
    ]


def _until_end(peer: Peer, job: Job) -> list[Change]:
    """The changes of the last run, without streamseg's built-in segments.

    Up to the last record's time only: a worker's clock goes on from there."""
    changes = peer.results[-1].changes
    return [
        change for change in changes if change.at_ms <= job.end_ms and change.segment_id in job.segment_ids
    ]


def _seen(changes: list[Change], job: Job) -> list[Change]:
    return [change for change in changes if change.at_ms <= job.last_seen[change.contact_id]]


def _known(
    expected: list[Change], changes: list[Change], instants: list[int], job: Job
) -> Iterator[tuple[set[Pair], set[Pair]]]:
    """Both memberships, whenever the peer can know them."""
    if not instants:
        yield members(_seen(expected, job)), members(_seen(changes, job))
    for instant in instants:
        yield members(_before(expected, instant)), members(_before(changes, instant))


def _before(changes: list[Change], instant: int) -> list[Change]:
    return [change for change in changes if change.at_ms <= instant]


def _compared(pairs: Iterable[tuple[set[Pair], set[Pair]]]) -> str:
    equal = missing = extra = 0
    for expected, found in pairs:
        equal += len(expected & found)
        missing += len(expected - found)
        extra += len(found - expected)
    return f"{equal:,}, {missing:,}, {extra:,}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--contacts", type=int, default=20_000)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--segments", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=HERE + ON_KAFKA, help="these, and streamseg beside them")
    parser.add_argument(
        "--history",
        choices=("asked", "all"),
        default="asked",
        help="what the shared rules keep: the events that segments ask for, or every one and its id",
    )
    parser.add_argument("--bootstrap", help="a running broker, e.g. localhost:9092")
    wanted = parser.parse_args()
    job = Job.of(
        contacts=wanted.contacts,
        records=wanted.records,
        segments=wanted.segments,
        keep_all=wanted.history == "all",
    )
    only = set(wanted.only or HERE + ON_KAFKA)
    # What was started is to end with this program, whatever ends it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    print(command("benchmarks.peers"), flush=True)
    with ExitStack() as stack:
        frames = []
        if only.intersection(HERE):
            modules = installed(name for name in HERE if name in only or name == HERE[0])
            frames.append([Peer(module, partial(_run_here, module, job)) for module in modules])
        if only.intersection(ON_KAFKA):
            modules = installed(name for name in ON_KAFKA if name in only or name == ON_KAFKA[0])
            frames.append(_on_kafka(modules, job, stack.enter_context(broker(wanted.bootstrap)).bootstrap))
        for _ in range(wanted.repeats):
            for peer in (peer for frame in frames for peer in frame):
                peer.measure()
    for peers in frames:
        print(f"\n{len(job.records):,} records, {wanted.contacts:,} contacts, {wanted.segments:,} segments\n")
        report(peers, job)
    print(f"\n{about_the_machine()}")


def _run_here(module: ModuleType, job: Job, folder: Path) -> Result:
    result: Result = module.run(job, folder)
    return result


def _on_kafka(modules: list[ModuleType], job: Job, bootstrap: str) -> list[Peer]:
    return [Peer(module, partial(_run_on, module, job, bootstrap)) for module in modules]


def _run_on(module: ModuleType, job: Job, bootstrap: str, folder: Path) -> Result:
    result: Result = module.run(job, folder, bootstrap)
    return result


if __name__ == "__main__":
    main()
