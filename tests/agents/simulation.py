"""One partition's surroundings in memory: source topics, changelog, outputs, commits, crashes, lost disks."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import orjson

from agents.kafka.batch_producer import Headers, Message
from agents.kafka.changelog_record import Written
from agents.partitions.checkpoint import checkpoint, checkpoint_outputs, resend_kept_outputs
from agents.partitions.output_buffer import OutputBuffer
from agents.partitions.task import PartitionTask
from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES, SOURCES
from streamseg.plan.definitions import Definitions
from streamseg.records.inputs import Record
from streamseg.records.outputs import DeadLetter
from streamseg.settings import Settings
from streamseg.store.caches import Caches
from streamseg.store.database import KeyValue
from streamseg.store.rocksdb import RocksStore

START_MS = 1_777_593_600_000
SETTINGS = Settings(live_lag_ms=0)

DEFINITIONS: list[dict[str, Any]] = [
    {
        "segment_id": "recent",
        "clusters": [{"match": "all", "conditions": [{"event": "scan", "window": {"last": "PT5S"}}]}],
    },
    {
        "segment_id": "keen",
        "clusters": [
            {
                "match": "all",
                "conditions": [
                    {"attribute": "location", "operator": "eq", "value": "中国"},
                    {
                        "event": "sc*",
                        "count": {"operator": "ge", "value": 3},
                        "window": {"last": "PT20S"},
                    },
                ],
            }
        ],
    },
    {
        "segment_id": "quiet",
        "clusters": [
            {
                "match": "all",
                "conditions": [
                    {
                        "event": "scan",
                        "count": {"operator": "lt", "value": 1},
                        "window": {"last": "PT3S"},
                    }
                ],
            }
        ],
    },
]


class CrashError(Exception):
    """The process dies here."""


def definitions(bodies: Sequence[dict[str, Any]] = DEFINITIONS, first_offset: int = 0) -> list[Record]:
    return [
        Record(
            "segment-definitions",
            0,
            first_offset + index,
            START_MS,
            body["segment_id"].encode(),
            orjson.dumps({"type": "standard", "name": body["segment_id"], **body}),
        )
        for index, body in enumerate(bodies)
    ]


def source_records(count: int, *, contacts: int = 5, seed: int = 0) -> dict[str, list[Record]]:
    """Updates and events of a few contacts over a minute, ties, late events and bad records among them."""
    seeded = random.Random(seed)
    records: dict[str, list[Record]] = {topic: [] for topic in SOURCES}
    at_ms = START_MS
    for index in range(count):
        at_ms += seeded.choice([0, 1, 40, 200, 900])
        contact_id = f"c{seeded.randrange(contacts)}"
        topic = seeded.choice([BEHAVIOR_EVENTS, BEHAVIOR_EVENTS, CONTACT_UPDATES])
        if topic == BEHAVIOR_EVENTS:
            late = seeded.choice([0, 0, 0, 2_500])
            body: Any = {
                "event_id": f"e{index}",
                "contact_id": contact_id,
                "event": seeded.choice(["scan", "open"]),
                "occurred_at": at_ms - late,
            }
        else:
            body = {
                "contact_id": contact_id,
                "attributes": {"location": seeded.choice(["中国", "美国"])},
                "deleted": seeded.random() < 0.05,
            }
            if seeded.random() < 0.1:
                # Refused only once the contact is looked at: this list does not exist.
                body["lists"] = {"add": ["nowhere"]}
        value = orjson.dumps(body) if seeded.random() > 0.05 else b"{not json"
        offset = 2 * len(records[topic])  # as in a compacted topic, offsets have gaps
        traced: Any = (("traceparent", trace(topic, offset)),) if index % 2 else ()
        records[topic].append(Record(topic, 0, offset, at_ms, contact_id.encode(), value, traced))
    return records


def trace(topic: str, offset: int) -> bytes:
    """The `traceparent` of a record; no other record has the same one."""
    return f"00-{SOURCES.index(topic) + 1:032x}-{offset + 1:016x}-01".encode()


class Surroundings:
    """What outlives a process: topics and commits, and the disk unless it is lost.

    `crash_at` counts down over the points between which a process can die; at 0 it does.
    """

    def __init__(self, folder: Path, source: dict[str, list[Record]], *, batch: int = 7) -> None:
        self.folder = folder
        self.source = source
        self.batch = batch
        self.changelog: list[KeyValue] = []
        self.changes: list[dict[str, Any]] = []
        self.memberships: dict[bytes, bytes | None] = {}
        self.suppressions: dict[bytes, bytes | None] = {}
        self.headers: dict[str | bytes, Headers | None] = {}
        """The headers of each change by its id, and of each membership and suppression by its key."""
        self.dead_letters: Counter[str] = Counter()
        self.committed: dict[str, int] = {}
        self.crash_at: int | None = None
        self.points = 0
        self.ours = True
        self.loses_disk = False

    def _point(self) -> None:
        self.points += 1
        if self.crash_at is not None:
            self.crash_at -= 1
            if self.crash_at < 0:
                self.crash_at = None
                raise CrashError

    async def send_outputs(self, partition: int, buffer: OutputBuffer) -> None:
        self._point()
        half = len(buffer.changes) // 2
        self._append_changes(buffer.changes[:half])
        self._point()
        self._append_changes(buffer.changes[half:])
        for kept, messages in (
            (self.memberships, buffer.memberships()),
            (self.suppressions, buffer.suppressions()),
        ):
            for key, value, headers in messages:
                if key is None:
                    raise AssertionError("an output without a key")
                kept[key] = value
                self.headers[key] = headers
        self._point()

    def _append_changes(self, messages: Sequence[Message]) -> None:
        for _, value, headers in messages:
            change = orjson.loads(value or b"")
            self.changes.append(change)
            if self.headers.setdefault(change["change_id"], headers) != headers:
                raise AssertionError(f"{change['change_id']} was sent with other headers before")

    async def send_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        self._point()
        self.dead_letters.update(letter.record.position for letter in letters)
        self._point()

    async def send_changelog(
        self, partition: int, groups: Iterable[Sequence[KeyValue]], *, first: int
    ) -> Written | None:
        groups = list(groups)
        assert first == len(self.changelog)
        half = len(groups) // 2
        self.changelog += chain.from_iterable(groups[:half])
        self._point()
        self.changelog += chain.from_iterable(groups[half:])
        self._point()
        last = len(self.changelog) - 1
        return Written(first, last, last - first + 1) if groups else None

    def acknowledge(self, topic: str, partition: int, next_offset: int) -> None:
        self._point()
        self.committed[topic] = next_offset

    async def still_ours(self) -> bool:
        return self.ours

    def lose_disk(self) -> None:
        shutil.rmtree(self.folder)

    def store(self) -> RocksStore:
        """The store as recovery leaves it."""
        store = RocksStore(self.folder, caches=Caches(1))
        held = store.changelog_offset
        start = 0 if held is None else held + 1
        if start < len(self.changelog):
            store.apply_changelog(self.changelog[start:], len(self.changelog) - 1)
        return store

    async def run(
        self, until_ms: int, *, every: int = 10, plan: Definitions | None = None, live: bool = False
    ) -> None:
        """One process: reads from the committed offsets, says what came about every so many steps, makes a
        checkpoint at every third such time, ends once all is read and the clock is at `until_ms`, or by the
        crash.

        Live: each batch is written when the one before has been read, and the clock follows the wall
        meanwhile."""
        steps = 0

        def ended_as_of(topic: str) -> int | None:
            if live:
                return until_ms - max(0, 100 - steps) * 50
            return None if waiting[topic] else until_ms

        judged = plan or loaded(definitions())
        store = self.store()
        waiting = {
            topic: [record for record in self.source[topic] if record.offset >= self.committed.get(topic, 0)]
            for topic in SOURCES
        }
        try:
            await resend_kept_outputs(store, 0, self, self.still_ours)
            task = PartitionTask(
                number=0,
                store=store,
                changelog_end=len(self.changelog),
                plan=judged.plan,
                settings=SETTINGS,
                ended_as_of=ended_as_of,
            )
            while True:
                for topic in SOURCES:
                    batch, waiting[topic] = waiting[topic][: self.batch], waiting[topic][self.batch :]
                    if batch:
                        task.offer(topic, batch, until_ms)
                busy = task.step()
                steps += 1
                finished = not busy and not any(waiting.values()) and store.clock_ms >= until_ms
                if task.unsaved and (steps % (3 * every) == 0 or finished):
                    await checkpoint(task, self, self.acknowledge, self.still_ours)
                    task.saved()
                elif task.buffer.output_count and not task.sweeping and steps % every == 0:
                    await checkpoint_outputs(task, self, self.still_ours)
                if finished:
                    return
        finally:
            store.close()


def loaded(records: Sequence[Record]) -> Definitions:
    judged = Definitions(SETTINGS)
    letters = judged.load(records)
    if letters:
        raise AssertionError(letters)
    return judged
