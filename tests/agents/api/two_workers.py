"""An installation of two workers without Kafka, each with one of two partitions, that ask each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import aiohttp

from agents.catalogue.progress_reader import Peer
from agents.kafka.partitioner import place
from streamseg.catalogue.state import Catalogue
from streamseg.json_text import Json
from streamseg.replay import Replay
from streamseg.settings import Settings
from streamseg.times import DAY_MS
from tests.agents.api.served import served
from tests.agents.known_tokens import TOKENS_FILE, token_of

SETTINGS = Settings(
    http_host="127.0.0.1",
    http_port=0,
    partitions=2,
    history_retention_ms=10 * DAY_MS,
    api_tokens_file=TOKENS_FILE,
)
AT_MS = 1_777_593_600_000


class Installation:
    """Two workers, each with one of the two partitions."""

    def __init__(self) -> None:
        self._runs = [Replay(settings=SETTINGS) for _ in range(2)]
        self._definitions: dict[str, Json] = {}

    def line(self, topic: str, key: str, at_ms: int = AT_MS, /, **value: Any) -> None:
        """A record, in the partition of its key; a definition is read by both workers."""
        self._read(topic, key, at_ms, value)

    def _read(self, topic: str, key: str, at_ms: int, value: Json | None) -> None:
        own = place(key.encode(), 2)
        for number, run in enumerate(self._runs):
            if topic == "segment-definitions" or number == own:
                run.line({"topic": topic, "timestamp": at_ms, "key": key, "value": value})

    def contact(self, contact_id: str, at_ms: int = AT_MS, **more: Any) -> None:
        self.line("contact-updates", contact_id, at_ms, contact_id=contact_id, **more)

    def event(self, contact_id: str, event_id: str, event: str, at_ms: int, **properties: Any) -> None:
        self.line(
            "behavior-events",
            contact_id,
            at_ms,
            event_id=event_id,
            contact_id=contact_id,
            event=event,
            occurred_at=at_ms,
            properties=properties,
        )

    def segment(self, segment_id: str, owner: str, condition: Json, at_ms: int = AT_MS) -> None:
        clusters = [{"match": "all", "conditions": [condition]}]
        body: Json = {
            "segment_id": segment_id,
            "name": segment_id,
            "type": "standard",
            "created_by": owner,
            "clusters": clusters,
        }
        self.line("segment-definitions", segment_id, at_ms, **body)
        self._definitions[segment_id] = body

    def delete_segment(self, segment_id: str, at_ms: int) -> None:
        self._read("segment-definitions", segment_id, at_ms, None)

    def tick(self, at_ms: int) -> None:
        """Move the clocks of both partitions."""
        for run in self._runs:
            run.line({"tick": at_ms})

    def _parts(self, number: int, peers: dict[int, Peer]) -> dict[str, Any]:
        run = self._runs[number]
        task = SimpleNamespace(store=run.store, partition=run.partition)
        return {
            "scheduler": SimpleNamespace(find=lambda asked: task if asked == number else None),
            "progress": SimpleNamespace(peer=peers.get),
            "catalogue_topic": SimpleNamespace(catalogue=Catalogue.load(self._definitions.items(), [])),
            "definition_topic": SimpleNamespace(definitions=SimpleNamespace(plan=run.partition.plan)),
        }

    @asynccontextmanager
    async def asked(self) -> AsyncIterator[Ask]:
        """Functions that ask the first worker, and the second, as an account."""
        peers: dict[int, Peer] = {}
        async with (
            served(SETTINGS, **self._parts(0, peers)) as (first, port),
            served(SETTINGS, **self._parts(1, peers)) as (second, _),
            aiohttp.ClientSession() as session,
        ):
            peers.update({0: first.peer, 1: second.peer})

            async def ask(path: str, account: str = "ann", **headers: str) -> tuple[int, Any]:
                headers["Authorization"] = f"Bearer {token_of(account)}"
                url = f"http://127.0.0.1:{port}/api/v1{path}"
                async with session.get(url, headers=headers) as answer:
                    return answer.status, await answer.json(content_type=None)

            yield ask


Ask = Callable[..., Coroutine[Any, Any, tuple[int, Any]]]


def asking(installation: Installation, questions: Callable[[Ask], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        async with installation.asked() as ask:
            await questions(ask)

    asyncio.run(main())
