"""The kept membership changes of a contact. The retention and the cap drop changes, the oldest first."""

from __future__ import annotations

from itertools import islice

from streamseg.contact.contact import Contact
from streamseg.contact.kept_changes import KeptChange
from streamseg.contact.rows import Past, later
from streamseg.records.outputs import MembershipChange
from streamseg.store.protocol import ChangeLog
from streamseg.times import DAY_MS


class KeptPast:
    """Keeps the changes of contacts, under a retention (ms) and a cap for each contact.

    A change that is `retention_ms` old is dropped with the events of that age. What is dropped stays known:
    the contact keeps the time of the latest change that the retention dropped (`unkept_ms`) and, for each
    segment, of the latest one that the cap dropped.
    """

    __slots__ = ("_cap", "_expired_ms", "_log", "_retention_ms")

    def __init__(self, log: ChangeLog | None, retention_ms: int, cap: int) -> None:
        """Without a log nothing is kept: for trials, and for a layout that has no place for it."""
        self._log = log
        self._retention_ms = retention_ms
        self._cap = cap
        # When sums of the growth were last looked at for expired ones.
        self._expired_ms: int | None = None

    def keep(self, contact: Contact, change: MembershipChange, born: int) -> None:
        """Keep a change that is emitted now. `born` is the birth of its segment."""
        log, at_ms = self._log, change.effective_ms
        if log is None:
            contact.unkept_ms = later(contact.unkept_ms, at_ms)
            return
        past = contact.body.past
        kept = KeptChange(
            at_ms,
            past.number,
            change.segment_id,
            change.sequence,
            change.segment_version,
            change.reason.kind.value,
            change.reason.ref,
            born,
        )
        log.keep_change(contact.contact_id, kept)
        contact.body.past = Past(past.number + 1, past.kept + 1, past.since_ms, past.dropped)
        oldest_ms = contact.oldest_change_ms
        if oldest_ms is None or at_ms < oldest_ms:
            contact.oldest_change_ms = at_ms
        if past.kept >= self._cap:
            self._drop_oldest(contact, log)
        if self._expired_ms is None or at_ms >= self._expired_ms + DAY_MS:
            self._expired_ms = at_ms
            log.expire_growth(at_ms - self._retention_ms)

    def _drop_oldest(self, contact: Contact, log: ChangeLog) -> None:
        """Drop what is more than the cap."""
        contact_id, past = contact.contact_id, contact.body.past
        surplus = past.kept - self._cap
        oldest = list(islice(log.kept_changes(contact_id, contact.oldest_change_ms), surplus + 1))
        contact.oldest_change_ms = oldest.pop().effective_ms
        dropped = {} if past.dropped is None else dict(past.dropped)
        for change in oldest:
            log.drop_change(contact_id, change)
            dropped[change.segment_id] = change.effective_ms
            log.set_floor(change.segment_id, contact_id, change.effective_ms)
        since_ms = oldest[-1].effective_ms
        if past.since_ms is not None and past.since_ms > since_ms:
            since_ms = past.since_ms
        contact.body.past = Past(past.number, self._cap, since_ms, dropped)

    def prune(self, contact: Contact, now_ms: int) -> None:
        """Drop the changes that are older than the retention."""
        oldest_ms, horizon_ms = contact.oldest_change_ms, now_ms - self._retention_ms
        if oldest_ms is None or oldest_ms > horizon_ms:
            return
        log = self._log
        contact.oldest_change_ms = None
        if log is None:
            return
        gone: list[KeptChange] = []
        for change in log.kept_changes(contact.contact_id, oldest_ms):
            if change.effective_ms > horizon_ms:
                contact.oldest_change_ms = change.effective_ms
                break
            gone.append(change)
        for change in gone:
            log.drop_change(contact.contact_id, change)
        if gone:
            past, last_ms = contact.body.past, gone[-1].effective_ms
            contact.body.past = Past(past.number, past.kept - len(gone), past.since_ms, past.dropped)
            if contact.unkept_ms is None or last_ms > contact.unkept_ms:
                contact.unkept_ms = last_ms

    def forget_all(self, contact: Contact, now_ms: int) -> None:
        """Drop all changes of a contact that is erased now, and what the cap dropped. They stay counted."""
        log, past = self._log, contact.body.past
        if log is None:
            return
        contact_id = contact.contact_id
        if past.kept:
            for change in list(log.kept_changes(contact_id, contact.oldest_change_ms)):
                log.drop_change(contact_id, change)
        if past.dropped is not None:
            for segment_id in past.dropped:
                log.set_floor(segment_id, contact_id, None)
        contact.oldest_change_ms = None
        contact.body.past = Past(past.number, 0, now_ms)
