"""The rights that `streamseg topics acls` prints are enough, and each of them is needed."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import httpx
import orjson
import pytest
from confluent_kafka import Consumer, Producer
from typer.testing import CliRunner

from agents.commands.diagnose import diagnosis
from agents.commands.topics import topics as topics_command
from agents.export.exporting import Export
from agents.export.importing import Import, Wanted
from agents.export.resetting import look, reset
from agents.kafka.broker_probe import BrokerProbe
from agents.kafka.broker_trouble import Kind
from agents.kafka.connection import librdkafka_options
from agents.kafka.dead_letters import erase_dead_letters
from agents.kafka.group_admin import GroupAdmin
from agents.kafka.memberships_reader import MembershipsReader
from agents.kafka.rights import AUDITOR_GROUP, CAMPAIGN_GROUP, Operation, Resource, Right, Role, rights
from agents.kafka.topic_records import TopicRecords
from agents.kafka.topics import required_topics, topic_name
from agents.kafka.topics_admin import TopicsAdmin
from schemas.topics import (
    AUDIT,
    CONTACT_UPDATES,
    DEAD_LETTERS,
    MEMBERSHIP_CHANGES,
    SEGMENT_DEFINITIONS,
)
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings
from tests.kafka.guarded import PASSWORD, Guarded
from tests.kafka.live import Topics, Worker, eventually, running

BUYERS = {
    "segment_id": "buyers",
    "name": "买家",
    "type": "standard",
    "clusters": [{"match": "all", "conditions": [{"event": "order_paid", "window": {"last": "PT3S"}}]}],
}
BOUGHT = {"event_id": "e1", "contact_id": "c1", "event": "order_paid"}
WANTED = Settings(topic_prefix="t-", partitions=2)
WORKERS_RIGHTS = rights(WANTED, Role.WORKER)


@pytest.fixture(scope="module")
def settings(guarded: Guarded) -> Settings:
    """Of an installation whose topics are there."""
    made = WANTED.model_copy(update={"bootstrap_servers": guarded.inside})
    Topics(made).create()
    return made


def grant_what_is_printed(script: Path, settings: Settings, role: Role, user: str) -> None:
    """Run the lines of `streamseg topics acls`, all at once."""
    done = CliRunner().invoke(
        topics_command,
        ["acls", "--bootstrap", settings.bootstrap_servers, "--role", role, "--principal", f"User:{user}"],
        env={"STREAMSEG_TOPIC_PREFIX": settings.topic_prefix},
    )
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert len(lines) >= 3
    running = [
        subprocess.Popen(
            [script, "console", *shlex.split(line)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for line in lines
    ]
    for process in running:
        told, _ = process.communicate(timeout=180)
        assert process.returncode == 0, told


def client_of(guarded: Guarded, settings: Settings, user: str) -> dict[str, Any]:
    return {**librdkafka_options(guarded.settings(settings, user)), "log_level": 0}


def test_a_worker_with_the_printed_rights_does_its_work(
    guarded: Guarded, settings: Settings, kafka_script: Path, tmp_path: Path
) -> None:
    grant_what_is_printed(kafka_script, settings, Role.WORKER, "worker")
    guarded.grant("tracker", *rights(settings, Role.TRACKER))
    guarded.grant("campaign", *rights(settings, Role.CAMPAIGN))
    guarded.grant("auditor", *rights(settings, Role.AUDITOR))
    guarded.grant("operator", *rights(settings, Role.OPERATOR))
    worker = Worker(
        settings.model_copy(update={"bootstrap_servers": guarded.guarded, "data_dir": tmp_path}),
        STREAMSEG_SECURITY_PROTOCOL="SASL_SSL",
        STREAMSEG_SASL_MECHANISM="PLAIN",
        STREAMSEG_SASL_USERNAME="worker",
        STREAMSEG_SASL_PASSWORD=PASSWORD,
        STREAMSEG_SSL_CA_FILE=str(guarded.authority),
    )
    auditor = Consumer(
        {
            **client_of(guarded, settings, "auditor"),
            "group.id": AUDITOR_GROUP,
            "auto.offset.reset": "earliest",
        }
    )
    auditor.subscribe([topic_name(settings, AUDIT)])
    from_start = {"group.id": CAMPAIGN_GROUP, "auto.offset.reset": "earliest"}
    engine = Consumer({**client_of(guarded, settings, "campaign"), **from_start})
    engine.subscribe([topic_name(settings, MEMBERSHIP_CHANGES)])
    with running(worker):
        worker.wait_for("ready")
        api = f"http://127.0.0.1:{worker.port}/api/v1"
        # A command goes by every topic of the catalogue, in a transaction of the leader.
        made = httpx.post(f"{api}/segments", json=BUYERS, timeout=60)
        assert made.status_code == 201, made.text
        listed = {"segment_id": "vip", "name": "贵宾", "type": "static"}
        assert httpx.post(f"{api}/segments", json=listed, timeout=60).status_code == 201
        added = httpx.post(f"{api}/contacts/lists", json={"segment_id": "vip", "add": ["c1"]}, timeout=60)
        assert added.status_code == 202, added.text

        noted: list[str] = []

        def is_noted() -> bool:
            for message in auditor.consume(10, 0.5):
                assert message.error() is None, message.error()
                noted.append(orjson.loads(message.value() or b"")["action"])
            return len(noted) == 3

        eventually(is_noted, "three entries")
        auditor.close()
        assert noted == ["POST /segments", "POST /segments", "POST /contacts/lists"]

        tracker = Producer({**client_of(guarded, settings, "tracker"), "partitioner": "murmur2_random"})
        event = {**BOUGHT, "occurred_at": time.time_ns() // 1_000_000}
        tracker.produce(topic_name(settings, "behavior-events"), orjson.dumps(event), "c1")
        tracker.produce(topic_name(settings, "contact-updates"), b"no JSON", "c1")
        assert tracker.flush(60) == 0

        changes: list[tuple[str, str]] = []

        def arrived() -> bool:
            for message in engine.consume(10, 0.5):
                assert message.error() is None, message.error()
                change = orjson.loads(message.value() or b"")
                changes.append((change["segment_id"], change["change"]))
            return len(changes) >= 3

        eventually(arrived, "three changes")
        assert sorted(changes) == [("buyers", "entered"), ("buyers", "exited"), ("vip", "entered")]
        eventually(lambda: worker.metric("streamseg_dead_letters_total") == 1, "the dead letter")
        engine.close()
        _an_operator_sees_it(guarded.settings(settings, "operator"), worker)
    assert "no right to" not in worker.log
    assert "uthorization" not in worker.log


def _an_operator_sees_it(settings: Settings, worker: Worker) -> None:
    assert all(finding.right for finding in TopicsAdmin(settings).check(required_topics(settings)))
    found = diagnosis(settings, [f"http://127.0.0.1:{worker.port}"], 60)
    assert found["topics"]["ok"]
    assert {group["state"] for group in found["groups"].values()} == {"STABLE"}
    with MembershipsReader(settings) as memberships:

        def has_it() -> bool:
            memberships.read_on()
            return b"vip|c1" in memberships.memberships

        eventually(has_it, "the membership")
    with TopicRecords(settings, client="record") as reader:
        for topic in (CONTACT_UPDATES, SEGMENT_DEFINITIONS, DEAD_LETTERS):
            places = reader.partitions(topic)
            reader.begin(places)
            assert [record for place in places for record in reader.records(place)]


@pytest.fixture(scope="module")
def probe(guarded: Guarded, settings: Settings) -> BrokerProbe:
    """Of a worker that has all rights."""
    guarded.grant("missing", *rights(settings, Role.WORKER))
    probe = BrokerProbe(guarded.settings(settings, "missing"), timeout=60.0)
    eventually(lambda: probe.look(thorough=True) is None, "all rights")
    return probe


@pytest.mark.parametrize("right", WORKERS_RIGHTS, ids=str)
def test_a_worker_names_each_right_that_it_lacks(guarded: Guarded, probe: BrokerProbe, right: Right) -> None:
    guarded.withdraw("missing", right)
    try:
        _until_told(lambda: probe.look(thorough=True), str(right))
    finally:
        guarded.grant("missing", right)


def _until_told(look: Callable[[], Any], words: str) -> None:
    """A right that was taken away may still hold for a moment."""
    told: list[str] = []

    def is_told() -> bool:
        trouble = look()
        if trouble is None:
            return False
        assert trouble.kind is Kind.RIGHT
        told.append(trouble.words)
        return True

    eventually(is_told, "trouble")
    assert words in told[-1]
    assert told[-1].count(" on the ") == 1


class Case(NamedTuple):
    """What a user does who has every right of a role but one."""

    role: Role
    lacks: tuple[Operation, Resource, str]
    does: Callable[[Settings], Any]


def test_an_export_and_an_import_need_the_printed_rights_and_no_others(
    guarded: Guarded, settings: Settings, kafka_script: Path, tmp_path: Path
) -> None:
    user = guarded.new_user()
    grant_what_is_printed(kafka_script, settings, Role.BACKUP, user)
    backup = guarded.settings(settings, user)
    folder = tmp_path / "export"
    manifest = Export(backup, folder, made_at_ms=0, release="0", progress=lambda _: None).run()
    assert manifest.count == 1
    other = settings.model_copy(update={"topic_prefix": "restored-"})
    Topics(other).create()
    user = guarded.new_user()
    grant_what_is_printed(kafka_script, other, Role.RESTORE, user)
    restore = guarded.settings(other, user)
    wanted = Wanted(erasures=[("c2", b'{"contact_id": "c2", "deleted": true}')])
    imported = Import(restore, folder, wanted, work=tmp_path / "work", progress=lambda _: None).run()
    assert (imported.contacts, imported.erasures) == (1, 1)
    assert Topics(other).latest("segment-memberships").keys() == {"vip|c1"}
    reset(restore, look(restore))
    assert Topics(other).committed() == {}


def check(settings: Settings) -> None:
    TopicsAdmin(settings).check(required_topics(settings))


def create(settings: Settings) -> None:
    TopicsAdmin(settings).create(required_topics(settings))


def diagnose(settings: Settings) -> None:
    groups = diagnosis(settings, [], 60)["groups"]
    if "error" in groups:
        raise ConfigurationError(groups["error"])


def record(settings: Settings) -> None:
    with TopicRecords(settings, client="record") as reader:
        reader.begin(reader.partitions(CONTACT_UPDATES))


def erase(settings: Settings) -> None:
    erase_dead_letters(settings, "c1")


def verify(settings: Settings) -> None:
    with MembershipsReader(settings) as reader:
        reader.read_on()


def export(settings: Settings) -> None:
    with TemporaryDirectory() as folder:
        Export(settings, Path(folder) / "e", made_at_ms=0, release="0", progress=lambda _: None).run()


def delete(settings: Settings) -> None:
    reset(settings, look(settings))


@pytest.mark.parametrize(
    "case",
    [
        Case(Role.TOPICS, (Operation.CREATE, Resource.TOPIC, "new-dead-letters"), create),
        Case(Role.TOPICS, (Operation.DESCRIBE, Resource.TOPIC, "new-dead-letters"), create),
        Case(Role.TOPICS, (Operation.DESCRIBE_CONFIGS, Resource.TOPIC, "new-dead-letters"), create),
        Case(Role.OPERATOR, (Operation.DESCRIBE, Resource.TOPIC, "t-segment-catalog"), check),
        Case(Role.OPERATOR, (Operation.DESCRIBE_CONFIGS, Resource.TOPIC, "t-contact-updates"), check),
        Case(Role.OPERATOR, (Operation.DESCRIBE, Resource.GROUP, "t-streamseg"), diagnose),
        Case(Role.OPERATOR, (Operation.DESCRIBE, Resource.GROUP, "t-streamseg-catalogue"), diagnose),
        Case(Role.OPERATOR, (Operation.READ, Resource.TOPIC, "t-contact-updates"), record),
        Case(Role.OPERATOR, (Operation.READ, Resource.TOPIC, "t-segment-memberships"), verify),
        Case(Role.ERASER, (Operation.READ, Resource.TOPIC, "t-dead-letters"), erase),
        Case(Role.BACKUP, (Operation.READ, Resource.TOPIC, "t-streamseg-contacts-changelog"), export),
        Case(Role.BACKUP, (Operation.READ, Resource.TOPIC, "t-segment-memberships"), export),
        Case(Role.BACKUP, (Operation.DESCRIBE, Resource.TOPIC, "t-behavior-events"), export),
        Case(Role.BACKUP, (Operation.DESCRIBE, Resource.GROUP, "t-streamseg-catalogue"), export),
        Case(Role.RESTORE, (Operation.DELETE, Resource.TOPIC, "new-streamseg-progress"), delete),
        Case(Role.RESTORE, (Operation.DELETE, Resource.GROUP, "new-streamseg"), delete),
    ],
    ids=lambda case: f"{case.role}-{case.lacks[0]}-{case.lacks[2]}",
)
def test_a_command_names_the_right_that_it_lacks(guarded: Guarded, settings: Settings, case: Case) -> None:
    if case.role in (Role.TOPICS, Role.RESTORE):
        settings = settings.model_copy(update={"topic_prefix": "new-"})
    if case.role is Role.RESTORE:
        Topics(settings).create()
        GroupAdmin(settings).commit("new-streamseg", {("new-contact-updates", 0): 0})
    needed, lacking = rights(settings, case.role), Right(*case.lacks)
    assert lacking in needed
    user = guarded.new_user()
    guarded.grant(user, *(right for right in needed if right != lacking))

    def told() -> str:
        try:
            case.does(guarded.settings(settings, user))
        except ConfigurationError as error:
            return str(error)
        return ""

    # Rights that were granted may take a moment to hold.
    eventually(lambda: lacking.operation in (words := told()) and lacking.name in words, str(lacking))
    guarded.grant(user, lacking)
    eventually(lambda: told() == "", "no trouble with all rights")
