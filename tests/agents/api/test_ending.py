"""A worker that is being stopped refuses its callers with `ending`, even if some of its parts are gone
already."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from aiohttp import ClientSession

from streamseg.settings import Settings
from tests.agents.api.served import served

SETTINGS = Settings(http_host="127.0.0.1", http_port=0)


class Worker:
    """A worker whose catalogue is closed; `on_read` is called when a question is about to find that."""

    def __init__(self) -> None:
        self.ending = False
        self.on_read: Callable[[], None] = lambda: None

    @property
    def catalogue(self) -> Any:
        self.on_read()
        raise RuntimeError("Session is closed")

    def end(self) -> None:
        self.ending = True


class Caller:
    """Asks a worker over HTTP. `secret`: that of a worker who asks another."""

    def __init__(self, session: ClientSession, secret: str) -> None:
        self._session = session
        self.secret = secret

    async def ask(self, method: str, path: str, **options: Any) -> tuple[int, Any, Any]:
        """Status, headers and body of the answer."""
        async with self._session.request(method, path, **options) as answer:
            return answer.status, answer.headers, orjson.loads(await answer.read())


@asynccontextmanager
async def calling(worker: Worker) -> AsyncIterator[Caller]:
    async with (
        served(SETTINGS, catalogue_topic=worker, ending=lambda: worker.ending) as (api, port),
        ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        yield Caller(session, api.peer.secret)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/segments"),
        ("GET", "/api/v1/contacts/c1"),
        ("POST", "/api/v1/preview"),
        ("POST", "/internal/v1/preview"),
    ],
)
def test_a_worker_that_is_ending_sends_its_callers_elsewhere(method: str, path: str) -> None:
    async def main() -> None:
        worker = Worker()
        worker.end()
        async with calling(worker) as caller:
            headers = {"Authorization": f"Bearer {caller.secret}"} if "internal" in path else {}
            status, told, problem = await caller.ask(method, path, headers=headers)
            assert (status, problem["code"], told["Retry-After"]) == (503, "ending", "1")
            assert told["Content-Type"].startswith("application/problem+json")
            # The description needs nothing that could be gone.
            assert (await caller.ask("GET", "/api/v1/openapi.json"))[0] == 200

    asyncio.run(main())


def test_a_question_that_the_end_overtakes_is_sent_elsewhere_too() -> None:
    async def main() -> None:
        worker = Worker()
        async with calling(worker) as caller:
            # A fault is a fault while the worker is not ending.
            status, _, problem = await caller.ask("GET", "/api/v1/segments")
            assert (status, problem["code"]) == (500, "internal")
            worker.on_read = worker.end
            status, told, problem = await caller.ask("GET", "/api/v1/segments")
            assert (status, problem["code"], told["Retry-After"]) == (503, "ending", "1")

    asyncio.run(main())
