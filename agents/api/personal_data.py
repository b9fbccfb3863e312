"""The handlers of what a person may demand: all that is known of a contact, and its erasure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import orjson
from aiohttp import web
from pydantic import Field

from agents.api.auth import ACCOUNT
from agents.api.partitions import LocalPartitions
from agents.api.peers import Peers
from agents.api.preconditions import unversioned
from agents.api.problems import ProblemError, not_found
from agents.api.requests import answer, choice, read_model, to_the_end, whole_number
from agents.api.slices import in_thread
from agents.api.turns import Turns
from agents.kafka.batch_producer import BatchProducer, Message
from agents.kafka.partitioner import place
from agents.kafka.topics import DEAD_LETTER_RETENTION_MS, LONGEST_SEGMENT_MS, RETENTION_MS
from schemas.topics import CONTACT_UPDATES
from schemas.wire import WireModel
from streamseg.contact.contact import Contact
from streamseg.contact.kept_changes import KeptChange
from streamseg.contact.rows import GLOBAL
from streamseg.engine.history import History
from streamseg.engine.trial import EventSnapshot
from streamseg.json_text import Json
from streamseg.language.unsubscribe import CHANNEL_SEGMENTS
from streamseg.settings import Settings
from streamseg.times import format_ms

_GREATEST_OFFSET: Final = 2**53 - 1


class PersonQuestion(WireModel):
    """A question from one worker to another about one contact. `offset` is that of an erasure on
    `contact-updates`."""

    partitions: list[int] = Field(min_length=1, max_length=1)
    contact_id: str
    offset: int = -1


class Place(NamedTuple):
    """Where data of an erased contact was or is.

    name   one of those in docs/erasure.md
    by_ms  until when it is gone, epoch ms; None: it is gone
    """

    name: str
    by_ms: int | None

    def wire(self) -> Json:
        return {"place": self.name, "gone_by": None if self.by_ms is None else format_ms(self.by_ms)}


class PersonalData:
    """The handlers of /contacts/{contact_id}/export, of DELETE /contacts/{contact_id} and of
    /contacts/{contact_id}/erasure, for administrators."""

    def __init__(
        self,
        settings: Settings,
        *,
        local: LocalPartitions,
        peers: Peers,
        batch_producer: BatchProducer,
        turns: Turns,
    ) -> None:
        self._settings = settings
        self._local = local
        self._peers = peers
        self._batch_producer = batch_producer
        self._turns = turns

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/contacts/{contact_id}/export", self.export),
            web.get("/contacts/{contact_id}/erasure", self.erasure),
            web.delete("/contacts/{contact_id}", self.erase),
        ]

    def internal_routes(self) -> list[web.RouteDef]:
        return [web.post("/export", self.export_here), web.post("/erasure", self.erasure_here)]

    # -- export ------------------------------------------------------------------------------------------

    async def export(self, request: web.Request) -> web.Response:
        question = self._question(request)

        async def here(_: list[int]) -> Json:
            return await self._exported(question)

        async with self._turns.of(request[ACCOUNT]):
            (found,) = await self._peers.ask(
                request, question.partitions, here, "/export", question.model_dump()
            )
        return answer(found)

    async def export_here(self, request: web.Request) -> web.Response:
        return answer(await self._exported(await read_model(request, PersonQuestion)))

    async def _exported(self, question: PersonQuestion) -> Json:
        (number,) = question.partitions
        contact = self._local.task(number).store.contact(question.contact_id)
        if contact is None:
            raise not_found("contact", "contact_id")
        if contact.known_since_ms is None:
            # It was erased; what has to stay of it is shown too.
            return _exported(contact.copy(), [], [], self._local.task(number).partition.clock_ms)
        copied, events, task = await self._local.snapshot(number, question.contact_id)
        now_ms = task.partition.clock_ms

        def listed(check: Callable[[], None]) -> Json:
            found = self._events(copied, events.checked(check), now_ms)
            return _exported(copied, found, [_change(one) for one in changes], now_ms)

        async with self._local.slices.slice():
            task = self._local.task(number)
            changes = list(task.store.kept_changes(question.contact_id, copied.oldest_change_ms))
            return await in_thread(listed)

    def _events(self, contact: Contact, events: EventSnapshot, now_ms: int) -> list[Json]:
        history = History(events, self._settings.history_retention_ms, self._settings.history_cap)
        return [
            {
                "event_id": event.event_id,
                "event": event.name,
                "occurred_at": format_ms(event.occurred_ms),
                "recorded_at": format_ms(event.recorded_ms),
                "derived": event.derived,
                "properties": event.properties,
            }
            for event in history.kept(contact, now_ms)
        ]

    # -- erasure -----------------------------------------------------------------------------------------

    async def erase(self, request: web.Request) -> web.Response:
        """Write the erasure to `contact-updates`. A contact that is not known is erased too: older input that
        is still on its way does not make it known then."""
        unversioned(request)
        contact_id = request.match_info["contact_id"]
        body: Json = {"contact_id": contact_id, "deleted": True}
        if choice(request, "keep_suppressions", "false", ("true", "false")) == "true":
            body["keep_suppressions"] = True
        key = contact_id.encode()
        number = place(key, self._settings.partitions)
        sending = self._batch_producer.send(
            CONTACT_UPDATES, [Message(key, orjson.dumps(body))], partition=number
        )
        offset = await to_the_end(sending)
        return answer({"contact_id": contact_id, "partition": number, "offset": offset}, 202)

    async def erasure(self, request: web.Request) -> web.Response:
        offset = whole_number(request, "offset", 0, 0, _GREATEST_OFFSET)
        question = self._question(request, offset)

        async def here(_: list[int]) -> Json:
            return self._erased(question)

        async with self._turns.of(request[ACCOUNT]):
            (found,) = await self._peers.ask(
                request, question.partitions, here, "/erasure", question.model_dump()
            )
        return answer(found)

    async def erasure_here(self, request: web.Request) -> web.Response:
        return answer(self._erased(await read_model(request, PersonQuestion)))

    def _erased(self, question: PersonQuestion) -> Json:
        (number,) = question.partitions
        task = self._local.task(number)
        contact = task.store.contact(question.contact_id)
        applied = contact is not None and contact.update_offset >= question.offset
        if contact is None or contact.erased_ms is None or not applied:
            raise ProblemError("not_found", "no erasure of this contact has been applied yet", "offset")
        now_ms = task.partition.clock_ms
        return {
            "contact_id": question.contact_id,
            "erased_at": format_ms(contact.erased_ms),
            "known_again": contact.known_since_ms is not None,
            "kept_suppressions": sorted(contact.body.suppressed) if contact.known_since_ms is None else [],
            "sent": not task.buffer.holds(question.contact_id),
            "places": [one.wire() for one in self._places(now_ms, task.store.compacted_ms)],
        }

    def _places(self, now_ms: int, compacted_ms: int | None) -> list[Place]:
        """Return where the data was or is. The times are bounds for an erasure that was just applied; of an
        older one the data may be gone already."""
        interval_ms = self._settings.compaction_interval_ms
        by_age_ms = now_ms + RETENTION_MS + LONGEST_SEGMENT_MS
        return [
            Place("state", None),
            Place("memberships", None),
            Place("suppressions", None),
            Place("disk", (now_ms if compacted_ms is None else compacted_ms) + interval_ms),
            Place("compacted_topics", now_ms + 2 * RETENTION_MS),
            Place("inputs", by_age_ms),
            Place("membership_changes", by_age_ms),
            Place("dead_letters", now_ms + DEAD_LETTER_RETENTION_MS + LONGEST_SEGMENT_MS),
        ]

    def _question(self, request: web.Request, offset: int = -1) -> PersonQuestion:
        contact_id = request.match_info["contact_id"]
        number = place(contact_id.encode(), self._settings.partitions)
        return PersonQuestion(partitions=[number], contact_id=contact_id, offset=offset)


def _change(change: KeptChange) -> Json:
    return {
        "segment_id": change.segment_id,
        "segment_version": change.version,
        "change": "entered" if change.entered else "exited",
        "sequence": change.sequence,
        "effective_at": format_ms(change.effective_ms),
        "reason": {"kind": change.kind, "ref": change.ref},
    }


def _exported(contact: Contact, events: list[Json], changes: list[Json], now_ms: int) -> Json:
    body = contact.body
    return {
        "contact_id": contact.contact_id,
        "exported_at": format_ms(now_ms),
        "known_since": _instant(contact.known_since_ms),
        "erased_at": _instant(contact.erased_ms),
        "attributes": [
            {"attribute": name, "value": value, "updated_at": format_ms(updated_ms)}
            for name, (value, updated_ms) in sorted(contact.attributes.items())
        ],
        "lists": [
            {"segment_id": segment_id, "is_in": entry.is_in, "updated_at": format_ms(entry.updated_ms)}
            for segment_id, entry in sorted(body.lists.items())
        ],
        "memberships": [
            {
                "segment_id": segment_id,
                "member": membership.is_member,
                "sequence": membership.sequence,
                "changed_at": format_ms(membership.effective_ms),
                "next_change_at": _instant(membership.next_ms),
            }
            for segment_id, membership in sorted(body.members.items())
        ],
        "changes": changes,
        "suppressions": sorted(body.suppressed),
        "opt_outs": _opt_outs(contact),
        "events": events,
    }


def _opt_outs(contact: Contact) -> Json:
    """Return what is kept of unsubscribing and resubscribing, by channel."""
    registers = contact.body.unsubscribes
    found: Json = {}
    for channel in CHANNEL_SEGMENTS:
        register = registers.channel(channel)
        found[channel] = {
            "unsubscribed": [
                {"event_id": one.event_id, "occurred_at": format_ms(one.occurred_ms)}
                for one in register.opt_outs
            ],
            "resubscribed_at": _instant(register.resubscribed_ms),
        }
    statements = registers.statements
    found[GLOBAL] = {
        "form_no_at": _instant(statements.form_no_ms),
        "form_yes_at": _instant(statements.form_yes_ms),
        "attribute_no_at": _instant(statements.attribute_no_ms),
        "attribute_yes_at": _instant(statements.attribute_yes_ms),
    }
    return found


def _instant(ms: int | None) -> str | None:
    return None if ms is None else format_ms(ms)
