from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

import pytest

from streamseg.replay import replay
from streamseg.settings import Settings
from streamseg.store.caches import Caches
from streamseg.store.rocksdb import RocksStore
from tests.engine.story import Line, Replayed
from tests.oracle.replay import replay as reference_replay


def saved_after_each(lines: Iterable[Line], store: RocksStore) -> Iterator[Line]:
    for line in lines:
        yield line
        store.save()


@pytest.fixture(params=["engine", "engine on disk", "reference"])
def changes_of(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    """Replays lines and gives their changes as a story writes them, or as on the wire.

    The engine runs over the store in memory, and over the store of a worker, which is saved after each line.
    The reference has to know the rules as well as the engine does: it runs the same stories."""

    def run(*lines: Line, refused: list[int] | None = None, **settings: Any) -> list[Line]:
        given = Settings(**{"timezone": "Asia/Shanghai", **settings})
        numbers: list[int] = []
        if request.param == "engine":
            found = replay(lines, settings=given, on_dead_letter=lambda number, _: numbers.append(number))
            changes = [change.wire() for change in found]
        elif request.param == "engine on disk":
            with closing(RocksStore(tmp_path_factory.mktemp("state"), caches=Caches(1))) as store:
                found = replay(
                    saved_after_each(lines, store),
                    settings=given,
                    store=store,
                    on_dead_letter=lambda number, _: numbers.append(number),
                )
                changes = [change.wire() for change in found]
        else:
            oracle = reference_replay(lines, given)
            changes, numbers = oracle.printed(), oracle.dead_letters
        assert numbers == (refused or [])
        return changes

    return Replayed(run)
