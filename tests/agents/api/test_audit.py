"""Each request that changes something or reads contacts leaves an entry on `audit` before it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import httpx
import orjson
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from pydantic import TypeAdapter

from agents.api import audit
from agents.demo.embedded import EmbeddedBroker, EmbeddedWorker
from agents.kafka.batch_producer import Message
from agents.kafka.topics import topic_name
from schemas.audit import AuditEntry
from schemas.topics import AUDIT
from streamseg.catalogue.state import Catalogue
from streamseg.settings import Settings
from tests.agents.api.served import served
from tests.agents.installation import installed
from tests.agents.known_tokens import TOKENS_FILE, token_of

ENTRY: TypeAdapter[AuditEntry] = TypeAdapter(AuditEntry)
SECRET = "secret-value"  # noqa: S105 - stands for what no entry may have


class Written:
    """A producer that gathers entries; `away` makes it fail, `slow` makes it never return."""

    def __init__(self, *, away: bool = False, slow: bool = False) -> None:
        self.messages: list[Message] = []
        self._away = away
        self._slow = slow

    async def send(self, topic: str, messages: list[Message], *, partition: int) -> int:
        assert (topic, partition) == (AUDIT, 0)
        if self._slow:
            await asyncio.Event().wait()
        if self._away:
            raise ConnectionError("no broker")
        self.messages += messages
        return len(self.messages) - 1

    @property
    def entries(self) -> list[AuditEntry]:
        return [ENTRY.validate_json(message.value or b"", strict=True) for message in self.messages]


Ask = Callable[..., Awaitable[tuple[int, Any]]]


def at_a_worker(written: Written, do: Callable[[Ask], Awaitable[None]], **parts: Any) -> str:
    """Let callers ask a worker with an empty catalogue. Return its metrics at the end."""
    seen: list[str] = []

    async def main() -> None:
        settings = Settings(
            data_dir=Path("/nowhere"), http_host="127.0.0.1", http_port=0, api_tokens_file=TOKENS_FILE
        )
        catalogue_topic = SimpleNamespace(catalogue=Catalogue())
        async with (
            served(settings, catalogue_topic=catalogue_topic, batch_producer=written, **parts) as (_, port),
            aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
        ):

            async def ask(
                account: str, method: str, path: str, body: Any = None, **headers: str
            ) -> tuple[int, Any]:
                headers["Authorization"] = f"Bearer {token_of(account)}"
                async with session.request(method, f"/api/v1{path}", json=body, headers=headers) as answer:
                    return answer.status, orjson.loads(await answer.read() or b"null")

            await do(ask)
            seen.append(await (await session.get("/metrics")).text())

    asyncio.run(main())
    return seen[0]


@pytest.mark.parametrize(
    ("account", "method", "path", "body", "expected"),
    [
        # Refused by the role, by the catalogue, by the shape.
        (
            "ann",
            "POST",
            "/verify",
            {"partition": 0},
            {"action": "POST /verify", "outcome": "refused", "status": 403, "code": "not_permitted"},
        ),
        (
            "ann",
            "DELETE",
            "/segments/s1",
            None,
            {"action": "DELETE /segments/{segment_id}", "segment_ids": ["s1"], "code": "not_found"},
        ),
        (
            "ann",
            "POST",
            "/segments",
            {"name": SECRET, "type": "standard"},
            {"action": "POST /segments", "outcome": "refused", "status": 422, "code": "invalid_schema"},
        ),
        (
            "ann",
            "GET",
            "/segments/global-unsubscribed/contacts/c1/explain?words=xx",
            None,
            {"segment_ids": ["global-unsubscribed"], "contact_ids": ["c1"]},
        ),
        ("ann", "GET", f"/contacts?q={SECRET}&limit=x", None, {"action": "GET /contacts", "contact_ids": []}),
        (
            "ann",
            "POST",
            "/contacts/lists",
            {"segment_id": "s1", "add": [SECRET]},
            {"segment_ids": ["s1"], "contact_ids": [], "code": "not_found"},
        ),
        (
            "ann",
            "POST",
            "/preview",
            {"definition": {"name": SECRET}, "contact_id": "c1"},
            {"action": "POST /preview", "contact_ids": ["c1"]},
        ),
        ("ann", "PATCH", "/groups/g1", {"group": "g2"}, {"group": "g1", "code": "not_found"}),
        ("ann", "POST", "/session", {"token": token_of("ben")}, {"account": "ben", "token_id": "ben"}),
        (
            "otto",
            "DELETE",
            "/segments/s1",
            None,
            {"account": "otto", "acted_for": None, "role": "admin", "token_id": "otto"},
        ),
    ],
)
def test_a_request_leaves_an_entry_with_who_what_and_the_outcome(
    account: str, method: str, path: str, body: Any, expected: dict[str, Any]
) -> None:
    written = Written()

    async def do(ask: Ask) -> None:
        await ask(account, method, path, body)

    at_a_worker(written, do)
    (entry,) = written.entries
    found = entry.model_dump()
    assert {
        "account": account,
        "token_id": account,
        "address": "127.0.0.1",
        **expected,
    }.items() <= found.items()
    assert SECRET not in (written.messages[0].value or b"").decode()


def test_an_administrator_who_acts_for_another_is_named_with_both() -> None:
    written = Written()

    async def do(ask: Ask) -> None:
        await ask("otto", "DELETE", "/segments/s1", **{"X-Account": "ann"})

    at_a_worker(written, do)
    (entry,) = written.entries
    assert (entry.account, entry.acted_for, entry.role) == ("otto", "ann", "admin")


@pytest.mark.parametrize(
    ("account", "method", "path"),
    [
        ("ann", "GET", "/segments"),
        ("ann", "GET", "/groups"),
        ("ann", "GET", "/session"),
        ("otto", "GET", "/diagnosis"),
        ("nobody", "GET", "/contacts/c1"),
        ("ann", "GET", "/nothing"),
    ],
)
def test_what_shows_no_contacts_and_changes_nothing_leaves_none(account: str, method: str, path: str) -> None:
    written = Written()

    async def do(ask: Ask) -> None:
        await ask(account, method, path)

    at_a_worker(written, do)
    assert written.messages == []


def test_a_stream_is_noted_when_it_begins() -> None:
    written = Written()

    async def do(ask: Ask) -> None:
        # The handler refuses it later; the entry was there before the first change could be sent.
        await ask("ann", "GET", "/changes?recent=x")

    at_a_worker(written, do)
    assert [(one.outcome, one.action) for one in written.entries] == [("begun", "GET /changes")]


@pytest.mark.parametrize("trouble", ["away", "slow"])
def test_without_its_entry_a_request_is_not_answered(monkeypatch: pytest.MonkeyPatch, trouble: str) -> None:
    monkeypatch.setattr(audit, "WRITE_SECONDS", 0.2)
    written = Written(**{trouble: True})

    async def do(ask: Ask) -> None:
        status, problem = await ask("ann", "DELETE", "/segments/s1")
        assert (status, problem["code"]) == (503, "not_audited")
        status, problem = await ask("ann", "GET", "/changes?recent=0")
        assert (status, problem["code"]) == (503, "not_audited")
        assert (await ask("ann", "GET", "/segments"))[0] == 200

    metrics = at_a_worker(written, do)
    assert "streamseg_audit_failures_total 2.0" in metrics


def test_a_worker_writes_what_was_done_with_the_version(tmp_path: Path) -> None:
    with EmbeddedBroker() as broker:
        settings = installed(broker, tmp_path)
        with EmbeddedWorker(settings) as worker:
            assert worker.app is not None
            headers = {"X-Account": "ann"}
            with httpx.Client(
                base_url=f"{worker.app.api.peer.url}/api/v1", headers=headers, timeout=60
            ) as api:
                definition = {"name": "名单", "type": "static"}
                made = api.post("/segments", json={**definition, "segment_id": "s1"})
                assert made.status_code == 201, made.text
                assert (
                    api.put("/segments/s1", json={**definition, "name": "n", "version": 1}).status_code == 200
                )
                assert api.post("/groups", json={"group": "g1"}).status_code == 201
                body = {"segment_ids": ["s1"], "group": "g1"}
                assert api.post("/batch/move", json=body).status_code == 200
                assert api.get("/contacts/nobody").status_code == 404
                assert api.delete("/segments/s1").status_code == 204
                # Each was answered after its entry was there.
                entries = [ENTRY.validate_json(value, strict=True) for value in read(settings)]
    assert [
        (
            one.action,
            one.segment_ids,
            one.segment_version,
            one.group,
            one.contact_ids,
            one.outcome,
            one.status,
        )
        for one in entries
    ] == [
        ("POST /segments", ["s1"], 1, None, [], "done", 201),
        ("PUT /segments/{segment_id}", ["s1"], 2, None, [], "done", 200),
        ("POST /groups", [], None, "g1", [], "done", 201),
        ("POST /batch/{command}", ["s1"], None, None, [], "done", 200),
        ("GET /contacts/{contact_id}", [], None, None, ["nobody"], "refused", 404),
        ("DELETE /segments/{segment_id}", ["s1"], None, None, [], "done", 204),
    ]
    assert {(one.account, one.role, one.token_id) for one in entries} == {("ann", "admin", None)}
    assert len({one.entry_id for one in entries}) == len(entries)


def read(settings: Settings) -> list[bytes]:
    """All values on the topic."""
    consumer = Consumer({"bootstrap.servers": settings.bootstrap_servers, "group.id": "auditor"})
    place = TopicPartition(topic_name(settings, AUDIT), 0, OFFSET_BEGINNING)
    try:
        _, end = consumer.get_watermark_offsets(place, timeout=20)
        consumer.assign([place])
        values: list[bytes] = []
        while len(values) < end:
            found = consumer.consume(end, 20)
            assert found
            values += [message.value() or b"" for message in found]
        return values
    finally:
        consumer.close()
