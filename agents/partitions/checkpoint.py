"""The order in which what a partition did becomes durable.

1. The dead letters are sent, and their acknowledgements awaited.
2. What changed in the state goes to the changelog, and with each contact the outputs about it: all of one
   contact together as a whole. It is awaited.
3. The outputs are sent, and awaited.
4. The state goes to RocksDB in one batch, with the changelog offset that holds it.
5. The source offsets are acknowledged, to be committed.

So a change is decided before anyone can hear of it. A change may depend on when it was made: a sweep and a
record that comes late are applied by a clock that follows the wall, and neither would find the same clock
again. And a record is refused before anything that came after it is decided: state of a contact hides all
records up to the last one that it holds, those that were refused included.

A crash between any two steps repeats work and loses nothing. Before 2 nothing was decided, and the refused
records get their dead letters once more. Between 2 and 3, or in the middle of either, the changelog holds the
outputs of the contacts in it, and they are sent before anything else is done (`settle_outputs`), under the
same change ids. Between 3 and 4 the changelog is ahead of the disk and is applied to it first. Between 4 and
5 the source is read again, and what the state holds is skipped: each contact by its own offsets, the rest by
those kept for the partition.

Between two checkpoints, `announce` does 1 to 4 for those contacts alone that there are outputs of.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Protocol

from agents.kafka.changelog_record import Written
from agents.partitions.output_buffer import OutputBuffer
from streamseg.errors import StreamsegError
from streamseg.records.outputs import DeadLetter
from streamseg.store.database import KeyValue
from streamseg.store.pending import PendingCheckpoint
from streamseg.store.rocksdb import RocksStore


class Sink(Protocol):
    """Where outputs and changelog records go (`agents.kafka.batch_producer.BatchProducer`)."""

    async def send_dead_letters(self, letters: Sequence[DeadLetter]) -> None: ...

    async def send_changelog(
        self, partition: int, groups: Iterable[Sequence[KeyValue]], *, first: int
    ) -> Written | None: ...

    async def send_outputs(self, partition: int, buffer: OutputBuffer) -> None: ...


class Checkpointed(Protocol):
    """What a checkpoint makes durable (`agents.partitions.task.PartitionTask`)."""

    number: int
    store: RocksStore
    changelog_end: int
    """The offset that its next changelog record has, if nobody else writes any."""
    buffer: OutputBuffer
    next_offsets: dict[str, int]


StillOurs = Callable[[], Awaitable[bool]]


def offset_name(topic: str) -> str:
    """The name under which a store keeps how far a source topic was applied."""
    return f"next_offset {topic}"


class PartitionLostError(StreamsegError):
    """The partition may belong to another worker by now; what was not saved is for that one to do."""


class ForeignWriteError(StreamsegError):
    """Another worker wrote to the changelog of a partition that is at work here, so that what was written
    there last does not count. Nothing of that was sent yet; the state has to be restored from what counts."""


async def checkpoint(
    task: Checkpointed,
    sink: Sink,
    acknowledge: Callable[[str, int, int], None],
    still_ours: StillOurs,
) -> None:
    """Make durable what the task did; it must do nothing meanwhile. `acknowledge` is told topic, partition
    and next offset.

    Raises PartitionLostError once `still_ours` says no, and whatever the sink raises: the task is not to be
    used after that. A worker that was stopped for a while must not write over what its successor wrote.
    """
    for topic, next_offset in task.next_offsets.items():
        task.store.set_number(offset_name(topic), next_offset)
    await _save(task, task.store.changes, sink, still_ours)
    for topic, next_offset in task.next_offsets.items():
        acknowledge(topic, task.number, next_offset)


async def announce(task: Checkpointed, sink: Sink, still_ours: StillOurs) -> None:
    """Send what is in the buffer, and make durable the contacts that its outputs are about, and nothing else:
    what is read again after a crash finds them ahead, as it does where a checkpoint was cut off. The task
    must do nothing meanwhile. Costs what is sent rather than what was done. Raises as `checkpoint`."""
    await _save(task, task.store.changes_of, sink, still_ours)


async def _save(
    task: Checkpointed,
    begin: Callable[[Mapping[str, bytes]], PendingCheckpoint],
    sink: Sink,
    still_ours: StillOurs,
) -> None:
    """Steps 1 to 4, with the checkpoint of the store that `begin` makes; the buffer is empty afterwards."""
    await _assure(still_ours)
    # All of them, whatever they are about: no state may be written that hides a refused record.
    await sink.send_dead_letters(task.buffer.dead_letters)
    await _assure(still_ours)
    pending = begin(task.buffer.by_contact())
    written = await _write(task, pending.groups, sink)
    await _assure(still_ours)
    await sink.send_outputs(task.number, task.buffer)
    task.store.commit(pending, None if written is None else written.last)
    task.buffer.clear()


async def settle_outputs(store: RocksStore, number: int, sink: Sink, still_ours: StillOurs) -> None:
    """Send what a worker of this partition had decided and may not have sent; before any other work.

    Raises as `checkpoint`."""
    buffer = OutputBuffer()
    for kept in store.unsent_outputs():
        buffer.restore(kept)
    if buffer:
        await _assure(still_ours)
        await sink.send_outputs(number, buffer)
    store.forget_outputs()


async def repair(task: Checkpointed, sink: Sink, still_ours: StillOurs) -> None:
    """Write once more what the state holds under the keys of records that do not count, since a compacted
    changelog keeps the last record of a key, whether it counts or not. Raises as `checkpoint`."""
    strays = task.store.strays()
    if strays:
        await _assure(still_ours)
        await _write(task, [[stray] for stray in strays], sink)
        task.store.forget_strays()


async def _write(task: Checkpointed, groups: Iterable[Sequence[KeyValue]], sink: Sink) -> Written | None:
    """Write to the changelog. Raises ForeignWriteError where somebody else has written to it since this
    worker has read it: what was just written does not count then, see `agents.kafka.changelog_record`."""
    expected = task.changelog_end
    written = await sink.send_changelog(task.number, groups, first=expected)
    if written is None:
        return None
    if written.first != expected or written.last - written.first + 1 != written.records:
        raise _foreign_write(task.number, expected, written.last)
    task.changelog_end = written.last + 1
    return written


def check_changelog_end(number: int, expected: int, end: int) -> None:
    """Raise ForeignWriteError where the changelog of partition `number` ends after the offset that its worker
    expects. A worker calls this from time to time, and not while records of its own are on their way: it has
    to find a record of another worker before compaction removes the older one of the same key.
    """
    if end > expected:
        raise _foreign_write(number, expected, end - 1)


def _foreign_write(number: int, first: int, last: int) -> ForeignWriteError:
    return ForeignWriteError(
        f"the changelog of partition {number} has records that this worker has not written, "
        f"between offsets {first} and {last}: a worker that had the partition before was slow to stop; "
        "this one ends, so that it begins anew with what is in the changelog"
    )


async def _assure(still_ours: StillOurs) -> None:
    if not await still_ours():
        raise PartitionLostError("the group has gone on without this worker")
