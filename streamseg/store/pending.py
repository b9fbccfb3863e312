"""A checkpoint of a store that has begun and is not on disk yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streamseg.store.database import KeyValue


@dataclass(frozen=True, slots=True, eq=False)
class PendingCheckpoint:
    """What of a store is about to become durable. The changelog and the disk get the same bytes.

    A store is in one of two states:

    - *open*: it is read and written; no checkpoint is pending.
    - *held*: a checkpoint is pending. The store is read; what would write to it raises RuntimeError.

    Who calls what, in this order (`agents.partitions.checkpoint`):

    1. `RocksStore.changes` or `changes_of` makes the checkpoint, of everything unwritten or of some contacts.
       The store is held from then on.
    2. `groups` goes to the changelog: each group as a whole or not at all, in their order. Nothing is on disk
       yet. After a crash the changelog is ahead of the disk and is applied to it.
    3. The outputs that the checkpoint was given are sent.
    4. `RocksStore.commit` writes `records` to the disk in one batch, with the changelog offset that holds
       them. The store is open again.

    There is no way back from held to open but `commit`: where a step before it fails, the store is closed.

    groups       for the changelog; one holds all of a contact: the outputs about it, then its records
    records      what the disk gets: as `groups`, without outputs
    contact_ids  the contacts that it is about; None: all that have changed, and the notes of the partition
    number       the number of its outputs, see `streamseg.store.kept_outputs`; None: it has none
    tells_sent   whether `groups` begins with the number up to which all outputs were sent
    """

    groups: list[list[KeyValue]]
    records: list[KeyValue]
    contact_ids: Sequence[str] | None
    number: int | None
    tells_sent: bool
