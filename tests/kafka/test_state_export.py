"""The drill on a real broker: export, lose everything, import, go on. The changes are those of a run that was
never stopped."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer
from confluent_kafka.admin import AdminClient
from typer.testing import CliRunner, Result

from agents.commands.reset import reset
from agents.commands.state import state
from agents.kafka.topics import changelog_topic
from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES
from streamseg.records.inputs import Record
from streamseg.settings import Settings
from streamseg.times import format_ms
from tests.kafka.live import (
    Topics,
    Worker,
    comparable,
    eventually,
    expected_changes,
    running,
    worker_environment,
)
from tests.kafka.workload import DEFINITIONS, stream, write

SUBSCRIBERS = {
    "segment_id": "subscribers",
    "clusters": [
        {"match": "all", "conditions": [{"segment": "global-unsubscribed", "member": False}]},
        {"match": "all", "conditions": [{"event": "email_*", "count": {"operator": "ge", "value": 2}}]},
    ],
}
ALL = [*DEFINITIONS, SUBSCRIBERS]
RESET = typer.Typer()
RESET.command()(reset)


def called(settings: Settings, *arguments: str) -> Result:
    """A `streamseg state` command."""
    return CliRunner().invoke(state, arguments, env=worker_environment(settings, settings.data_dir))


def succeeded(settings: Settings, *arguments: str) -> str:
    done = called(settings, *arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def refused(settings: Settings, code: str, *arguments: str) -> None:
    done = called(settings, *arguments)
    assert (done.exit_code, code in done.stderr) == (1, True), done.output


def deleted(settings: Settings, *names: str) -> None:
    """Delete topics, as a cluster that lost them."""
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers})
    for future in admin.delete_topics(list(names)).values():
        future.result(30)
    eventually(lambda: not set(names) & admin.list_topics(timeout=10).topics.keys(), "the topics gone")


def lost(settings: Settings) -> None:
    """Delete all topics of an installation."""
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers})
    names = [name for name in admin.list_topics(timeout=10).topics if name.startswith(settings.topic_prefix)]
    deleted(settings, *names)


@pytest.fixture
def topics(kafka_settings: Settings) -> Topics:
    topics = Topics(kafka_settings)
    topics.create()
    topics.define(*ALL)
    return topics


@pytest.fixture
def workers(kafka_settings: Settings) -> Iterator[list[Worker]]:
    made: list[Worker] = []
    yield made
    for worker in made:
        worker.end()


def unsubscribing(contacts: int) -> list[Record]:
    """Forms that say no, and a bounce of a mail, of the first contacts of the workload, now."""
    at_ms = time.time_ns() // 1_000_000
    records = []
    for index in range(contacts):
        contact_id = f"联系人-{index}"
        body: dict[str, Any] = {
            "event_id": f"no-{index}",
            "contact_id": contact_id,
            "occurred_at": at_ms + index,
        }
        body |= {"event": "form_submit", "properties": {"subscribed": "no"}}
        if index % 3 == 0:
            body |= {"event": "sms_unsubscribe", "properties": {}}
        value = orjson.dumps(body)
        records.append(Record(BEHAVIOR_EVENTS, 0, index, at_ms + index, contact_id.encode(), value))
    return records


def memberships(changes: dict[str, dict[str, Any]]) -> set[str]:
    """`segment|contact` of those whose last change is an entry."""
    last: dict[str, dict[str, Any]] = {}
    for change in changes.values():
        key = f"{change['segment_id']}|{change['contact_id']}"
        if key not in last or last[key]["sequence"] < change["sequence"]:
            last[key] = change
    return {key for key, change in last.items() if change["change"] == "entered"}


def test_all_topics_are_lost_and_the_state_goes_on_in_new_ones_with_another_number_of_partitions(
    topics: Topics, kafka_settings: Settings, workers: list[Worker], tmp_path: Path
) -> None:
    records = stream(4_000, contacts=2_000)
    write(topics, records)
    old = Worker(kafka_settings, "old")
    workers.append(old)
    with running(old):
        eventually(topics.all_committed, "all input committed")
        said = unsubscribing(9)
        write(topics, said)
        eventually(topics.all_committed, "the unsubscribing committed")
        # While it runs.
        succeeded(kafka_settings, "export", "--to", str(tmp_path / "running"))
    count = len({record.key for record in [*records, *said]})
    folder = tmp_path / "export"
    told = succeeded(kafka_settings, "export", "--to", str(folder))
    assert f"exported {count:,} contacts" in told
    print(told)
    assert f"{count:,} contacts" in succeeded(kafka_settings, "check", "--from", str(folder))
    before, suppressed = topics.changes(), topics.latest("channel-suppressions")
    announced = topics.latest("segment-memberships")
    definitions = [(one.offset(), one.key(), one.value()) for one in topics.read("segment-definitions")]
    catalogue = topics.latest("segment-catalog")
    assert suppressed
    lost(kafka_settings)

    settings = kafka_settings.model_copy(update={"partitions": 3, "application_id": "second"})
    found = Topics(settings)
    found.create()
    arguments = ("import", "--from", str(folder))
    refused(settings, "erasures_unknown", *arguments)
    erased = {"contact_id": "联系人-1", "deleted": True}
    (tmp_path / "erased.ndjson").write_bytes(orjson.dumps(erased) + b"\n")
    told = succeeded(settings, *arguments, "--erasures", str(tmp_path / "erased.ndjson"))
    print(told)
    assert f"imported {count:,} contacts" in told
    assert found.latest("channel-suppressions") == suppressed
    assert found.latest("segment-memberships") == announced
    assert found.latest("segment-catalog") == catalogue
    kept = [(one.offset(), one.key(), one.value()) for one in found.read("segment-definitions")]
    assert kept == definitions
    refused(settings, "not_empty", *arguments, "--no-erasures")

    erasure = next(one for one in found.read(CONTACT_UPDATES))
    more = unsubscribing(12)[9:]
    again = [
        # A repeat, which is dropped, and an event, which counts on from those before.
        Record(BEHAVIOR_EVENTS, 0, 0, more[0].timestamp_ms, said[2].key, said[2].value),
        *more,
    ]
    write(found, again)
    new = Worker(settings, "new")
    workers.append(new)
    with running(new):
        eventually(found.all_committed, "all input committed")
        changes = comparable([*before, *found.changes()])
        until_ms = time.time_ns() // 1_000_000
        everything = [
            *records,
            *said,
            *again,
            Record(CONTACT_UPDATES, 0, 0, erasure.timestamp()[1], erasure.key(), erasure.value()),
        ]
        expected = comparable(expected_changes(settings, ALL, everything, until_ms).values())

        def as_if_never_stopped() -> bool:
            nonlocal changes
            changes = comparable([*before, *found.changes()])
            return expected.keys() <= changes.keys()

        eventually(as_if_never_stopped, "all changes", 60)
    assert {key: changes[key] for key in expected} == expected
    later = [change for key, change in changes.items() if key not in expected]
    assert all(change["effective_at"] > format_ms(until_ms) for change in later)
    assert found.latest("segment-memberships").keys() == memberships(comparable([*before, *found.changes()]))
    assert not any(key.endswith("|联系人-1") for key in found.latest("segment-memberships"))


def test_a_killed_worker_goes_on_under_a_new_application_id_with_the_same_input(
    topics: Topics, kafka_settings: Settings, workers: list[Worker], tmp_path: Path
) -> None:
    records = stream(6_000, contacts=100)
    write(topics, records)
    old = Worker(kafka_settings, "old", STREAMSEG_CHECKPOINT_INTERVAL_MS="50")
    workers.append(old)
    old.start()
    eventually(lambda: len(topics.changes()) > 20, "some changes")
    old.kill()
    folder = tmp_path / "export"
    eventually(lambda: called(kafka_settings, "export", "--to", str(folder)).exit_code == 0, "an export", 30)
    settings = kafka_settings.model_copy(update={"application_id": "second"})
    found = Topics(settings)
    found.create()
    eventually(
        lambda: "members_active" not in called(settings, "import", "--from", str(folder)).stderr,
        "the killed worker has left its group",
        60,
    )
    assert found.length("second-contacts-changelog") > 0
    deleted(settings, changelog_topic(kafka_settings))
    new = Worker(settings, "new")
    workers.append(new)
    expected = comparable(expected_changes(settings, ALL, records, time.time_ns() // 1_000_000).values())
    with running(new):
        eventually(lambda: expected.keys() <= {one["change_id"] for one in found.changes()}, "all changes")
        changes = comparable(found.changes())
    assert {key: changes[key] for key in expected} == expected


def test_a_worker_whose_changelog_is_lost_refuses_until_it_is_reset_or_told_to_go_on(
    topics: Topics, kafka_settings: Settings, workers: list[Worker], tmp_path: Path
) -> None:
    write(topics, stream(200, contacts=20))
    first = Worker(kafka_settings, "first")
    workers.append(first)
    environment = worker_environment(kafka_settings, kafka_settings.data_dir)
    with running(first):
        eventually(topics.all_committed, "all input committed")
        told = CliRunner().invoke(RESET, ["--dry-run"], env=environment)
        assert (told.exit_code, "members_active" in told.stderr) == (1, True), told.output
    deleted(kafka_settings, changelog_topic(kafka_settings))
    topics.create()
    second = Worker(kafka_settings, "second")
    workers.append(second)
    second.launch()
    eventually(lambda: second.poll() is not None, "the end of the worker")
    assert second.poll() == 1
    assert re.search("empty_state: input of partition . was applied before", second.log)
    assert topics.length("streamseg-contacts-changelog") == 0

    third = Worker(kafka_settings, "third", STREAMSEG_ACCEPT_EMPTY_STATE="true")
    workers.append(third)
    with running(third):
        eventually(lambda: "changelog is empty" in third.log, "the warning")
        third.wait_for("ready")
    told = CliRunner().invoke(RESET, ["--dry-run"], env=environment)
    assert told.exit_code == 0, told.output
    assert changelog_topic(kafka_settings) in told.stdout
    assert "Lost: " in told.stdout
    assert topics.committed()
    told = CliRunner().invoke(RESET, [], input="n\n", env=environment)
    assert told.exit_code == 1
    assert topics.committed()
    told = CliRunner().invoke(RESET, ["--yes", "--json"], env=environment)
    assert told.exit_code == 0, told.output
    assert orjson.loads(told.stdout)["deleted"]
    assert topics.committed() == {}
    assert topics.length("behavior-events") > 0
