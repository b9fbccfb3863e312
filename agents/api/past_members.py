"""The contacts that were in a segment at an instant, entered it in a time, or have left it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from aiohttp import web
from pydantic import Field

from agents.api.auth import ACCOUNT
from agents.api.local_past import Entry, LocalPast, Page, Row, why
from agents.api.peers import Peers
from agents.api.problems import ProblemError, not_kept, too_late
from agents.api.requests import answer, instant, read_model, whole_number
from agents.api.turns import Turns
from schemas.pages import DEFAULT_ROWS, MOST_CONTACTS
from schemas.wire import WireModel
from streamseg.contact.kept_changes import KeptChange
from streamseg.engine.standing import standing_at
from streamseg.json_text import Json
from streamseg.settings import Settings
from streamseg.times import MAX_MS, MIN_MS, format_ms

AT, ENTERED_SINCE, ENTERED_BEFORE, LEFT_SINCE = "at", "entered_since", "entered_before", "left_since"
PARAMETERS: Final = (AT, ENTERED_SINCE, ENTERED_BEFORE, LEFT_SINCE)


class PastQuestion(WireModel):
    """A question from one worker to another. `first_ms` and `end_ms` are epoch ms: the instant of `at`, from
    when on contacts left, or the times between which they entered."""

    partitions: list[int] = Field(min_length=1)
    segment_id: str
    wanted: Literal["at", "entered", "left"]
    first_ms: int
    end_ms: int
    prefix: str
    after: str | None
    limit: int = Field(ge=1, le=MOST_CONTACTS + 1)


class _Wanted(NamedTuple):
    wanted: Literal["at", "entered", "left"]
    first_ms: int
    end_ms: int = MAX_MS + 1


class PastMembers:
    """Answers /segments/{segment_id}/contacts with one of `PARAMETERS`."""

    def __init__(self, settings: Settings, past: LocalPast, peers: Peers, turns: Turns) -> None:
        self._settings = settings
        self._past = past
        self._peers = peers
        self._turns = turns

    def internal_routes(self) -> list[web.RouteDef]:
        return [web.post("/past-members", self.page_here)]

    async def page(self, request: web.Request, segment_id: str) -> web.Response:
        wanted, first_ms, end_ms = self._wanted(request)
        limit = whole_number(request, "limit", DEFAULT_ROWS, 1, MOST_CONTACTS)
        question = PastQuestion(
            partitions=list(range(self._settings.partitions)),
            segment_id=segment_id,
            wanted=wanted,
            first_ms=first_ms,
            end_ms=end_ms,
            prefix=request.query.get("q", ""),
            after=request.query.get("after"),
            limit=limit + 1,
        )

        async def here(numbers: list[int]) -> Json:
            return await self._page(question.model_copy(update={"partitions": numbers}))

        async with self._turns.of(request[ACCOUNT]):
            pages = await self._peers.ask(
                request, question.partitions, here, "/past-members", question.model_dump()
            )
        page = Page.merged([Page(**one) for one in pages])
        rows = page.contacts
        cursor = rows[limit - 1]["contact_id"] if len(rows) > limit else page.reached
        body: Json = {"contacts": rows[:limit], "next_cursor": cursor}
        if wanted == "entered":
            # That is known of every membership.
            return answer(body)
        name = AT if wanted == "at" else LEFT_SINCE
        if first_ms < page.complete_ms:
            raise not_kept(page.complete_ms, name)
        if first_ms > page.clock_ms:
            raise too_late(page.clock_ms, name)
        body["complete_since"] = format_ms(page.complete_ms)
        if wanted == "at":
            body["at"] = format_ms(first_ms)
        return answer(body)

    def _wanted(self, request: web.Request) -> _Wanted:
        zone = self._settings.timezone
        at_ms, left_ms = instant(request, AT, zone), instant(request, LEFT_SINCE, zone)
        since_ms, before_ms = instant(request, ENTERED_SINCE, zone), instant(request, ENTERED_BEFORE, zone)
        given = [name for name in (AT, LEFT_SINCE) if name in request.query]
        if len(given) + (since_ms is not None or before_ms is not None) > 1:
            raise ProblemError(
                "invalid_schema",
                "give only one of at, left_since, and entered_since with entered_before",
                given[0],
            )
        if at_ms is not None:
            return _Wanted("at", at_ms)
        if left_ms is not None:
            return _Wanted("left", left_ms)
        first_ms = MIN_MS if since_ms is None else since_ms
        return _Wanted("entered", first_ms, MAX_MS + 1 if before_ms is None else before_ms)

    async def page_here(self, request: web.Request) -> web.Response:
        return answer(await self._page(await read_model(request, PastQuestion)))

    async def _page(self, question: PastQuestion) -> Json:
        row = _row(question)
        page = await self._past.contacts(
            question.partitions, question.segment_id, question.prefix, question.after, question.limit, row
        )
        return page.wire()


def _row(question: PastQuestion) -> Row:
    first_ms, end_ms = question.first_ms, question.end_ms

    def at(contact_id: str, changes: Sequence[KeptChange], entry: Entry | None) -> Json | None:
        one = standing_at(changes, entry, first_ms)
        if one is None:
            return None
        entered_at = None if one.entered_ms is None else format_ms(one.entered_ms)
        return {"contact_id": contact_id, "entered_at": entered_at, "sequence": one.sequence}

    def entered(contact_id: str, _: Sequence[KeptChange], entry: Entry | None) -> Json | None:
        if entry is None or not first_ms <= entry[1] < end_ms:
            return None
        return {"contact_id": contact_id, "entered_at": format_ms(entry[1]), "sequence": entry[0]}

    def left(contact_id: str, changes: Sequence[KeptChange], entry: Entry | None) -> Json | None:
        if entry is not None or not changes:
            return None
        last = max(changes, key=lambda change: change.number)
        if last.entered or last.effective_ms < first_ms:
            return None
        entry_ms = max(
            (one.effective_ms for one in changes if one.sequence == last.sequence - 1), default=None
        )
        return {
            "contact_id": contact_id,
            "entered_at": None if entry_ms is None else format_ms(entry_ms),
            "left_at": format_ms(last.effective_ms),
            "sequence": last.sequence,
            **why(last),
        }

    return {"at": at, "entered": entered, "left": left}[question.wanted]
