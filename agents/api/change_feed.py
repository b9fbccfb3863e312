"""Collects the membership changes of all partitions for the callers that watch them.

Each worker asks the others a few times per second, but only while somebody watches. All its watchers share
these questions. Each watcher has a queue with a bound, so a slow one holds up nobody.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NamedTuple

import aiohttp
import orjson

from agents.api.partitions import LocalPartitions
from agents.api.peers import Peers
from agents.api.problems import ProblemError, RelayedError
from agents.partitions.recent_changes import KEPT_CHANGES, Position
from streamseg.json_text import Json

MOST_WATCHERS: Final = 20
"""The largest number of watchers of one account at a worker."""

_PAUSE_SECONDS: Final = 0.5
_MOST_AT_ONCE: Final = 200
"""The largest number of changes of a partition that are taken at a time; earlier ones are skipped."""
_QUEUED: Final = 1_000
_TURN: Final = 100
"""The number of changes that are given to the watchers before others get a turn."""


class _NoCaller(NamedTuple):
    """Stands for the caller of questions that the worker asks for itself."""

    headers: Mapping[str, str]


_NO_CALLER: Final = _NoCaller({})


class Watcher:
    """One caller who watches. `wants` tells which changes it gets."""

    def __init__(self, account: str, wants: Callable[[Json], bool]) -> None:
        self.account = account
        self._wants = wants
        self._changes: deque[Json] = deque()
        self._skipped = 0
        self._lost_count = False
        self._woken = asyncio.Event()
        self.closed = False

    def put(self, change: Json) -> None:
        """Queue a change, if it is wanted. If the queue is full, the oldest change is skipped."""
        if not self._wants(change):
            return
        if len(self._changes) == _QUEUED:
            self._changes.popleft()
            self._skipped += 1
        self._changes.append(change)
        self._woken.set()

    def skip(self, changes: int | None) -> None:
        """Note that changes were skipped before the watcher saw them; None: an unknown number."""
        if changes is None:
            self._lost_count = True
        elif changes:
            self._skipped += changes
        else:
            return
        self._woken.set()

    def close(self) -> None:
        """End the watching."""
        self.closed = True
        self._woken.set()

    async def next(self) -> tuple[list[Json], list[int | None]]:
        """Wait until there is anything. Return all queued changes, and the notes about skipped ones: numbers,
        or None for an unknown number. Both are empty when the watching has ended."""
        await self._woken.wait()
        self._woken.clear()
        changes, skipped = list(self._changes), [*([self._skipped] if self._skipped else [])]
        notes: list[int | None] = [*skipped, *([None] if self._lost_count else [])]
        self._changes.clear()
        self._skipped, self._lost_count = 0, False
        return changes, notes


class ChangeFeed:
    """The watchers of one worker."""

    def __init__(self, partitions: int, local: LocalPartitions, peers: Peers) -> None:
        self._numbers = list(range(partitions))
        self._local = local
        self._peers = peers
        self._watchers: set[Watcher] = set()
        self._collecting: asyncio.Task[None] | None = None
        self._positions: dict[str, Position] = {}
        self._closed = False

    def join(self, watcher: Watcher) -> None:
        """Begin to give changes to a watcher. Raises ProblemError if its account has too many."""
        if self._closed:
            watcher.close()
            return
        if sum(one.account == watcher.account for one in self._watchers) >= MOST_WATCHERS:
            raise ProblemError("too_many_requests", "this account watches changes too many times; close some")
        self._watchers.add(watcher)
        if self._collecting is None or self._collecting.done():
            self._positions.clear()
            self._collecting = asyncio.ensure_future(self._collect())

    def leave(self, watcher: Watcher) -> None:
        self._watchers.discard(watcher)

    def end_watching(self) -> None:
        """End the streams of all callers; they may connect again."""
        for watcher in self._watchers:
            watcher.close()

    async def close(self) -> None:
        """End all watching, since the worker stops."""
        self._closed = True
        self.end_watching()
        if self._collecting is not None:
            self._collecting.cancel()
            await asyncio.wait([self._collecting])

    async def recent(self, most: int) -> list[Json]:
        """Return the last changes that are kept, of all partitions: for each of them `most` at most. Later
        changes go to the watchers."""
        pages = await self._ask({}, most)
        self._note_positions(pages)
        return [orjson.loads(value) for page in pages for value in page["values"]]

    async def _ask(self, positions: Mapping[str, Position], recent: int) -> list[Json]:
        async def here(numbers: list[int]) -> Json:
            return self.sent(numbers, positions, recent)

        known = {number: list(position) for number, position in positions.items()}
        body = {"positions": known, "recent": recent}
        found = await self._peers.ask(_NO_CALLER, self._numbers, here, "/changes", body)
        return [page for one in found for page in one["sent"]]

    def sent(self, numbers: list[int], positions: Mapping[str, Any], recent: int) -> Json:
        """Return what partitions of this worker have sent since their positions. Of a partition without one:
        its last `recent` changes."""
        pages = []
        for number in numbers:
            changes = self._local.task(number).buffer.recent
            position = positions.get(str(number))
            found = (
                changes.last(min(recent, KEPT_CHANGES))
                if position is None
                else changes.since(Position(*position), _MOST_AT_ONCE)
            )
            values = [value.decode() for value in found.values]
            pages.append(
                {
                    "partition": number,
                    "position": list(found.position),
                    "values": values,
                    "skipped": found.skipped,
                }
            )
        return {"sent": pages}

    async def _collect(self) -> None:
        try:
            while self._watchers:
                await self._collect_once()
                await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            # After a fault of ours nobody may wait for changes that nobody collects: callers connect again.
            for watcher in self._watchers:
                watcher.close()

    async def _collect_once(self) -> None:
        asked = dict(self._positions)
        try:
            pages = await self._ask(asked, 0)
        except (ProblemError, RelayedError, aiohttp.ClientError):
            # Partitions are moving. Positions are kept, so nothing is missed that is still kept later.
            return
        self._note_positions(pages, asked)
        await self._give(pages)

    def _note_positions(self, pages: list[Json], asked: Collection[str] = ()) -> None:
        """Note the positions after which changes are asked for next. Where the question gave no position, one
        that was noted meanwhile stays: watchers get the changes between both."""
        for page in pages:
            number, position = str(page["partition"]), Position(*page["position"])
            if number in asked:
                self._positions[number] = position
            else:
                self._positions.setdefault(number, position)

    async def _give(self, pages: list[Json]) -> None:
        for page in pages:
            if page["skipped"] != 0:
                for watcher in self._watchers:
                    watcher.skip(page["skipped"])
        changes = [orjson.loads(value) for page in pages for value in page["values"]]
        changes.sort(key=_effective_at)
        for number, change in enumerate(changes, 1):
            for watcher in self._watchers:
                watcher.put(change)
            if number % _TURN == 0:
                await asyncio.sleep(0)


def _effective_at(change: Json) -> str:
    at: str = change["effective_at"]
    return at
