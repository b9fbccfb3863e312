"""The outputs that a changelog holds until they were sent.

Checkpoints with outputs are numbered from 1. Each record of outputs has the number of its checkpoint. A note
of the partition holds the number up to which all outputs were sent. It speaks of the outputs before it in the
changelog. All others may not have been sent: the worker that restores the partition from the changelog sends
them again. The number alone does not tell: the last records of a checkpoint may reach the changelog after the
next owner has read it and has sent the outputs of the first ones.

The note on disk is as of the last commit. The changelog gets the note with the next checkpoint that has
outputs, as its first record, because the records after it overwrite places of outputs that were sent before.
Places that a checkpoint does not need get a tombstone in it, so that a compacted changelog keeps no output
for longer than to the next checkpoint. A second note, on disk only, is the number of places in use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import orjson
from rocksdict import WriteBatch

from streamseg.store import layout
from streamseg.store.database import Database, KeyValue, new_batch
from streamseg.store.note_table import NoteTable
from streamseg.store.pending import PendingCheckpoint

SENT = "outputs_said"
SENT_KEY = layout.meta_key(SENT)
_PLACES = "output_places"


def in_order(kept: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    """Return the outputs in records (key and value), in the order in which they are to be sent."""
    read = (layout.read_output(key, value) for key, value in kept)
    return [output for _, _, output in sorted((number, place, output) for place, number, output in read)]


class Unsent:
    """Which outputs of a changelog may not have been sent, by their keys, while its records are read in their
    order."""

    __slots__ = ("_numbers",)

    def __init__(self, kept: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """`kept` are the outputs that may not have been sent, of the records before: key and value."""
        self._numbers = {key: layout.read_output(key, value)[1] for key, value in kept}

    def note(self, key: bytes, value: bytes | None) -> None:
        """Take note of a record of outputs."""
        if value is None:
            self._numbers.pop(key, None)
        else:
            self._numbers[key] = layout.read_output(key, value)[1]

    def sent(self, note: bytes | None) -> list[bytes]:
        """Return the keys of the outputs that a note in the changelog says were sent: those before it with a
        number up to its own. Cost: one step for each output that may not have been sent."""
        sent = 0 if note is None else orjson.loads(note)
        keys = [key for key, number in self._numbers.items() if number <= sent]
        for key in keys:
            del self._numbers[key]
        return keys


class KeptOutputs:
    """The outputs on disk, which came from a changelog, and the number up to which all were sent."""

    __slots__ = ("_database", "_notes", "_sent_in_changelog", "_unsent")

    def __init__(self, database: Database, notes: NoteTable) -> None:
        self._database = database
        self._notes = notes
        # The outputs on disk, while a changelog is applied; None: not read yet.
        self._unsent: Unsent | None = None
        # Whether the current "sent up to" number has been written to the changelog.
        self._sent_in_changelog = False

    @property
    def _sent(self) -> int:
        number: int | None = self._notes.get(SENT)
        return number or 0

    def unsent(self) -> list[bytes]:
        """Return the outputs that may not have been sent, in their order."""
        return in_order(self._database.items(layout.OUTPUT, layout.OUTPUT))

    def applied(self, records: Sequence[KeyValue]) -> dict[bytes, bytes | None]:
        """Return what changelog records change in the outputs on disk: key -> value, or None for an output
        that is not there any more."""
        unsent = self._unsent
        if unsent is None:
            unsent = self._unsent = Unsent(self._database.items(layout.OUTPUT, layout.OUTPUT))
        changed: dict[bytes, bytes | None] = {}
        for key, value in records:
            if key[:1] == layout.OUTPUT:
                changed[key] = value
                unsent.note(key, value)
            elif key == SENT_KEY:
                changed.update(dict.fromkeys(unsent.sent(value)))
        return changed

    def forget(self) -> None:
        """Delete the outputs on disk and raise the "sent up to" number, because all of them were sent. The
        next changelog records begin with that number."""
        self._unsent = None
        kept = [(place, number) for place, number, _ in self._kept()]
        if not kept:
            return
        batch = new_batch()
        for place, _ in kept:
            batch.delete(layout.output_key(place))
        sent = max(self._sent, *(number for _, number in kept))
        places = max(self._places, *(place + 1 for place, _ in kept))
        self._write_sent(batch, sent, places)
        self._database.write(batch)
        self._settle_sent(sent, places)

    def _kept(self) -> Iterator[tuple[int, int, bytes]]:
        return (layout.read_output(*item) for item in self._database.items(layout.OUTPUT, layout.OUTPUT))

    def checkpoint(
        self,
        contacts: Mapping[str, list[KeyValue]],
        notes: list[KeyValue],
        outputs: Mapping[str, bytes],
        writes: list[list[KeyValue]],
        *,
        everything: bool,
    ) -> PendingCheckpoint:
        """Return a checkpoint of the contacts' records and the notes, with the outputs by contact id.
        `writes` are the records for the disk."""
        sent, used = self._sent, self._places
        number = sent + 1
        has_sent_number = bool(outputs or (sent and not self._sent_in_changelog))
        groups: list[list[KeyValue]] = []
        if has_sent_number:
            groups.append([(SENT_KEY, orjson.dumps(sent))])
        if used > len(outputs):
            # In one group with the number, which says that the outputs in these places were sent.
            unused = [(layout.output_key(place), None) for place in range(len(outputs), used)]
            groups = [[*(record for group in groups for record in group), *unused]]
        place = 0
        for contact_id, group in contacts.items():
            if contact_id in outputs:
                group = [self._record(place, number, outputs[contact_id]), *group]
                place += 1
            groups.append(group)
        groups += [
            [self._record(place, number, outputs[contact_id])]
            for place, contact_id in enumerate((one for one in outputs if one not in contacts), place)
        ]
        if notes:
            groups.append(notes)
        return PendingCheckpoint(
            groups=groups,
            writes=writes,
            contact_ids=None if everything else list(contacts),
            number=number if outputs else None,
            has_sent_number=has_sent_number,
            output_places=len(outputs),
        )

    @staticmethod
    def _record(place: int, number: int, output: bytes) -> KeyValue:
        """Return the record of the outputs about one contact. The next checkpoint uses the same places again.
        So a compacted changelog holds no more outputs than the largest checkpoint had."""
        return layout.output_key(place), layout.output_value(number, output)

    def write_number(self, batch: WriteBatch, pending: PendingCheckpoint) -> None:
        """Put the new "sent up to" number and the number of places into the checkpoint's batch, if they
        changed."""
        if pending.number is not None or pending.output_places != self._places:
            number = self._sent if pending.number is None else pending.number
            self._write_sent(batch, number, pending.output_places)

    def settle(self, pending: PendingCheckpoint) -> None:
        """Update the state after the checkpoint was written to the changelog and to disk."""
        if pending.number is not None:
            self._settle_sent(pending.number, pending.output_places)
            return
        if pending.has_sent_number:
            self._sent_in_changelog = True
        if pending.output_places != self._places:
            self._notes.wrote(_PLACES, pending.output_places)

    @property
    def _places(self) -> int:
        number: int | None = self._notes.get(_PLACES)
        return number or 0

    @staticmethod
    def _write_sent(batch: WriteBatch, number: int, places: int) -> None:
        batch.put(SENT_KEY, orjson.dumps(number))
        batch.put(layout.meta_key(_PLACES), orjson.dumps(places))

    def _settle_sent(self, number: int, places: int) -> None:
        self._notes.wrote(SENT, number)
        self._notes.wrote(_PLACES, places)
        self._sent_in_changelog = False
