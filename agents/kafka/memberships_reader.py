"""The memberships on the `segment-memberships` topic, as a consumer of the topic knows them."""

from __future__ import annotations

from types import TracebackType
from typing import NamedTuple, Self

import orjson

from agents.kafka.topic_records import Place, TopicRecords
from schemas.topics import SEGMENT_MEMBERSHIPS
from streamseg.errors import ConfigurationError
from streamseg.records.inputs import Record
from streamseg.settings import Settings


class Membership(NamedTuple):
    """A contact's membership of a segment, with its sequence and the time of entry (RFC 3339)."""

    segment_id: str
    contact_id: str
    sequence: int
    entered_at: str

    @property
    def key(self) -> bytes:
        """The key of the membership's record."""
        return f"{self.segment_id}|{self.contact_id}".encode()


class MembershipsReader:
    """Reads the topic from its beginning. `memberships` holds, by record key, the memberships at the position
    up to which it was read."""

    def __init__(self, settings: Settings) -> None:
        """Raises ConfigurationError if the topic cannot be found in time."""
        self.memberships: dict[bytes, Membership] = {}
        self._records = TopicRecords(settings, client="verify")
        self._read: dict[Place, int] = {}
        try:
            self._places = self._records.partitions(SEGMENT_MEMBERSHIPS)
        except ConfigurationError as error:
            self._records.close()
            raise ConfigurationError(f"{error} (or compare without the topic: --no-topic)") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._records.close()

    def read_on(self) -> None:
        """Read up to the end that the topic has now. Raises ConfigurationError if no record arrives in
        time."""
        self._records.begin(self._places, offsets=self._read)
        for place in self._places:
            for record in self._records.records(place):
                self._take(record)
        self._read = self._records.ends

    def _take(self, record: Record) -> None:
        key = record.key or b""
        if record.value is None:
            self.memberships.pop(key, None)
            return
        body = orjson.loads(record.value)
        self.memberships[key] = Membership(
            body["segment_id"], body["contact_id"], body["sequence"], body["entered_at"]
        )
