"""A preview ends soon after its caller disconnects, also at the worker to which it was passed on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import repeat
from types import SimpleNamespace
from typing import Any

import orjson

from agents.catalogue.progress_reader import Peer
from streamseg.catalogue.state import Catalogue
from streamseg.contact.contact import Contact
from streamseg.replay import Replay
from streamseg.settings import Settings
from tests.agents.api.served import served

SECONDS = 20.0
SETTINGS = Settings(http_host="127.0.0.1", http_port=0, partitions=2)


class Crowd:
    """A partition at work with more contacts than anybody waits for."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.read = 0
        self._run = Replay(settings=SETTINGS)
        value = {"contact_id": "c1", "attributes": {"points": 1}}
        self._run.line({"topic": "contact-updates", "timestamp": 1, "key": "c1", "value": value})
        self.partition = self._run.partition
        self.store = self

    def contact_ids(self, after: str | None) -> Iterator[str]:
        return repeat("c1")

    def contact(self, contact_id: str) -> Contact | None:
        self.read += 1
        return self._run.store.contact(contact_id)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._run.store, name)

    def parts(self, peers: dict[int, Peer]) -> dict[str, Any]:
        """What the API of its worker is made of; `peers` are the others', by partition."""
        return {
            "scheduler": SimpleNamespace(find=lambda number: self if number == self.number else None),
            "progress": SimpleNamespace(peer=peers.get),
            "catalogue_topic": SimpleNamespace(catalogue=Catalogue()),
            "definition_topic": SimpleNamespace(definitions=SimpleNamespace(plan=self.partition.plan)),
        }


async def both_read(here: Crowd, there: Crowd) -> None:
    """Wait until both have read on."""
    before = here.read, there.read
    async with asyncio.timeout(SECONDS):
        while here.read == before[0] or there.read == before[1]:  # noqa: ASYNC110 - a store has no event
            await asyncio.sleep(0.001)


async def neither_reads(here: Crowd, there: Crowd) -> None:
    """Wait until neither has read for a number of turns in which a preview would have."""
    async with asyncio.timeout(SECONDS):
        quiet, before = 0, (here.read, there.read)
        while quiet < 200:
            await asyncio.sleep(0.0005)
            quiet = quiet + 1 if before == (here.read, there.read) else 0
            before = here.read, there.read


def test_a_preview_that_was_passed_on_ends_with_its_caller_on_both_workers() -> None:
    async def main() -> None:
        here, there = Crowd(0), Crowd(1)
        others: dict[int, Peer] = {}
        condition = {"attribute": "points", "operator": "ge", "value": 0}
        clusters = [{"match": "all", "conditions": [condition]}]
        body = orjson.dumps({"definition": {"type": "standard", "clusters": clusters}})
        async with (
            served(SETTINGS, **here.parts(others)) as (_, port),
            served(SETTINGS, **there.parts({})) as (other, _),
        ):
            others[1] = other.peer
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            head = f"POST /api/v1/preview HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
            writer.write(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
            await both_read(here, there)
            await both_read(here, there)
            writer.transport.abort()
            await neither_reads(here, there)

    asyncio.run(main())
