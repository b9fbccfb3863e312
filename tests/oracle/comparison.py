"""Runs a scenario through the engine and through the reference, and says where they differ."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamseg.json_text import dumps
from streamseg.records.outputs import DeadLetter, Suppression
from streamseg.replay import Replay
from streamseg.settings import Settings
from streamseg.store.caches import Caches
from streamseg.store.protocol import Store
from streamseg.store.rocksdb import RocksStore
from streamseg.times import format_ms
from tests.oracle.replay import replay as reference_replay

Json = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What a replay gave: each change in short, in order, the numbers of the lines that were dead letters,
    and the paths of what was left out of those that were applied but for that."""

    changes: list[str]
    refused: list[int]
    left_out: dict[int, list[str]]
    suppressions: list[str]


def by_engine(
    lines: list[Json], settings: Settings, until_ms: int | None = None, store: Store | None = None
) -> Outcome:
    """What the engine gives; `store` is saved after each line, and without one the state is in memory."""
    refused: list[int] = []
    left_out: dict[int, list[str]] = {}
    suppressions: list[str] = []

    def note(number: int, letter: DeadLetter) -> None:
        refused.append(number)
        if letter.paths is not None:
            left_out[number] = list(letter.paths)

    def flag(suppression: Suppression) -> None:
        at, channel = format_ms(suppression.effective_ms), suppression.channel
        suppressions.append(f"{at} {suppression.contact_id} {channel} {suppression.suppressed}")

    run = Replay(settings=settings, store=store, on_dead_letter=note, on_suppression=flag)
    for line in lines:
        run.line(line)
        run.store.save()
    run.settle_definitions()
    if until_ms is not None:
        run.run_to(until_ms)
    changes = [in_short(change.wire()) for change in run.changes]
    return Outcome(changes, refused, left_out, suppressions)


def by_engine_on_disk(lines: list[Json], settings: Settings, until_ms: int | None = None) -> Outcome:
    """What the engine gives over the store of a worker. One contact stays decoded, all others are read back
    from what the line before has written."""
    with tempfile.TemporaryDirectory(prefix="streamseg-oracle-") as folder:
        store = RocksStore(Path(folder), caches=Caches(1))
        try:
            return by_engine(lines, settings, until_ms, store)
        finally:
            store.close()


def by_reference(lines: list[Json], settings: Settings, until_ms: int | None = None) -> Outcome:
    oracle = reference_replay(lines, settings, until_ms)
    return Outcome(
        [in_short(change) for change in oracle.printed()],
        oracle.dead_letters,
        oracle.left_out,
        oracle.suppressions,
    )


def in_short(change: Json) -> str:
    """`segment|contact|effective ms|sequence`, the effective time in words, version, change and kind."""
    return " ".join(
        str(word)
        for word in (
            change["change_id"],
            change["effective_at"],
            f"v{change['segment_version']}",
            change["change"],
            change["reason"]["kind"],
        )
    )


def as_ndjson(lines: list[Json]) -> str:
    """The lines as a replay file."""
    return b"\n".join(dumps(line) for line in lines).decode()
