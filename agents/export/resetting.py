"""Deletes what an installation has on Kafka beside the contract's topics: its state."""

from __future__ import annotations

from typing import NamedTuple

from agents.export.importing import check_no_members
from agents.kafka.changelog_reader import topic_ends
from agents.kafka.group_admin import GroupAdmin
from agents.kafka.rights import catalogue_transactions, worker_groups
from agents.kafka.topics import own_topics, required_topics, topic_name
from agents.kafka.topics_admin import TopicsAdmin
from schemas.topics import SEGMENT_COMMANDS, SOURCES
from streamseg.settings import Settings


class Found(NamedTuple):
    """What a reset deletes.

    topics         the installation's own topics that exist -> the sum of the ends of their partitions
    offsets        group -> topic/partition -> committed offset
    transactional_id   the id with which the leader writes; brokers forget it by themselves
    """

    topics: dict[str, int]
    offsets: dict[str, dict[str, int]]
    transactional_id: str


def look(settings: Settings, *, timeout: float = 30.0) -> Found:
    """Return what a reset would delete. Raises StateMoveError while workers are members of a group, and
    ConfigurationError if Kafka refuses or does not answer within `timeout` seconds."""
    groups = GroupAdmin(settings, timeout=timeout)
    check_no_members(groups, worker_groups(settings))
    own = own_topics(settings)
    required = {topic.name: topic.partitions for topic in required_topics(settings)}
    present = TopicsAdmin(settings, timeout=timeout).ids(own)
    workers, catalogue = worker_groups(settings)
    places = {
        workers: [
            (topic_name(settings, topic), number)
            for topic in SOURCES
            for number in range(required[topic_name(settings, topic)])
        ],
        catalogue: [(topic_name(settings, SEGMENT_COMMANDS), 0)],
    }
    committed = {group: groups.committed(group, of_group) for group, of_group in places.items()}
    return Found(
        topics={
            name: sum(topic_ends(settings, name, timeout_seconds=timeout).values())
            for name in own
            if name in present
        },
        offsets={
            group: {f"{name}/{number}": offset for (name, number), offset in sorted(found.items())}
            for group, found in committed.items()
        },
        transactional_id=catalogue_transactions(settings),
    )


def reset(settings: Settings, found: Found, *, timeout: float = 30.0) -> None:
    """Delete what `look` has found. Raises as `look`."""
    groups = GroupAdmin(settings, timeout=timeout)
    check_no_members(groups, worker_groups(settings))
    # Offsets first: without them workers begin at the first record, with or without state.
    for group in found.offsets:
        groups.delete(group)
    TopicsAdmin(settings, timeout=timeout).delete(list(found.topics))
