"""Writes an export: the state of all contacts from the changelog, the definitions and the catalogue.

Each partition's changelog is read to the end that it has at the start. The records of a contact are one
batch, and a batch is written completely or not at all. So the file of a partition is what a worker that was
killed at that moment would restore. Workers go on meanwhile and are not asked.

The changelogs come first. Definitions that are newer than the state do no harm: contacts are brought up to
them, as after any change. Definitions that are older than the state would.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException

from agents.export import topic_lines
from agents.export.notes import next_numbers
from agents.export.published_topics import read_published
from agents.kafka.changelog_reader import read_changelog
from agents.kafka.client_errors import refusal
from agents.kafka.group_admin import GroupAdmin
from agents.kafka.rights import worker_groups
from agents.kafka.topic_records import Place, TopicRecords
from agents.kafka.topics import changelog_topic, topic_name
from agents.kafka.topics_admin import TopicsAdmin
from schemas.topics import (
    CHANNEL_SUPPRESSIONS,
    SEGMENT_CATALOG,
    SEGMENT_COMMANDS,
    SEGMENT_DEFINITIONS,
    SEGMENT_MEMBERSHIPS,
    SOURCES,
)
from streamseg.contact.state_version import STATE_VERSION
from streamseg.errors import MoveCode, StateMoveError
from streamseg.export.files import new_folder, write_file
from streamseg.export.gathering import Gathering
from streamseg.export.growth_lines import growth_lines
from streamseg.export.manifest import Manifest, PartitionPart, TopicPart
from streamseg.export.partition_lines import Counted, partition_lines
from streamseg.export.published import Published
from streamseg.records.inputs import Record
from streamseg.settings import Settings
from streamseg.store.database import KeyValue
from streamseg.times import format_ms

_ATTEMPTS = 10
_WORK = "unfinished"

Progress = Callable[[str], None]
"""Called with what is done now, in words."""


class Export:
    """One export of the installation that the settings name."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        *,
        made_at_ms: int,
        release: str,
        progress: Progress,
        timeout: float = 30.0,
    ) -> None:
        """`timeout` is the longest wait for an answer of the brokers, in s."""
        self._settings = settings
        self._folder = folder
        self._made_at_ms = made_at_ms
        self._release = release
        self._progress = progress
        self._timeout = timeout
        self._ends: dict[int, int] = {}

    def run(self) -> Manifest:
        """Write all files, and the manifest last. Needs free disk of about the size of the state.

        Raises ConfigurationError if Kafka or the disk refuses, and StateMoveError."""
        new_folder(self._folder)
        work = self._folder / _WORK
        ids = self._topic_ids()
        with TopicRecords(self._settings, client="export", timeout_seconds=self._timeout) as reader:
            changelog = changelog_topic(self._settings)[len(self._settings.topic_prefix) :]
            partitions = len(reader.partitions(changelog))
            gathering, published = Gathering(work / "state"), Published(work / "published")
            try:
                self._progress(f"reading the changelogs of {partitions} partitions")
                self._read_changelogs(gathering, partitions)
                commands_offset, topics = self._catalogue(reader, ids)
                self._progress("reading memberships and suppressions")
                for topic in (SEGMENT_MEMBERSHIPS, CHANNEL_SUPPRESSIONS):
                    read_published(reader, published, topic)
                self._progress("writing the files")
                parts, counted = self._write_contacts(gathering, published, partitions)
            finally:
                gathering.close()
                published.close()
                shutil.rmtree(work, ignore_errors=True)
        applied = next_numbers({part.partition: part.notes for part in parts})
        manifest = Manifest(
            format=1,
            made_at=format_ms(self._made_at_ms),
            release=self._release,
            layout=STATE_VERSION,
            application_id=self._settings.application_id,
            topic_prefix=self._settings.topic_prefix,
            partitions=partitions,
            numbers={topic: max(applied[topic], counted.numbers[topic]) for topic in SOURCES},
            source_ids={topic: ids[topic] for topic in (*SOURCES, SEGMENT_COMMANDS)},
            commands_offset=commands_offset,
            contacts=tuple(parts),
            topics=tuple(topics),
        )
        manifest.write(self._folder)
        return manifest

    def _topic_ids(self) -> dict[str, str]:
        wanted = (*SOURCES, SEGMENT_COMMANDS, SEGMENT_DEFINITIONS, SEGMENT_CATALOG)
        names = {topic_name(self._settings, topic): topic for topic in wanted}
        found = TopicsAdmin(self._settings, timeout=self._timeout).ids(list(names))
        return {topic: found.get(name, "") for name, topic in names.items()}

    def _read_changelogs(self, gathering: Gathering, partitions: int) -> None:
        def apply(partition: int, records: list[KeyValue], _strays: list[bytes], _end: int) -> None:
            gathering.apply(partition, records)

        def reached(partition: int, end: int) -> None:
            self._progress(f"partition {partition}: changelog read up to {end:,}")

        def planned(partition: int, _start: int, end: int) -> None:
            self._ends[partition] = end

        with gathering.in_bulk():
            starts = dict.fromkeys(range(partitions), 0)
            topic = changelog_topic(self._settings)
            try:
                read_changelog(
                    self._settings,
                    topic,
                    starts,
                    apply,
                    reached,
                    threading.Event(),
                    planned=planned,
                    timeout_seconds=self._timeout,
                )
            except KafkaException as error:
                right = f"READ on the topic {topic}"
                raise refusal(self._settings, error, f"cannot read {topic}", right) from error

    def _write_contacts(
        self, gathering: Gathering, published: Published, partitions: int
    ) -> tuple[list[PartitionPart], Counted]:
        parts: list[PartitionPart] = []
        total = Counted()
        for partition in range(partitions):
            counted = Counted()
            path = self._folder / f"contacts-{partition:05}.ndjson.gz"
            part = write_file(path, partition_lines(gathering, partition, counted, published.of))
            parts.append(
                PartitionPart(
                    **part.model_dump(),
                    partition=partition,
                    changelog_end=self._ends[partition],
                    events=counted.events,
                    unsent=counted.unsent,
                    growth=write_file(
                        self._folder / f"growth-{partition:05}.ndjson.gz",
                        growth_lines(gathering.growth(partition)),
                    ),
                    notes=gathering.notes.get(partition, {}),
                )
            )
            for topic in SOURCES:
                total.numbers[topic] = max(total.numbers[topic], counted.numbers[topic])
        return parts, total

    def _catalogue(self, reader: TopicRecords, ids: dict[str, str]) -> tuple[int | None, list[TopicPart]]:
        """Write the definitions and the catalogue, as of one command. The leader commits a command together
        with what it writes because of it."""
        for _ in range(_ATTEMPTS):
            offset = self._commands_offset()
            found: dict[str, tuple[list[Record], int]] = {}
            for topic in (SEGMENT_DEFINITIONS, SEGMENT_CATALOG):
                place = Place(topic, 0)
                reader.begin([place])
                found[topic] = (list(reader.records(place)), reader.ends[place])
            if self._commands_offset() == offset:
                return offset, [self._topic_part(topic, *found[topic], ids[topic]) for topic in found]
        raise StateMoveError(
            MoveCode.BUSY,
            "commands were decided all the time, so the catalogue has no fixed state; try again",
        )

    def _commands_offset(self) -> int | None:
        _, group = worker_groups(self._settings)
        place = (topic_name(self._settings, SEGMENT_COMMANDS), 0)
        groups = GroupAdmin(self._settings, timeout=self._timeout)
        return groups.committed(group, [place]).get(place)

    def _topic_part(self, topic: str, records: list[Record], end: int, topic_id: str) -> TopicPart:
        latest = {record.key: record.offset for record in records}
        # Of each key the last record is enough, and tombstones still count: they may be of later births.
        kept = (record for record in records if topic == SEGMENT_DEFINITIONS or _is_last(record, latest))
        part = write_file(self._folder / f"{topic}.ndjson.gz", map(topic_lines.line, kept))
        return TopicPart(**part.model_dump(), topic=topic, topic_id=topic_id, end=end)


def _is_last(record: Record, latest: dict[Any, int]) -> bool:
    return latest[record.key] == record.offset and record.value is not None
