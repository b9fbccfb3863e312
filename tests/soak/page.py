"""docs/soak.md: the soaks that were run, each with its commit and its curves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple
from xml.sax.saxutils import escape

import orjson

from tests.soak.creep import Trend
from tests.soak.samples import Sample
from tests.soak.soaking import Load, Result

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs" / "soak.md"
RUNS: Final = ROOT / "docs" / "soak"

_INTRODUCTION = """# Soak

A soak runs workers under live load for hours, with a fault every few minutes. At its end all outputs are
compared with a replay, as after a [chaos run](testing.md#chaos), and memory, file descriptors, threads,
disk and latency must not have crept up.

```
make soak HOURS=2
python -m tests.soak --hours 2 --seed 7 --publish
```

Two workers run and a third one joins and leaves, on a broker of their own. One worker is never killed,
because a process that lives long shows what a restart hides. The faults are SIGKILL, SIGTERM, SIGSTOP for
less and for more than the session timeout, a lost data folder, a killed broker, a broker that works for
half of the time only, a full disk, and a host's clock that is wrong by an hour, ahead or back. The
retention of events is an eighth of the run.

The first quarter of a run does not count: state and caches fill then. For the same reason a process that
began later counts after a quarter of an hour, or of the run if that is less. The rest is cut into three
parts. The median of the last part is compared with the median of the first one, for samples at which no fault
happened in the minute before. Allowed are 10 % more memory, 5 % more descriptors and threads, 25 % more disk
for each partition of which the worker has a folder, and 50 % more latency; small absolute differences do not
count ([tests/soak/creep.py](../tests/soak/creep.py)).

This page is written by `--publish`. All runs so far: {hours:.1f} hours.
"""


class Published(NamedTuple):
    """A run as it stands in its file beside the page."""

    name: str
    facts: dict[str, Any]


def publish(load: Load, result: Result, *, day: str, commit: str, machine: str) -> None:
    """Write the files of a run and the page again. `day` is a date, `commit` the short id of a commit."""
    RUNS.mkdir(exist_ok=True)
    name = f"{day}-{commit}-{load.seed}"
    facts = {
        "day": day,
        "commit": commit,
        "machine": machine,
        "hours": round(load.seconds / 3600, 2),
        "records_per_second": load.records_per_second,
        "contacts": load.contacts + load.quiet_contacts,
        "figures": result.line,
        "right": result.right,
        "trends": [one._asdict() for one in result.trends],
    }
    (RUNS / f"{name}.json").write_bytes(orjson.dumps(facts, option=orjson.OPT_INDENT_2) + b"\n")
    (RUNS / f"{name}.svg").write_text(drawing(result.samples, result.faults_at, load.seconds))
    PAGE.write_text(page(published()))


def published() -> list[Published]:
    """Return the runs that are kept, the latest first."""
    files = sorted(RUNS.glob("*.json"), reverse=True)
    return [Published(file.stem, orjson.loads(file.read_bytes())) for file in files]


def page(runs: Sequence[Published]) -> str:
    """Return the text of the page."""
    parts = [_INTRODUCTION.format(hours=sum(run.facts["hours"] for run in runs))]
    parts += [_section(run) for run in runs]
    return "\n".join(parts)


def _section(run: Published) -> str:
    facts = run.facts
    found = [Trend(**one) for one in facts["trends"]]
    rows = [
        f"| {one.name} | {'all' if one.worker is None else one.worker} | {one.first:,.1f} | {one.last:,.1f} "
        f"| {'yes' if one.creeps else 'no'} |"
        for one in found
    ]
    return "\n".join(
        [
            f"## {facts['day']}, {facts['commit']}: {facts['hours']:.2f} hours",
            "",
            f"{facts['records_per_second']} records/s, {facts['contacts']:,} contacts. {facts['machine']}. "
            f"{'All checks passed.' if facts['right'] else 'Something was found wrong.'}",
            "",
            f"{facts['figures']}.",
            "",
            *([facts["remark"], ""] if "remark" in facts else []),
            "| | worker | first part | last part | creeps |",
            "|---|---|---|---|---|",
            *rows,
            "",
            f"![Memory, file descriptors and disk of each worker over time](soak/{run.name}.svg)",
            "",
        ]
    )


# -- the drawing -----------------------------------------------------------------------------------------

_WIDTH, _HEIGHT, _LEFT, _TOP = 760, 130, 60, 26
_COLOURS = ("#1677ff", "#d46b08", "#389e0d")
_CURVES: tuple[tuple[str, Callable[[Sample], float]], ...] = (
    ("memory, MiB", lambda sample: sample.resident / (1 << 20)),
    ("file descriptors", lambda sample: sample.descriptors),
    ("disk, MiB", lambda sample: sample.disk / (1 << 20)),
)


def drawing(samples: Sequence[Sample], faults_at: Iterable[float], seconds: float) -> str:
    """Return an SVG drawing: a curve for each worker, grey lines for faults, one panel for each figure."""
    height = len(_CURVES) * (_HEIGHT + _TOP) + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 10} {height}" '
        'font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
    ]
    faults = sorted(faults_at)
    for index, (title, figure) in enumerate(_CURVES):
        parts += _panel(index * (_HEIGHT + _TOP) + _TOP, title, figure, samples, faults, seconds)
    for quarter in range(5):
        x, hours = _LEFT + _WIDTH * quarter / 4, seconds * quarter / 14_400
        parts.append(f'<text x="{x:.0f}" y="{height - 6}" text-anchor="middle">{hours:.2f} h</text>')
    return "\n".join([*parts, "</svg>", ""])


def _panel(
    top: float,
    title: str,
    figure: Callable[[Sample], float],
    samples: Sequence[Sample],
    faults: Sequence[float],
    seconds: float,
) -> Iterable[str]:
    most = max(map(figure, samples), default=1.0) * 1.1 or 1.0

    def place(at_seconds: float, value: float) -> str:
        return f"{_LEFT + _WIDTH * at_seconds / seconds:.1f},{top + _HEIGHT * (1 - value / most):.1f}"

    yield f'<text x="{_LEFT}" y="{top - 6:.0f}" font-weight="bold">{escape(title)}</text>'
    for share in (0.0, 0.5, 1.0):
        y = top + _HEIGHT * (1 - share)
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.0f}" text-anchor="end">{most * share:.0f}</text>'
        yield f'<path d="M{_LEFT},{y:.1f}h{_WIDTH}" stroke="#dddddd"/>'
    for at in faults:
        if at <= seconds:
            yield f'<path d="M{place(at, most)}v{_HEIGHT}" stroke="#eeeeee"/>'
    for number in sorted({sample.number for sample in samples}):
        points: dict[int, list[str]] = {}
        for sample in samples:
            if sample.number == number and sample.at_seconds <= seconds:
                points.setdefault(sample.pid, []).append(place(sample.at_seconds, figure(sample)))
        for of_process in points.values():
            yield (
                f'<polyline points="{" ".join(of_process)}" fill="none" stroke="{_COLOURS[number % 3]}">'
                f"<title>worker {number}</title></polyline>"
            )
