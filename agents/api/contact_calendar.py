"""The handler of /contacts/{contact_id}/calendar: how often which events happened to a contact, by day."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import Field

from agents.api.auth import ACCOUNT
from agents.api.partitions import LocalPartitions
from agents.api.peers import Peers
from agents.api.problems import ProblemError, language_of
from agents.api.requests import answer, read_model, time_zone_wanted
from agents.api.slices import in_thread
from agents.api.turns import Turns
from agents.kafka.partitioner import place
from schemas.wire import WireModel
from streamseg.engine.history import History
from streamseg.json_text import Json
from streamseg.settings import Settings
from streamseg.times import FIRST_DAY, LAST_DAY, date_text, local_day, time_zone
from streamseg.wording import terms

_MONTH: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


class CalendarQuestion(WireModel):
    """A question from one worker to another: the days of a month (`2026-05`) in a time zone."""

    partitions: list[int] = Field(min_length=1, max_length=1)
    contact_id: str
    month: str
    timezone: str


class ContactCalendar:
    """Counts the events that are kept of a contact, those that were derived from updates too."""

    def __init__(self, settings: Settings, local: LocalPartitions, peers: Peers, turns: Turns) -> None:
        self._settings = settings
        self._local = local
        self._peers = peers
        self._turns = turns

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/contacts/{contact_id}/calendar", self.get)]

    def internal_routes(self) -> list[web.RouteDef]:
        return [web.post("/calendar", self.get_here)]

    async def get(self, request: web.Request) -> web.Response:
        contact_id = request.match_info["contact_id"]
        month = request.query.get("month", "")
        if _MONTH.fullmatch(month) is None:
            raise ProblemError("invalid_schema", "must be a month, such as 2026-05", "month")
        zone = time_zone_wanted(request, self._settings.timezone)
        question = CalendarQuestion(
            partitions=[place(contact_id.encode(), self._settings.partitions)],
            contact_id=contact_id,
            month=month,
            timezone=zone,
        )

        async def here(_: list[int]) -> Json:
            return await self._days(question)

        async with self._turns.of(request[ACCOUNT]):
            (found,) = await self._peers.ask(
                request, question.partitions, here, "/calendar", question.model_dump()
            )
        language = language_of(request)
        for day in found["days"]:
            for one in day["events"]:
                label = terms.EVENTS.get(one["event"])
                one["label"] = None if label is None else label.of(language)
        return answer({"contact_id": contact_id, "month": month, "timezone": zone, **found})

    async def get_here(self, request: web.Request) -> web.Response:
        return answer(await self._days(await read_model(request, CalendarQuestion)))

    async def _days(self, question: CalendarQuestion) -> Json:
        (number,) = question.partitions
        contact, events, task = await self._local.snapshot(number, question.contact_id)
        now_ms = task.partition.clock_ms
        zone, settings = time_zone(question.timezone), self._settings

        def counted(check: Callable[[], None]) -> Json:
            history = History(events.checked(check), settings.history_retention_ms, settings.history_cap)
            days: defaultdict[str, Counter[str]] = defaultdict(Counter)
            months: set[str] = set()
            for event in history.kept(contact, now_ms):
                day = _date(event.occurred_ms, zone)
                months.add(day[:7])
                if day.startswith(f"{question.month}-"):
                    days[day][event.name] += 1
            return {
                "days": [_day(day, counts) for day, counts in sorted(days.items())],
                "months": sorted(months),
            }

        async with self._local.slices.slice():
            return await in_thread(counted)


def _date(at_ms: int, zone: ZoneInfo) -> str:
    """Return the local date of an instant; in the year 0 or 10000, the calendar's first or last date."""
    return date_text(min(max(local_day(at_ms, zone), FIRST_DAY), LAST_DAY))


def _day(day: str, counts: Counter[str]) -> Json:
    listed = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return {"day": day, "events": [{"event": name, "count": count} for name, count in listed]}
