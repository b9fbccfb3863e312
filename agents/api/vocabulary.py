"""The handler of /vocabulary: what a definition may contain, and the names and values that contacts have.

Names and values are counted from a sample of the contacts when somebody asks, in slices, and are kept for
some minutes. Nothing is counted while input is applied.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from typing import Final, NamedTuple
from zlib import crc32

from aiohttp import web
from pydantic import Field

from agents.api.auth import ACCOUNT
from agents.api.partitions import LocalPartitions
from agents.api.peers import Peers
from agents.api.requests import answer, read_model
from agents.api.slices import in_thread
from agents.api.turns import Turns
from agents.partitions.task import PartitionTask
from schemas.attributes import STANDARD_ATTRIBUTES
from schemas.wire import WireModel
from streamseg.contact.contact import Contact
from streamseg.engine.seen import MOST_NAMES, Seen, SeenEvent, SeenNames, identifies
from streamseg.json_text import Json
from streamseg.records.inputs import Event
from streamseg.settings import Settings
from streamseg.times import format_ms
from streamseg.wording import terms
from streamseg.wording.vocabulary import attribute_label, event_label, fixed_vocabulary, property_label

_KEPT_SECONDS: Final = 300
_SAMPLE: Final = 2_000
"""The largest number of contacts that a worker reads, over all its partitions."""
_LISTED: Final = 100_000
"""The largest number of contact ids from which a worker chooses them. The next count begins after these."""
_EVENTS: Final = 200
"""About how many events of a contact are read: its latest ones."""
_IDS: Final = 64
"""The number of ids that are read before the slice's time is checked."""


class VocabularyQuestion(WireModel):
    """A question from one worker to another."""

    partitions: list[int] = Field(min_length=1)


class _Counted(NamedTuple):
    """The names of one partition's sample.

    until    the id after which the next sample begins; None: at the first contact
    seconds  when they were counted, by the timer
    """

    names: Json
    until: str | None
    seconds: float


class Vocabulary:
    """The handler of /vocabulary."""

    def __init__(
        self,
        settings: Settings,
        local: LocalPartitions,
        peers: Peers,
        turns: Turns,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        """`timer` returns seconds."""
        self._settings = settings
        self._local = local
        self._peers = peers
        self._turns = turns
        self._timer = timer
        self._counted: dict[int, _Counted] = {}
        self._counting = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/vocabulary", self.get)]

    def internal_routes(self) -> list[web.RouteDef]:
        return [web.post("/vocabulary", self.get_here)]

    async def get(self, request: web.Request) -> web.Response:
        numbers = list(range(self._settings.partitions))
        async with self._turns.of(request[ACCOUNT]):
            found = await self._peers.ask(request, numbers, self._seen, "/vocabulary", {})
        names = await in_thread(lambda _: _joined(one for answered in found for one in answered["seen"]))
        return answer({"timezone": self._settings.timezone, **fixed_vocabulary(), **names})

    async def get_here(self, request: web.Request) -> web.Response:
        question = await read_model(request, VocabularyQuestion)
        return answer(await self._seen(question.partitions))

    async def _seen(self, numbers: list[int]) -> Json:
        # Callers who come while names are counted wait, and get what was counted.
        async with self._counting:
            for number in [one for one in self._counted if not self._local.has(one)]:
                del self._counted[number]
            return {"seen": [await self._of_partition(number, len(numbers)) for number in numbers]}

    async def _of_partition(self, number: int, partitions: int) -> Json:
        kept = self._counted.get(number)
        if kept is not None and self._timer() - kept.seconds < _KEPT_SECONDS:
            return kept.names
        begin = None if kept is None else kept.until
        chosen, until = await self._chosen(number, begin, partitions)
        names = SeenNames()
        waiting = iter(chosen)
        ended = False
        while not ended:
            async with self._local.slices.slice() as one:
                task = self._local.task(number)
                while not one.over:
                    contact_id = next(waiting, None)
                    if contact_id is None:
                        ended = True
                        break
                    contact = task.store.contact(contact_id)
                    if contact is not None and contact.known_since_ms is not None:
                        names.take(contact, _latest_events(task, contact))
        counted = await in_thread(lambda _: names.wire())
        self._counted[number] = _Counted(counted, until, self._timer())
        return counted

    async def _chosen(self, number: int, begin: str | None, partitions: int) -> tuple[list[str], str | None]:
        """Return ids of a partition's contacts, chosen evenly among those that follow `begin`, and the id
        after which the next choice begins."""
        most, left = max(1, _SAMPLE // partitions), max(1, _LISTED // partitions)
        # The contacts whose ids have the least checksums: an even choice that needs no random numbers.
        chosen: list[tuple[int, str]] = []
        after = begin
        while left > 0:
            async with self._local.slices.slice() as one:
                following = self._local.task(number).store.contact_ids(after)
                while left > 0 and not one.over:
                    ids = list(islice(following, min(_IDS, left)))
                    if not ids:
                        return [contact_id for _, contact_id in chosen], None
                    left -= len(ids)
                    after = ids[-1]
                    _choose(chosen, ids, most)
        return [contact_id for _, contact_id in chosen], after


def _choose(chosen: list[tuple[int, str]], ids: Collection[str], most: int) -> None:
    """Add ids to a heap that holds the `most` ids with the least checksums. The first element of a heap is
    its least one, so the checksums are negative."""
    for contact_id in ids:
        entry = (-crc32(contact_id.encode()), contact_id)
        if len(chosen) < most:
            heapq.heappush(chosen, entry)
        else:
            heapq.heappushpop(chosen, entry)


def _latest_events(task: PartitionTask, contact: Contact) -> Iterator[Event]:
    """Return about `_EVENTS` of the latest events of a contact, all of them if there are not more."""
    since_ms = contact.oldest_event_ms
    if since_ms is not None and contact.event_count > _EVENTS:
        # As if the events were spread evenly over the time.
        until_ms = task.partition.clock_ms
        since_ms = until_ms - (until_ms - since_ms) * _EVENTS // contact.event_count
    return islice(task.store.events(contact.contact_id, since_ms), _EVENTS)


def _joined(counted: Iterator[Json]) -> Json:
    """Return the attributes and events of the vocabulary from what was counted of each partition."""
    names = SeenNames()
    for one in counted:
        names.add(one)
    return {
        "attributes": _attributes(names),
        "events": _events(names),
        "sample": {"contacts": names.contacts},
    }


def _attributes(names: SeenNames) -> list[Json]:
    standard = [
        {
            "name": name,
            "label": attribute_label(name),
            "standard": True,
            "identifies": identifies(name),
            "type": kind,
            "seen": _seen_by_contacts(names.attributes.get(name)),
        }
        for name, kind in STANDARD_ATTRIBUTES.items()
    ]
    others = [
        {
            "name": name,
            "label": None,
            "standard": False,
            "identifies": identifies(name),
            "type": seen.kind,
            "seen": _seen_by_contacts(seen),
        }
        for name, seen in _most_frequent(names.attributes)
        if name not in STANDARD_ATTRIBUTES
    ]
    return [*standard, *others][:MOST_NAMES]


def _seen_by_contacts(seen: Seen | None) -> Json | None:
    if seen is None:
        return None
    wire = _shown(seen)
    return {"contacts": wire.pop("count"), **wire}


def _events(names: SeenNames) -> list[Json]:
    standard = {name: names.events.get(name) for name in terms.EVENTS}
    others = sorted(
        ((name, one) for name, one in names.events.items() if name not in terms.EVENTS),
        key=lambda item: (-item[1].seen.count, item[0]),
    )
    return [_event(name, one) for name, one in [*standard.items(), *others]][:MOST_NAMES]


def _event(name: str, one: SeenEvent | None) -> Json:
    shown: Json = {
        "name": name,
        "label": event_label(name),
        "standard": name in terms.EVENTS,
        "derived": one is not None and one.derived,
        "seen": None,
        "properties": [],
    }
    if one is None:
        return shown
    seen = one.seen
    shown["seen"] = {"count": seen.count, "contacts": one.contacts, "last_seen": format_ms(seen.last_ms)}
    shown["properties"] = [
        {
            "name": path,
            "label": property_label(name, path),
            "identifies": identifies(path, name),
            "type": counted.kind,
            "seen": _shown(counted),
        }
        for path, counted in _most_frequent(one.properties)
    ]
    return shown


def _shown(seen: Seen) -> Json:
    return {
        "count": seen.count,
        "last_seen": format_ms(seen.last_ms),
        "types": seen.types,
        "values": [{"value": one.value, "count": one.count} for one in seen.frequent],
    }


def _most_frequent(found: dict[str, Seen]) -> list[tuple[str, Seen]]:
    return sorted(found.items(), key=lambda item: (-item[1].count, item[0]))
