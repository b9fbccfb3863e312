"""Contacts are found by the beginnings of their ids, and what happened to one is listed, over all workers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from agents.catalogue.progress_reader import Peer
from agents.kafka.partitioner import place
from streamseg.catalogue.state import Catalogue
from streamseg.json_text import Json
from streamseg.replay import Replay
from streamseg.settings import Settings
from streamseg.times import DAY_MS, format_ms
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
        self._catalogue = Catalogue()

    def line(self, topic: str, key: str, at_ms: int = AT_MS, **value: Any) -> None:
        """A record, in the partition of its key; a definition is read by both workers."""
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

    def segment(self, segment_id: str, owner: str, condition: Json) -> None:
        clusters = [{"match": "all", "conditions": [condition]}]
        body = {
            "segment_id": segment_id,
            "name": segment_id,
            "type": "standard",
            "created_by": owner,
            "clusters": clusters,
        }
        self.line("segment-definitions", segment_id, **body)
        self._catalogue = Catalogue.load([(segment_id, body)], [])

    def _parts(self, number: int, peers: dict[int, Peer]) -> dict[str, Any]:
        run = self._runs[number]
        task = SimpleNamespace(store=run.store, partition=run.partition)
        return {
            "scheduler": SimpleNamespace(find=lambda asked: task if asked == number else None),
            "progress": SimpleNamespace(peer=peers.get),
            "catalogue_topic": SimpleNamespace(catalogue=self._catalogue),
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


def paged(pages: Any, key: str) -> list[Any]:
    return [one for page in pages for one in page[key]]


async def every_page(ask: Ask, path: str, cursor: str) -> list[Any]:
    pages, after = [], None
    while True:
        status, page = await ask(path + (f"&{cursor}={after}" if after is not None else ""))
        assert status == 200
        pages.append(page)
        after = page["next_cursor"]
        if after is None:
            return pages


@pytest.mark.parametrize("limit", [1, 7, 50])
@pytest.mark.parametrize("prefix", ["c", "c1", "c1%2F", "d", "人", ""])
def test_each_contact_with_the_prefix_is_on_exactly_one_page(limit: int, prefix: str) -> None:
    ids = [
        "b",
        "c",
        "c1",
        "c1/",
        "c1/a",
        "c10",
        "c\x00",
        "人",
        "人1",
        "é",
        *(f"c2-{one}" for one in range(30)),
    ]
    installation = Installation()
    for contact_id in ids:
        installation.contact(contact_id)
    installation.contact("c1-erased")
    installation.contact("c1-erased", deleted=True)
    wanted = sorted(one for one in ids if one.startswith(prefix.replace("%2F", "/")))

    async def questions(ask: Ask) -> None:
        pages, after = [], None
        while True:
            more = "" if after is None else f"&after={aiohttp.helpers.quote(after, safe='')}"
            status, page = await ask(f"/contacts?q={prefix}&limit={limit}{more}")
            assert status == 200
            assert len(page["contacts"]) <= limit
            pages.append(page)
            after = page["next_cursor"]
            if after is None:
                break
        assert [one["contact_id"] for one in paged(pages, "contacts")] == wanted

    asking(installation, questions)


def test_a_found_contact_has_its_name() -> None:
    installation = Installation()
    installation.contact("c1", attributes={"name": "李雷"})
    installation.contact("c2", attributes={"name": "x"})
    installation.contact("c2", at_ms=AT_MS + 1, attributes={"name": None})

    async def questions(ask: Ask) -> None:
        _, page = await ask("/contacts?q=c")
        assert page["contacts"] == [
            {"contact_id": "c1", "name": "李雷", "known_since": format_ms(AT_MS)},
            {"contact_id": "c2", "name": None, "known_since": format_ms(AT_MS)},
        ]
        for wrong in ("limit=0", "limit=201", "limit=x"):
            status, problem = await ask(f"/contacts?{wrong}")
            assert (status, problem["path"]) == (422, "limit")

    asking(installation, questions)


@pytest.mark.parametrize("contact_id", ["c1", "c2", "c3"])
@pytest.mark.parametrize("limit", [1, 3, 100])
def test_what_happened_is_listed_from_the_latest_on_each_row_once(contact_id: str, limit: int) -> None:
    installation = Installation()
    clicked = {"event": "email_click", "count": {"operator": "ge", "value": 2}}
    installation.segment("clickers", "ann", clicked)
    installation.contact(contact_id, attributes={"city": "上海"})
    times = [AT_MS + 1, AT_MS + 3, AT_MS + 3, AT_MS + 2, AT_MS + 9]
    for number, at_ms in enumerate(times):
        installation.event(contact_id, f"e{number}", "email_click", at_ms, n=number)

    async def questions(ask: Ask) -> None:
        pages = await every_page(ask, f"/contacts/{contact_id}/timeline?limit={limit}", "cursor")
        rows = paged(pages, "rows")
        told = [(row["at"], row.get("event_id") or row["segment_id"]) for row in rows]
        later = [(AT_MS + 9, "e4"), (AT_MS + 3, "clickers"), (AT_MS + 3, "e2"), (AT_MS + 3, "e1")]
        assert told[:-1] == [
            (format_ms(at_ms), name) for at_ms, name in [*later, (AT_MS + 2, "e3"), (AT_MS + 1, "e0")]
        ]
        assert rows[1] == {
            "at": format_ms(AT_MS + 3),
            "kind": "membership",
            "segment_id": "clickers",
            "change": "entered",
            "sequence": 1,
        }
        assert (rows[0]["properties"], rows[0]["derived"], rows[0]["label"]) == ({"n": 4}, False, "邮件点击")
        last = rows[-1]
        assert (last["event"], last["derived"], last["at"]) == ("attribute_changed", True, format_ms(AT_MS))
        _, english = await ask(f"/contacts/{contact_id}/timeline?limit=1", **{"Accept-Language": "en"})
        assert english["rows"][0]["label"] == "e-mail click"

    asking(installation, questions)


def test_memberships_of_segments_that_the_account_does_not_see_are_left_out() -> None:
    installation = Installation()
    installation.segment("anns", "ann", {"attribute": "contact_id", "operator": "is_set"})
    installation.contact("c1")

    async def questions(ask: Ask) -> None:
        for account, rows in (("ann", 1), ("ben", 0)):
            _, page = await ask("/contacts/c1/timeline", account)
            assert len(page["rows"]) == rows

    asking(installation, questions)


def test_events_past_retention_are_not_listed() -> None:
    installation = Installation()
    installation.event("c1", "old", "click", AT_MS)
    installation.event("c1", "new", "click", AT_MS + 11 * DAY_MS)

    async def questions(ask: Ask) -> None:
        _, page = await ask("/contacts/c1/timeline")
        assert [row["event_id"] for row in page["rows"]] == ["new"]

    asking(installation, questions)


def test_an_unknown_contact_and_a_wrong_cursor_are_problems() -> None:
    installation = Installation()
    installation.contact("c1")

    async def questions(ask: Ask) -> None:
        for contact_id in ("nobody", "c2", "c3"):
            status, problem = await ask(f"/contacts/{contact_id}/timeline")
            assert (status, problem["code"], problem["path"]) == (404, "not_found", "contact_id")
        for cursor in ("", "x", "bnVsbA==", "WzEsMiwzXQ==", "WyIxIiwwLCJlIixmYWxzZV0="):
            status, problem = await ask(f"/contacts/c1/timeline?cursor={cursor}")
            assert (status, problem["code"], problem["path"]) == (422, "invalid_schema", "cursor")

    asking(installation, questions)
