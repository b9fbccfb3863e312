"""A checkpoint of a store that began and is not on disk yet."""

from __future__ import annotations

from collections.abc import Sequence

from streamseg.store.database import KeyValue


class PendingCheckpoint:
    """The part of a store that is about to become durable. The changelog and the disk get the same bytes.

    A store is in one of two states:

    - *open*: no checkpoint is pending. The store can be read and written.
    - *held*: a checkpoint is pending. The store can be read; a method that would change it raises
      RuntimeError.

    The steps of a checkpoint, in their order (`agents.partitions.checkpoint` takes them):

    1. `RocksStore.changes` or `changes_of` makes the checkpoint, of everything unwritten or of some contacts.
       The store is held from then on.
    2. `groups` are sent to the changelog in their order, each group completely or not at all. Nothing is on
       disk yet. After a crash the changelog is ahead of the disk and is applied to it.
    3. The outputs that the checkpoint was given are sent.
    4. `RocksStore.commit` writes `writes` to the disk in one batch, together with the changelog offset of
       the last of them. The store is open again.

    Only `commit` makes a held store open again. If a step before it fails, the store is closed.

    groups       the records for the changelog; all records of a contact are in one group, its outputs first
    writes       the records for the disk, by kind and then by contact: those of `groups` without outputs and
                 without their number, and the entries of the event-id index that follow from them
    contact_ids  the contacts in the checkpoint; None: all that changed, and the notes of the partition
    number       the number of this checkpoint, see `streamseg.store.kept_outputs`; None: it has no outputs
    has_sent_number   whether `groups` begins with the number up to which all outputs were sent
    output_places     in how many places of the changelog there are outputs afterwards
    """

    __slots__ = ("contact_ids", "groups", "has_sent_number", "number", "output_places", "writes")

    def __init__(
        self,
        groups: list[list[KeyValue]],
        writes: list[list[KeyValue]],
        contact_ids: Sequence[str] | None,
        number: int | None,
        has_sent_number: bool,
        output_places: int,
    ) -> None:
        self.groups = groups
        self.writes = writes
        self.contact_ids = contact_ids
        self.number = number
        self.has_sent_number = has_sent_number
        self.output_places = output_places
