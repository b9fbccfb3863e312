"""Runs a scenario through the engine and through the reference, and says where they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from streamseg.changes import DeadLetter
from streamseg.replay import replay as engine_replay
from streamseg.settings import Settings
from tests.oracle.replay import replay as reference_replay

Json = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What a replay gave: each change in short, in order, the numbers of the lines that were dead letters,
    and the paths of what was left out of those that were applied but for that."""

    changes: list[str]
    refused: list[int]
    left_out: dict[int, list[str]]


def by_engine(lines: list[Json], settings: Settings, until_ms: int | None = None) -> Outcome:
    refused: list[int] = []
    left_out: dict[int, list[str]] = {}

    def note(number: int, letter: DeadLetter) -> None:
        refused.append(number)
        if letter.paths is not None:
            left_out[number] = list(letter.paths)

    changes = engine_replay(lines, settings=settings, until_ms=until_ms, on_dead_letter=note)
    return Outcome([in_short(change.wire()) for change in changes], refused, left_out)


def by_reference(lines: list[Json], settings: Settings, until_ms: int | None = None) -> Outcome:
    oracle = reference_replay(lines, settings, until_ms)
    return Outcome([in_short(change) for change in oracle.changes], oracle.dead_letters, oracle.left_out)


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
