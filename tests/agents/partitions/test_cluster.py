"""However workers join, leave, stop and are cut off, their output equals that of one undisturbed run."""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from schemas.topics import CONTACT_UPDATES, SOURCES
from streamseg.engine.partition import Partition
from streamseg.records.inputs import Record
from streamseg.records.outputs import DeadLetter, MembershipChange, Suppression
from streamseg.store.memory import MemoryStore
from streamseg.times import MINUTE_MS
from tests.agents.cluster import Cluster
from tests.agents.simulation import DEFINITIONS, SETTINGS, START_MS, definitions, loaded, source_records

PARTITIONS = 2
PLAN = loaded(definitions()).plan
UNTIL_MS = START_MS + 5 * MINUTE_MS


def partitioned_records(count: int, seed: int) -> dict[int, dict[str, list[Record]]]:
    """Records of each partition, about contacts of its own."""
    return {
        number: {
            topic: [_moved(record, number) for record in records]
            for topic, records in source_records(count, contacts=3, seed=seed * 10 + number).items()
        }
        for number in range(PARTITIONS)
    }


def _moved(record: Record, number: int) -> Record:
    key = b"p%d%b" % (number, record.key or b"")
    value = (record.value or b"").replace(b'"contact_id":"c', b'"contact_id":"p%dc' % number)
    return Record(record.topic, number, record.offset, record.timestamp_ms, key, value)


def assert_right(cluster: Cluster) -> None:
    changes = cluster.brokers.changes
    by_id: dict[str, dict[str, Any]] = {}
    for change in changes:
        first = by_id.setdefault(change["change_id"], change)
        assert first == change, "two different changes share an id"
    last: dict[tuple[str, str], dict[str, Any]] = {}
    for change in by_id.values():
        key = (change["segment_id"], change["contact_id"])
        before = last.get(key)
        numbers = {1} if before is None else {before["sequence"] + 1}
        if before is not None and before["change"] == "exited" and change["contact_id"] in erased(cluster):
            numbers.add(1)
        assert change["sequence"] in numbers, (before, change)
        assert change["change"] == ("entered" if change["sequence"] % 2 else "exited")
        last[key] = change
    members = {key for key, change in last.items() if change["change"] == "entered"}
    expected = [Reference(logs) for logs in cluster.brokers.sources.values()]
    assert members == set.union(*(one.members for one in expected))
    assert cluster.brokers.dead_letters >= set.union(*(one.refused for one in expected))
    assert_kept(cluster, list(by_id.values()), members)


def assert_kept(cluster: Cluster, changes: list[dict[str, Any]], members: set[tuple[str, str]]) -> None:
    """The state of the partitions agrees with what was sent: members, growth, and the changes of contacts."""
    tasks = cluster.at_work().values()
    stores = [task.store for task in tasks]
    assert len(stores) == PARTITIONS
    segments = [definition["segment_id"] for definition in DEFINITIONS]
    assert members == {
        (segment_id, contact_id)
        for store in stores
        for segment_id in segments
        for contact_id, _, _ in store.members(segment_id)
    }
    for segment_id in segments:
        own = [change for change in changes if change["segment_id"] == segment_id]
        grown = [
            counts
            for task in tasks
            for _, counts in task.store.growth(segment_id, task.partition.plan.segments[segment_id].born, 0)
        ]
        entered, left = (sum(sum(counts[place::2]) for counts in grown) for place in (0, 1))
        assert (entered, left) == (
            sum(change["change"] == "entered" for change in own),
            sum(change["change"] == "exited" for change in own),
        )
        kept = {
            (contact_id, one.sequence)
            for store in stores
            for contact_id, one in store.segment_changes(segment_id)
        }
        sent = {(change["contact_id"], change["sequence"]) for change in own}
        # Of a contact that was erased, only later changes are kept.
        assert kept <= sent
        assert {one for one in sent - kept if one[0] not in erased(cluster)} == set()


def erased(cluster: Cluster) -> set[str]:
    """The contacts whose sequences may begin anew."""
    return {
        (record.key or b"").decode()
        for logs in cluster.brokers.sources.values()
        for record in logs[CONTACT_UPDATES]
        if b'"deleted":true' in (record.value or b"")
    }


class Reference:
    """One partition, undisturbed: the members in the end, and the positions of what was refused."""

    def __init__(self, logs: dict[str, list[Record]]) -> None:
        self.members: set[tuple[str, str]] = set()
        self.refused: set[str] = set()
        partition = Partition(store=MemoryStore(), plan=PLAN, settings=SETTINGS, emitter=self)
        for record in sorted(
            (record for topic in SOURCES for record in logs[topic]),
            key=lambda record: (record.timestamp_ms, record.topic),
        ):
            while partition.run_due(record.timestamp_ms, 1_000):
                continue
            partition.take(record)
        while partition.run_due(UNTIL_MS, 1_000):
            continue

    def change(self, change: MembershipChange) -> None:
        key = (change.segment_id, change.contact_id)
        if change.entered:
            self.members.add(key)
        else:
            self.members.discard(key)

    def membership(self, change: MembershipChange) -> None:
        """When a membership will end is no change."""

    def suppression(self, suppression: Suppression) -> None:
        """Follows from the memberships of the built-in segments."""

    def dead_letter(self, letter: DeadLetter) -> None:
        self.refused.add(letter.record.position)


@given(st.randoms(use_true_random=False), st.integers(0, 50), st.integers(2, 3))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
def test_whatever_happens_to_the_workers_the_outputs_are_those_of_one_undisturbed_run(
    choice: random.Random, seed: int, workers: int
) -> None:
    run(choice, seed, workers, steps=400)


def run(
    choice: random.Random, seed: int, workers: int, steps: int, tell: Callable[[str], object] = note
) -> None:
    sources = partitioned_records(40, seed)
    with tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(Path(folder), sources, PLAN, choice, workers=workers)
        try:
            for _ in range(steps):
                cluster.step()
            cluster.settle(UNTIL_MS)
            assert_right(cluster)
        except BaseException:
            tell("\n".join(cluster.log))
            raise
        finally:
            cluster.close()


if __name__ == "__main__":
    # More seeds than a test run has time for:
    # python -m tests.agents.partitions.test_cluster FIRST COUNT [STEPS]
    first, count, steps = map(int, [*sys.argv[1:], "600"][:3])
    for number in range(first, first + count):
        try:
            run(random.Random(number), number, 2 + number % 2, steps, tell=len)
        except Exception as error:
            print(number, type(error).__name__, str(error).splitlines()[0][:300] if str(error) else "")
