"""A checkpoint makes the work of a partition durable in this order:

1. The dead letters are sent and acknowledged.
2. The changes of the state are written to the changelog and acknowledged. The changes of a contact and the
   outputs about it are written together.
3. The outputs are sent and acknowledged.
4. The state is written to RocksDB in one batch, with the changelog offset that holds it.
5. The source offsets are acknowledged, so that they can be committed.

So a change is durable in the changelog before anyone can read it. This order is needed because a change may
depend on the time at which it was made: a sweep and a late record are evaluated by a clock that follows the
wall clock, and a second attempt would find another time. The dead letter of a refused record is sent before
the state of later records is written, because the state of a contact skips all records up to its last one,
refused records included.

A crash between any two steps repeats work and loses nothing:

* Before 2, nothing was written but dead letters. The refused records get their dead letters once more.
* Between 2 and 3, or in the middle of either, the changelog holds the outputs of the contacts in it. They are
  sent before any other work (`resend_kept_outputs`), with the same change ids.
* Between 3 and 4, the changelog is ahead of the disk and is applied to it first.
* Between 4 and 5, the source is read again, and records that the state holds are skipped: those of a contact
  by the contact's own offsets, all others by the offsets kept for the partition.

Between two checkpoints, `checkpoint_outputs` does steps 1 to 4 for the contacts that have outputs.
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
    """Sends outputs and changelog records (`agents.kafka.batch_producer.BatchProducer`)."""

    async def send_dead_letters(self, letters: Sequence[DeadLetter]) -> None: ...

    async def send_changelog(
        self, partition: int, groups: Iterable[Sequence[KeyValue]], *, first: int
    ) -> Written | None: ...

    async def send_outputs(self, partition: int, buffer: OutputBuffer) -> None: ...


class Checkpointed(Protocol):
    """The work that a checkpoint makes durable (`agents.partitions.task.PartitionTask`)."""

    number: int
    store: RocksStore
    changelog_end: int
    """The offset that its next changelog record gets, unless another worker writes to the changelog."""
    buffer: OutputBuffer
    next_offsets: dict[str, int]


StillOurs = Callable[[], Awaitable[bool]]


def offset_name(topic: str) -> str:
    """Return the name under which a store keeps the offset up to which a source topic was applied."""
    return f"next_offset {topic}"


def counted_name(topic: str) -> str:
    """Return the name under which a store keeps how many records of a source topic were counted before the
    first one of the present topic. An import for new topics sets it (`agents.export.notes`): the number of a
    record is this and its offset, and so is later than all numbers in the state."""
    return f"counted_before {topic}"


class PartitionLostError(StreamsegError):
    """The partition may belong to another worker by now, which will repeat the work that was not saved."""


class ForeignWriteError(StreamsegError):
    """Another worker wrote to the changelog of a partition that is at work here, so the records that this
    worker wrote last do not count. Their outputs were not sent. The state must be restored from the records
    that count."""


async def checkpoint(
    task: Checkpointed,
    sink: Sink,
    acknowledge: Callable[[str, int, int], None],
    still_ours: StillOurs,
) -> None:
    """Make the work of the task durable. The task must not be used meanwhile. `acknowledge` gets the topic,
    the partition and the next offset.

    Raises PartitionLostError as soon as `still_ours` returns False, since a worker that was stopped for a
    while must not overwrite the state of the next owner. Errors of the sink are raised too. After any error
    the task must not be used again.
    """
    for topic, next_offset in task.next_offsets.items():
        task.store.set_number(offset_name(topic), next_offset)
    await _save(task, task.store.changes, sink, still_ours)
    for topic, next_offset in task.next_offsets.items():
        acknowledge(topic, task.number, next_offset)


async def checkpoint_outputs(task: Checkpointed, sink: Sink, still_ours: StillOurs) -> None:
    """Make the contacts that have outputs in the buffer durable, and send the outputs.

    All other changes wait for the next checkpoint. After a crash the records are read again, and the state of
    these contacts is ahead of them, as after a checkpoint that was cut off. The task must not be used
    meanwhile. The cost depends on the number of outputs, not on the amount of work since the last checkpoint.
    Raises the errors that `checkpoint` raises."""
    await _save(task, task.store.changes_of, sink, still_ours)


async def _save(
    task: Checkpointed,
    begin: Callable[[Mapping[str, bytes]], PendingCheckpoint],
    sink: Sink,
    still_ours: StillOurs,
) -> None:
    """Do steps 1 to 4 for the changes of the store that `begin` selects. Afterwards the buffer is empty."""
    await _assure(still_ours)
    # All dead letters are sent, since no state may be written that hides a refused record.
    await sink.send_dead_letters(task.buffer.dead_letters)
    await _assure(still_ours)
    pending = begin(task.buffer.by_contact())
    written = await _write(task, pending.groups, sink)
    await _assure(still_ours)
    await sink.send_outputs(task.number, task.buffer)
    task.store.commit(pending, None if written is None else written.last)
    task.buffer.clear()


async def resend_kept_outputs(store: RocksStore, number: int, sink: Sink, still_ours: StillOurs) -> None:
    """Send the outputs that the changelog holds and that may not have been sent; before any other work.

    Raises the errors that `checkpoint` raises."""
    buffer = OutputBuffer()
    for kept in store.unsent_outputs():
        buffer.restore(kept)
    if buffer:
        await _assure(still_ours)
        await sink.send_outputs(number, buffer)
    store.forget_outputs()


async def repair(task: Checkpointed, sink: Sink, still_ours: StillOurs) -> None:
    """Write the state's values once more for the keys of changelog records that do not count: a compacted
    changelog keeps only the last record of a key, whether that record counts or not. Raises the errors that
    `checkpoint` raises."""
    strays = task.store.strays()
    if strays:
        await _assure(still_ours)
        await _write(task, [[stray] for stray in strays], sink)
        task.store.forget_strays()


async def _write(task: Checkpointed, groups: Iterable[Sequence[KeyValue]], sink: Sink) -> Written | None:
    """Write to the changelog. Raises ForeignWriteError if another worker has written to the changelog since
    this worker read it: the records just written do not count then, see `agents.kafka.changelog_record`."""
    expected = task.changelog_end
    written = await sink.send_changelog(task.number, groups, first=expected)
    if written is None:
        return None
    if written.first != expected or written.last - written.first + 1 != written.records:
        raise _foreign_write(task.number, expected, written.last)
    task.changelog_end = written.last + 1
    return written


def check_changelog_end(number: int, expected: int, end: int) -> None:
    """Raise ForeignWriteError if the changelog of partition `number` ends after the offset that its worker
    expects. A worker calls this from time to time, but not while its own records are being sent. It must find
    another worker's record before compaction removes the older record of the same key.
    """
    if end > expected:
        raise _foreign_write(number, expected, end - 1)


def _foreign_write(number: int, first: int, last: int) -> ForeignWriteError:
    return ForeignWriteError(
        f"the changelog of partition {number} has records that this worker has not written, "
        f"between offsets {first} and {last}: a worker that had the partition before was slow to stop; "
        "this one ends, so that it starts again with what is in the changelog"
    )


async def _assure(still_ours: StillOurs) -> None:
    if not await still_ours():
        raise PartitionLostError("the group has gone on without this worker")
