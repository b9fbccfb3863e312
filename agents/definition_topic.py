"""The `segment-definitions` topic: all of it before any input, then each record as it comes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from agents.follower import Follower
from agents.metrics import Metrics
from agents.outlet import Message, Outlet
from agents.topics import topic_name
from streamseg.changes import DeadLetter
from streamseg.definitions import Definitions, dead_letter
from streamseg.errors import RejectedError
from streamseg.inputs import Record
from streamseg.plan import Plan
from streamseg.settings import Settings

_log = logging.getLogger(__name__)

TOPIC = "segment-definitions"

# The topic has one partition (agents.topics): its order across keys means something.
_PARTITION = 0


class DefinitionTopic(Follower):
    """Keeps `definitions` up with the topic; `changed` is told each plan.

    A refused record changes nothing. Every worker refuses it, and the one that `speaks` says so: a dead
    letter, and the definition in force (or that there is none) written back to the topic, so that
    whoever reads the topic later finds what is in force.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        outlet: Outlet,
        changed: Callable[[Plan], None],
        speaks: Callable[[], bool | None],
        counted: Callable[[str, bytes], int],
        metrics: Metrics,
        **kwargs: Any,
    ) -> None:
        """`speaks` tells whether this worker is the one to report, or None while that is not settled;
        `counted` is as for `Definitions.load`, and asked at the start only."""
        name = topic_name(settings, TOPIC)
        super().__init__(settings, name, self._take_records, client="definitions", **kwargs)
        self.definitions = Definitions(settings)
        self._outlet = outlet
        self._changed = changed
        self._speaks = speaks
        self._counted = counted
        self._metrics = metrics
        self._found: list[Record] | None = None
        self._latest: dict[bytes | None, int] = {}
        self._refused: list[DeadLetter] = []
        self._written_back: set[int] = set()

    async def on_start(self) -> None:
        """Read the whole topic and judge it as a set. Returns once that is done."""
        found: list[Record] = []
        self._found = found
        await super().on_start()
        self._found = None
        self._refused = self.definitions.load(found, counted=self._counted)
        self._report_plan(self.definitions.plan)
        self._changed(self.definitions.plan)
        _log.info(
            "%d segment definitions in force, %d refused",
            len(self.definitions.plan.segments),
            len(self._refused),
        )

    def _take_records(self, polled: list[Any]) -> None:
        records = [
            Record(TOPIC, one.partition, one.offset, one.timestamp, one.key, one.value) for one in polled
        ]
        self._latest.update((record.key, record.offset) for record in records)
        if self._found is not None:
            self._found += records
        else:
            self._judge(records)

    def _judge(self, records: list[Record]) -> None:
        before = self.definitions.plan
        for record in records:
            try:
                self.definitions.take(record)
            except RejectedError as error:
                if record.offset in self._written_back:
                    # That a built-in segment has no definition cannot be said without being refused.
                    continue
                self._refused.append(dead_letter(record, error))
        plan = self.definitions.plan
        if plan is not before:
            self._report_plan(plan)
            self._changed(plan)
            _log.info("definitions changed: generation %d, %d segments", plan.generation, len(plan.segments))

    def _report_plan(self, plan: Plan) -> None:
        self._metrics.generation.set(plan.generation)

    async def polled(self) -> None:
        """Say what was refused."""
        speaks = self._speaks() if self._refused else False
        if speaks is None:
            return
        refused, self._refused = self._refused, []
        if not speaks or not refused:
            return
        for letter in refused:
            self._metrics.dead_letters.labels(letter.code).inc()
            if letter.fault is not None:
                _log.error("failed at %s/%d", TOPIC, letter.record.offset, exc_info=letter.fault)
        await self._outlet.send_dead_letters(refused)
        for letter in refused:
            message = self._in_force(letter)
            if message is not None:
                offset = await self._outlet.send(TOPIC, [message], partition=_PARTITION)
                if offset is not None:
                    self._written_back.add(offset)

    def _in_force(self, letter: DeadLetter) -> Message | None:
        """What to write back after a refusal; None where the topic says it already."""
        record = letter.record
        if record.key is None or self._latest[record.key] != record.offset:
            return None
        try:
            in_force = self.definitions.in_force(record.key.decode())
        except UnicodeDecodeError:
            in_force = None
        # Never the very record that was refused, which would be refused for ever.
        return None if in_force == record.value else Message(record.key, in_force)
