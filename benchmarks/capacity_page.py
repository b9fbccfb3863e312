"""Writes the measured parts of deploy/capacity.md from benchmarks/capacity.json.

    python -m benchmarks.capacity_page [--check]

The rest of the page is written by hand. Each part stands between two comments with its name.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping
from math import ceil
from pathlib import Path
from typing import Final, NamedTuple

from agents.kafka.topics import CHANGELOG_SEGMENT_BYTES
from agents.pacing import DEFAULT_PACING
from benchmarks.capacity_figures import Measured, read
from benchmarks.figures import Figure, table

PAGE: Final = Path(__file__).parents[1] / "deploy" / "capacity.md"
GROUP: Final = "group"
"""The name of the measurement of `benchmarks.group_size`."""

Kept = Mapping[str, Measured]

_KIB, _MIB, _GIB = 1 << 10, 1 << 20, 1 << 30
_WEEK = 7 * 86_400
_HEADROOM = 2.0
_HEADROOM_IN_RECOVERY = 1.5
_MOST_OF_A_CORE = 0.5
_COPIES = 3
_DIRTY = 1.25
"""A changelog is compacted when a fifth of it was replaced (`min.cleanable.dirty.ratio`)."""


class Line(NamedTuple):
    """A row of the table of costs: what is meant, the figure, how many units to a unit of the figure, the
    unit's name and the digits."""

    words: str
    figure: str
    factor: float
    unit: str
    digits: int = 0


_COSTS: Final[tuple[tuple[str, tuple[Line, ...]], ...]] = (
    (
        "a worker without contacts",
        (
            Line("memory at the start", "idle_memory_bytes", 1 / _MIB, "MiB"),
            Line("CPU", "idle_core", 100, "% of a core", 1),
            Line("to Kafka", "idle_sent_bytes_s", 1 / _KIB, "KiB/s", 1),
            Line("from Kafka", "idle_received_bytes_s", 1 / _KIB, "KiB/s", 1),
        ),
    ),
    (
        "a partition more, without contacts",
        (
            Line("memory", "partition_memory_bytes", 1 / _MIB, "MiB", 1),
            Line("CPU", "partition_core", 100, "% of a core", 2),
            Line("open files", "partition_files", 1, ""),
            Line("to Kafka", "partition_sent_bytes_s", 1 / _KIB, "KiB/s", 2),
            Line("from Kafka", "partition_received_bytes_s", 1 / _KIB, "KiB/s", 2),
        ),
    ),
    (
        "a segment",
        (
            Line("memory", "segment_memory_bytes", 1 / _KIB, "KiB", 1),
            Line("CPU of a record with 10 segments, 20,000 contacts", "few_record_cpu_us", 1, "µs"),
            Line("CPU of a record with 1,000 segments, all contacts", "record_cpu_us", 1, "µs"),
        ),
    ),
    (
        "a contact with 20 attributes",
        (
            Line("memory at rest", "contact_memory_bytes", 1, "bytes"),
            Line("CPU of its first update", "contact_cpu_us", 1, "µs"),
            Line("bytes of that update", "contact_input_bytes", 1, "bytes"),
            Line("disk", "contact_state_bytes", 1, "bytes"),
            Line("changelog", "contact_changelog_bytes", 1, "bytes"),
            Line("outputs", "contact_output_bytes", 1, "bytes"),
        ),
    ),
    (
        "a record of the stream, while the worker catches up",
        (
            Line("CPU", "record_cpu_us", 1, "µs"),
            Line("bytes of the record", "record_input_bytes", 1, "bytes"),
            Line("disk", "record_state_bytes", 1, "bytes"),
            Line("changelog", "record_changelog_bytes", 1, "bytes"),
            Line("outputs", "record_output_bytes", 1, "bytes"),
        ),
    ),
    (
        "1,000 live events a second",
        (
            Line("CPU", "live_core", 100, "% of a core"),
            Line("CPU of the broker", "live_broker_core", 100, "% of a core"),
            Line("worker to Kafka", "live_sent_bytes_s", 1 / _KIB, "KiB/s"),
            Line("of it changelog", "live_changelog_bytes_s", 1 / _KIB, "KiB/s"),
            Line("of it outputs", "live_output_bytes_s", 1 / _KIB, "KiB/s"),
            Line("Kafka to worker", "live_received_bytes_s", 1 / _KIB, "KiB/s"),
            Line("of it input", "live_input_bytes_s", 1 / _KIB, "KiB/s"),
        ),
    ),
    (
        "a new segment: all contacts are evaluated",
        (
            Line("CPU a contact", "sweep_cpu_us", 1, "µs"),
            Line("contacts/s", "sweep_contacts_s", 1, ""),
            Line("ten new segments together: CPU a contact", "sweep_ten_cpu_us", 1, "µs"),
        ),
    ),
    (
        "a start with the local state",
        (
            Line("CPU", "start_cpu_seconds", 1, "s", 1),
            Line("until at work", "start_seconds", 1, "s", 1),
            Line("memory after it", "full_memory_bytes", 1 / _MIB, "MiB"),
        ),
    ),
    (
        "a start without it, all contacts with their events",
        (
            Line("CPU", "recovery_cpu_seconds", 1, "s", 1),
            Line("until at work", "recovery_seconds", 1, "s", 1),
            Line("changelog that is read", "recovery_changelog_bytes", 1 / _MIB, "MiB"),
            Line("memory at most", "recovery_peak_bytes", 1 / _MIB, "MiB"),
            Line("memory after it", "recovered_memory_bytes", 1 / _MIB, "MiB"),
        ),
    ),
    (
        "an export, `streamseg state export`",
        (
            Line("CPU a million contacts", "export_cpu_us", 1 / 60, "minutes", 1),
            Line("minutes a million contacts", "export_seconds_million", 1 / 60, "", 1),
            Line("memory at most", "export_peak_bytes", 1 / _MIB, "MiB"),
            Line("files, a contact", "export_contact_bytes", 1, "bytes"),
        ),
    ),
    (
        "an import, `streamseg state import`, into twice as many partitions",
        (
            Line("CPU a million contacts", "import_cpu_us", 1 / 60, "minutes", 1),
            Line("minutes a million contacts", "import_seconds_million", 1 / 60, "", 1),
            Line("memory at most", "import_peak_bytes", 1 / _MIB, "MiB"),
            Line("changelog, a contact", "import_contact_bytes", 1, "bytes"),
        ),
    ),
)


def runs(kept: Kept) -> list[Measured]:
    """Return the measurements of `benchmarks.capacity`, the fewest contacts first."""
    return [kept[name] for name in sorted((one for one in kept if one.isdecimal()), key=int)]


def costs(kept: Kept) -> str:
    """Return the table of costs: a column for each measurement."""
    measured = runs(kept)
    heading = ["", *(f"{one.parameters['contacts']:,} contacts" for one in measured)]
    rows = []
    for title, lines in _COSTS:
        rows.append([f"**{title}**", *("" for _ in measured)])
        rows += [[line.words, *(_cell(one, line) for one in measured)] for line in lines]
    return table(heading, rows)


def _cell(measured: Measured, line: Line) -> str:
    if line.figure not in measured.figures:
        return "–"
    scaled = Figure([value * line.factor for value in measured.figures[line.figure]])
    return f"{scaled.text(line.digits)} {line.unit}".strip()


def measurements(kept: Kept) -> str:
    """Return the command, day, commit, machine and load of each measurement."""
    blocks = []
    for one in [*runs(kept), *([kept[GROUP]] if GROUP in kept else [])]:
        loads = f"{min(one.loads):.1f} to {max(one.loads):.1f}"
        blocks.append(
            f"```\n{one.command}\n```\n\n{one.date}, commit {one.commit}, {one.machine}; load {loads}."
        )
    return "\n\n".join(blocks)


def group(kept: Kept) -> str:
    """Return the table of group sizes for our assignor: what all members send each other in a rebalance."""
    rows = []
    measured = kept[GROUP]
    for name in measured.figures:
        if name.count("/") != 4:
            continue
        partitions, workers, assignor, step, what = name.split("/")
        if assignor == "streamseg" and step == "one leaves" and what == "bytes":
            stem = name.removesuffix("bytes")
            rows.append(
                [
                    f"{int(partitions):,}",
                    f"{int(workers):,}",
                    f"{measured[name]:,.0f}",
                    f"{measured[f'{stem}largest']:,.0f}",
                    f"{measured[f'{stem}cpu_s']:.2f} s",
                    f"{measured[f'{stem}moved']:,.0f}",
                ]
            )
    heading = ["partitions", "workers", "bytes of all members", "largest", "CPU", "moved without need"]
    return table(heading, rows)


def catalogue(kept: Kept) -> str:
    """Return the table of what the partitions' reports take at most."""
    measured = kept[GROUP]
    rows = []
    for workers, partitions, segments in ((3, 12, 100), (10, 48, 1_000), (100, 1_000, 1_000)):
        apart = max(DEFAULT_PACING.report_seconds, partitions * segments / DEFAULT_PACING.reported_counts)
        reports = partitions / apart
        packed = measured[f"report/{segments}/packed"]
        cpu = measured[f"report/{segments}/cpu_us"]
        rows.append(
            [
                f"{workers:,}",
                f"{partitions:,}",
                f"{segments:,}",
                f"{apart:.1f} s",
                f"{partitions:,} / {apart:.1f} s × {packed:,.0f} bytes = "
                f"{reports * packed / _KIB:,.0f} KiB/s",
                f"{reports * packed * workers / _MIB:,.1f} MiB/s",
                f"{reports:,.0f} × {cpu:,.0f} µs = {reports * cpu / 1e4:.1f} %",
            ]
        )
    heading = [
        "workers",
        "partitions",
        "segments",
        "a report at most every",
        "written in all, read by each worker",
        "read by all",
        "CPU of each worker",
    ]
    return table(heading, rows)


class Need(NamedTuple):
    """What an installation needs.

    cores        of all workers, for live events
    workers      so that each uses half a core at most, and one more
    memory       bytes of each worker: twice those at rest, or one and a half times those of a recovery
    disk         bytes of all workers, with twice of what the tables take
    changelog    bytes of one copy: what compaction leaves, and the segments that it has not reached
    storage      bytes on all brokers, three copies
    traffic      bytes/s to and from the brokers, replication included
    recovery     CPU seconds of a worker that has lost its disk
    sweep        CPU seconds of each worker for a new segment
    """

    cores: float
    workers: int
    memory: float
    disk: float
    changelog: float
    storage: float
    traffic: float
    recovery: float
    sweep: float


def need(
    one: Measured, *, contacts: int, events_s: float, kept_events: float, partitions: int, segments: int
) -> Need:
    """Return what so many contacts and events take. `kept_events` is the number of events that a contact
    keeps on average."""
    rate = events_s / one["live_rate"]
    cores = rate * max(0.0, one["live_core"] - one["idle_core"])
    workers = ceil(cores / (_MOST_OF_A_CORE - one["idle_core"])) + 1
    disk = contacts * (one["contact_state_bytes"] + kept_events * one["record_state_bytes"])
    resident = (
        one["idle_memory_bytes"]
        + segments * one["segment_memory_bytes"]
        + ceil(partitions / workers) * one["partition_memory_bytes"]
        + max(0.0, one["contact_memory_bytes"]) * contacts / workers
    )
    input_s, output_s, changelog_s = (
        rate * one[f"live_{name}_bytes_s"] for name in ("input", "output", "changelog")
    )
    kept = contacts * (one["contact_changelog_bytes"] + kept_events * one["record_changelog_bytes"])
    recent = min(partitions * CHANGELOG_SEGMENT_BYTES, _WEEK * changelog_s)
    changelog = _DIRTY * kept + recent
    published = contacts * one["contact_output_bytes"] + _WEEK * output_s
    restoring = (one["recovery_cpu_seconds"] - one["start_cpu_seconds"]) / one["recovery_changelog_bytes"]
    return Need(
        cores=cores,
        workers=workers,
        memory=max(_HEADROOM * resident, _HEADROOM_IN_RECOVERY * one["recovery_peak_bytes"]),
        disk=_HEADROOM * disk,
        changelog=changelog,
        storage=_COPIES * (_WEEK * input_s + published + changelog),
        traffic=_COPIES * (input_s + output_s + changelog_s) + rate * one["live_received_bytes_s"],
        recovery=one["start_cpu_seconds"] + restoring * changelog / workers,
        sweep=one["sweep_cpu_us"] / 1e6 * contacts / workers,
    )


class Example(NamedTuple):
    contacts: int
    events_s: float
    kept_events: float
    partitions: int
    segments: int


EXAMPLES: Final = (
    Example(100_000, 50, 20, 12, 100),
    Example(1_000_000, 500, 20, 24, 500),
    Example(5_000_000, 2_000, 20, 48, 1_000),
    Example(20_000_000, 10_000, 20, 240, 1_000),
)


def examples(kept: Kept) -> str:
    """Return the worked examples, from the complete measurement with the most contacts."""
    one = [run for run in runs(kept) if "live_core" in run.figures][-1]
    columns = [(example, need(one, **example._asdict())) for example in EXAMPLES]
    rows = [
        ["events/s", *(f"{example.events_s:,.0f}" for example, _ in columns)],
        ["segments", *(f"{example.segments:,}" for example, _ in columns)],
        ["events that a contact keeps", *(f"{example.kept_events:,.0f}" for example, _ in columns)],
        ["partitions", *(f"{example.partitions:,}" for example, _ in columns)],
        ["cores for the events", *(f"{of.cores:.2f}" for _, of in columns)],
        ["workers, one of them in reserve", *(f"{of.workers:,}" for _, of in columns)],
        ["memory of each worker", *(_bytes(of.memory) for _, of in columns)],
        ["disk of each worker", *(_bytes(of.disk / max(1, of.workers - 1)) for _, of in columns)],
        ["changelog, one copy", *(_bytes(of.changelog) for _, of in columns)],
        ["storage of Kafka, three copies", *(_bytes(of.storage) for _, of in columns)],
        ["traffic of the brokers", *(f"{_bytes(of.traffic)}/s" for _, of in columns)],
        ["CPU of a worker without its disk", *(f"{of.recovery:,.0f} s" for _, of in columns)],
        ["CPU of each worker for a new segment", *(f"{of.sweep:,.0f} s" for _, of in columns)],
    ]
    heading = ["", *(f"{example.contacts:,} contacts" for example, _ in columns)]
    return table(heading, rows)


def _bytes(size: float) -> str:
    if size >= _GIB:
        return f"{size / _GIB:,.1f} GiB"
    return f"{size / _MIB:,.1f} MiB"


PARTS: Final[Mapping[str, Callable[[Kept], str]]] = {
    "costs": costs,
    "examples": examples,
    "group": group,
    "catalogue": catalogue,
    "measurements": measurements,
}


def filled(page: str, kept: Kept) -> str:
    """Return the page with the text of each part between its two comments. Raises ValueError if a part is
    missing on the page."""
    for name, part in PARTS.items():
        begin, end = f"<!-- measured: {name} -->", f"<!-- end: {name} -->"
        block = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.S)
        if not block.search(page):
            raise ValueError(f"the page has no part {name}")
        text = f"{begin}\n{part(kept)}\n\n{end}"
        page = block.sub(lambda _, text=text: text, page)  # type: ignore[misc]
    return page


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only say whether the page is stale")
    wanted = parser.parse_args(arguments)
    page = PAGE.read_text(encoding="utf-8")
    now = filled(page, read())
    if wanted.check:
        if page != now:
            sys.stdout.write("deploy/capacity.md is stale; run `make pages`\n")
        return int(page != now)
    PAGE.write_text(now, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
