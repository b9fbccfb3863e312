"""The handler of /changes: membership changes as they happen, as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from aiohttp import web
from prometheus_client import Gauge
from pydantic import Field

from agents.api.auth import ACCOUNT
from agents.api.catalogue_view import CatalogueView
from agents.api.change_feed import ChangeFeed, Watcher
from agents.api.counted import ENDLESS
from agents.api.requests import answer, read_model, whole_number, words_wanted
from agents.partitions.recent_changes import KEPT_CHANGES
from schemas.wire import WireModel
from streamseg.catalogue import listing
from streamseg.catalogue.labels import Language
from streamseg.json_text import Json, dumps
from streamseg.wording.reasons import reason

HEARTBEAT_SECONDS: Final = 15.0
"""The longest time, in s, for which nothing is sent."""
CONTENT_TYPE: Final = "text/event-stream"


class ChangesQuestion(WireModel):
    """A question from one worker to another: what was sent since positions (partition -> position)."""

    partitions: list[int] = Field(min_length=1)
    positions: dict[str, list[Any]]
    recent: int = Field(ge=0, le=KEPT_CHANGES)


class Changes:
    """The handler of /changes."""

    def __init__(self, view: CatalogueView, feed: ChangeFeed, running: Gauge) -> None:
        """`running` shows how many streams there are."""
        self._view = view
        self._feed = feed
        self._running = running

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/changes", self.watch, allow_head=False)]

    def internal_routes(self) -> list[web.RouteDef]:
        return [web.post("/changes", self.sent_here)]

    async def sent_here(self, request: web.Request) -> web.Response:
        question = await read_model(request, ChangesQuestion)
        return answer(self._feed.sent(question.partitions, question.positions, question.recent))

    async def watch(self, request: web.Request) -> web.StreamResponse:
        recent = whole_number(request, "recent", 0, 0, KEPT_CHANGES)
        language = words_wanted(request)
        wants = self._wanted(request)
        watcher = Watcher(request[ACCOUNT], wants)
        self._feed.join(watcher)
        request[ENDLESS] = True
        self._running.inc()
        try:
            # The watcher has joined before, so no change is missed between these and the later ones.
            before = [one for one in await self._feed.recent(recent) if wants(one)] if recent else []
            before.sort(key=lambda one: str(one["effective_at"]))
            before = before[-recent:] if recent else []
            response = web.StreamResponse(
                headers={
                    "Content-Type": CONTENT_TYPE,
                    "Cache-Control": "no-store",
                    # Asks nginx not to hold back what is sent.
                    "X-Accel-Buffering": "no",
                }
            )
            await response.prepare(request)
            await response.write(b": watching\n\n" + _events(before, [], language))
            known = {one["change_id"] for one in before}
            while not watcher.closed:
                await response.write(await self._next(watcher, known, language))
            return response
        finally:
            self._running.dec()
            self._feed.leave(watcher)

    async def _next(self, watcher: Watcher, known: set[str], language: Language | None) -> bytes:
        """Return the next events; a comment if there were none for a while."""
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                changes, skipped = await watcher.next()
        except TimeoutError:
            return b": heartbeat\n\n"
        return _events([one for one in changes if one["change_id"] not in known], skipped, language)

    def _wanted(self, request: web.Request) -> Callable[[Json], bool]:
        """Return a function that tells whether the caller gets a change. Raises RejectedError if it asks for
        a segment that it does not see."""
        account = request[ACCOUNT]
        segment_id, contact_id = request.query.get("segment_id"), request.query.get("contact_id")
        if segment_id is not None:
            listing.row(self._view.catalogue, account, segment_id)

        def wants(change: Json) -> bool:
            return (
                segment_id in (None, change["segment_id"])
                and contact_id in (None, change["contact_id"])
                # The catalogue changes while the caller watches.
                and self._view.seen_by(account)(change["segment_id"])
            )

        return wants


def _events(changes: list[Json], skipped: list[int | None], language: Language | None) -> bytes:
    """Return the text of server-sent events."""
    events = [b"event: skipped\ndata: " + dumps({"changes": number}) + b"\n\n" for number in skipped]
    for change in changes:
        shown = change
        if language is not None:
            cause = change["reason"]
            shown = {**change, "words": reason(cause["kind"], cause["ref"], language)}
        events.append(b"event: change\ndata: " + dumps(shown) + b"\n\n")
    return b"".join(events)
