"""The engine: a contact, one input and a clock give membership changes.

The contract of every method of `Engine`:

1. It changes the contact that it is given (head, body and attributes), this contact's events in the event
   log and its membership changes in the change log, and nothing else. The caller writes the contact
   afterwards.
2. It emits membership changes, new ends of memberships and suppressions through the emitter, each once and in
   order.
3. It reads the contact, its kept events, the plan and the settings that the engine was made with. Time is the
   `now_ms` that is passed in: no clock, no network and no other contact is read.
4. The same contact, events, plan, settings, input and time give the same changes in every process.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from schemas.attributes import KNOWN_SINCE
from streamseg.contact.contact import Contact
from streamseg.contact.ended_sequences import forget_ends
from streamseg.contact.first_values import FirstValues
from streamseg.contact.rows import ListEntry
from streamseg.engine.decoding import Update
from streamseg.engine.history import History
from streamseg.engine.past import KeptPast
from streamseg.engine.refill import refill
from streamseg.engine.settle import leave_all, settle, settle_suppressions
from streamseg.language.conditions.base import Condition
from streamseg.language.conditions.membership import member_id
from streamseg.language.segments import Segment
from streamseg.language.unsubscribe import (
    CHANNEL_SEGMENTS,
    GLOBAL_SEGMENT,
    SUBSCRIBING_EVENTS,
    end_with_erasure,
    form_answer,
    outlive_erasure,
    take_attribute,
    take_event,
)
from streamseg.plan.plan import Plan
from streamseg.records.derived import (
    ATTRIBUTE_CHANGED,
    GLOBAL_UNSUBSCRIBE,
    TAG_ADDED,
    TAG_REMOVED,
    DerivedEvents,
    origin_of,
)
from streamseg.records.inputs import Event, Record
from streamseg.records.outputs import Cause, Emitter, Reason
from streamseg.records.trace import trace_of
from streamseg.settings import Settings
from streamseg.store.protocol import ChangeLog, EventLog
from streamseg.times import MIN_MS
from streamseg.values import same_number_types, same_value

_BY_TIME = Reason(Cause.TIME)
# Attributes that `_set_attributes` does not set.
_SET_APART = frozenset(("contact_id", "tags", KNOWN_SINCE))
_NOTHING: tuple[Sequence[Condition], Sequence[Segment]] = ((), ())


class Engine:
    """Applies inputs and time to contacts under one plan. `event_log` keeps their events, and `change_log`
    their membership changes; None: these are not kept."""

    __slots__ = ("_emitter", "_past", "history", "plan")

    def __init__(
        self,
        *,
        event_log: EventLog,
        change_log: ChangeLog | None,
        plan: Plan,
        settings: Settings,
        emitter: Emitter,
    ) -> None:
        self.plan = plan
        self._emitter = emitter
        self._past = KeptPast(change_log, settings.history_retention_ms, settings.change_cap)
        self.history = History(event_log, settings.history_retention_ms, settings.history_cap)

    # Time

    def is_up_to_date(self, contact: Contact, now_ms: int) -> bool:
        """Return whether the contact was evaluated with this plan and is not due up to `now_ms`."""
        return contact.plan == self.plan.identity and (contact.due_ms is None or contact.due_ms > now_ms)

    def bring_up(self, contact: Contact, now_ms: int) -> bool:
        """Evaluate what is due up to `now_ms`, then apply a new plan. Return whether the contact has to be
        written."""
        due_ms = contact.due_ms
        settled = due_ms is not None and due_ms <= now_ms and self.advance(contact, now_ms)
        if contact.plan == self.plan.identity:
            return settled
        return self.reconcile(contact, now_ms) or settled

    def advance(self, contact: Contact, until_ms: int) -> bool:
        """Evaluate the contact at each time up to `until_ms` at which it is due, in order of time. Return
        whether it was due at all."""
        # `due_ms` is a variable of its own: mypyc would trust the first test of `contact.due_ms` to the end.
        due_ms = contact.due_ms
        if due_ms is None or due_ms > until_ms:
            return False
        self.reconcile(contact, due_ms)
        due_ms = contact.due_ms
        while due_ms is not None and due_ms <= until_ms:
            now_ms = due_ms
            if contact.prune_ms is not None and contact.prune_ms <= now_ms:
                self.history.prune(contact, now_ms)
                self._past.prune(contact, now_ms)
            is_due = contact.flip_ms is not None and contact.flip_ms <= now_ms
            if is_due:
                keys = [key for key, at_ms in contact.body.due.items() if at_ms <= now_ms]
                touched = [self.plan.conditions[key] for key in keys if key in self.plan.conditions]
                settle(contact, self.plan, touched, (), now_ms, _BY_TIME, self._emitter, self._past)
            self._done(contact, now_ms, evaluated=is_due)
            due_ms = contact.due_ms
        return True

    def _done(self, contact: Contact, now_ms: int, *, evaluated: bool) -> None:
        """Set the contact's clock and the time at which it is next due. `evaluated` is whether any condition
        was evaluated."""
        if now_ms > contact.clock_ms:
            contact.clock_ms = now_ms
        if evaluated:
            contact.flip_ms = min(contact.body.due.values(), default=None)
        oldest_ms = _earlier(contact.oldest_event_ms, contact.oldest_change_ms)
        prune_ms = None if oldest_ms is None else self.history.prune_ms(oldest_ms)
        forgot = contact.ended_ms is not None and forget_ends(contact, contact.clock_ms)
        if evaluated or forgot or prune_ms != contact.prune_ms:
            contact.prune_ms = prune_ms
            contact.due_ms = _earlier(contact.flip_ms, prune_ms)
            if contact.known_since_ms is None and contact.ended_ms is not None:
                # Nothing of an erased contact may stay, so it is due to forget its ended sequences. Other
                # contacts forget them with their next input.
                contact.due_ms = contact.ended_ms + 1

    # Behaviour events

    def event(self, contact: Contact, event: Event, record: Record, now_ms: int) -> bool:
        """Apply a behaviour event. Return False if nothing changed: the event is a repeat, or it belongs to
        an erased past and does not change an opt-out."""
        trace = trace_of(record.headers) if record.headers else None
        if contact.erased_ms is not None and event.occurred_ms <= contact.erased_ms:
            return self._event_of_the_past(contact, event, now_ms, trace)
        if contact.event_count and self.history.repeats(contact, event, now_ms):
            return False
        affected, record_ms = _NOTHING, record.timestamp_ms
        if contact.known_since_ms is None or record_ms < contact.known_since_ms:
            affected = self._mark_known(contact, record_ms)
        touched: dict[int, Condition] = {}
        channel: str | None = None
        derived: tuple[DerivedEvents, ...] = ()
        if event.name in SUBSCRIBING_EVENTS:
            channel = take_event(contact, event)
            if channel is not None:
                self._touch_channel(channel, touched)
            if form_answer(event) is False:
                unsubscribed = DerivedEvents.of(record, event.occurred_ms)
                unsubscribed.add(GLOBAL_UNSUBSCRIBE, ("subscribed",))
                derived = (unsubscribed,)
        self._apply_events(
            contact, (event,), derived, affected, touched, now_ms, Cause.BEHAVIOR_EVENT, event.event_id, trace
        )
        if channel is not None:
            settle_suppressions(contact, now_ms, self._emitter, trace)
        return True

    def _event_of_the_past(self, contact: Contact, event: Event, now_ms: int, trace: bytes | None) -> bool:
        """Apply an unsubscribe or resubscribe in an erased past, if the erasure kept opt-outs. Return whether
        it changed anything."""
        since_ms = contact.opt_outs_since_ms
        if since_ms is not None and event.occurred_ms <= since_ms:
            return False
        channel = take_event(contact, event)
        if channel is None:
            return False
        if contact.known_since_ms is not None:
            touched: dict[int, Condition] = {}
            self._touch_channel(channel, touched)
            reason = Reason(Cause.BEHAVIOR_EVENT, event.event_id, trace)
            settle(contact, self.plan, touched.values(), (), now_ms, reason, self._emitter, self._past)
        settle_suppressions(contact, now_ms, self._emitter, trace)
        self._done(contact, now_ms, evaluated=True)
        return True

    def _mark_known(self, contact: Contact, record_ms: int) -> tuple[Sequence[Condition], Sequence[Segment]]:
        """Mark the contact as known since `record_ms` at the latest. Return the conditions and segments to
        evaluate because of this."""
        if contact.known_since_ms is None:
            contact.known_since_ms = record_ms
            contact.plan = self.plan.identity
            if contact.erased_ms is not None and contact.body.unsubscribes:
                return [
                    *self.plan.new_contact_conditions,
                    *self.plan.built_in.values(),
                ], self.plan.new_contact_segments
            return self.plan.new_contact_conditions, self.plan.new_contact_segments
        if record_ms < contact.known_since_ms:
            contact.known_since_ms = record_ms
            return self.plan.known_since_dependent, ()
        return _NOTHING

    def _apply_events(
        self,
        contact: Contact,
        events: Iterable[Event],
        derived: Iterable[DerivedEvents],
        affected: tuple[Sequence[Condition], Sequence[Segment]],
        touched: dict[int, Condition],
        now_ms: int,
        cause: Cause,
        ref: str | None,
        trace: bytes | None,
    ) -> None:
        """Feed the events and the derived events to the conditions that test them, keep the events, and
        evaluate everything that was touched. `affected` is what `_mark_known` returned; `cause`, `ref` and
        `trace` are the reason of the changes."""
        plan, history = self.plan, self.history
        conditions, segments = affected
        for condition in conditions:
            touched[condition.id] = condition
        for event in events:
            self._feed(contact, event, touched, now_ms)
            history.keep(contact, event, now_ms)
        for one in derived:
            if not len(one):
                continue
            # Few definitions test derived events, so most of these events are never made.
            for name in one.names:
                if name not in plan.dispatch.event_names:
                    continue
                for event in one.events(name):
                    self._feed(contact, event, touched, now_ms)
            history.keep_derived(contact, one, now_ms)
        if touched or segments:
            reason = Reason(cause, ref, trace)
            settle(contact, plan, touched.values(), segments, now_ms, reason, self._emitter, self._past)
            self._done(contact, now_ms, evaluated=True)
        else:
            self._done(contact, now_ms, evaluated=False)

    def _feed(self, contact: Contact, event: Event, touched: dict[int, Condition], now_ms: int) -> None:
        for fed in self.plan.dispatch.conditions_for(event):
            if fed.feed(contact, event, now_ms):
                touched[fed.id] = fed

    def _touch_channel(self, channel: str, touched: dict[int, Condition]) -> None:
        condition = self.plan.built_in[CHANNEL_SEGMENTS.get(channel, GLOBAL_SEGMENT)]
        touched[condition.id] = condition

    # Contact updates

    def update(self, contact: Contact, update: Update, record: Record, now_ms: int) -> bool:
        """Apply a contact update. Return False if it is older than an erasure."""
        if update.deleted:
            self._erase(contact, update, record, now_ms)
            return True
        if contact.erased_ms is not None and update.updated_ms < contact.erased_ms:
            return False
        trace = trace_of(record.headers) if record.headers else None
        affected, record_ms = _NOTHING, record.timestamp_ms
        since_ms = contact.known_since_ms
        if since_ms is None or (record_ms < since_ms and not _is_outdated(contact, update)):
            affected = self._mark_known(contact, record_ms)
        touched: dict[int, Condition] = {}
        derived = DerivedEvents.of(record, update.updated_ms)
        self._set_attributes(contact, update, touched, derived)
        if update.touches_tags:
            self._set_tags(contact, update, touched, derived)
        for segment_id, wanted in _list_changes(update):
            self._set_list(contact, segment_id, wanted, update.updated_ms, touched)
        self._apply_events(
            contact, (), (derived,), affected, touched, now_ms, Cause.CONTACT_UPDATE, record.position, trace
        )
        if "subscribed" in update.attributes:
            settle_suppressions(contact, now_ms, self._emitter, trace)
        return True

    def _set_attributes(
        self,
        contact: Contact,
        update: Update,
        touched: dict[int, Condition],
        derived: DerivedEvents,
    ) -> None:
        """Set the attributes of the update that are not older than the ones kept."""
        attributes, updated_ms = contact.attributes, update.updated_ms
        if update.attributes and _SET_APART.isdisjoint(update.attributes) and attributes.is_empty():
            self._set_first_attributes(contact, update, touched, derived)
            return
        by_attribute = self.plan.dispatch.by_attribute
        for name, value in update.attributes.items():
            if name in _SET_APART:
                continue
            stored = attributes.get(name)
            old: Any = None
            if stored is not None:
                old, stated_ms = stored
                if updated_ms < stated_ms:
                    continue
            attributes.set(name, value, updated_ms)
            if old is None:
                _note_set(contact, name, stated=stored is not None, empty=value is None)
            if name == "subscribed" and value is not None and take_attribute(contact, value, updated_ms):
                self._touch_channel("global", touched)
                if not value:
                    derived.add(GLOBAL_UNSUBSCRIBE, (name,))
            same = same_value(old, value)
            if same and same_number_types(old, value):
                continue
            if name in by_attribute:
                self._touch_attribute(contact, name, old, value, updated_ms, touched)
            if not same:
                derived.add(ATTRIBUTE_CHANGED, (name, old, value))

    def _set_first_attributes(
        self, contact: Contact, update: Update, touched: dict[int, Condition], derived: DerivedEvents
    ) -> None:
        """Set the attributes of a contact that has none: all of them, none of which had a value before."""
        values, updated_ms = update.attributes, update.updated_ms
        first = FirstValues(values)
        contact.attributes.set_first(first, updated_ms)
        subscribed = values.get("subscribed")
        unsubscribed = False
        if subscribed is not None and take_attribute(contact, subscribed, updated_ms):
            self._touch_channel("global", touched)
            unsubscribed = not subscribed
        by_attribute = self.plan.dispatch.by_attribute
        for name, value in values.items():
            if value is None:
                _note_set(contact, name, stated=False, empty=True)
            elif name in by_attribute:
                self._touch_attribute(contact, name, None, value, updated_ms, touched)
        derived.set_first(first, unsubscribed=unsubscribed)

    def _touch_attribute(
        self, contact: Contact, name: str, old: Any, new: Any, updated_ms: int, touched: dict[int, Condition]
    ) -> None:
        dispatch = self.plan.dispatch.by_attribute.get(name)
        if dispatch is None:
            return
        for fed in dispatch.fed:
            fed.changed(contact, old, new, updated_ms)
        for condition in dispatch.find(old, new):
            touched[condition.id] = condition

    def _set_tags(
        self,
        contact: Contact,
        update: Update,
        touched: dict[int, Condition],
        derived: DerivedEvents,
    ) -> None:
        stored = contact.attributes.get("tags")
        if stored is not None and update.updated_ms < stored[1]:
            return
        old: list[str] = [] if stored is None else stored[0] or []
        new = list(old)
        if "tags" in update.attributes:
            new = update.attributes["tags"] or []
        if update.tags_set is not None:
            new = update.tags_set
        gone = set(update.tags_remove)
        new = list(dict.fromkeys(tag for tag in (*new, *update.tags_add) if tag not in gone))
        contact.attributes.set("tags", new, update.updated_ms)
        if not old:
            _note_set(contact, "tags", stated=stored is not None, empty=not new)
        had, has = set(old), set(new)
        if had == has:
            return
        self._touch_attribute(contact, "tags", old, new, update.updated_ms, touched)
        for name, tags in (
            (TAG_ADDED, [tag for tag in new if tag not in had]),
            (TAG_REMOVED, [tag for tag in old if tag not in has]),
        ):
            for tag in tags:
                derived.add(name, (tag,))

    def _set_list(
        self,
        contact: Contact,
        segment_id: str,
        wanted: bool,
        updated_ms: int,
        touched: dict[int, Condition],
    ) -> None:
        stored = contact.body.lists.get(segment_id)
        if stored is not None and updated_ms < stored.updated_ms:
            return
        segment = self.plan.segments[segment_id]
        contact.body.lists[segment_id] = ListEntry(wanted, updated_ms, segment.born)
        for condition in segment.conditions:
            touched[condition.id] = condition

    # Erasure

    def _erase(self, contact: Contact, update: Update, record: Record, now_ms: int) -> None:
        """Exit all segments and drop the state; opt-outs are kept if the update says so. Then apply again the
        events that occurred after the erasure: events come in another topic, so some of them may have been
        read before the erasure."""
        erased_ms = update.updated_ms
        trace = trace_of(record.headers) if record.headers else None
        reason = Reason(Cause.DELETION, record.position, trace)
        leave_all(contact, list(contact.body.members), now_ms, reason, self._emitter, self._past)
        self._past.forget_all(contact, now_ms)
        later = self.history.forget_all(contact, erased_ms)
        contact.erased_ms = erased_ms if contact.erased_ms is None else max(erased_ms, contact.erased_ms)
        if update.keep_suppressions:
            opt_outs = outlive_erasure(contact)
        else:
            contact.opt_outs_since_ms = contact.erased_ms
            opt_outs = end_with_erasure(contact, contact.erased_ms)
        suppressed = contact.body.suppressed
        contact.reset()
        contact.body.suppressed = suppressed
        contact.body.unsubscribes = opt_outs
        contact.plan = self.plan.identity
        events = [event for event in later if not event.derived]
        if events:
            affected = self._mark_known(contact, min(event.recorded_ms for event in events))
            derived = [
                DerivedEvents.gather(those)
                for _, those in groupby((event for event in later if event.derived), key=_origin)
            ]
            ref = events[-1].event_id
            self._apply_events(
                contact, events, derived, affected, {}, now_ms, Cause.BEHAVIOR_EVENT, ref, trace
            )
        settle_suppressions(contact, now_ms, self._emitter, trace)
        self._done(contact, now_ms, evaluated=True)

    # Definitions

    def reconcile(self, contact: Contact, now_ms: int) -> bool:
        """Evaluate a contact with this plan if it was last evaluated with another one. Return whether it was.

        Missing summaries of new conditions are made from the kept history and the latest attributes. A
        summary that is there is complete, because every input since would have brought the contact up to
        date. If a condition of an earlier plan has no summary, no event mattered to it, and making the
        summary again changes nothing.
        """
        plan = self.plan
        if contact.plan == plan.identity:
            return False
        news = plan.news_since(contact.plan)
        # Layout 4 kept less about opt-outs.
        restated = contact.plan < 0
        contact.plan = plan.identity
        if contact.known_since_ms is None:
            return True
        self._drop_deleted(contact, now_ms)
        fresh = {**news.conditions, **{one.id: one for one in plan.following}}
        # A condition that is due now changes by time, not by the new definitions.
        for key in [key for key, due_ms in contact.body.due.items() if due_ms <= now_ms]:
            fresh.pop(key, None)
        refill(contact, fresh.values(), plan.dispatch, self.history, now_ms)
        newest = plan.newest
        ref = None if newest is None else f"{newest.segment_id}@{newest.version}"
        reason = Reason(Cause.DEFINITION, ref)
        settle(contact, plan, fresh.values(), news.segments, now_ms, reason, self._emitter, self._past)
        if restated:
            settle_suppressions(contact, now_ms, self._emitter)
        self._done(contact, now_ms, evaluated=True)
        return True

    def recount(self, contact: Contact, segment_ids: Iterable[str], now_ms: int) -> None:
        """Evaluate segments, and the segments they refer to, from only the contact's attributes and kept
        history, without the summaries of their conditions. Emit the differences. The contact must be up to
        date at `now_ms`.

        A condition that may depend on events which are no longer kept is not evaluated again, because these
        events cannot be counted again."""
        plan, forgotten_ms = self.plan, self.history.forgotten_ms(contact, now_ms)
        segments = {one.segment_id: one for key in segment_ids for one in plan.dependencies(key).segments}
        conditions = {
            condition.id: condition
            for segment in segments.values()
            for condition in map(plan.conditions.__getitem__, (one.id for one in segment.conditions))
            if forgotten_ms is None or not condition.reaches(forgotten_ms, now_ms)
        }
        for key in conditions:
            contact.body.summaries.pop(key, None)
        refill(contact, conditions.values(), plan.dispatch, self.history, now_ms)
        settle(
            contact,
            plan,
            conditions.values(),
            segments.values(),
            now_ms,
            Reason(Cause.DEFINITION),
            self._emitter,
            self._past,
        )
        self._done(contact, now_ms, evaluated=True)

    def _drop_deleted(self, contact: Contact, now_ms: int) -> None:
        """Exit the segments that were deleted, and forget their rows. Set version and birth in the rows of
        the other segments to those in force now."""
        plan, body = self.plan, contact.body
        members, lists = body.members, body.lists
        gone = {
            segment_id
            for rows in (members, lists)
            for segment_id, row in rows.items()
            if not _is_about(plan.segments.get(segment_id) or plan.waiting.get(segment_id), row.born)
        }
        leave_all(contact, gone & members.keys(), now_ms, Reason(Cause.DEFINITION), self._emitter, self._past)
        for segment_id in gone & lists.keys():
            lists.pop(segment_id)
        for segment_id in members.keys() - plan.waiting.keys():
            membership, segment = members[segment_id], plan.segments[segment_id]
            if (membership.version, membership.born) != (segment.version, segment.born):
                members[segment_id] = membership._replace(version=segment.version, born=segment.born)
        for segment_id, entry in lists.items():
            born = plan.segments[segment_id].born
            if entry.born != born:
                lists[segment_id] = entry._replace(born=born)
        body.true.difference_update(member_id(segment_id) for segment_id in gone)
        # Operations of sets over all conditions of the plan would take as long as all the rest.
        known, member_ids = plan.conditions, plan.member_ids
        for key in [one for one in body.true if one not in known and one not in member_ids]:
            body.true.discard(key)
        for kept in (body.summaries, body.due, body.flips):
            for key in [one for one in kept if one not in known]:
                del kept[key]


def _is_about(segment: Segment | None, born: int | None) -> bool:
    """Return whether a row under a segment's id belongs to this segment, and not to an earlier segment of the
    same id that was deleted. `born` is the birth in the row; a row whose birth is unknown (None) belongs to
    this segment."""
    return segment is not None and (born is None or born >= segment.born)


def _origin(event: Event) -> str:
    return origin_of(event.event_id)


def _earlier(one_ms: int | None, other_ms: int | None) -> int | None:
    if one_ms is None or other_ms is None:
        return other_ms if one_ms is None else one_ms
    return min(one_ms, other_ms)


def _is_outdated(contact: Contact, update: Update) -> bool:
    """Return whether an update states something, and a newer statement stands for all that it states."""
    attributes, lists = contact.attributes, contact.body.lists
    names = [name for name in update.attributes if name not in _SET_APART]
    if update.touches_tags:
        names.append("tags")
    newest = [stored[1] if (stored := attributes.get(name)) else MIN_MS for name in names]
    for segment_id, _ in _list_changes(update):
        entry = lists.get(segment_id)
        newest.append(MIN_MS if entry is None else entry.updated_ms)
    return bool(newest) and all(update.updated_ms < stated_ms for stated_ms in newest)


def _note_set(contact: Contact, name: str, *, stated: bool, empty: bool) -> None:
    """Keep whether an attribute that was missing has ever had a value. `stated`: it was stated before;
    `empty`: it is stated to be missing now."""
    # Most attributes get a value when they are first stated. Then the body is not needed.
    if stated == empty:
        return
    never_set = contact.body.never_set
    if never_set is not None:
        if empty:
            never_set.add(name)
        else:
            never_set.discard(name)


def _list_changes(update: Update) -> Iterable[tuple[str, bool]]:
    yield from ((segment_id, True) for segment_id in update.lists_add)
    yield from ((segment_id, False) for segment_id in update.lists_remove)
