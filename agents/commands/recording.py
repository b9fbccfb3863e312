"""The records of an installation's topics, as lines of a replay file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from agents.kafka.partitioner import place as partition_of
from agents.kafka.topic_records import Place, TopicRecords
from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES, DEAD_LETTERS, SEGMENT_DEFINITIONS
from streamseg.engine.recording import definitions_in_order, in_order, line, tick
from streamseg.errors import Code
from streamseg.records.inputs import Record
from streamseg.settings import Settings


@dataclass(frozen=True, slots=True)
class Wanted:
    """The selection of records.

    from_ms, until_ms  for the two source topics: only records that workers applied at these stream times
                       (epoch ms, both included); earlier definitions are included too
    contact_id         for the two source topics: only the records of this contact
    now_ms             the time of recording, epoch ms
    """

    now_ms: int
    from_ms: int | None = None
    until_ms: int | None = None
    contact_id: str | None = None

    def has(self, record: Record, clock_ms: int) -> bool:
        """Return whether a record of a source topic, applied at this stream time, is selected."""
        return (self.from_ms is None or clock_ms >= self.from_ms) and (
            self.contact_id is None or record.key == self.contact_id.encode()
        )

    @property
    def end_ms(self) -> int:
        """The stream time at which the file ends."""
        return self.now_ms if self.until_ms is None else min(self.until_ms, self.now_ms)


@dataclass(slots=True)
class Recording:
    """One run. `lines` makes the file; the other fields are its results, updated while it runs.

    written     number of lines by topic
    early       number of records left out because workers refused them as dated in the future
    gone        number of records that the source topics no longer hold, by topic
    """

    reader: TopicRecords
    settings: Settings
    wanted: Wanted
    written: Counter[str] = field(default_factory=Counter)
    early: int = 0
    gone: Counter[str] = field(default_factory=Counter)

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of the file, each with its line feed. Raises ConfigurationError if the topics
        cannot be read."""
        wanted = self.wanted
        definitions = definitions_in_order(list(self._whole(SEGMENT_DEFINITIONS)), wanted.now_ms)
        partitions = self._sources()
        # The stream time, and the time to which the lines so far move the clock of a replay.
        clock_ms = written_ms = 0
        for clock_ms, record in in_order(definitions, partitions):
            if wanted.until_ms is not None and clock_ms > wanted.until_ms:
                break
            if record.topic != SEGMENT_DEFINITIONS and not wanted.has(record, clock_ms):
                continue
            if record.timestamp_ms < clock_ms and written_ms < clock_ms:
                # The record that moved the clock is not in the file, so a tick moves it.
                yield tick(clock_ms)
                written_ms = clock_ms
            yield line(record, self.settings.max_record_bytes)
            self.written[record.topic] += 1
            if record.timestamp_ms <= clock_ms:
                written_ms = max(written_ms, record.timestamp_ms)
        yield tick(wanted.end_ms)

    def _whole(self, topic: str) -> Iterator[Record]:
        places = self.reader.partitions(topic)
        self.reader.begin(places)
        for place in places:
            yield from self.reader.records(place)

    def _sources(self) -> list[tuple[Iterator[Record], Iterator[Record]]]:
        """Return events and updates of each partition, without those that workers refused as dated in the
        future. These moved no clock, and a replay, which has no wall clock, would accept them."""
        early = set(self._refused_as_early())
        events, updates = (self.reader.partitions(topic) for topic in (BEHAVIOR_EVENTS, CONTACT_UPDATES))
        if self.wanted.contact_id is not None:
            key = self.wanted.contact_id.encode()
            events, updates = ([places[partition_of(key, len(places))]] for places in (events, updates))
        firsts = self.reader.begin([*events, *updates], self.wanted.from_ms)
        if self.wanted.from_ms is None:
            for place, first in firsts.items():
                self.gone[place.topic] += first
        return [
            (self._accepted(one, early), self._accepted(two, early))
            for one, two in zip(events, updates, strict=True)
        ]

    def _accepted(self, place: Place, early: Collection[str]) -> Iterator[Record]:
        for record in self.reader.records(place):
            if record.position in early:
                self.early += 1
            else:
                yield record

    def _refused_as_early(self) -> Iterator[str]:
        for letter in self._whole(DEAD_LETTERS):
            said = {name: value.decode() for name, value in letter.headers}
            if said.get("error.code") == Code.TIMESTAMP_IN_FUTURE:
                yield f"{said['source.topic']}/{said['source.partition']}/{said['source.offset']}"
