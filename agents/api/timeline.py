"""The handler of /contacts/{contact_id}/timeline: what happened to a contact, the latest first."""

from __future__ import annotations

import base64
import binascii
import heapq
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import orjson
from aiohttp import web
from pydantic import Field

from agents.api.auth import ACCOUNT
from agents.api.catalogue_view import CatalogueView
from agents.api.local_past import LocalPast, why
from agents.api.partitions import LocalPartitions
from agents.api.peers import Peers
from agents.api.problems import ProblemError, language_of
from agents.api.requests import answer, read_model, whole_number
from agents.api.slices import in_thread
from agents.api.turns import Turns
from agents.kafka.partitioner import place
from schemas.pages import DEFAULT_ROWS, MOST_ROWS
from schemas.wire import WireModel
from streamseg.contact.contact import Contact
from streamseg.contact.kept_changes import KeptChange
from streamseg.engine.history import History
from streamseg.engine.trial import EventSnapshot
from streamseg.json_text import Json
from streamseg.settings import Settings
from streamseg.times import format_ms
from streamseg.wording import terms

_EVENT, _MEMBERSHIP = 0, 1
_UNNUMBERED = -1


class Place(NamedTuple):
    """The place of a row in the timeline; rows are listed by descending place. At one time a change of a
    membership stands above the events, which may have caused it.

    at_ms    epoch ms
    kind     `_EVENT` or `_MEMBERSHIP`
    number   of a kept change; else `_UNNUMBERED`
    name     the event id or the segment id
    derived  whether the event is derived; else false
    """

    at_ms: int
    kind: int
    number: int
    name: str
    derived: bool


class TimelineQuestion(WireModel):
    """A question from one worker to another: up to `limit` rows before a place. Memberships are those of
    segments that `account` sees."""

    partitions: list[int] = Field(min_length=1, max_length=1)
    contact_id: str
    account: str
    before: list[Any] | None
    limit: int = Field(ge=1, le=MOST_ROWS + 1)


class Timeline:
    """The handler of /contacts/{contact_id}/timeline."""

    def __init__(
        self,
        settings: Settings,
        *,
        view: CatalogueView,
        local: LocalPartitions,
        past: LocalPast,
        peers: Peers,
        turns: Turns,
    ) -> None:
        self._settings = settings
        self._view = view
        self._local = local
        self._past = past
        self._peers = peers
        self._turns = turns

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/contacts/{contact_id}/timeline", self.get)]

    def internal_routes(self) -> list[web.RouteDef]:
        return [web.post("/timeline", self.get_here)]

    async def get(self, request: web.Request) -> web.Response:
        contact_id = request.match_info["contact_id"]
        limit = whole_number(request, "limit", DEFAULT_ROWS, 1, MOST_ROWS)
        cursor = request.query.get("cursor")
        question = TimelineQuestion(
            partitions=[place(contact_id.encode(), self._settings.partitions)],
            contact_id=contact_id,
            account=request[ACCOUNT],
            before=None if cursor is None else list(_read_cursor(cursor)),
            limit=limit + 1,
        )

        async def here(_: list[int]) -> Json:
            return await self._rows(question)

        async with self._turns.of(request[ACCOUNT]):
            (page,) = await self._peers.ask(
                request, question.partitions, here, "/timeline", question.model_dump()
            )
        rows, more = page["rows"][:limit], len(page["rows"]) > limit
        language = language_of(request)
        for row in rows:
            if row["kind"] == "event":
                label = terms.EVENTS.get(row["event"])
                row["label"] = None if label is None else label.of(language)
        return answer(
            {
                "contact_id": contact_id,
                "rows": rows,
                "next_cursor": _write_cursor(page["places"][limit - 1]) if more else None,
            }
        )

    async def get_here(self, request: web.Request) -> web.Response:
        return answer(await self._rows(await read_model(request, TimelineQuestion)))

    async def _rows(self, question: TimelineQuestion) -> Json:
        """Return rows, the latest first, and their places."""
        (number,) = question.partitions
        contact, events, task = await self._local.snapshot(number, question.contact_id)
        now_ms = task.partition.clock_ms
        before = None if question.before is None else Place(*question.before)
        saw = self._view.saw_by(question.account)
        changes = await self._past.changes(number, question.contact_id)

        def listed(check: Callable[[], None]) -> Json:
            found = (
                (at, row)
                for at, row in self._all_rows(contact, events.checked(check), changes, now_ms, saw)
                if before is None or at < before
            )
            latest = heapq.nlargest(question.limit, found, key=_place)
            return {"rows": [row for _, row in latest], "places": [list(at) for at, _ in latest]}

        async with self._local.slices.slice():
            return await in_thread(listed)

    def _all_rows(
        self,
        contact: Contact,
        events: EventSnapshot,
        changes: list[KeptChange],
        now_ms: int,
        saw: Callable[[str], bool],
    ) -> Iterator[tuple[Place, Json]]:
        settings = self._settings
        history = History(events, settings.history_retention_ms, settings.history_cap)
        for event in history.kept(contact, now_ms):
            row = {
                "at": format_ms(event.occurred_ms),
                "kind": "event",
                "event": event.name,
                "event_id": event.event_id,
                "derived": event.derived,
                "properties": event.properties,
            }
            yield Place(event.occurred_ms, _EVENT, _UNNUMBERED, event.event_id, event.derived), row
        for change in changes:
            if saw(change.segment_id):
                place = Place(change.effective_ms, _MEMBERSHIP, change.number, change.segment_id, False)
                yield place, _changed(change.segment_id, change.sequence, change.effective_ms, change)
        kept = {(change.segment_id, change.sequence, change.effective_ms) for change in changes}
        # Of a membership that began before changes were kept, the last change is known.
        for segment_id, (sequence, at_ms, *_) in contact.body.members.items():
            if (segment_id, sequence, at_ms) not in kept and saw(segment_id):
                place = Place(at_ms, _MEMBERSHIP, _UNNUMBERED, segment_id, False)
                yield place, _changed(segment_id, sequence, at_ms, None)


def _changed(segment_id: str, sequence: int, at_ms: int, change: KeptChange | None) -> Json:
    return {
        "at": format_ms(at_ms),
        "kind": "membership",
        "segment_id": segment_id,
        "change": "entered" if sequence % 2 == 1 else "exited",
        "sequence": sequence,
        **why(change),
    }


def _place(row: tuple[Place, Json]) -> Place:
    return row[0]


def _write_cursor(before: list[object]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(before)).decode()


def _read_cursor(cursor: str) -> Place:
    try:
        read = orjson.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise _bad_cursor() from error
    kinds = (int, int, int, str, bool)
    if not isinstance(read, list) or tuple(map(type, read)) != kinds:
        raise _bad_cursor()
    return Place(*read)


def _bad_cursor() -> ProblemError:
    return ProblemError("invalid_schema", "no cursor of a timeline; begin at the first page", "cursor")
