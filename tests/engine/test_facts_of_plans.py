"""What a plan knows follows from the topic, whenever a worker began to read it and whatever was compacted."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamseg.definitions import Definitions
from streamseg.inputs import Record
from streamseg.settings import Settings
from tests.definition_log import DefinitionLog, take_all
from tests.engine.story import all_of

SETTINGS = Settings()
KEYS = ("a", "b", "c")
BUY = {"event": "buy"}
FORMULAS: list[dict[str, Any]] = [
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

    def start(self, log: DefinitionLog) -> Worker:
        self.definitions.load(log.records)
        self.offset = log.end
        return self

    def read(self, log: DefinitionLog) -> None:
        take_all(self.definitions, [record for record in log.records if record.offset >= self.offset])
        self.offset = log.end

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
        if not take_all(deepcopy(leader.definitions), [trial]):
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
