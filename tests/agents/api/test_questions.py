"""Long questions take short slices of the event loop, end with their caller, and run one at a time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from aiohttp import ClientSession, web

from agents.api.auth import ACCOUNT
from agents.api.comparing import Comparing
from agents.api.partitions import LocalPartitions
from agents.api.peers import Peers
from agents.api.problems import ProblemError
from agents.api.requests import to_the_end
from agents.api.slices import SLICE_SECONDS, Slices, in_thread
from agents.api.turns import LatestOnly, Turns
from agents.api.verification import Verification
from agents.api.web_server import WebServer
from agents.catalogue.progress_reader import Peer
from agents.metrics import Metrics
from streamseg.contact.contact import Contact
from streamseg.engine.explain import explain
from streamseg.engine.trial import CheckedEvents, EventSnapshot, Trial
from streamseg.engine.verification import Kept
from streamseg.language.compiler import compile_segment
from streamseg.plan.definition_records import read_definition
from streamseg.plan.plan import Plan
from streamseg.records.inputs import Event
from streamseg.replay import Replay
from streamseg.settings import Settings
from tests.agents.metric_values import value

SECONDS = 20.0
SETTINGS = Settings()
BEGUN_MS = 1_777_593_600_000


def contact_id(number: int) -> str:
    return f"c{number:05d}"


def replayed(contacts: int, events: int = 0) -> Replay:
    """Contacts with points, and the first of them with so many events."""
    run = Replay(settings=SETTINGS)
    for number in range(contacts):
        one = contact_id(number)
        value = {"contact_id": one, "attributes": {"points": number}}
        run.line({"topic": "contact-updates", "timestamp": BEGUN_MS, "key": one, "value": value})
    for number in range(events):
        happened = {
            "event_id": f"e{number}",
            "contact_id": contact_id(0),
            "event": "click",
            "occurred_at": BEGUN_MS + number,
        }
        line = {
            "topic": "behavior-events",
            "timestamp": BEGUN_MS + number,
            "key": contact_id(0),
            "value": happened,
        }
        run.line(line)
    return run


def planned(run: Replay, condition: dict[str, Any]) -> Plan:
    """What is in force with a new segment `s` of one condition."""
    body = {
        "segment_id": "s",
        "type": "standard",
        "name": "s",
        "clusters": [{"match": "all", "conditions": [condition]}],
    }
    source = orjson.dumps(body)
    current = run.partition.plan
    generation = current.generation + 1
    segment = compile_segment(
        read_definition(source, max_conditions=None),
        source=source,
        version=1,
        introduced=generation,
        born=generation,
        settings=SETTINGS,
    )
    return Plan({**current.segments, "s": segment}, current.built_in, generation, current)


POINTS = {"attribute": "points", "operator": "ge", "value": 10}
CLICKS = {"event": "click", "count": {"operator": "ge", "value": 3_000}}


class Watched:
    """A store that moves a clock by a millisecond for each contact and each hundred events that are read,
    and notes who reads."""

    def __init__(self, run: Replay) -> None:
        self._store = run.store
        self.now = 0.0
        self.contacts = 0
        self.rests: list[float] = []
        self.threads: set[int] = set()

    def contact(self, contact_id: str) -> Contact | None:
        self.contacts += 1
        self.now += 1 / 1024
        return self._store.contact(contact_id)

    def events(self, contact_id: str, since_ms: int | None = None) -> Iterator[Event]:
        self.threads.add(threading.get_ident())
        for event in self._store.events(contact_id, since_ms):
            self.now += 1 / 102_400
            yield event

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def rest(self, seconds: float) -> None:
        self.rests.append(seconds)
        await asyncio.sleep(0)

    def partitions(self, run: Replay) -> LocalPartitions:
        task = SimpleNamespace(store=self, partition=run.partition, number=0)
        scheduler = SimpleNamespace(find=lambda number: task if number == 0 else None)
        slices = Slices(timer=lambda: self.now, rest=self.rest)
        return LocalPartitions(scheduler, SETTINGS, slices)


def test_a_preview_gives_up_the_loop_after_every_few_contacts() -> None:
    run = replayed(100)
    store = Watched(run)
    found = asyncio.run(store.partitions(run).preview([0], planned(run, POINTS), "s", 3))
    assert found == {"contacts": 90, "sample": [contact_id(number) for number in (10, 11, 12)]}
    # Six contacts of not quite a millisecond each, and then as long a rest.
    assert store.contacts == 100
    # The last slice finds nobody left.
    assert [rest * 1024 for rest in store.rests] == [6] * 16 + [4, 0]


def test_a_long_history_is_read_in_pieces_and_judged_in_a_thread() -> None:
    run = replayed(3, events=5_000)
    store = Watched(run)
    found = asyncio.run(store.partitions(run).preview([0], planned(run, CLICKS), "s", 3))
    assert found == {"contacts": 1, "sample": [contact_id(0)]}
    # 64 events are read between two looks at the time.
    assert max(store.rests) < SLICE_SECONDS + 64 / 102_400 + 1e-6
    assert len(store.rests) > 9
    # The store is read on the loop only, which alone may write to it.
    assert len(store.threads) == 1


def test_a_comparison_gives_up_the_loop_after_every_few_contacts() -> None:
    run = replayed(100)
    run.partition.adopt(planned(run, POINTS))
    store = Watched(run)
    comparing = Comparing(store.partitions(run), SETTINGS)
    found = asyncio.run(comparing.page(0, None, 60))
    assert (found.contacts, found.last) == (60, contact_id(59))
    # What nothing has brought up to the new definition yet differs from it in nothing.
    assert found.differences == []
    assert store.contacts == 60
    # Its contacts are listed in a slice of their own.
    assert [round(rest * 1024) for rest in store.rests] == [0] + [6] * 10


def test_a_long_history_is_compared_in_a_thread_from_a_copy() -> None:
    run = replayed(3, events=5_000)
    run.partition.adopt(planned(run, CLICKS))
    store = Watched(run)
    contact = run.store.contact(contact_id(0))
    assert contact is not None
    contact.event_count -= 1
    found = asyncio.run(Comparing(store.partitions(run), SETTINGS).page(0, None, 10))
    # One of them is the update that made it known.
    assert (found.contacts, found.last) == (3, None)
    assert [(one.kept, one.found, one.expected) for one in found.differences] == [
        (Kept.HISTORY, "5001 events", "5000 events")
    ]
    # 64 events are read between two looks at the time.
    assert max(store.rests) < SLICE_SECONDS + 64 / 102_400 + 1e-6
    assert len(store.rests) > 9
    assert len(store.threads) == 1


def test_a_recount_takes_as_many_contacts_as_fit_into_a_step() -> None:
    run = replayed(20)
    now = 0.0

    def over() -> bool:
        nonlocal now
        now += 1.0
        return now >= 8

    assert run.partition.recount("global-unsubscribed", None, 64, over) == (8, 0, contact_id(7))
    assert run.partition.recount("global-unsubscribed", contact_id(7), 64, lambda: True).contacts == 1


def test_a_contact_that_changes_while_it_is_read_is_read_anew() -> None:
    run = replayed(2, events=5_000)
    store = Watched(run)
    more = iter(range(10_000, 20_000))

    async def rest(seconds: float) -> None:
        number = next(more)
        run.line(
            {
                "topic": "behavior-events",
                "timestamp": BEGUN_MS + number,
                "key": contact_id(0),
                "value": {
                    "event_id": f"e{number}",
                    "contact_id": contact_id(0),
                    "event": "click",
                    "occurred_at": BEGUN_MS + number,
                },
            }
        )
        await asyncio.sleep(0)

    store.rest = rest  # type: ignore[method-assign]
    found = asyncio.run(store.partitions(run).preview([0], planned(run, CLICKS), "s", 0))
    assert found["contacts"] == 1


def test_explaining_reads_in_slices_and_leaves_no_trace() -> None:
    run = replayed(2, events=2_500)
    run.partition.adopt(planned(run, CLICKS))
    store = Watched(run)
    contact = run.store.contact(contact_id(0))
    assert contact is not None
    before = contact.to_bytes()
    explained = asyncio.run(store.partitions(run).explain(0, contact_id(0), "s"))
    assert explained["member"] is False
    assert len(explained["parts"][0]["clusters"][0]["conditions"][0]["occurrences"]) == 100
    assert contact.to_bytes() == before
    assert len(store.threads) == 1


def test_two_questions_share_one_workers_time() -> None:
    run = replayed(60)
    store = Watched(run)
    inside = 0

    async def both() -> None:
        partitions = store.partitions(run)

        async def rest(seconds: float) -> None:
            nonlocal inside
            inside += 1
            assert inside == 1
            await asyncio.sleep(0)
            inside -= 1

        store.rest = rest  # type: ignore[method-assign]
        plan = planned(run, POINTS)
        await asyncio.gather(*(partitions.preview([0], plan, "s", 0) for _ in range(3)))

    asyncio.run(both())
    assert store.contacts == 180


# -- the end with the caller --------------------------------------------------------------------------------


class Endless:
    """A partition with more contacts than anybody waits for."""

    def __init__(self) -> None:
        self.asked = 0
        self.ended = asyncio.Event()

    async def ask(self, numbers: list[int]) -> dict[str, Any]:
        try:
            while True:
                self.asked += 1
                await asyncio.sleep(0)
        finally:
            self.ended.set()


@asynccontextmanager
async def serving(
    handler: Callable[[web.Request], Coroutine[Any, Any, web.StreamResponse]],
) -> AsyncIterator[int]:
    """The port of a worker's web server, on which nothing else is mounted."""

    def mount(application: web.Application) -> None:
        application.router.add_route("*", "/{rest:.*}", handler)

    server = WebServer(
        settings=SETTINGS.model_copy(update={"http_host": "127.0.0.1", "http_port": 0}),
        metrics=Metrics(),
        problem=lambda: None,
        observe=lambda: None,
        not_ready=list,
        mount=mount,
    )
    await server.start()
    try:
        yield server.port
    finally:
        await server.stop()


async def ask_and_go(port: int, asked: Callable[[], bool]) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /preview HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
    async with asyncio.timeout(SECONDS):
        while not asked():  # noqa: ASYNC110 - what it waits for has no event
            await asyncio.sleep(0.001)
    writer.transport.abort()


def test_what_nobody_waits_for_ends_on_all_workers() -> None:
    async def main() -> None:
        here, there = Endless(), Endless()

        async def elsewhere(request: web.Request) -> web.Response:
            return web.json_response(await there.ask([]))

        async with serving(elsewhere) as port:
            reports = SimpleNamespace(peer=lambda _: Peer(f"http://127.0.0.1:{port}", "secret"))
            local = SimpleNamespace(has=lambda number: number == 0)
            peers = Peers(SETTINGS, local, reports)  # type: ignore[arg-type]
            await peers.start()

            async def handler(request: web.Request) -> web.Response:
                return web.json_response(await peers.ask(request, [0, 1], here.ask, "/preview", {}))

            async with serving(handler) as asked_port:
                await ask_and_go(asked_port, lambda: here.asked > 0 and there.asked > 0)
                async with asyncio.timeout(SECONDS):
                    await here.ended.wait()
                    await there.ended.wait()
                before = here.asked, there.asked
                for _ in range(100):
                    await asyncio.sleep(0)
                assert (here.asked, there.asked) == before
            await peers.stop()

    asyncio.run(main())


def test_where_one_worker_fails_the_others_go_on_no_longer() -> None:
    async def main() -> None:
        here = Endless()

        async def failing(request: web.Request) -> web.Response:
            while here.asked == 0:  # noqa: ASYNC110 - what it waits for has no event
                await asyncio.sleep(0.001)
            return ProblemError("invalid_schema", "no").response("en")

        async with serving(failing) as port:
            reports = SimpleNamespace(peer=lambda _: Peer(f"http://127.0.0.1:{port}", "secret"))
            peers = Peers(SETTINGS, SimpleNamespace(has=lambda number: number == 0), reports)  # type: ignore[arg-type]
            await peers.start()
            with pytest.raises(Exception, match="status 422"):
                await peers.ask(SimpleNamespace(headers={}), [0, 1], here.ask, "/preview", {})
            assert here.ended.is_set()
            await peers.stop()

    asyncio.run(main())


def test_a_question_that_takes_too_long_ends_with_its_time() -> None:
    async def main() -> None:
        here = Endless()
        settings = SETTINGS.model_copy(update={"command_timeout_ms": 1})
        peers = Peers(settings, SimpleNamespace(has=lambda _: True), SimpleNamespace())  # type: ignore[arg-type]
        with pytest.raises(ProblemError) as late:
            await peers.ask(SimpleNamespace(headers={}), [0], here.ask, "/preview", {})
        assert late.value.code == "timeout"
        assert here.ended.is_set()

    asyncio.run(main())


def test_a_change_goes_on_to_its_end_without_its_caller() -> None:
    async def main() -> None:
        begun, done = asyncio.Event(), asyncio.Event()

        async def change() -> None:
            begun.set()
            for _ in range(10):
                await asyncio.sleep(0)
            done.set()

        async def handler(request: web.Request) -> web.Response:
            await to_the_end(change())
            return web.Response()

        async with serving(handler) as port:
            await ask_and_go(port, begun.is_set)
            async with asyncio.timeout(SECONDS):
                await done.wait()

    asyncio.run(main())


def test_work_in_a_thread_is_waited_for_also_by_who_is_cancelled() -> None:
    async def main() -> None:
        begun, go_on = threading.Event(), threading.Event()
        ended = False

        def work(check: Callable[[], None]) -> None:
            nonlocal ended
            begun.set()
            go_on.wait(SECONDS)
            ended = True

        task = asyncio.ensure_future(in_thread(work))
        await asyncio.to_thread(begun.wait, SECONDS)
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended

    asyncio.run(main())


def test_work_that_looks_around_ends_once_nobody_waits_for_it() -> None:
    async def main() -> None:
        begun = threading.Event()

        def work(check: Callable[[], None]) -> None:
            while True:
                begun.set()
                check()

        task = asyncio.ensure_future(in_thread(work))
        await asyncio.to_thread(begun.wait, SECONDS)
        task.cancel()
        async with asyncio.timeout(SECONDS):
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())


def test_judging_a_long_history_looks_around_at_every_event() -> None:
    run = replayed(1, events=2_000)
    contact = run.store.contact(contact_id(0))
    assert contact is not None
    seen = 0

    def check() -> None:
        nonlocal seen
        seen += 1
        if seen > 1_000:
            raise ZeroDivisionError

    events = EventSnapshot(list(run.store.events(contact_id(0)))).checked(check)
    plan = planned(run, CLICKS)
    with pytest.raises(ZeroDivisionError):
        Trial(events, plan, SETTINGS).brought_up(contact, BEGUN_MS + 2_000)
    seen = 0
    run.partition.adopt(plan)
    settled = Trial(run.store, plan, SETTINGS).brought_up(contact, BEGUN_MS + 2_000)
    with pytest.raises(ZeroDivisionError):
        explain(settled, plan.segments["s"], plan, CheckedEvents(run.store.events(contact_id(0)), check), 0)


def test_a_rest_is_as_long_as_others_work_and_no_longer() -> None:
    async def main() -> None:
        now = 0.0
        turns = 0

        def timer() -> float:
            return now

        async def work() -> None:
            nonlocal now, turns
            while True:
                now += 1 / 1024
                turns += 1
                await asyncio.sleep(0)

        slices = Slices(timer=timer)
        async with slices.slice():
            now += 1.0
        # Nobody else had anything to do.
        assert now == 1.0
        busy = asyncio.ensure_future(work())
        async with slices.slice():
            now += 5 / 1024
        assert 5 <= turns <= 6
        busy.cancel()

    asyncio.run(main())


# -- one at a time ------------------------------------------------------------------------------------------


def test_a_second_question_of_an_account_is_refused_and_told_when_to_come_again() -> None:
    async def main() -> None:
        turns = Turns(0)
        async with turns.of("ann"), turns.of("ben"):
            with pytest.raises(ProblemError) as refused:
                async with turns.of("ann"):
                    pass
            response = refused.value.response("en")
            assert (response.status, response.headers["Retry-After"]) == (429, "1")
        async with turns.of("ann"):
            pass

    asyncio.run(main())


@pytest.mark.parametrize("path", ["/verify", "/segments/s/recount"])
def test_a_second_page_of_a_comparison_or_a_recount_is_refused_while_one_is_answered(path: str) -> None:
    async def main() -> None:
        asked, go_on = asyncio.Event(), asyncio.Event()

        async def held(*_: Any) -> list[dict[str, Any]]:
            asked.set()
            await go_on.wait()
            counts = {"contacts": 0, "changes_before": 0, "changes": 0}
            page = {**counts, "differences": [], "memberships": [], "member_counts": {}}
            return [{**page, "found": [{**page, "last": None}], "next_cursor": None}]

        verification = Verification(
            SETTINGS,
            view=SimpleNamespace(visible=lambda _: ("s", SimpleNamespace(owner=None))),  # type: ignore[arg-type]
            local=SimpleNamespace(),  # type: ignore[arg-type]
            comparing=SimpleNamespace(),  # type: ignore[arg-type]
            peers=SimpleNamespace(ask=held),  # type: ignore[arg-type]
            turns=Turns(0),
        )
        handle = verification.verify if path == "/verify" else verification.recount

        async def handler(request: web.Request) -> web.StreamResponse:
            request[ACCOUNT] = "ann"
            try:
                return await handle(request)
            except ProblemError as error:
                return error.response("en")

        async with serving(handler) as port, ClientSession(f"http://127.0.0.1:{port}") as session:

            async def ask() -> int:
                async with session.post(path, json={"partition": 0}) as answer:
                    return answer.status

            first = asyncio.ensure_future(ask())
            async with asyncio.timeout(SECONDS):
                await asked.wait()
                asyncio.get_running_loop().call_later(SECONDS / 4, go_on.set)
                assert await ask() == 429
                go_on.set()
                assert await first == 200
                assert await ask() == 200

    asyncio.run(main())


def test_how_many_are_being_answered_is_shown() -> None:
    async def main() -> None:
        metrics = Metrics()
        turns = Turns(0, metrics.questions.labels("long"))

        def running() -> float:
            return value(metrics, "streamseg_api_questions_running", kind="long")

        async with turns.of("ann"), turns.of("ben"):
            assert running() == 2
            with pytest.raises(ProblemError):
                async with turns.of("ann"):
                    pass
            assert running() == 2
        assert running() == 0

    asyncio.run(main())


def test_short_questions_of_an_account_wait_for_one_another() -> None:
    async def main() -> None:
        turns = Turns(SECONDS)
        at_once = most = 0

        async def ask() -> None:
            nonlocal at_once, most
            async with turns.of("ann"):
                at_once += 1
                most = max(most, at_once)
                await asyncio.sleep(0)
                at_once -= 1

        await asyncio.gather(*(ask() for _ in range(10)))
        assert most == 1
        impatient = Turns(0.001)
        async with impatient.of("ann"):
            with pytest.raises(ProblemError):
                async with impatient.of("ann"):
                    pass

    asyncio.run(main())


def test_a_later_preview_of_an_account_ends_the_earlier_one() -> None:
    async def main() -> None:
        latest = LatestOnly(Turns(SECONDS))
        ended: list[str] = []

        async def endless(name: str) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                # It takes a moment to end.
                await asyncio.sleep(0.001)
                ended.append(name)

        async def quick() -> str:
            assert ended == ["first"]
            return "answered"

        first = asyncio.ensure_future(latest.answer("ann", lambda: endless("first")))
        others = asyncio.ensure_future(latest.answer("ben", lambda: endless("ben")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        # The second one never begins.
        second = asyncio.ensure_future(latest.answer("ann", lambda: endless("second")))
        await asyncio.sleep(0)
        assert await latest.answer("ann", quick) == "answered"
        for one in (first, second):
            with pytest.raises(ProblemError) as refused:
                await one
            assert (refused.value.code, refused.value.response("en").status) == ("superseded", 409)
        assert not others.done()
        others.cancel()
        await asyncio.wait([others])
        assert others.cancelled()
        assert ended == ["first", "ben"]

    asyncio.run(main())


def test_a_turn_ends_however_its_question_does() -> None:
    async def main() -> None:
        turns = Turns(0)
        with pytest.raises(ZeroDivisionError):
            async with turns.of("ann"):
                raise ZeroDivisionError

        async def hold() -> None:
            async with turns.of("ann"):
                await asyncio.Event().wait()

        held = asyncio.ensure_future(hold())
        await asyncio.sleep(0)
        held.cancel()
        await asyncio.wait([held])
        async with turns.of("ann"):
            pass

    asyncio.run(main())
