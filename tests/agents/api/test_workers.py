"""`GET /workers` shows administrators every worker: partitions, lag, what was refused, settings."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import orjson
import pytest
from aiohttp import ClientSession
from confluent_kafka import Producer
from pydantic import SecretStr

from agents.catalogue.progress_reader import NO_PARTITION, OwnedReport, Peer, ProgressReader
from agents.demo.embedded import EmbeddedBroker, EmbeddedWorker
from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES
from streamseg.catalogue.progress import Report
from streamseg.settings import Settings
from tests.agents.api.served import served
from tests.agents.known_tokens import TOKENS_FILE, token_of

OTTO = {"Authorization": f"Bearer {token_of('otto')}"}
ANN = {"Authorization": f"Bearer {token_of('ann')}"}
WAIT_SECONDS = 60.0
PASSWORD = "open-sesame"  # noqa: S105 - of no broker
SECRET = "3.14159-of-a-contact"  # noqa: S105 - stands for data of a contact


def sign(run: str, url: str, *, partition: int = NO_PARTITION) -> Any:
    return SimpleNamespace(value=OwnedReport(Report(partition, -1, 0, 0), run, Peer(url, run)).to_bytes())


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Producer]]:
    with EmbeddedBroker() as broker:
        settings = Settings(
            bootstrap_servers=broker.bootstrap,
            data_dir=tmp_path_factory.mktemp("data"),
            http_host="127.0.0.1",
            http_port=0,
            session_timeout_ms=6_000,
            api_tokens_file=TOKENS_FILE,
            sasl_password=SecretStr(PASSWORD),
        )
        broker.create_topics(settings)
        producer = Producer({"bootstrap.servers": broker.bootstrap, "log_level": 0})
        with EmbeddedWorker(settings) as worker:
            assert worker.app is not None
            yield worker.app.api.url, producer


def asked(url: str) -> Any:
    answered = httpx.get(f"{url}/api/v1/workers", headers=OTTO, timeout=WAIT_SECONDS)
    assert answered.status_code == 200, answered.text
    return answered.json()


def until(url: str, happened: Any) -> Any:
    deadline = time.monotonic() + WAIT_SECONDS
    while not happened(found := asked(url)):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def test_others_than_administrators_are_refused(worker: tuple[str, Producer]) -> None:
    url, _ = worker
    answered = httpx.get(f"{url}/api/v1/workers", headers=ANN, timeout=WAIT_SECONDS)
    assert (answered.status_code, answered.json()["code"]) == (403, "not_permitted")


def test_a_worker_shows_its_partitions_and_no_secret(worker: tuple[str, Producer]) -> None:
    url, producer = worker
    producer.produce(CONTACT_UPDATES, orjson.dumps({"contact_id": "c1", "attributes": {}}), key="c1")
    producer.flush(30)
    found = until(
        url,
        lambda one: all(
            row["lag"] == {BEHAVIOR_EVENTS: 0, CONTACT_UPDATES: 0} and row["behind_ms"] is not None
            for row in one["workers"][0]["condition"]["partitions"]
        ),
    )
    (only,) = found["workers"]
    assert found["asked"] == only["url"] == url
    assert only["problem"] is None
    condition = only["condition"]
    assert (condition["ready"], condition["reasons"], condition["clock_doubt"]) == (True, [], None)
    assert [(one["partition"], one["state"]) for one in condition["partitions"]] == [
        (number, "at_work") for number in range(4)
    ]
    assert condition["settings"]["sasl_password"] == "set"  # noqa: S105 - said instead of it
    assert PASSWORD not in orjson.dumps(found).decode()


def test_a_dead_letter_is_shown_with_its_reason_and_without_its_bytes(worker: tuple[str, Producer]) -> None:
    url, producer = worker
    producer.produce(
        BEHAVIOR_EVENTS, orjson.dumps({"contact_id": "c1", "event": 7, "text": SECRET}), key="c1"
    )
    producer.flush(30)
    found = until(url, lambda one: one["workers"][0]["condition"]["dead_letters"]["latest"])
    letters = found["workers"][0]["condition"]["dead_letters"]
    latest = letters["latest"][0]
    assert letters["counts"] == {latest["code"]: 1}
    assert (latest["topic"], latest["offset"], latest["applied"]) == (BEHAVIOR_EVENTS, 0, "no")
    assert latest["message"]
    assert SECRET not in orjson.dumps(found).decode()


def test_all_workers_are_asked_and_one_that_does_not_answer_is_said_to_be_away(tmp_path: Path) -> None:
    settings = Settings(
        http_host="127.0.0.1",
        http_port=0,
        api_tokens_file=TOKENS_FILE,
        data_dir=tmp_path,
    )

    async def main() -> Any:
        reader = ProgressReader(settings)
        async with (
            served(settings, condition=lambda: {"ready": False}) as (other, _),
            served(settings, progress=reader, condition=lambda: {"ready": True}) as (first, port),
            ClientSession(f"http://127.0.0.1:{port}") as session,
        ):
            told = OwnedReport(Report(NO_PARTITION, -1, 0, 0), "r", other.peer)
            impostor = OwnedReport(
                Report(0, 1, 0, 0), "s", Peer(other.url.replace("127.0.0.1", "localhost"), "x")
            )
            away = sign("gone", "http://127.0.0.1:9", partition=1)
            reader._take_reports([SimpleNamespace(value=one.to_bytes()) for one in (told, impostor)] + [away])
            async with session.get("/api/v1/workers", headers=OTTO) as answered:
                return first.url, other.url, orjson.loads(await answered.read())

    own, other, found = asyncio.run(main())
    assert found["asked"] == own
    by_url = {one["url"]: one for one in found["workers"]}
    assert by_url[own]["condition"] == {"ready": True}
    assert by_url[other] == {"url": other, "problem": None, "condition": {"ready": False}}
    assert by_url["http://127.0.0.1:9"]["problem"] == "it cannot be reached"
    stranger = by_url[other.replace("127.0.0.1", "localhost")]
    assert stranger["problem"] == "another worker answers at this address"


def test_a_worker_without_partitions_is_known_until_it_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = ProgressReader(Settings(partitions=2))
    now = 1_000.0
    monkeypatch.setattr("agents.catalogue.progress_reader.time.monotonic", lambda: now)
    reader._take_reports([sign("a", "http://a", partition=0), sign("b", "http://b"), sign("c", "http://c")])
    assert [one.url for one in reader.workers()] == ["http://a", "http://b", "http://c"]
    now += 20
    reader._take_reports([sign("c2", "http://c")])
    now += 20
    assert [(one.url, one.secret) for one in reader.workers()] == [("http://a", "a"), ("http://c", "c2")]
    assert reader.peer(0) is not None
    assert not reader.progress.all_reported
