"""Membership changes are sent to those who watch them, from all workers; a slow watcher holds up nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from types import SimpleNamespace
from typing import Any

import aiohttp
import orjson
import pytest

from agents.api import change_feed, changes
from agents.api.change_feed import MOST_WATCHERS, ChangeFeed, Watcher
from agents.api.problems import ProblemError
from agents.catalogue.progress_reader import Peer
from agents.kafka.batch_producer import Message
from agents.partitions.output_buffer import OutputBuffer
from agents.partitions.recent_changes import KEPT_CHANGES, RecentChanges
from streamseg.catalogue.state import Catalogue
from streamseg.json_text import Json
from streamseg.records.outputs import Cause, MembershipChange, Reason
from streamseg.settings import Settings
from tests.agents.api.served import served
from tests.agents.known_tokens import TOKENS_FILE, token_of

SECONDS = 60.0
SETTINGS = Settings(http_host="127.0.0.1", http_port=0, partitions=2, api_tokens_file=TOKENS_FILE)


def change(number: int, segment_id: str = "email-unsubscribed", contact_id: str = "c1") -> MembershipChange:
    return MembershipChange(
        segment_id, 1, contact_id, number, 1_777_593_600_000 + number, Reason(Cause.BEHAVIOR_EVENT, "e-1")
    )


def sequences(found: list[Json]) -> list[int]:
    return [one["sequence"] for one in found]


# -- what a partition keeps ----------------------------------------------------------------------------------


def records(*numbers: int) -> list[Message]:
    return [Message(b"c1", str(number).encode()) for number in numbers]


def test_changes_are_kept_once_they_are_acknowledged() -> None:
    buffer = OutputBuffer()
    buffer.change(change(1))
    assert buffer.recent.last(10).values == []
    buffer.clear()
    assert [orjson.loads(value)["sequence"] for value in buffer.recent.last(10).values] == [1]


def test_a_caller_gets_what_came_after_its_position_and_learns_what_it_missed() -> None:
    recent = RecentChanges()
    begin = recent.last(0)
    assert (begin.values, begin.skipped) == ([], 0)
    recent.add(records(1, 2, 3))
    found = recent.since(begin.position, 2)
    assert (found.values, found.skipped) == ([b"2", b"3"], 1)
    assert recent.since(found.position, 2) == (found.position, [], 0)
    recent.add(records(*range(KEPT_CHANGES + 5)))
    later = recent.since(found.position, 2 * KEPT_CHANGES)
    assert (len(later.values), later.skipped) == (KEPT_CHANGES, 5)
    assert recent.last(2).values == [b"1003", b"1004"]


def test_a_position_of_another_run_says_that_the_number_is_unknown() -> None:
    before, after = RecentChanges(), RecentChanges()
    before.add(records(1, 2))
    after.add(records(3))
    found = after.since(before.last(0).position, 10)
    assert (found.values, found.skipped) == ([b"3"], None)
    assert after.since(found.position, 10).skipped == 0


# -- a watcher -----------------------------------------------------------------------------------------------


def test_a_slow_watcher_loses_the_oldest_changes_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_feed, "_QUEUED", 3)

    async def main() -> None:
        watcher = Watcher("ann", lambda one: one["segment_id"] != "other")
        for number in range(1, 6):
            watcher.put(change(number).wire())
            watcher.put(change(number, "other").wire())
        watcher.skip(0)
        watcher.skip(7)
        found, skipped = await watcher.next()
        assert (sequences(found), skipped) == ([3, 4, 5], [9])
        watcher.skip(None)
        assert await watcher.next() == ([], [None])
        watcher.close()
        assert await watcher.next() == ([], [])

    asyncio.run(main())


def test_an_account_has_a_bounded_number_of_watchers() -> None:
    async def main() -> None:
        feed = ChangeFeed(0, None, SimpleNamespace(ask=_nothing))  # type: ignore[arg-type]
        watchers = [Watcher("ann", lambda _: True) for _ in range(MOST_WATCHERS)]
        for watcher in watchers:
            feed.join(watcher)
        feed.join(Watcher("ben", lambda _: True))
        with pytest.raises(ProblemError) as refused:
            feed.join(Watcher("ann", lambda _: True))
        assert refused.value.code == "too_many_requests"
        feed.leave(watchers[0])
        feed.join(Watcher("ann", lambda _: True))
        await feed.close()
        assert all(watcher.closed for watcher in watchers[1:])

    asyncio.run(main())


async def _nothing(*_: Any) -> list[Json]:
    return []


# -- over HTTP -----------------------------------------------------------------------------------------------


class Worker:
    """A worker with one partition, in whose name the test sends changes."""

    def __init__(self, number: int, catalogue: Catalogue) -> None:
        self._number = number
        self._catalogue = catalogue
        self.task = SimpleNamespace(buffer=OutputBuffer())

    def send(self, *sent: MembershipChange) -> None:
        for one in sent:
            self.task.buffer.change(one)
        self.task.buffer.clear()

    def moved(self) -> None:
        """The partition has left and has come back."""
        self.task.buffer = OutputBuffer()

    def parts(self, peers: dict[int, Peer]) -> dict[str, Any]:
        def find(number: int) -> Any:
            return self.task if number == self._number else None

        return {
            "scheduler": SimpleNamespace(find=find),
            "progress": SimpleNamespace(peer=peers.get),
            "catalogue_topic": SimpleNamespace(catalogue=self._catalogue),
        }


class Stream:
    """What a caller reads."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def line(self) -> str:
        async with asyncio.timeout(SECONDS):
            return (await self._answer.content.readline()).decode().rstrip("\n")

    @property
    def ended(self) -> bool:
        return self._answer.content.at_eof()

    async def event(self) -> tuple[str, Any]:
        """The next event, comments left out."""
        while True:
            name, _, text = (await self.line()).partition(": ")
            if name == "event":
                return text, orjson.loads((await self.line()).removeprefix("data: "))


class Watched:
    """Two workers, and callers of the first one."""

    def __init__(self, first: Worker, second: Worker, session: aiohttp.ClientSession, port: int) -> None:
        self.first, self.second = first, second
        self._session = session
        self._host = f"http://127.0.0.1:{port}"
        self._base = f"{self._host}/api/v1/changes"

    async def metrics(self, name: str) -> list[str]:
        """The lines of the first worker's metrics whose names begin so, and which are about streams."""
        async with self._session.get(f"{self._host}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        return [one for one in lines if one.startswith(name) and ("watching" in one or "/changes" in one)]

    @asynccontextmanager
    async def stream(self, query: str = "", account: str = "ann") -> AsyncIterator[Stream]:
        headers = {"Authorization": f"Bearer {token_of(account)}"}
        async with self._session.get(self._base + query, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            stream = Stream(answer)
            assert await stream.line() == ": watching"
            yield stream

    async def refused(self, query: str, account: str = "ann") -> tuple[int, str, str]:
        headers = {"Authorization": f"Bearer {token_of(account)}"}
        async with self._session.get(self._base + query, headers=headers) as answer:
            problem = await answer.json(content_type=None)
            return answer.status, problem["code"], problem["path"]


def watched(
    visit: Callable[[Watched], Coroutine[Any, Any, None]], *segments: tuple[str, str], pause: float = 0.01
) -> None:
    """Let somebody watch; `segments` are (id, owner)."""

    async def main() -> None:
        bodies = [
            (
                segment_id,
                {"segment_id": segment_id, "name": segment_id, "type": "static", "created_by": owner},
            )
            for segment_id, owner in segments
        ]
        catalogue = Catalogue.load(bodies, [])
        first, second = Worker(0, catalogue), Worker(1, catalogue)
        peers: dict[int, Peer] = {}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(change_feed, "_PAUSE_SECONDS", pause)
            async with (
                served(SETTINGS, **first.parts(peers)) as (_, port),
                served(SETTINGS, **second.parts({})) as (other, _),
                aiohttp.ClientSession() as session,
            ):
                peers[1] = other.peer
                await visit(Watched(first, second, session, port))

    asyncio.run(main())


async def sent_until(worker: Worker, stream: Stream, make: Callable[[int], MembershipChange]) -> Any:
    """Send changes until the first one arrives, since a watcher only gets those after it has joined. Return
    that one."""
    arrived = asyncio.ensure_future(stream.event())
    number = 0
    while not arrived.done():
        number += 1
        worker.send(make(number))
        await asyncio.wait([arrived], timeout=0.02)
    return (await arrived)[1]


def test_changes_of_all_workers_are_sent_in_order_each_once() -> None:
    async def visit(watched: Watched) -> None:
        async with watched.stream("?words=en") as stream:
            for worker in (watched.first, watched.second):
                first = await sent_until(worker, stream, change)
                assert first["words"] == "a behaviour event e-1"
                numbers = range(1_000, 1_050)
                for number in numbers:
                    worker.send(change(number))
                found: list[int] = []
                while not found or found[-1] != numbers[-1]:
                    found.append((await stream.event())[1]["sequence"])
                assert [one for one in found if one >= numbers[0]] == list(numbers)
                earlier = [one for one in found if one < numbers[0]]
                assert earlier == list(range(first["sequence"] + 1, first["sequence"] + 1 + len(earlier)))

    watched(visit)


def test_the_last_changes_come_first_if_asked_for() -> None:
    async def visit(watched: Watched) -> None:
        watched.first.send(*map(change, (1, 3, 5, 7)))
        watched.second.send(*map(change, (2, 4, 6)))
        async with watched.stream("?recent=3") as stream:
            assert sequences([(await stream.event())[1] for _ in range(3)]) == [5, 6, 7]
        assert await watched.refused("?recent=1001") == (422, "invalid_schema", "recent")

    watched(visit)


def test_only_changes_that_the_account_sees_and_asks_for_are_sent() -> None:
    async def visit(watched: Watched) -> None:
        watched.first.send(
            change(1, "anns"), change(2, "bens"), change(3), change(4, contact_id="c2"), change(5, "gone")
        )
        for query, account, seen in (
            ("?recent=9", "ann", [1, 3, 4]),
            ("?recent=9", "ben", [2, 3, 4]),
            ("?recent=9&segment_id=anns", "ann", [1]),
            ("?recent=9&contact_id=c2", "ann", [4]),
            ("?recent=9&contact_id=c1&segment_id=email-unsubscribed", "ann", [3]),
        ):
            async with watched.stream(query, account) as stream:
                assert sequences([(await stream.event())[1] for _ in seen]) == seen
        assert await watched.refused("?segment_id=bens") == (403, "not_permitted", "segment_id")
        assert await watched.refused("?segment_id=none") == (422, "unknown_reference", "segment_id")

    watched(visit, ("anns", "ann"), ("bens", "ben"))


def test_it_says_that_it_skipped_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_feed, "_MOST_AT_ONCE", 10)

    async def visit(watched: Watched) -> None:
        async with watched.stream() as stream:
            await sent_until(watched.second, stream, change)
            watched.second.send(*map(change, range(1_000, 1_100)))
            name, skipped = await stream.event()
            while name != "skipped":
                name, skipped = await stream.event()
            assert skipped["changes"] >= 90
            found = [(await stream.event())[1]["sequence"] for _ in range(10)]
            assert found == list(range(1_090, 1_100))
            watched.second.moved()
            watched.second.send(change(2_000))
            assert await stream.event() == ("skipped", {"changes": None})
            assert (await stream.event())[1]["sequence"] == 2_000

    watched(visit)


def test_streams_are_counted_while_they_last_and_their_time_is_not_measured() -> None:
    running = 'streamseg_api_questions_running{kind="watching"} '

    async def visit(watched: Watched) -> None:
        async with watched.stream(), watched.stream():
            assert await watched.metrics("streamseg_api_questions_running") == [running + "2.0"]
        async with asyncio.timeout(SECONDS):
            while await watched.metrics("streamseg_api_questions_running") != [running + "0.0"]:  # noqa: ASYNC110 - has no event
                await asyncio.sleep(0.01)
            while not await watched.metrics("streamseg_api_requests_total"):  # noqa: ASYNC110 - has no event
                await asyncio.sleep(0.01)
        assert await watched.metrics("streamseg_api_request_seconds") == []
        assert (await watched.refused("?recent=x"))[0] == 422
        assert await watched.metrics("streamseg_api_request_seconds_count") != []

    watched(visit)


def test_a_stream_without_changes_has_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "HEARTBEAT_SECONDS", 0.01)

    async def visit(watched: Watched) -> None:
        async with watched.stream() as stream:
            assert [await stream.line() for _ in range(4)] == ["", ": heartbeat", "", ": heartbeat"]

    watched(visit)


def test_nobody_is_asked_while_nobody_watches() -> None:
    async def main() -> None:
        asked = 0

        async def ask(*_: Any) -> list[Json]:
            nonlocal asked
            asked += 1
            return []

        feed = ChangeFeed(1, None, SimpleNamespace(ask=ask))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        assert asked == 0
        watcher = Watcher("ann", lambda _: True)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(change_feed, "_PAUSE_SECONDS", 0.001)
            feed.join(watcher)
            async with asyncio.timeout(SECONDS):
                while asked < 3:  # noqa: ASYNC110 - what it waits for has no event
                    await asyncio.sleep(0.001)
                feed.leave(watcher)
                collecting = feed._collecting
                assert collecting is not None
                await collecting
        await feed.close()

    asyncio.run(main())


def test_no_change_is_missed_between_the_last_changes_and_the_first_collected_ones() -> None:
    async def main() -> None:
        buffer = OutputBuffer()
        task = SimpleNamespace(buffer=buffer)
        answered = asyncio.Event()
        asked = 0

        async def ask(_: Any, numbers: list[int], here: Any, *__: Any) -> list[Json]:
            nonlocal asked
            asked += 1
            if asked == 1:
                # The first question of the collecting is answered late.
                await answered.wait()
            return [await here(numbers)]

        feed = ChangeFeed(1, SimpleNamespace(task=lambda _: task), SimpleNamespace(ask=ask))  # type: ignore[arg-type]
        watcher = Watcher("ann", lambda _: True)
        buffer.change(change(1))
        buffer.clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(change_feed, "_PAUSE_SECONDS", 0.001)
            feed.join(watcher)
            await asyncio.sleep(0)
            assert sequences(await feed.recent(10)) == [1]
            buffer.change(change(2))
            buffer.clear()
            answered.set()
            async with asyncio.timeout(SECONDS):
                assert sequences((await watcher.next())[0]) == [2]
        await feed.close()

    asyncio.run(main())


def test_after_a_fault_of_the_worker_watching_ends_and_can_begin_again() -> None:
    async def main() -> None:
        async def ask(*_: Any) -> list[Json]:
            raise RuntimeError("a fault")

        feed = ChangeFeed(1, None, SimpleNamespace(ask=ask))  # type: ignore[arg-type]
        for _ in range(2):
            watcher = Watcher("ann", lambda _: True)
            feed.join(watcher)
            async with asyncio.timeout(SECONDS):
                assert await watcher.next() == ([], [])
            assert watcher.closed
            feed.leave(watcher)
            collecting = feed._collecting
            assert collecting is not None
            with pytest.raises(RuntimeError, match="a fault"):
                await collecting
        await feed.close()

    asyncio.run(main())


def test_watching_ends_with_the_worker() -> None:
    async def main() -> None:
        catalogue = Catalogue()
        first, second = Worker(0, catalogue), Worker(1, catalogue)
        peers: dict[int, Peer] = {}
        async with aiohttp.ClientSession() as session, AsyncExitStack() as streams:
            async with AsyncExitStack() as workers:
                other, _ = await workers.enter_async_context(served(SETTINGS, **second.parts({})))
                _, port = await workers.enter_async_context(served(SETTINGS, **first.parts(peers)))
                peers[1] = other.peer
                watched = Watched(first, second, session, port)
                stream = await streams.enter_async_context(watched.stream())
                # The web server would wait a minute for an answer without an end.
                async with asyncio.timeout(SECONDS / 2):
                    await workers.aclose()
            async with asyncio.timeout(SECONDS):
                while not stream.ended:
                    await stream.line()

    asyncio.run(main())
