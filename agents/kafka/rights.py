"""The rights on Kafka that workers, commands and other programs need.

`agents.kafka.broker_probe` checks those of a worker, `streamseg topics acls` prints all of them. The list has
nothing that is not needed: whoever has READ or WRITE has DESCRIBE too, and an idempotent producer needs no
right but WRITE on its topics (Kafka 3.0 and later).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import groupby
from typing import Final, NamedTuple

from agents.kafka.topics import changelog_topic, own_topics, required_topics, topic_name, worker_id
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
    SOURCES,
)
from streamseg.settings import Settings


class Role(StrEnum):
    """Who needs rights."""

    WORKER = "worker"
    """`streamseg worker`"""
    TOPICS = "topics"
    """`streamseg topics create`"""
    OPERATOR = "operator"
    """`streamseg topics check`, `diagnose`, `verify` and `record`"""
    BACKUP = "backup"
    """`streamseg state export`"""
    RESTORE = "restore"
    """`streamseg state import` and `reset`, after `topics create`"""
    TRACKER = "tracker"
    """A program that writes contact updates and behaviour events."""
    ERASER = "eraser"
    """`streamseg dead-letters erase`"""
    AUDITOR = "auditor"
    """A program or person that reads the audit, and nothing else."""
    CAMPAIGN = "campaign"
    """A program that reads membership changes, memberships and suppressions."""


class Operation(StrEnum):
    """What may be done, as Kafka's protocol and the messages of a worker name it."""

    READ = "READ"
    WRITE = "WRITE"
    CREATE = "CREATE"
    DELETE = "DELETE"
    DESCRIBE = "DESCRIBE"
    DESCRIBE_CONFIGS = "DESCRIBE_CONFIGS"


class Resource(StrEnum):
    """With what it may be done, as messages name it."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactional id"


class Right(NamedTuple):
    """One operation on one resource."""

    operation: Operation
    resource: Resource
    name: str

    def __str__(self) -> str:
        return f"{self.operation} on the {self.resource} {self.name}"


CAMPAIGN_GROUP: Final = "campaign-engine"
AUDITOR_GROUP: Final = "auditor"
"""The consumer group of an auditor."""

_READ, _WRITE = Operation.READ, Operation.WRITE
_OUTPUTS = (MEMBERSHIP_CHANGES, SEGMENT_MEMBERSHIPS, CHANNEL_SUPPRESSIONS)
_OF_CONTACTS = (SEGMENT_MEMBERSHIPS, CHANNEL_SUPPRESSIONS)
# Workers read and write every other topic. They write contact updates for callers of POST /contacts/lists.
_ONLY_READ = (BEHAVIOR_EVENTS,)
_ONLY_WRITTEN = (*_OUTPUTS, DEAD_LETTERS, AUDIT)
_READ_BY_OPERATORS = (*SOURCES, SEGMENT_DEFINITIONS, SEGMENT_MEMBERSHIPS, DEAD_LETTERS)


def worker_groups(settings: Settings) -> tuple[str, str]:
    """Return the consumer groups of the workers: the one that shares the partitions, and the one that chooses
    the leader."""
    return worker_id(settings), catalogue_group(worker_id(settings))


def catalogue_group(workers: str) -> str:
    """Return the consumer group that chooses the leader among the workers of the group `workers`."""
    return f"{workers}-catalogue"


def catalogue_transactions(settings: Settings) -> str:
    """Return the transactional id with which the leader writes."""
    return f"{worker_id(settings)}-catalogue"


def rights(settings: Settings, role: Role, *, campaign_group: str = CAMPAIGN_GROUP) -> list[Right]:
    """Return the rights that a role needs, without repetition. `campaign_group` is the consumer group of a
    program that reads memberships.

    Raises ConfigurationError if the settings make a topic name that Kafka refuses."""
    match role:
        case Role.WORKER:
            return list(_of_worker(settings))
        case Role.TOPICS:
            needed = (Operation.CREATE, Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS)
            return [right for topic in required_topics(settings) for right in _on(topic.name, needed)]
        case Role.OPERATOR:
            return list(_of_operator(settings))
        case Role.BACKUP:
            return list(_of_backup(settings))
        case Role.RESTORE:
            return list(_of_restore(settings))
        case Role.TRACKER:
            return [right for topic in SOURCES for right in _on(topic_name(settings, topic), (_WRITE,))]
        case Role.ERASER:
            return list(_on(topic_name(settings, DEAD_LETTERS), (_READ, _WRITE, Operation.DELETE)))
        case Role.AUDITOR:
            return [
                *_on(topic_name(settings, AUDIT), (_READ,)),
                Right(_READ, Resource.GROUP, AUDITOR_GROUP),
            ]
        case Role.CAMPAIGN:
            read = [right for topic in _OUTPUTS for right in _on(topic_name(settings, topic), (_READ,))]
            return [*read, Right(_READ, Resource.GROUP, campaign_group)]


def _of_worker(settings: Settings) -> Iterator[Right]:
    only_read = {topic_name(settings, topic) for topic in _ONLY_READ}
    only_written = {topic_name(settings, topic) for topic in _ONLY_WRITTEN}
    for topic in required_topics(settings):
        if topic.name not in only_written:
            yield Right(_READ, Resource.TOPIC, topic.name)
        if topic.name not in only_read:
            yield Right(_WRITE, Resource.TOPIC, topic.name)
    for group in worker_groups(settings):
        yield Right(_READ, Resource.GROUP, group)
    yield Right(_WRITE, Resource.TRANSACTIONAL_ID, catalogue_transactions(settings))


def _of_operator(settings: Settings) -> Iterator[Right]:
    read = {topic_name(settings, topic) for topic in _READ_BY_OPERATORS}
    for topic in required_topics(settings):
        seen = _READ if topic.name in read else Operation.DESCRIBE
        yield from _on(topic.name, (seen, Operation.DESCRIBE_CONFIGS))
    for group in worker_groups(settings):
        yield Right(Operation.DESCRIBE, Resource.GROUP, group)


def _of_backup(settings: Settings) -> Iterator[Right]:
    for topic in (*_OF_CONTACTS, SEGMENT_DEFINITIONS, SEGMENT_CATALOG):
        yield Right(_READ, Resource.TOPIC, topic_name(settings, topic))
    yield Right(_READ, Resource.TOPIC, changelog_topic(settings))
    for topic in (*SOURCES, SEGMENT_COMMANDS):
        yield Right(Operation.DESCRIBE, Resource.TOPIC, topic_name(settings, topic))
    yield Right(Operation.DESCRIBE, Resource.GROUP, worker_groups(settings)[1])


def _of_restore(settings: Settings) -> Iterator[Right]:
    # Whoever sets a group's offset of a topic needs the right to read the topic.
    read = (*SOURCES, SEGMENT_COMMANDS, SEGMENT_DEFINITIONS, SEGMENT_CATALOG, *_OF_CONTACTS)
    written = (CONTACT_UPDATES, SEGMENT_DEFINITIONS, SEGMENT_CATALOG, *_OF_CONTACTS)
    for topic in required_topics(settings):
        operations = [Operation.DESCRIBE_CONFIGS]
        if topic.name in {topic_name(settings, one) for one in read}:
            operations.append(_READ)
        if topic.name in {changelog_topic(settings), *(topic_name(settings, one) for one in written)}:
            operations.append(_WRITE)
        if topic.name in own_topics(settings):
            operations.append(Operation.DELETE)
        if not {_READ, _WRITE} & set(operations):
            operations.append(Operation.DESCRIBE)
        yield from _on(topic.name, operations)
    for group in worker_groups(settings):
        yield Right(_READ, Resource.GROUP, group)
        yield Right(Operation.DELETE, Resource.GROUP, group)
    yield Right(_WRITE, Resource.TRANSACTIONAL_ID, catalogue_transactions(settings))


def _on(topic: str, operations: Sequence[Operation]) -> Iterator[Right]:
    for operation in operations:
        yield Right(operation, Resource.TOPIC, topic)


def acl_commands(
    needed: Sequence[Right], principal: str, bootstrap: str, *, command_config: str | None = None
) -> list[str]:
    """Return the shell commands that grant the rights with Kafka's own tool: one for all resources of a kind
    with the same operations. `command_config` is the file with the login of whoever runs them."""
    by_resource: dict[tuple[Resource, str], list[Operation]] = {}
    for right in needed:
        by_resource.setdefault((right.resource, right.name), []).append(right.operation)
    rows = sorted((resource, operations, name) for (resource, name), operations in by_resource.items())
    start = ["kafka-acls", "--bootstrap-server", bootstrap]
    if command_config is not None:
        start += ["--command-config", command_config]
    commands = []
    for (resource, operations), group in groupby(rows, key=lambda row: row[:2]):
        words = [*start, "--add", "--allow-principal", principal]
        for operation in operations:
            words += ["--operation", operation.title().replace("_", "")]
        for _, _, name in group:
            words += [f"--{resource.replace(' ', '-')}", name]
        commands.append(shlex.join(words))
    return commands
