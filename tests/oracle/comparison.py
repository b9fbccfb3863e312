"""Runs a scenario through the engine and through the reference, and says where they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from streamseg.records.outputs import DeadLetter, Suppression
from streamseg.replay import Replay
from streamseg.settings import Settings
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


def by_engine(lines: list[Json], settings: Settings, until_ms: int | None = None) -> Outcome:
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

    run = Replay(settings=settings, on_dead_letter=note, on_suppression=flag)
    for line in lines:
        run.line(line)
    run.settle_definitions()
    if until_ms is not None:
        run.run_to(until_ms)
    changes = [in_short(change.wire()) for change in run.changes]
    return Outcome(changes, refused, left_out, suppressions)


def by_reference(lines: list[Json], settings: Settings, until_ms: int | None = None) -> Outcome:
    oracle = reference_replay(lines, settings, until_ms)
    return Outcome(
        [in_short(change) for change in oracle.changes],
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
    return b"\n".join(orjson.dumps(line) for line in lines).decode()
