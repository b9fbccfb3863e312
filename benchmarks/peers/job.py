"""What every peer is given, and what it gives back."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from benchmarks.peers.evaluate import Change, Json, Rules
from benchmarks.workload import Workload, definitions
from streamseg.records.inputs import Record

Pair = tuple[str, str]


@dataclass(frozen=True)
class Job:
    """The segments and the records, in the order of time: the contacts' attributes, then what happens."""

    workload: Workload
    segments: list[Json]
    keep_all: bool = False

    @classmethod
    def of(cls, *, contacts: int, records: int, segments: int, keep_all: bool) -> Job:
        return cls(Workload(contacts, records), definitions(segments), keep_all)

    @cached_property
    def segment_ids(self) -> set[str]:
        return {definition["segment_id"] for definition in self.segments}

    def rules(self) -> Rules:
        return Rules(self.segments, keep_all=self.keep_all)

    @cached_property
    def records(self) -> list[Record]:
        return [*self.workload.updates(), *self.workload.stream()]

    @cached_property
    def end_ms(self) -> int:
        """The time of the last record: what falls due later is nobody's business."""
        return self.records[-1].timestamp_ms

    @cached_property
    def last_seen(self) -> dict[str, int]:
        """The time of each contact's last record."""
        return {(record.key or b"").decode(): record.timestamp_ms for record in self.records}


@dataclass
class Result:
    """What one run of a peer took, and what came out."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    changes: list[Change] = field(default_factory=list)
    instants: list[int] = field(default_factory=list)
    """When it knew the memberships, epoch ms, if that was not always."""
    remark: str = ""

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Adds the time that the block takes, the processor's by all threads of this process."""
        began, cpu = time.perf_counter(), time.process_time()
        yield
        self.seconds += time.perf_counter() - began
        self.cpu_seconds += time.process_time() - cpu


def members(changes: Iterable[Change]) -> set[Pair]:
    """The memberships that are left after these changes, each contact's in their order."""
    found: set[Pair] = set()
    for change in changes:
        (found.add if change.entered else found.discard)((change.segment_id, change.contact_id))
    return found
