"""Connections to the web server: their number and their deadlines, with a clock that the test controls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import orjson
import pytest
from aiohttp import web

from agents.api.http_connections import LONGEST_LINE, Connection, Connections, Limits, noted

LIMITS = Limits(connections=4, per_address=3, headers=5, body=30, idle=60)
ASK = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
HALF = b"GET /health HTTP/1.1\r\nHost: loc"
HALF_BODY = b"POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
SECONDS = 20.0


class Counting(Connections):
    """Knows how many connections came, admitted or not."""

    asked = 0

    def admit(self, connection: Connection) -> bool:
        self.asked += 1
        return super().admit(connection)


class Site:
    """A server whose clock stands still until it is moved."""

    def __init__(self, limits: Limits) -> None:
        self.now = 1_000.0
        self.connections = Counting(limits, lambda: self.now)
        self.port = 0
        self.release = asyncio.Event()
        self._callers: list[Caller] = []

    def later(self, seconds: float) -> None:
        self.now += seconds
        self.connections.sweep()

    async def open(self, data: bytes = b"", host: str = "127.0.0.1") -> Caller:
        before = self.connections.asked
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(host, 0))
        caller = Caller(reader, writer)
        self._callers.append(caller)
        writer.write(data)
        await writer.drain()
        await until(lambda: self.connections.asked > before)
        return caller

    async def hang_up(self) -> None:
        """Close the callers' ends of all connections."""
        for caller in self._callers:
            caller.writer.close()
            with suppress(ConnectionError):
                await caller.writer.wait_closed()


class Caller:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def status(self) -> int:
        """Of the next answer; 0 where the connection is closed without one."""
        try:
            head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), SECONDS)
        except (asyncio.IncompleteReadError, ConnectionError):
            return 0
        length = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        )
        self.head, self.body = head, b""
        if length:
            self.body = await asyncio.wait_for(self.reader.readexactly(length), SECONDS)
        return int(head.split()[1])

    async def closed(self) -> bool:
        try:
            return await asyncio.wait_for(self.reader.read(), SECONDS) is not None
        except ConnectionError:
            return True


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not holds():  # noqa: ASYNC110 - what it waits for has no event
            await asyncio.sleep(0.001)


@asynccontextmanager
async def serving(limits: Limits = LIMITS) -> AsyncIterator[Site]:
    site = Site(limits)

    async def health(request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def read(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    async def wait(request: web.Request) -> web.Response:
        await site.release.wait()
        return web.Response(text="done")

    async def much(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * (64 << 20))

    application = web.Application(middlewares=[noted])
    application.add_routes(
        [
            web.get("/health", health),
            web.post("/read", read),
            web.get("/wait", wait),
            web.get("/much", much),
        ]
    )
    runner = web.AppRunner(application, shutdown_timeout=0)
    await runner.setup()
    assert runner.server is not None
    server = await asyncio.get_running_loop().create_server(
        site.connections.factory(runner.server), "127.0.0.1", 0
    )
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        site.release.set()
        await site.hang_up()
        server.close()
        await runner.cleanup()


def run(check: Callable[[Site], Awaitable[None]], limits: Limits = LIMITS) -> None:
    async def main() -> None:
        async with serving(limits) as site:
            await check(site)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("sent", "seconds", "status"),
    [(b"", 5, 408), (HALF, 5, 408), (HALF_BODY, 30, 408), (b"\x16\x03\x01", 5, 400)],
    ids=["nothing", "half the headers", "half the body", "no HTTP"],
)
def test_what_does_not_end_is_closed(sent: bytes, seconds: float, status: int) -> None:
    async def check(site: Site) -> None:
        caller = await site.open(sent)
        if status == 408:
            await until(lambda: all(one.waits is (sent is not HALF_BODY) for one in site.connections._open))
            site.later(seconds - 0.01)
            assert len(site.connections) == 1
            site.later(0.01)
        assert await caller.status() == status
        assert await caller.closed()
        await until(lambda: len(site.connections) == 0)

    run(check)


def test_a_request_dripped_in_is_closed_however_steadily_it_comes() -> None:
    async def check(site: Site) -> None:
        caller = await site.open(b"GET /health HTTP/1.1\r\n")
        for number in range(9):
            caller.writer.write(b"X-%d: y\r\n" % number)
            await caller.writer.drain()
            site.later(0.5)
            assert len(site.connections) == 1
        site.later(0.5)
        assert await caller.status() == 408

    run(check)


def test_a_request_takes_as_long_as_it_takes_to_be_answered() -> None:
    async def check(site: Site) -> None:
        caller = await site.open(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await until(lambda: not any(one.waits for one in site.connections._open))
        site.later(1_000)
        site.release.set()
        assert await caller.status() == 200

    run(check)


def test_a_connection_serves_on_and_is_closed_when_idle_or_when_its_next_request_does_not_end() -> None:
    async def check(site: Site) -> None:
        idle, half = await site.open(ASK), await site.open(ASK)
        assert [await idle.status(), await half.status()] == [200, 200]
        await until(lambda: all(one.waits for one in site.connections._open))
        half.writer.write(HALF)
        await until(lambda: any(one._receiving for one in site.connections._open))
        site.later(5)
        assert await half.status() == 408
        idle.writer.write(ASK)
        assert await idle.status() == 200
        await until(lambda: all(one.waits for one in site.connections._open))
        site.later(60)
        assert await idle.status() == 0

    run(check)


def test_who_takes_nothing_of_the_answer_is_cut_off() -> None:
    async def check(site: Site) -> None:
        caller = await site.open(b"GET /much HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await until(lambda: any(one.writing_paused for one in site.connections._open))
        site.later(30)
        await until(lambda: len(site.connections) == 0)
        caller.writer.close()

    run(check)


def test_the_longest_waiting_connection_makes_room_and_requests_in_work_do_not() -> None:
    async def check(site: Site) -> None:
        working = [await site.open(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n") for _ in range(2)]
        await until(lambda: sum(not one.waits for one in site.connections._open) == 2)
        oldest = await site.open(HALF)
        for _ in range(20):
            site.later(0.01)
            newest = await site.open(HALF)
            assert await oldest.closed()
            assert len(site.connections) == LIMITS.per_address
            oldest = newest
        last = await site.open(ASK)
        assert await last.status() == 200
        site.release.set()
        assert [await one.status() for one in working] == [200, 200]

    run(check)


def test_where_all_are_in_work_one_more_is_told_to_come_again() -> None:
    async def check(site: Site) -> None:
        ask = b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n"
        working = [await site.open(ask) for _ in range(LIMITS.per_address)]
        await until(lambda: sum(not one.waits for one in site.connections._open) == LIMITS.per_address)
        refused = await site.open(ask)
        assert await refused.status() == 503
        assert b"Retry-After: 1" in refused.head
        elsewhere = await site.open(ASK, "127.0.0.2")
        assert await elsewhere.status() == 200
        site.release.set()
        assert [await one.status() for one in working] == [200] * LIMITS.per_address

    run(check)


def test_more_half_open_requests_than_there_may_be_keep_nobody_out() -> None:
    async def check(site: Site) -> None:
        kept = []
        for number in range(1_100):
            half = await site.open(HALF)
            assert len(site.connections) <= 256
            if number % 100 == 99:
                caller = await site.open(ASK)
                assert await caller.status() == 200
                caller.writer.close()
            kept.append(half)
        site.later(5)
        await until(lambda: len(site.connections) <= 1)

    run(check, LIMITS._replace(connections=512, per_address=256))


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"GET /" + b"a" * LONGEST_LINE + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "uri_too_long"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 9_000 + b"\r\n\r\n", 431, "header_too_large"),
        (b"GET / HTTP/9\r\n\r\n", 400, "bad_request"),
    ],
)
def test_what_cannot_be_read_is_a_problem_that_shows_nothing_of_it(
    sent: bytes, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def check(site: Site) -> None:
        caller = await site.open(sent)
        assert await caller.status() == status
        assert b"application/problem+json" in caller.head
        assert orjson.loads(caller.body)["code"] == code
        assert b"aaaa" not in caller.body
        assert "aaaa" not in caplog.text

    run(check)


def test_the_longest_segment_id_fits_an_address() -> None:
    async def check(site: Site) -> None:
        address = (
            "/api/v1/segments/" + "%F0%A0%80%80" * 1_000 + "/contacts/" + "%E4%BA%BA" * 1_000 + "/explain"
        )
        caller = await site.open(f"GET {address} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert await caller.status() == 404

    run(check)
