"""Writes the state that the story's first part leaves in this release, as a folder and as a changelog.

Run it before the layout changes: `python -m tests.store.golden.make`. See README.md."""

from __future__ import annotations

import asyncio
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

import orjson
from rocksdict import Options, Rdict

from agents.kafka.changelog_record import Written
from agents.partitions.checkpoint import checkpoint
from agents.partitions.output_buffer import OutputBuffer
from agents.partitions.task import PartitionTask
from streamseg.contact.state_version import STATE_VERSION
from streamseg.plan.definitions import Definitions
from streamseg.records.inputs import Record
from streamseg.records.outputs import DeadLetter
from streamseg.settings import Settings
from streamseg.store.database import KeyValue
from streamseg.store.rocksdb import RocksStore
from tests.store.golden import story

HERE = Path(__file__).parent
SETTINGS = Settings(live_lag_ms=0)


class Kept:
    """Keeps the changelog; what else is sent is dropped."""

    def __init__(self) -> None:
        self.changelog: list[KeyValue] = []

    async def send_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        if letters:
            raise AssertionError(letters)

    async def send_changelog(
        self, partition: int, groups: Iterable[Sequence[KeyValue]], *, first: int
    ) -> Written | None:
        records = list(chain.from_iterable(groups))
        self.changelog += records
        return Written(first, len(self.changelog) - 1, len(records)) if records else None

    async def send_outputs(self, partition: int, buffer: OutputBuffer) -> None:
        return


async def run(folder: Path, sink: Kept, layout: int | None = None) -> None:
    known = story.definitions()
    definitions = Definitions(SETTINGS)
    definitions.load(known[: story.READ_AT_START])
    store = RocksStore(folder, layout_asked=layout)
    now_ms = story.START_MS

    def ended_as_of(topic: str) -> int:
        return now_ms

    task = PartitionTask(
        number=0, store=store, plan=definitions.plan, settings=SETTINGS, ended_as_of=ended_as_of
    )

    async def work(records: list[Record], until_ms: int) -> None:
        nonlocal now_ms
        for record in records:
            now_ms = record.timestamp_ms
            task.offer(record.topic, [record], now_ms)
            while task.step():
                continue
        now_ms = until_ms
        while task.step():
            continue
        await checkpoint(task, sink, _not_acknowledged, still_ours)
        task.saved()

    records = story.before()
    await work(records[: story.LIVE_AT], records[story.LIVE_AT].timestamp_ms - story.HOUR_MS)
    for record in known[story.READ_AT_START :]:
        definitions.take(record)
    task.adopt(definitions.plan)
    await work(records[story.LIVE_AT :], story.CUT_MS)
    store.close()


def _not_acknowledged(topic: str, partition: int, next_offset: int) -> None:
    """There is no consumer."""


async def still_ours() -> bool:
    return True


def main() -> None:
    sink = Kept()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state"
        asyncio.run(run(path, sink))
        database = Rdict(str(path), Options(raw_mode=True))
        database.flush()
        database.compact_range(None, None)
        database.close()
        for log in path.glob("LOG*"):
            log.unlink()
        with tarfile.open(HERE / f"layout-{STATE_VERSION}.tar.gz", "w:gz") as archive:
            archive.add(path, "state")
        shutil.rmtree(path)
    lines = [[key.hex(), None if value is None else value.hex()] for key, value in sink.changelog]
    target = HERE / f"layout-{STATE_VERSION}-changelog.ndjson"
    target.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))


if __name__ == "__main__":
    main()
