"""The order in which what a partition did becomes durable.

1. outputs are sent, and their acknowledgements awaited;
2. what changed in the state goes to the changelog, one record a contact and event, those of one contact
   together as a whole, and is awaited;
3. the state goes to RocksDB in one batch, with the changelog offset that holds it;
4. the source offsets are acknowledged, to be committed.

A crash between any two steps repeats work and loses nothing. Before 1 nothing was visible. Between 1 and 2
the outputs are made again from the same input, with the same change ids. Between 2 and 3 the changelog is
ahead of the disk and is applied to it first. Between 3 and 4 the source is read again, and what the state
holds is skipped: each contact by its own offsets, the rest by those kept for the partition.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from agents.outbox import Outbox
from streamseg.errors import StreamsegError
from streamseg.store.rocksdb import KeyValue, RocksStore


class Sink(Protocol):
    """Where outputs and changelog records go (`agents.outlet.Outlet`)."""

    async def send_outputs(self, partition: int, outbox: Outbox) -> None: ...

    async def send_changelog(self, partition: int, groups: Iterable[Sequence[KeyValue]]) -> int | None: ...


class Checkpointed(Protocol):
    """What a checkpoint makes durable (`agents.shard.Shard`)."""

    number: int
    store: RocksStore
    outbox: Outbox
    next_offsets: dict[str, int]


def offset_name(topic: str) -> str:
    """The name under which a store keeps how far a source topic was applied."""
    return f"next_offset {topic}"


class PartitionLostError(StreamsegError):
    """The partition may belong to another worker by now; what was not saved is for that one to do."""


async def checkpoint(
    shard: Checkpointed,
    sink: Sink,
    acknowledge: Callable[[str, int, int], None],
    still_ours: Callable[[], Awaitable[bool]],
) -> None:
    """Make durable what the shard did; it must do nothing meanwhile. `acknowledge` is told topic, partition
    and next offset.

    Raises PartitionLostError once `still_ours` says no, and whatever the sink raises: the shard is not to be
    used after that. A worker that was stopped for a while must not write over what its successor wrote.
    """
    store = shard.store
    for topic, next_offset in shard.next_offsets.items():
        store.set_number(offset_name(topic), next_offset)
    await _assure(still_ours)
    await sink.send_outputs(shard.number, shard.outbox)
    await _assure(still_ours)
    changelog_offset = await sink.send_changelog(shard.number, store.changes())
    store.commit(changelog_offset)
    shard.outbox.clear()
    for topic, next_offset in shard.next_offsets.items():
        acknowledge(topic, shard.number, next_offset)


async def _assure(still_ours: Callable[[], Awaitable[bool]]) -> None:
    if not await still_ours():
        raise PartitionLostError("the group has gone on without this worker")
