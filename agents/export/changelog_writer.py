"""Writes the state of contacts to new changelogs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import orjson

from agents.kafka.batch_producer import BatchProducer, Message
from agents.kafka.partitioner import place
from schemas.topics import CHANNEL_SUPPRESSIONS, SEGMENT_MEMBERSHIPS
from streamseg.errors import ConfigurationError
from streamseg.export.contact_line import contact_records, read_line
from streamseg.export.growth_lines import growth_records
from streamseg.export.partition_lines import unsent_outputs
from streamseg.export.published import Published, published_outputs
from streamseg.json_text import Json
from streamseg.settings import Settings
from streamseg.store import layout
from streamseg.store.database import KeyValue
from streamseg.store.rocksdb import IMPORTING

_CONTACTS = 2_000
_BYTES = 16 << 20


class ChangelogWriter:
    """Writes contacts to the changelogs of all partitions, and what they publish to the two compacted topics.

    Each changelog begins with a note that an import is going on and ends with its removal: workers refuse to
    begin with a part of an import. The records of a contact are one batch.

    contacts   how many were written
    published  how many records of the two compacted topics were written
    """

    def __init__(self, settings: Settings, producer: BatchProducer, published: Published) -> None:
        """`published` is what the two topics hold now; only differences are written."""
        self._settings = settings
        self._producer = producer
        self._published = published
        self._groups: list[list[Sequence[KeyValue]]] = [[] for _ in range(settings.partitions)]
        self._outputs: dict[str, list[tuple[bytes, bytes | None]]] = {
            SEGMENT_MEMBERSHIPS: [],
            CHANNEL_SUPPRESSIONS: [],
        }
        self._next = [0] * settings.partitions
        self._unsent = [0] * settings.partitions
        self._waiting = 0
        self._waiting_bytes = 0
        self.contacts = 0
        self.published = 0

    async def begin(self) -> None:
        """Note in each changelog that an import is going on."""
        for groups in self._groups:
            groups.append([(layout.meta_key(IMPORTING), orjson.dumps(True))])
        await self._flush()

    async def write(self, lines: Iterable[bytes]) -> None:
        """Write the contacts of these lines, each to the partition of its id. Raises StateMoveError for a
        line of another form."""
        for line in lines:
            self._take(read_line(line))
            self._waiting_bytes += len(line)
            if self._waiting >= _CONTACTS or self._waiting_bytes >= _BYTES:
                await self._flush()
        await self._flush()

    def _take(self, contact: Json) -> None:
        contact_id: str = contact["contact_id"]
        partition = place(contact_id.encode(), self._settings.partitions)
        group = contact_records(contact)
        outputs = unsent_outputs(contact)
        if outputs is not None:
            key = layout.output_key(self._unsent[partition])
            group.insert(0, (key, layout.output_value(1, outputs)))
            self._unsent[partition] += 1
        self._groups[partition].append(group)
        before = self._published.take(contact_id)
        for topic, key, value in published_outputs(contact):
            if before.pop((topic, key), None) != value:
                self._outputs[topic].append((key, value))
        for topic, key in before:
            self._outputs[topic].append((key, None))
        self.contacts += 1
        self._waiting += 1

    async def write_growth(self, files: Sequence[Iterable[bytes]]) -> None:
        """Write how many contacts entered and left segments: one file of lines for each exported partition.
        Of these sums only those over all partitions mean anything."""
        count = self._settings.partitions
        for partition in range(count):
            records = growth_records([files[number] for number in range(partition, len(files), count)])
            while batch := list(islice(records, _CONTACTS)):
                self._groups[partition].append(batch)
                await self._flush()

    async def finish(self, notes: Sequence[Mapping[str, Any]]) -> None:
        """Write the notes of each partition, and that the import is complete; end what was published of
        contacts that the state does not have."""
        for topic, key in self._published.left():
            self._outputs[topic].append((key, None))
            if len(self._outputs[topic]) >= _CONTACTS:
                await self._flush()
        for groups, of_partition in zip(self._groups, notes, strict=True):
            records: list[KeyValue] = [
                (layout.meta_key(name), orjson.dumps(value)) for name, value in sorted(of_partition.items())
            ]
            groups.append([*records, (layout.meta_key(IMPORTING), None)])
        await self._flush()

    async def _flush(self) -> None:
        await asyncio.gather(
            *(self._send(partition) for partition in range(self._settings.partitions)),
            *(self._publish(topic) for topic in self._outputs),
        )
        self._waiting = self._waiting_bytes = 0

    async def _send(self, partition: int) -> None:
        groups, self._groups[partition] = self._groups[partition], []
        first = self._next[partition]
        written = await self._producer.send_changelog(partition, groups, first=first)
        if written is None:
            return
        self._next[partition] = first + written.records
        if written.first != first or written.last + 1 != self._next[partition]:
            raise ConfigurationError(
                f"something else writes to the changelog of partition {partition}; stop all workers of the "
                "application id, run streamseg reset, and import again"
            )

    async def _publish(self, topic: str) -> None:
        records, self._outputs[topic] = self._outputs[topic], []
        placed: dict[int, list[Message]] = {}
        for key, value in records:
            placed.setdefault(place(key, self._settings.partitions), []).append(Message(key, value))
        for partition, messages in placed.items():
            await self._producer.send(topic, messages, partition=partition)
        self.published += len(records)
