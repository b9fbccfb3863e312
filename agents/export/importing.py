"""Reads an export into an installation whose changelog is empty.

The order makes it safe to fail at any point. Nothing of it is used before the last step: until the changelogs
are complete workers refuse to begin, and until the offsets are set they have not begun. After a failure:
`streamseg reset`, then the import again. Definitions, catalogue and memberships that were written already are
found there and left.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from agents.export import topic_lines
from agents.export.changelog_writer import ChangelogWriter
from agents.export.exact_topic import ExactTopic
from agents.export.notes import moved_notes, next_offset
from agents.export.published_topics import read_published
from agents.export.topic_lines import Kept
from agents.kafka.batch_producer import BatchProducer, Message
from agents.kafka.group_admin import GroupAdmin
from agents.kafka.partitioner import place as partition_of
from agents.kafka.rights import catalogue_group, worker_groups
from agents.kafka.topic_records import Place, TopicRecords
from agents.kafka.topics import changelog_topic, required_topics, topic_name
from agents.kafka.topics_admin import TopicsAdmin
from schemas.topics import (
    CHANNEL_SUPPRESSIONS,
    CONTACT_UPDATES,
    SEGMENT_CATALOG,
    SEGMENT_COMMANDS,
    SEGMENT_DEFINITIONS,
    SEGMENT_MEMBERSHIPS,
    SOURCES,
)
from streamseg.errors import ConfigurationError, MoveCode, StateMoveError
from streamseg.export.files import check_files, read_lines
from streamseg.export.manifest import Manifest
from streamseg.export.published import Published
from streamseg.settings import Settings


class Wanted(NamedTuple):
    """What the operator says about the input since the export.

    erasures           contact id and ContactUpdate of each erasure since the export; None: nothing was said
    accept_lost_input  whether to go on although records that were not applied are gone from the source topics
    """

    erasures: Sequence[tuple[str, bytes]] | None = None
    accept_lost_input: bool = False


class Imported(NamedTuple):
    """What was done.

    contacts   how many were written
    published  how many records of memberships and suppressions were written
    erasures   how many erasures were written to `contact-updates`
    new        the source topics that begin at their first record
    """

    contacts: int
    published: int
    erasures: int
    new: tuple[str, ...]


class Import:
    """One import into the installation that the settings name."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        wanted: Wanted,
        *,
        work: Path,
        progress: Callable[[str], None],
        timeout: float = 30.0,
    ) -> None:
        """`work` is a folder that does not exist yet, for a database on disk while the import runs. `timeout`
        is the longest wait for an answer of the brokers, in s."""
        self._settings = settings
        self._folder = folder
        self._wanted = wanted
        self._work = work
        self._progress = progress
        self._timeout = timeout
        self._topics = TopicsAdmin(settings, timeout=timeout)
        self._groups = GroupAdmin(settings, timeout=timeout)
        self._group, self._catalogue_group = worker_groups(settings)
        self._rows: list[Message] = []

    def run(self) -> Imported:
        """Check everything, then write. Raises StateMoveError if the import is refused, ConfigurationError if
        Kafka or the disk refuses."""
        manifest = Manifest.read(self._folder)
        self._progress("checking the files")
        check_files(self._folder, manifest)
        ids = self._check_installation(manifest)
        new = [topic for topic in SOURCES if ids[topic] != manifest.source_ids[topic]]
        self._check_partitions(manifest, new)
        published = Published(self._work)
        try:
            with TopicRecords(self._settings, client="import", timeout_seconds=self._timeout) as reader:
                offsets = self._source_offsets(reader, manifest, new)
                self._check_erasures(manifest, new)
                self._write_catalogue(reader, manifest, ids)
                self._progress("reading memberships and suppressions")
                for topic in (SEGMENT_MEMBERSHIPS, CHANNEL_SUPPRESSIONS):
                    read_published(reader, published, topic)
            imported = asyncio.run(self._write(manifest, published, new))
        finally:
            published.close()
            shutil.rmtree(self._work, ignore_errors=True)
        self._set_commands(manifest, ids)
        self._groups.commit(self._group, offsets)
        return imported

    # -- what is refused ----------------------------------------------------------------------------------

    def _check_installation(self, manifest: Manifest) -> dict[str, str]:
        """Return the ids of the topics, by name without prefix."""
        settings = self._settings
        findings = self._topics.check(required_topics(settings))
        wrong = [one.topic.name for one in findings if not one.differences and not one.right]
        wrong += [one.topic.name for one in findings if one.partitions_differ]
        if wrong:
            raise ConfigurationError(
                f"{', '.join(wrong)}: missing, or with another number of partitions than "
                "STREAMSEG_PARTITIONS; run streamseg topics create"
            )
        groups = [self._group, self._catalogue_group]
        if manifest.topic_prefix == settings.topic_prefix and manifest.group not in groups:
            groups += [manifest.group, catalogue_group(manifest.group)]
        check_no_members(self._groups, groups)
        with TopicRecords(settings, client="import", timeout_seconds=self._timeout) as reader:
            changelog = changelog_topic(settings)[len(settings.topic_prefix) :]
            places = reader.partitions(changelog)
            reader.begin(places)
            if any(reader.ends[place] for place in places):
                raise StateMoveError(
                    MoveCode.NOT_EMPTY,
                    f"{changelog_topic(settings)} has records; import under a new STREAMSEG_APPLICATION_ID, "
                    "or delete that state: streamseg reset",
                )
        names = (*SOURCES, SEGMENT_COMMANDS, SEGMENT_DEFINITIONS, SEGMENT_CATALOG)
        ids = self._topics.ids([topic_name(settings, topic) for topic in names])
        return {topic: ids[topic_name(settings, topic)] for topic in names}

    def _check_partitions(self, manifest: Manifest, new: Sequence[str]) -> None:
        same = [topic_name(self._settings, topic) for topic in SOURCES if topic not in new]
        if manifest.partitions != self._settings.partitions and same:
            raise StateMoveError(
                MoveCode.OTHER_PLACES,
                f"the export has {manifest.partitions} partitions, and {', '.join(same)} got more since, so "
                "a contact's records are in two partitions. Let the workers read all input, export, and make "
                "new source topics: streamseg topics create with another STREAMSEG_TOPIC_PREFIX, or after "
                "the old ones are deleted",
            )

    def _source_offsets(
        self, reader: TopicRecords, manifest: Manifest, new: Sequence[str]
    ) -> dict[tuple[str, int], int]:
        """Return the offsets at which workers are to begin. Raises StateMoveError if records that were not
        applied are gone."""
        firsts = reader.begin([place for topic in SOURCES for place in reader.partitions(topic)])
        offsets: dict[tuple[str, int], int] = {}
        gone: list[str] = []
        notes = {part.partition: part.notes for part in manifest.contacts}
        for place, first in firsts.items():
            offset = first if place.topic in new else next_offset(notes[place.partition], place.topic)
            if offset < first:
                gone.append(f"{place.topic}/{place.partition} {offset:,} to {first - 1:,}")
            offsets[topic_name(self._settings, place.topic), place.partition] = max(offset, first)
        if gone and not self._wanted.accept_lost_input:
            raise StateMoveError(
                MoveCode.INPUT_LOST,
                f"records that came after the export are gone from the source topics: offsets "
                f"{'; '.join(gone)}. Use a newer export, or go on without them: --accept-lost-input",
            )
        return offsets

    def _check_erasures(self, manifest: Manifest, new: Sequence[str]) -> None:
        if (new or self._wanted.accept_lost_input) and self._wanted.erasures is None:
            raise StateMoveError(
                MoveCode.ERASURES_UNKNOWN,
                f"the input after {manifest.made_at} is not read again, and the export may have contacts "
                "that were erased after it. Name these erasures (--erasures FILE), or say that there were "
                "none (--no-erasures)",
            )

    # -- what is written ----------------------------------------------------------------------------------

    def _write_catalogue(self, reader: TopicRecords, manifest: Manifest, ids: dict[str, str]) -> None:
        for part in manifest.topics:
            if ids[part.topic] == part.topic_id:
                continue
            self._progress(f"writing {part.topic}")
            wanted = [topic_lines.read(line) for line in read_lines(self._folder, part)]
            place = Place(part.topic, 0)
            reader.begin([place])
            present = [
                Kept(one.offset, one.timestamp_ms, one.key, one.value, one.headers)
                for one in reader.records(place)
            ]
            _check_present(part.topic, present, wanted)
            if part.topic == SEGMENT_DEFINITIONS:
                name = topic_name(self._settings, part.topic)
                with ExactTopic(self._settings, name, timeout=self._timeout) as topic:
                    topic.write(wanted, part.end)
            else:
                self._rows = [Message(one.key, one.value, list(one.headers)) for one in wanted]

    async def _write(self, manifest: Manifest, published: Published, new: Sequence[str]) -> Imported:
        producer = BatchProducer(self._settings)
        await producer.start()
        try:
            writer = ChangelogWriter(self._settings, producer, published)
            await writer.begin()
            await producer.send(SEGMENT_CATALOG, self._rows, partition=0)
            for part in manifest.contacts:
                self._progress(f"writing the contacts of {part.file}")
                await writer.write(read_lines(self._folder, part))
            notes = {part.partition: part.notes for part in manifest.contacts}
            await writer.write_growth([read_lines(self._folder, part.growth) for part in manifest.contacts])
            # Erasures come before the state is complete, so that no worker can begin without them.
            erasures = await self._write_erasures(producer)
            made = moved_notes(notes, self._settings.partitions, new, manifest.numbers)
            await writer.finish(made)
        finally:
            await producer.stop()
        return Imported(writer.contacts, writer.published, erasures, tuple(new))

    async def _write_erasures(self, producer: BatchProducer) -> int:
        erasures = self._wanted.erasures or ()
        for contact_id, update in erasures:
            key = contact_id.encode()
            partition = partition_of(key, self._settings.partitions)
            await producer.send(CONTACT_UPDATES, [Message(key, update)], partition=partition)
        return len(erasures)

    def _set_commands(self, manifest: Manifest, ids: dict[str, str]) -> None:
        """Set the first command to decide. The old group is ahead of the export if the definitions are still
        those to which it wrote."""
        if ids[SEGMENT_COMMANDS] != manifest.source_ids[SEGMENT_COMMANDS]:
            return
        place = (topic_name(self._settings, SEGMENT_COMMANDS), 0)
        offset = manifest.commands_offset
        written = {part.topic: part.topic_id for part in manifest.topics}
        if ids[SEGMENT_DEFINITIONS] == written[SEGMENT_DEFINITIONS]:
            offset = self._groups.committed(catalogue_group(manifest.group), [place]).get(place, offset)
        if offset is not None:
            self._groups.commit(self._catalogue_group, {place: offset})


def check_no_members(admin: GroupAdmin, groups: Sequence[str]) -> None:
    """Raise StateMoveError if a worker is a member of one of these groups."""
    for group in groups:
        members = admin.members(group)
        if members:
            raise StateMoveError(
                MoveCode.MEMBERS_ACTIVE,
                f"the group {group} has {members} members; stop all workers first. A worker that was killed "
                "leaves its group after STREAMSEG_SESSION_TIMEOUT_MS",
            )


def _check_present(topic: str, present: Sequence[Kept], wanted: Sequence[Kept]) -> None:
    """Raise StateMoveError if a topic has records that the export does not have: definitions at the same
    offsets. An import that failed may have written some."""
    if topic == SEGMENT_DEFINITIONS:
        places = {(one.offset, one.key, one.value) for one in wanted}
        # The first record may stand twice, see `ExactTopic.write`.
        places |= {(one.offset - 1, one.key, one.value) for one in wanted[:1]}
        strange = any((one.offset, one.key, one.value) not in places for one in present)
    else:
        rows = {(one.key, one.value) for one in wanted}
        strange = any((one.key, one.value) not in rows for one in present)
    if strange:
        raise StateMoveError(
            MoveCode.OTHER_DEFINITIONS,
            f"{topic} has records that are not in the export; import into topics that were just made, or "
            "with another STREAMSEG_TOPIC_PREFIX",
        )
