"""What a plan knows follows from the topic, whenever a worker began to read it and whatever was compacted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamseg.engine.partition import Partition
from streamseg.plan.definitions import Definitions
from streamseg.plan.plan import Plan
from streamseg.records.headers import Statement
from streamseg.records.inputs import Record
from streamseg.records.outputs import DeadLetter, MembershipChange, Suppression
from streamseg.settings import Settings
from streamseg.store.memory import MemoryStore
from streamseg.times import parse_timestamp_ms
from tests.definition_log import DefinitionLog, take_all
from tests.engine.story import Line, all_of, event, ms, update

SETTINGS = Settings()
UTC = ZoneInfo("UTC")
KEYS = ("a", "b", "c")
BUY: Line = {"event": "buy"}
FORMULAS: list[Line] = [
    {"type": "static"},
    *(
        {"type": "standard", "clusters": [all_of(condition)]}
        for condition in (
            {"attribute": "contact_id", "operator": "is_set"},
            BUY,
            BUY | {"window": {"last": "P30D"}, "count": {"operator": "ge", "value": 2}},
            {
                "event": "buy",
                "select": "first",
                "has": all_of({"property": "n", "operator": "eq", "value": 1}),
            },
            {"attribute": "tags", "operator": "contains_any", "value": ["vip"], "held": {"at_least": "P2D"}},
            *({"segment": key} for key in KEYS),
        )
    ),
]

Step = tuple[str, Any]

bodies = st.builds(
    lambda formula, name, version: (
        {"name": name, **formula} | ({} if version is None else {"version": version})
    ),
    st.sampled_from(FORMULAS),
    st.sampled_from(("n", "m")),
    st.sampled_from((None, None, 1, 2)),
)
steps: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("define"), st.tuples(st.sampled_from(KEYS), bodies)),
    st.tuples(st.just("publish"), st.tuples(st.sampled_from(KEYS), bodies)),
    st.tuples(st.just("delete"), st.sampled_from(KEYS)),
    st.tuples(st.just("spoil"), st.sampled_from(KEYS)),
    st.tuples(st.just("answer"), st.integers(0, 5)),
    st.tuples(st.just("read"), st.integers(0, 5)),
    st.tuples(st.just("compact"), st.tuples(st.floats(0, 1), st.floats(0, 1))),
    st.tuples(st.just("start"), st.none()),
)


@dataclass
class Worker:
    """The definitions as one worker knows them, and how far it has read."""

    definitions: Definitions = field(default_factory=lambda: Definitions(SETTINGS))
    offset: int = 0
    taken: list[Record] = field(default_factory=list)

    def start(self, log: DefinitionLog) -> Worker:
        self.definitions.load(log.records)
        self.offset = log.end
        return self

    def read(self, log: DefinitionLog) -> None:
        records = [record for record in log.records if record.offset >= self.offset]
        take_all(self.definitions, records)
        self.taken += records
        self.offset = log.end

    def refuses(self, record: Record) -> bool:
        """Whether it would refuse a record. Another one that has read the same tries it."""
        other = Definitions(SETTINGS)
        take_all(other, self.taken)
        return bool(take_all(other, [record]))

    @property
    def facts(self) -> Any:
        plan = self.definitions.plan
        return plan.identity, [
            (key, one.version, one.born, one.introduced, one.as_written)
            for key, one in sorted(plan.segments.items())
        ]


@dataclass
class World:
    """A topic and the workers that read it; the first was there from the beginning."""

    log: DefinitionLog = field(default_factory=DefinitionLog)
    workers: list[Worker] = field(default_factory=lambda: [Worker()])

    def do(self, kind: str, given: Any) -> None:
        getattr(self, f"_{kind}")(given)

    def _define(self, given: tuple[str, Any]) -> None:
        key, body = given
        self.log.append(key, {"segment_id": key, **body})

    def _publish(self, given: tuple[str, Any]) -> None:
        """By the leader, who has read everything, gives each a version, and writes none that it refuses."""
        key, body = given
        leader = self.workers[0]
        leader.read(self.log)
        value = orjson.dumps({"segment_id": key, "version": 5, **body})
        headers = leader.definitions.statement(key, value)
        trial = Record("segment-definitions", 0, self.log.end, 0, key.encode(), value, headers)
        if not leader.refuses(trial):
            self.log.append(key, value, headers)

    def _delete(self, key: str) -> None:
        self.log.append(key, None)

    def _spoil(self, key: str) -> None:
        self.log.append(key, b"{")

    def _answer(self, number: int) -> None:
        speaker = self.workers[number % len(self.workers)]
        speaker.read(self.log)
        self.log.answer(speaker.definitions)

    def _read(self, number: int) -> None:
        self.workers[number % len(self.workers)].read(self.log)

    def _compact(self, given: tuple[float, float]) -> None:
        """As far as compaction may reach: what is not answered yet is too young for it."""
        reader = Worker().start(self.log)
        young = min(reader.definitions.pending.values(), default=self.log.end)
        for worker in self.workers:
            worker.read(self.log)
            young = min([young, *worker.definitions.pending.values()])
        end, cleaned = (int(share * young) for share in given)
        self.log.compact(end, cleaned)

    def _start(self, _: None) -> None:
        self.workers.append(Worker().start(self.log))

    def settle(self, speaker: int) -> None:
        """Everything is answered by one worker, and read by all."""
        for _ in range(10):
            self._answer(speaker)
            for worker in self.workers:
                worker.read(self.log)
            if not any(worker.definitions.pending for worker in self.workers):
                return
        raise AssertionError("answers without end")


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.lists(steps, max_size=25), st.integers(0, 5), st.integers(0, 60))
def test_all_workers_know_the_same_once_everything_is_answered(
    given: list[Step], speaker: int, cleaned: int
) -> None:
    world = World()
    for kind, what in given:
        world.do(kind, what)
    world.settle(speaker)
    world.workers.append(Worker().start(world.log))
    world.log.compact(cleaned=cleaned)
    world.workers.append(Worker().start(world.log))
    facts = [worker.facts for worker in world.workers]
    assert all(one == facts[0] for one in facts[1:]), facts
    assert not any(worker.definitions.pending for worker in world.workers)


class Said:
    """What a partition emits, in order."""

    def __init__(self) -> None:
        self.all: list[Any] = []

    def change(self, change: MembershipChange) -> None:
        self.all.append(change.wire())

    def membership(self, change: MembershipChange) -> None:
        self.all.append((change.segment_id, change.membership()))

    def suppression(self, suppression: Suppression) -> None:
        self.all.append((suppression.contact_id, suppression.channel, suppression.wire()))

    def dead_letter(self, letter: DeadLetter) -> None:
        self.all.append((letter.record.position, letter.code, letter.path))


BEFORE = [
    update("05-01 08:00", {"location": "x"}, tags={"add": ["vip"]}, lists={"add": list(KEYS)}),
    event("05-01 09:00", "buy", {"n": 1}),
    event("05-01 10:00", "buy", {"n": 2}),
    event("05-02 10:00", "buy", {"n": 2}, of="c2"),
    update("05-02 11:00", lists={"add": list(KEYS)}, of="c3"),
    update("05-02 11:00", lists={"remove": ["a"]}, of="c3"),
]
AFTER = [
    event("05-05 09:00", "buy", {"n": 1}, of="c2"),
    update("05-05 10:00", tags={"set": ["vip"]}, lists={"add": list(KEYS)}, of="c2"),
    update("05-05 11:00", deleted=True, of="c3"),
    update("05-05 11:00", tags={"add": ["vip"]}, of="c3"),
]


def taken(partition: Partition, lines: list[Line], first: int) -> None:
    for offset, line in enumerate(lines, first):
        at_ms = parse_timestamp_ms(line["timestamp"], UTC)
        while partition.run_due(at_ms, 100):
            continue
        value = orjson.dumps(line["value"])
        partition.take(Record(line["topic"], 0, offset, at_ms, line["key"].encode(), value))


def said_under(earlier: Plan, plan: Plan) -> list[Any]:
    """What a worker with the second plan makes of a state that came about under the first."""
    said = Said()
    partition = Partition(store=MemoryStore(), plan=earlier, settings=SETTINGS, emitter=said)
    taken(partition, BEFORE, 0)
    partition.advance(ms("05-04"))
    said.all.clear()
    partition.adopt(plan)
    after: str | None = None
    while (after := partition.sweep(after, 2).last) is not None:
        continue
    taken(partition, AFTER, len(BEFORE))
    while partition.run_due(ms("07-01"), 100):
        continue
    return said.all


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.lists(steps, max_size=12), st.lists(steps, max_size=15), st.integers(0, 5))
def test_a_state_means_the_same_to_all_workers(before: list[Step], after: list[Step], speaker: int) -> None:
    world = World()
    for kind, what in before:
        world.do(kind, what)
    world.settle(0)
    earlier = world.workers[0].definitions.plan
    for kind, what in after:
        world.do(kind, what)
    world.settle(speaker)
    world.log.compact()
    world.workers.append(Worker().start(world.log))
    first, *others = (said_under(earlier, worker.definitions.plan) for worker in world.workers)
    assert all(one == first for one in others)


def test_a_deleted_segment_whose_tombstone_is_gone_is_left_all_the_same() -> None:
    """Its offset was the greatest: what it stood for is in no record any more."""
    log = DefinitionLog()
    witness = Worker()
    for key in ("a", "b"):
        log.append(key, {"segment_id": key, "name": key, **FORMULAS[1]})
    witness.read(log)
    log.append("a", b"{")
    world = World(log, [witness])
    world.settle(0)
    earlier = witness.definitions.plan
    log.append("b", None)
    witness.read(log)
    log.compact()
    starter = Worker().start(log)
    said = said_under(earlier, starter.definitions.plan)
    assert said == said_under(earlier, witness.definitions.plan)
    assert [one["change"] for one in said[:3]] == ["exited"] * 3


def test_entries_of_a_list_are_of_the_list_that_they_were_made_for() -> None:
    log = DefinitionLog()
    witness = Worker()
    fair = {"segment_id": "a", "name": "fair", "type": "static", "version": 1}
    log.append("a", fair)
    world = World(log, [witness])
    world.settle(0)
    earlier = witness.definitions.plan
    late = Worker().start(log).definitions.plan
    assert said_under(earlier, late) == said_under(late, earlier) == said_under(earlier, earlier)
    log.append("a", None)
    log.append("a", fair)
    world.settle(0)
    log.compact()
    again = Worker().start(log).definitions.plan
    assert again.segments["a"].born == witness.definitions.plan.segments["a"].born > -1
    exits = [one for one in said_under(earlier, again) if isinstance(one, dict) and one["change"] == "exited"]
    assert [one["contact_id"] for one in exits[:1]] == ["c1"]


def test_a_confirmation_changes_nothing() -> None:
    log = DefinitionLog()
    worker = Worker()
    log.append("a", {"segment_id": "a", "name": "a", **FORMULAS[2]})
    log.append("b", {"segment_id": "b", "name": "b", **FORMULAS[0]})
    worker.read(log)
    plan = worker.definitions.plan
    assert len(log.answer(worker.definitions)) == 2
    worker.read(log)
    assert worker.definitions.plan is plan
    assert log.answer(worker.definitions) == []


def test_an_answer_that_was_overtaken_does_not_count() -> None:
    log = DefinitionLog()
    speaker, other = Worker(), Worker()
    log.append("a", {"segment_id": "a", "name": "first", "version": 1, **FORMULAS[1]})
    speaker.read(log)
    log.append("a", {"segment_id": "a", "name": "second", "version": 2, **FORMULAS[2]})
    log.answer(speaker.definitions)
    starter = Worker().start(log)
    for worker in (speaker, other):
        worker.read(log)
    assert speaker.facts == other.facts == starter.facts
    assert speaker.definitions.plan.segments["a"].version == 2
    World(log, [speaker, other, starter]).settle(2)
    log.compact()
    assert Worker().start(log).facts == other.facts


def test_a_starter_between_a_refused_record_and_its_answer_keeps_what_was_confirmed() -> None:
    log = DefinitionLog()
    worker = Worker()
    log.append("a", {"segment_id": "a", "name": "a", **FORMULAS[0]})
    log.append("b", {"segment_id": "b", "name": "b", **FORMULAS[6]})
    World(log, [worker]).settle(0)
    assert "b" in worker.definitions.plan.segments
    log.append("b", b"{")
    log.append("a", None)
    worker.read(log)
    assert Worker().start(log).facts == worker.facts


def test_a_speaker_that_starts_late_answers_what_another_left() -> None:
    log = DefinitionLog()
    witness = Worker()
    log.append("a", {"segment_id": "a", "name": "a", **FORMULAS[2]})
    World(log, [witness]).settle(0)
    log.append("a", {"segment_id": "a", "name": "renamed", "version": 1, **FORMULAS[2]})
    witness.read(log)
    successor = Worker().start(log)
    World(log, [successor, witness]).settle(0)
    log.compact()
    starter = Worker().start(log)
    assert starter.facts == witness.facts == successor.facts
    assert starter.definitions.plan.segments["a"].introduced == 0


def test_a_refused_record_of_streamseg_is_checked_again_after_an_answer() -> None:
    """Another worker accepted `above`, which refers to `below`. Here `below` comes into force later, by an
    answer. When another answer deletes `below`, `above` ends with it."""
    log, run = DefinitionLog(), Definitions(SETTINGS)

    def write(segment_id: str, condition: dict[str, Any] | None, statement: Statement) -> list[Record]:
        value = None
        if condition is not None:
            value = {
                "segment_id": segment_id,
                "name": "n",
                "type": "standard",
                "clusters": [all_of(condition)],
            }
        return take_all(run, [log.append(segment_id, value, statement.headers())])

    assert write("above", {"segment": "below"}, Statement(born=-1, introduced=0)) != []
    assert "above" not in run.plan.segments
    assert write("below", BUY, Statement(born=-1, introduced=1, answers=1)) == []
    assert {"above", "below"} <= run.plan.segments.keys()
    assert write("below", None, Statement(answers=2)) == []
    assert not {"above", "below"} & run.plan.segments.keys()


def test_an_answer_never_deletes_a_built_in_segment() -> None:
    log, run = DefinitionLog(), Definitions(SETTINGS)
    assert take_all(run, [log.append("global-unsubscribed", None, Statement(answers=0).headers())]) == []
    assert "global-unsubscribed" in run.plan.segments
