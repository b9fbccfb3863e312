"""The handlers of /contacts/{contact_id}/segments and /segments/{segment_id}/growth."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from aiohttp import web
from pydantic import Field

from agents.api.auth import ACCOUNT
from agents.api.catalogue_view import CatalogueView
from agents.api.local_past import LocalPast
from agents.api.peers import Peers
from agents.api.problems import ProblemError, not_kept, too_late
from agents.api.requests import answer, choice, instant, read_model, time_zone_wanted
from agents.api.turns import Turns
from agents.kafka.partitioner import place
from schemas.wire import WireModel
from streamseg.catalogue import versions
from streamseg.engine.growing import MOST_BUCKETS, By, Growth, by_cause, edges
from streamseg.json_text import Json
from streamseg.settings import Settings
from streamseg.times import DAY_MS, format_ms, time_zone, timestamp_or_none

_DEFAULT_MS: Final[dict[By, int]] = {"hour": 2 * DAY_MS, "day": 30 * DAY_MS}
"""The time before `until` that is shown if the caller gives no `since`."""


class StandingQuestion(WireModel):
    """A question from one worker to another about a contact at an instant (epoch ms); None: now."""

    partitions: list[int] = Field(min_length=1, max_length=1)
    contact_id: str
    at_ms: int | None


class GrowthQuestion(WireModel):
    """A question from one worker to another. The bounds of the buckets are epoch ms, ascending."""

    partitions: list[int] = Field(min_length=1)
    segment_id: str
    bounds: list[int] = Field(min_length=2, max_length=MOST_BUCKETS + 2)


class Past:
    """The memberships of a contact at an instant, and the growth of a segment."""

    def __init__(
        self, settings: Settings, view: CatalogueView, past: LocalPast, peers: Peers, turns: Turns
    ) -> None:
        self._settings = settings
        self._view = view
        self._past = past
        self._peers = peers
        self._turns = turns

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/contacts/{contact_id}/segments", self.segments),
            web.get("/segments/{segment_id}/growth", self.growth),
        ]

    def internal_routes(self) -> list[web.RouteDef]:
        return [web.post("/standing", self.segments_here), web.post("/growth", self.growth_here)]

    async def segments(self, request: web.Request) -> web.Response:
        contact_id = request.match_info["contact_id"]
        question = StandingQuestion(
            partitions=[place(contact_id.encode(), self._settings.partitions)],
            contact_id=contact_id,
            at_ms=instant(request, "at", self._settings.timezone),
        )

        async def here(_: list[int]) -> Json:
            return await self._segments(question)

        async with self._turns.of(request[ACCOUNT]):
            (found,) = await self._peers.ask(
                request, question.partitions, here, "/standing", question.model_dump()
            )
        if question.at_ms is not None and question.at_ms < found["complete_ms"]:
            raise not_kept(found["complete_ms"], "at")
        if found["at_ms"] > found["clock_ms"]:
            raise too_late(found["clock_ms"], "at")
        saw = self._view.saw_by(request[ACCOUNT])
        return answer(
            {
                "contact_id": contact_id,
                "at": format_ms(found["at_ms"]),
                "complete_since": format_ms(found["complete_ms"]),
                "segments": [one for one in found["segments"] if saw(one["segment_id"])],
            }
        )

    async def segments_here(self, request: web.Request) -> web.Response:
        return answer(await self._segments(await read_model(request, StandingQuestion)))

    async def _segments(self, question: StandingQuestion) -> Json:
        (number,) = question.partitions
        return await self._past.of_contact(number, question.contact_id, question.at_ms)

    # -- growth -----------------------------------------------------------------------------------------

    async def growth(self, request: web.Request) -> web.Response:
        segment_id, _ = self._view.visible(request)
        by: By = choice(request, "by", "day", ("hour", "day"))
        zone = time_zone_wanted(request, self._settings.timezone)
        question = GrowthQuestion(
            partitions=list(range(self._settings.partitions)),
            segment_id=segment_id,
            bounds=self._bounds(request, by, zone),
        )

        async def here(numbers: list[int]) -> Json:
            return await self._growth(question.model_copy(update={"partitions": numbers}))

        async with self._turns.of(request[ACCOUNT]):
            first, *others = await self._peers.ask(
                request, question.partitions, here, "/growth", question.model_dump()
            )
        growth = Growth(**first)
        for one in others:
            growth = growth.plus(Growth(**one))
        buckets = _shown(growth, question.bounds)
        return answer(
            {
                "segment_id": segment_id,
                "by": by,
                "timezone": zone,
                "complete_since": format_ms(growth.complete_ms),
                "contacts": growth.contacts,
                "buckets": buckets,
                "versions": self._versions(segment_id, buckets),
            }
        )

    def _bounds(self, request: web.Request, by: By, zone: str) -> list[int]:
        now_ms = self._view.now_ms()
        given_ms = instant(request, "until", self._settings.timezone)
        until_ms = now_ms if given_ms is None else min(given_ms, now_ms)
        since_ms = instant(request, "since", self._settings.timezone)
        if since_ms is None:
            since_ms = until_ms - _DEFAULT_MS[by]
        elif since_ms > now_ms:
            raise too_late(now_ms, "since")
        elif since_ms > until_ms:
            raise ProblemError("invalid_schema", "must not be later than until", "since")
        try:
            return edges(since_ms, until_ms, by, time_zone(zone))
        except ValueError as error:
            raise ProblemError("invalid_schema", str(error), "since") from error

    def _versions(self, segment_id: str, buckets: list[Json]) -> list[Json]:
        """Return the kept versions that were saved in the time of the buckets, the earliest first."""
        zone = time_zone(self._settings.timezone)
        found: list[Json] = []
        for one in versions.versions(self._view.catalogue, segment_id):
            saved_ms = timestamp_or_none(one.saved_at, zone)
            if saved_ms is None:
                continue
            saved_at = format_ms(saved_ms)
            for index, bucket in enumerate(buckets):
                # RFC 3339 of one form sorts as the instants do.
                if bucket["start"] <= saved_at < bucket["end"]:
                    found.append(
                        {
                            "version": one.version,
                            "saved_at": saved_at,
                            "saved_by": one.saved_by,
                            "bucket": index,
                        }
                    )
        return found[::-1]

    async def growth_here(self, request: web.Request) -> web.Response:
        return answer(await self._growth(await read_model(request, GrowthQuestion)))

    async def _growth(self, question: GrowthQuestion) -> Json:
        growth = await self._past.growth(question.partitions, question.segment_id, question.bounds)
        return growth.wire()


def _shown(growth: Growth, bounds: list[int]) -> list[Json]:
    """Return the buckets that do not end before the numbers are complete."""
    spans = pairwise(bounds)
    return [
        {
            "start": format_ms(start_ms),
            "end": format_ms(end_ms),
            "contacts": size,
            "entered": by_cause(counts, entered=True),
            "left": by_cause(counts, entered=False),
            "complete": start_ms >= growth.complete_ms and end_ms <= growth.clock_ms,
        }
        for (start_ms, end_ms), counts, size in zip(spans, growth.buckets, growth.sizes(), strict=True)
        if end_ms > growth.complete_ms
    ]
