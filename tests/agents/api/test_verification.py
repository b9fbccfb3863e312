"""Comparing and recounting over a whole worker: damage in its state is found and corrected."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer
from confluent_kafka import Consumer, Producer, TopicPartition
from typer.testing import CliRunner

from agents.api.comparing import Compared, Comparing
from agents.commands.verify import command as verify
from agents.demo.embedded import EmbeddedBroker, EmbeddedWorker
from agents.kafka.partitioner import place
from agents.worker.background_verification import BackgroundVerification
from streamseg.cli import app as command_line
from streamseg.settings import Settings
from tests.agents.installation import installed

CONTACTS = [f"c{number}" for number in range(40)]
BUYERS = {
    "segment_id": "buyers",
    "name": "buyers",
    "type": "standard",
    "clusters": [{"match": "all", "conditions": [{"event": "buy", "window": {"last": "P7D"}}]}],
}


class Installation:
    """A worker with forty buyers, and ways to look at it."""

    def __init__(self, settings: Settings, worker: EmbeddedWorker) -> None:
        assert worker.app is not None
        self.settings = settings
        self.app = worker.app
        self.url = self.app.api.peer.url
        self._runner = CliRunner()

    def verify(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Exit status and report."""
        single = typer.Typer(add_completion=False)
        single.command()(verify)
        environment = {"STREAMSEG_BOOTSTRAP_SERVERS": self.settings.bootstrap_servers}
        done = self._runner.invoke(single, ["--url", self.url, "--json", *arguments], env=environment)
        return done.exit_code, orjson.loads(done.stdout)

    def recount(self, segment_id: str) -> dict[str, Any]:
        done = self._runner.invoke(
            command_line, ["segments", "recount", segment_id, "--url", self.url, "--json"]
        )
        assert done.exit_code == 0, done.output
        report: dict[str, Any] = orjson.loads(done.stdout)
        return report

    def lose_the_membership_of(self, contact_id: str) -> None:
        """What the fault of an earlier release left behind: the state says that it never entered."""
        number = place(contact_id.encode(), self.settings.partitions)
        task = self.app.scheduler.find(number)
        assert task is not None
        contact = task.store.contact(contact_id)
        assert contact is not None
        contact.body.members.pop("buyers")
        contact.body.true.discard(task.partition.plan.segments["buyers"].member_id)
        task.store.put(contact)
        task.store.set_member("buyers", contact_id, None)

    def on_the_loop(self, work: Coroutine[Any, Any, Any]) -> None:
        """Have it done where the worker works."""
        asyncio.run_coroutine_threadsafe(work, self.app.loop).result(60)

    def changes(self) -> list[dict[str, Any]]:
        """All of `membership-changes`."""
        consumer = Consumer({"bootstrap.servers": self.settings.bootstrap_servers, "group.id": "test"})
        consumer.assign([TopicPartition("membership-changes", one, 0) for one in range(4)])
        found: list[dict[str, Any]] = []
        while messages := consumer.consume(1_000, 2.0):
            found += [orjson.loads(message.value() or b"") for message in messages if message.error() is None]
        consumer.close()
        return found


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    with EmbeddedBroker() as broker:
        settings = installed(broker, tmp_path)
        producer = Producer({"bootstrap.servers": broker.bootstrap, "partitioner": "murmur2_random"})
        producer.produce("segment-definitions", orjson.dumps(BUYERS), b"buyers", 0)
        producer.flush()
        with EmbeddedWorker(settings) as worker:
            installation = Installation(settings, worker)
            for contact_id in CONTACTS:
                event = {
                    "event_id": f"{contact_id}-1",
                    "contact_id": contact_id,
                    "event": "buy",
                    "occurred_at": int(time.time() * 1000),
                }
                producer.produce(
                    "behavior-events",
                    orjson.dumps(event),
                    contact_id.encode(),
                    place(contact_id.encode(), settings.partitions),
                )
            producer.flush()
            eventually(lambda: installation.verify("--no-topic")[1]["memberships"] == len(CONTACTS))
            yield installation


def test_nothing_differs_and_what_was_lost_is_found_and_mended(installation: Installation) -> None:
    status, report = installation.verify()
    assert (status, report) == (0, {"contacts": 40, "memberships": 40, "differences": []})

    installation.lose_the_membership_of("c3")
    status, report = installation.verify()
    assert status == 1
    assert {(one["kept"], one["contact_id"], one["segment_id"]) for one in report["differences"]} == {
        ("membership", "c3", "buyers"),
        ("changes", "c3", "buyers"),
        ("topic", "c3", "buyers"),
    }
    assert installation.verify("--contact", "c4")[0] == 0
    assert installation.verify("--contact", "c3", "--no-topic")[0] == 1
    assert installation.verify("--segment", "global-unsubscribed")[0] == 0

    assert installation.recount("buyers") == {"segment_id": "buyers", "contacts": 40, "changes": 1}
    eventually(lambda: installation.verify()[0] == 0)
    told = [change["reason"]["kind"] for change in installation.changes() if change["contact_id"] == "c3"]
    assert told == ["behavior_event", "definition"]
    assert installation.recount("buyers")["changes"] == 0


def test_a_page_tells_of_a_change_that_came_after_its_first_contact(installation: Installation) -> None:
    app = installation.app
    number = place(b"c3", installation.settings.partitions)

    class Meanwhile(Comparing):
        """Loses a membership and finds it again between the choice of the contacts and their comparison."""

        async def contacts(self, *chosen: Any) -> Compared:
            installation.lose_the_membership_of("c3")
            task = app.scheduler.find(number)
            assert task is not None
            task.partition.recount("buyers", None, len(CONTACTS))
            return await super().contacts(*chosen)

    found: list[Compared] = []

    async def ask() -> None:
        comparing = Meanwhile(app.api.comparing._local, installation.settings)
        found.append(await comparing.page(number, None, len(CONTACTS)))

    installation.on_the_loop(ask())
    (page,) = found
    assert (page.changes_before, page.changes) == (len(page.memberships), len(page.memberships) + 1)


def test_the_background_check_counts_what_differs(installation: Installation) -> None:
    check = BackgroundVerification(
        installation.settings, installation.app.api.comparing, installation.app.metrics
    )

    def go_round() -> None:
        """One look at each contact, and one at the end of each partition."""
        for _ in range(len(CONTACTS) + installation.settings.partitions):
            installation.on_the_loop(check.compare_next())

    go_round()
    shown = installation.app.metrics.exposition().decode()
    assert "streamseg_differences_total" not in shown
    assert "streamseg_verified_contacts_total 40.0" in shown
    installation.lose_the_membership_of("c3")
    go_round()
    shown = installation.app.metrics.exposition().decode()
    assert 'streamseg_differences_total{kept="membership"} 1.0' in shown
