"""Certificates of clients, and certificates and passwords that are replaced while a worker runs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from agents.kafka.broker_probe import BrokerProbe
from agents.kafka.broker_trouble import Kind
from agents.kafka.connection import aiokafka_options, librdkafka_options
from streamseg.settings import Settings
from tests.certificates import certificate
from tests.kafka.certified import Certified
from tests.kafka.live import Topics, Worker, eventually, running

WAYS = pytest.mark.parametrize("mutual", [True, False], ids=["certificate", "password"])


@pytest.fixture(scope="module")
def broker(kafka_script: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certified]:
    broker = Certified(kafka_script, tmp_path_factory.mktemp("certified"))
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()


@pytest.fixture
def settings(broker: Certified, topic_prefix: str, tmp_path: Path) -> Settings:
    """Of an installation whose topics are there, without anything to come in."""
    made = Settings(
        bootstrap_servers=broker.inside, topic_prefix=topic_prefix, partitions=2, data_dir=tmp_path / "data"
    )
    Topics(made).create()
    return made


def as_client(broker: Certified, settings: Settings, folder: Path, *, mutual: bool) -> Settings:
    address = broker.mutual if mutual else broker.login
    given = broker.give(folder).settings(mutual=mutual)
    return Settings(**{**settings.model_dump(), "bootstrap_servers": address, **given})


def environment(client: Settings) -> dict[str, str]:
    """The variables of the settings that a client has beyond those of every worker here."""
    names = [name for name in Settings.model_fields if name.startswith(("ssl_", "sasl_", "security_"))]
    given = {name: getattr(client, name) for name in names}
    return {f"STREAMSEG_{name.upper()}": str(value) for name, value in given.items() if value is not None}


@WAYS
def test_a_worker_goes_on_when_everything_was_replaced(
    broker: Certified, settings: Settings, tmp_path: Path, mutual: bool
) -> None:
    client = as_client(broker, settings, tmp_path, mutual=mutual)
    worker = Worker(client, **environment(client))
    with running(worker), httpx.Client(timeout=30) as api:
        worker.wait_for("ready")
        api.base_url = httpx.URL(f"http://127.0.0.1:{worker.port}/api/v1")

        def made(segment_id: str) -> bool:
            # By every topic of the catalogue, in a transaction of the leader.
            definition = {"segment_id": segment_id, "name": segment_id, "type": "static"}
            try:
                found = api.post("/segments", json=definition)
            except httpx.TransportError:
                return False
            # A command that was given before the brokers went away may have been carried out.
            return found.status_code == 201 or api.get(f"/segments/{segment_id}").status_code == 200

        def known(contact_id: str) -> bool:
            # By the input, read by the group, to the changelog.
            change = {"segment_id": "before", "add": [contact_id]}
            try:
                api.post("/contacts/lists", json=change)
                return api.get(f"/contacts/{contact_id}").status_code == 200
            except httpx.TransportError:
                return False

        eventually(lambda: made("before"), "a segment")
        eventually(lambda: known("c1"), "a contact")
        broker.renew()
        broker.give(tmp_path)
        eventually(lambda: made("after"), "a segment with new certificates or a new password", 180)
        eventually(lambda: known("c2"), "a contact with new certificates or a new password", 180)
        eventually(lambda: worker.metric("streamseg_broker_trouble") == 0, "no trouble")


# aiokafka does not wait until the connections that it gives up are closed.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@WAYS
def test_the_same_clients_come_in_with_what_replaced_a_wrong_one(
    broker: Certified, settings: Settings, tmp_path: Path, mutual: bool
) -> None:
    client = as_client(broker, settings, tmp_path, mutual=mutual)
    wrong = certificate("stranger", certificate("authority of strangers"))
    (tmp_path / "tls.crt").write_bytes(wrong.certificate_pem)
    (tmp_path / "tls.key").write_bytes(wrong.key_pem)
    (tmp_path / "password").write_text("wrong")
    probe = BrokerProbe(client, timeout=8.0)
    trouble = probe.look(thorough=True)
    assert trouble is not None
    assert trouble.kind in (Kind.UNREACHABLE, Kind.CERTIFICATE, Kind.LOGIN)

    async def connected() -> None:
        # One object: it fails to connect with what was there before, and connects with what is there after.
        one = AIOKafkaClient(**aiokafka_options(client))
        try:
            with pytest.raises(KafkaConnectionError):
                await one.bootstrap()
            broker.give(tmp_path)
            await one.bootstrap()
        finally:
            await one.close()

    asyncio.run(connected())
    eventually(lambda: probe.look(thorough=True) is None, "the probe comes in")


def test_a_client_without_a_certificate_is_refused(
    broker: Certified, settings: Settings, tmp_path: Path
) -> None:
    client = as_client(broker, settings, tmp_path, mutual=True)
    without = client.model_copy(update={"ssl_certificate_file": None, "ssl_key_file": None})
    for one, comes_in in ((client, True), (without, False)):
        admin = AdminClient({**librdkafka_options(one), "log_level": 0})
        if comes_in:
            assert admin.list_topics(timeout=20).topics
        else:
            with pytest.raises(KafkaException):
                admin.list_topics(timeout=5)
