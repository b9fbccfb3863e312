"""The topics of the contract as they must be on the broker: names, partitions, configuration.

Partitions. `contact-updates`, `behavior-events`, `membership-changes` and the contacts' changelog are
co-partitioned by contact_id and have `Settings.partitions`. `segment-memberships`, `channel-suppressions` and
`dead-letters` have the same number, to spread the load. `segment-definitions`, `segment-commands` and
`segment-catalog` have one partition, because their order across keys matters: a definition may refer to the
one before it, a command over a group to the command that made the group, and a reader of the catalogue must
see statuses in the order in which they occurred. People cause these records by hand, so one partition is
always enough. The two topics between the workers, for outcomes and for progress, have one partition too.

Time. `RETENTION_MS` limits how long a worker may be away. Input is kept for that time, and so are the
tombstones of compacted topics, which every reader that keeps a copy must see in order to forget deleted
values. In a compacted topic with contacts, an erased contact's last value is compacted away within that time
too. Kafka deletes whole segments of a topic, and begins a new one only after `segment.ms`. So topics whose
records are deleted by age begin one every day (`LONGEST_SEGMENT_MS`): a record is gone at the latest a day
after its time.

Sizes. The worker refuses a record over `Settings.max_record_bytes` and must keep its bytes, so the broker
admits a multiple of that size (`INPUT_SIZE_FACTOR`). `dead-letters` has room for such a record with its
headers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.topics import (
    AUDIT,
    BEHAVIOR_EVENTS,
    CHANNEL_SUPPRESSIONS,
    CONTACT_UPDATES,
    DEAD_LETTERS,
    MEMBERSHIP_CHANGES,
    SEGMENT_CATALOG,
    SEGMENT_COMMANDS,
    SEGMENT_DEFINITIONS,
    SEGMENT_MEMBERSHIPS,
)
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings
from streamseg.times import DAY_MS, HOUR_MS, MINUTE_MS

CONTACTS_TABLE = "contacts"
RETENTION_MS = 7 * DAY_MS
DEAD_LETTER_RETENTION_MS = 30 * DAY_MS
LONGEST_SEGMENT_MS = DAY_MS
CHANGELOG_SEGMENT_BYTES = 128 << 20
CHANGELOG_COMPACTION_LAG_MS = 5 * MINUTE_MS
"""The age of a changelog record before compaction may remove the records that it replaces. If the record does
not count (`agents.kafka.changelog_record`), a worker has noticed that by then and has written the state's
value again. A longer time would slow recoveries, which read everything that is not compacted yet."""
OUTCOME_RETENTION_MS = HOUR_MS
"""Outcomes are needed only by callers that are waiting for them."""
FOLLOWED_SEGMENT_BYTES = 16 << 20
"""The segment size of topics that are written continuously and that every worker reads completely at
start."""

INPUT_SIZE_FACTOR = 3
OUTPUT_SIZE_FACTOR = 4
CHANGELOG_SIZE_FACTOR = 8
"""The longest record on the topics, as a multiple of `Settings.max_record_bytes`."""

_LEGAL_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as it must be. `config` holds Kafka's own topic settings, as text."""

    name: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str]


def worker_id(settings: Settings) -> str:
    """Return the workers' Faust application id, which is their consumer group too. It has the topics'
    prefix."""
    return f"{settings.topic_prefix}{settings.application_id}"


def changelog_topic(settings: Settings) -> str:
    """Return the name of the contacts table's changelog, in Faust's form: application id, table,
    `changelog`."""
    return f"{worker_id(settings)}-{CONTACTS_TABLE}-changelog"


def outcomes_topic(settings: Settings) -> str:
    """Return the name of the topic with the outcomes of commands, for the workers whose callers wait for
    them."""
    return f"{worker_id(settings)}-outcomes"


def progress_name(settings: Settings) -> str:
    """Return the name of `progress_topic` without its prefix."""
    return f"{settings.application_id}-progress"


def progress_topic(settings: Settings) -> str:
    """Return the name of the topic with the reports of the partitions' owners."""
    return topic_name(settings, progress_name(settings))


def own_topics(settings: Settings) -> tuple[str, str, str]:
    """Return the names of the topics that are named after the application id: no other program reads or
    writes them."""
    return changelog_topic(settings), outcomes_topic(settings), progress_topic(settings)


def topic_name(settings: Settings, name: str) -> str:
    """Return the name of a topic of the contract, with the configured prefix."""
    return f"{settings.topic_prefix}{name}"


def required_topics(settings: Settings) -> list[Topic]:
    """Return every topic that workers with these settings read or write: the contract's topics first, in its
    order.

    Raises ConfigurationError if the prefix or the application id makes a name that Kafka refuses.
    """
    many, one = settings.partitions, 1
    inputs = {**_delete(RETENTION_MS), **_largest(settings, INPUT_SIZE_FACTOR)}
    # A partition's clock never goes back, so the broker already refuses the timestamps that a worker would
    # refuse.
    clocked = {**inputs, "message.timestamp.after.max.ms": str(settings.record_tolerance_ms)}
    outputs = _largest(settings, OUTPUT_SIZE_FACTOR)
    compacted = {**_compact(), **outputs}
    per_contact = {**compacted, **_forgetting()}
    definitions = {
        **_compact(),
        **_largest(settings, INPUT_SIZE_FACTOR),
        "min.compaction.lag.ms": str(DAY_MS),
    }
    changelog = {
        **_compact(),
        **_forgetting(),
        **_largest(settings, CHANGELOG_SIZE_FACTOR),
        # A recovery reads everything that is not compacted yet: small segments and early compaction keep it
        # short.
        "segment.bytes": str(CHANGELOG_SEGMENT_BYTES),
        "min.cleanable.dirty.ratio": "0.2",
        # The lag counts from the arrival of a record, which may be long after it was created.
        "min.compaction.lag.ms": str(CHANGELOG_COMPACTION_LAG_MS),
        "message.timestamp.type": "LogAppendTime",
    }
    # The broker stamps these records: workers compare their clocks with those timestamps.
    outcomes = {
        **_delete(OUTCOME_RETENTION_MS),
        **outputs,
        "message.timestamp.type": "LogAppendTime",
    }
    wanted: list[tuple[str, int, dict[str, str]]] = [
        (topic_name(settings, CONTACT_UPDATES), many, clocked),
        (topic_name(settings, BEHAVIOR_EVENTS), many, clocked),
        (topic_name(settings, SEGMENT_COMMANDS), one, inputs),
        (topic_name(settings, SEGMENT_DEFINITIONS), one, definitions),
        (topic_name(settings, MEMBERSHIP_CHANGES), many, {**_delete(RETENTION_MS), **outputs}),
        (topic_name(settings, SEGMENT_MEMBERSHIPS), many, per_contact),
        (topic_name(settings, CHANNEL_SUPPRESSIONS), many, per_contact),
        (topic_name(settings, SEGMENT_CATALOG), one, {**compacted, **_followed()}),
        (topic_name(settings, DEAD_LETTERS), many, {**_delete(DEAD_LETTER_RETENTION_MS), **outputs}),
        (topic_name(settings, AUDIT), one, {**_delete(settings.audit_retention_ms), **outputs}),
        (changelog_topic(settings), many, changelog),
        (outcomes_topic(settings), one, outcomes),
        (progress_topic(settings), one, {**compacted, **_followed()}),
    ]
    for name, _, _ in wanted:
        if not _LEGAL_NAME.fullmatch(name):
            raise ConfigurationError(
                f"{name!r} is not a topic name: STREAMSEG_TOPIC_PREFIX and STREAMSEG_APPLICATION_ID "
                "take letters, digits, '.', '_' and '-', and a whole name at most 249 of them"
            )
    copies = {
        # Two replicas must have a record before it counts as written. With fewer than three replicas this
        # would stop all writing whenever one broker restarts.
        "min.insync.replicas": "2" if settings.replication_factor >= 3 else "1",
    }
    return [
        Topic(name, partitions, settings.replication_factor, {**config, **copies})
        for name, partitions, config in wanted
    ]


def _delete(retention_ms: int) -> dict[str, str]:
    # The clock of a partition follows the producers' timestamps, not the broker's.
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(retention_ms),
        "segment.ms": str(min(retention_ms, LONGEST_SEGMENT_MS)),
        "message.timestamp.type": "CreateTime",
    }


def _compact() -> dict[str, str]:
    return {"cleanup.policy": "compact", "delete.retention.ms": str(RETENTION_MS)}


def _forgetting() -> dict[str, str]:
    return {"max.compaction.lag.ms": str(RETENTION_MS)}


def _followed() -> dict[str, str]:
    return {"segment.bytes": str(FOLLOWED_SEGMENT_BYTES), "min.cleanable.dirty.ratio": "0.2"}


def _largest(settings: Settings, records: int) -> dict[str, str]:
    return {"max.message.bytes": str(records * settings.max_record_bytes)}
