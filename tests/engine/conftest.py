from __future__ import annotations

from typing import Any

import pytest

from streamseg.replay import replay
from streamseg.settings import Settings
from tests.engine.story import Line, Replayed, told
from tests.oracle.replay import replay as reference_replay


@pytest.fixture(params=["engine", "reference"])
def changes_of(request: pytest.FixtureRequest) -> Replayed:
    """Replays lines and gives their changes as a story writes them, or with `raw=True` as on the wire.

    The reference has to know the rules as well as the engine does: it runs the same stories."""

    def run(*lines: Line, raw: bool = False, refused: list[int] | None = None, **settings: Any) -> list[Any]:
        given = Settings(**{"timezone": "Asia/Shanghai", **settings})
        numbers: list[int] = []
        if request.param == "engine":
            found = replay(lines, settings=given, on_dead_letter=lambda number, _: numbers.append(number))
            changes = [change.wire() for change in found]
        else:
            oracle = reference_replay(lines, given)
            changes, numbers = oracle.changes, oracle.dead_letters
        assert numbers == (refused or [])
        return changes if raw else [told(change) for change in changes]

    return run
