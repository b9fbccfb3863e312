"""Refused logins, certificates and rights give different errors, on a broker that requires all three."""

from __future__ import annotations

import os
import re
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from agents.kafka.broker_probe import BrokerProbe
from agents.kafka.broker_trouble import Kind, Trouble
from agents.kafka.topics import worker_id
from streamseg.settings import Settings
from tests.kafka.live import Topics

SECONDS = 180.0
STORE_PASSWORD = "not-a-secret"  # noqa: S105 - of a key store that lives as long as the tests


class Guarded:
    """One broker with two doors: `inside` for whoever makes its topics, and one that wants a login over an
    encrypted connection. `ann` may do everything there, `ben` what he is granted."""

    def __init__(self, script: Path, folder: Path) -> None:
        self._folder = folder
        started = subprocess.run(
            [script, "start", folder, "--port", "0"],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
        )
        # Formatted now, and its settings written; those of our own go on top.
        subprocess.run([script, "stop", folder], capture_output=True, timeout=SECONDS, check=True)
        self.inside = started.stdout.strip()
        host, port = self.inside.split(":")
        self.guarded = f"{host}:{int(port) + 1}"
        self.authority = self._certificate("broker")
        self.other_authority = self._certificate("other")
        self._start(script)

    def _certificate(self, name: str) -> Path:
        """A key store with a certificate that vouches for itself; the certificate as PEM."""
        store, pem = self._folder / f"{name}.p12", self._folder / f"{name}.pem"
        common = ["-alias", name, "-keystore", store, "-storepass", STORE_PASSWORD, "-storetype", "PKCS12"]
        names = ["-dname", "CN=localhost", "-ext", "san=ip:127.0.0.1,dns:localhost"]
        subprocess.run(
            ["keytool", "-genkeypair", *common, "-keyalg", "EC", "-validity", "2", *names],
            capture_output=True,
            check=True,
        )
        subprocess.run(
            ["keytool", "-exportcert", "-rfc", "-file", pem, *common], capture_output=True, check=True
        )
        return pem

    def _start(self, script: Path) -> None:
        properties = self._folder / "server.properties"
        text = properties.read_text()
        login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        text = re.sub(r"(?m)^(listeners=.*)$", rf"\1,GUARDED://{self.guarded}", text)
        text = re.sub(r"(?m)^(advertised\.listeners=.*)$", rf"\1,GUARDED://{self.guarded}", text)
        text = re.sub(r"(?m)^(listener\.security\.protocol\.map=.*)$", r"\1,GUARDED:SASL_SSL", text)
        text += "\n".join(
            (
                "sasl.enabled.mechanisms=PLAIN",
                f'listener.name.guarded.plain.sasl.jaas.config={login} user_ann="right" user_ben="right";',
                f"ssl.keystore.location={self._folder / 'broker.p12'}",
                "ssl.keystore.type=PKCS12",
                f"ssl.keystore.password={STORE_PASSWORD}",
                "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users=User:ANONYMOUS;User:ann",
                "",
            )
        )
        properties.write_text(text)
        jars = subprocess.run([script, "fetch"], capture_output=True, text=True, check=True).stderr
        found = re.search(r" (?:is in|into) (\S+)", jars)
        assert found is not None, jars
        java = Path(os.environ["JAVA_HOME"], "bin/java") if "JAVA_HOME" in os.environ else "java"
        log = (self._folder / "guarded.log").open("wb")
        self._process = subprocess.Popen(
            [java, "-Xmx512m", "-cp", f"{found[1]}/*", "kafka.Kafka", properties], stdout=log, stderr=log
        )

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(30)

    def wait(self) -> None:
        """Wait until it answers inside."""
        admin = AdminClient({"bootstrap.servers": self.inside, "log_level": 0})
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                admin.list_topics(timeout=5)
                return
            except KafkaException:
                assert self._process.poll() is None, (self._folder / "guarded.log").read_text()[-2_000:]
                assert time.monotonic() < deadline

    def grant(self, resource: ResourceType, prefix: str, *operations: AclOperation) -> None:
        """Give `ben` rights to whatever of that kind has a name that begins so."""
        admin = AdminClient({"bootstrap.servers": self.inside})
        granted = [
            AclBinding(
                resource,
                prefix,
                ResourcePatternType.PREFIXED,
                "User:ben",
                "*",
                operation,
                AclPermissionType.ALLOW,
            )
            for operation in operations
        ]
        for done in admin.create_acls(granted).values():
            done.result(30)


@pytest.fixture(scope="module")
def broker(kafka_script: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    broker = Guarded(kafka_script, tmp_path_factory.mktemp("guarded"))
    try:
        broker.wait()
        yield broker
    finally:
        broker.stop()


@pytest.fixture(scope="module")
def settings(broker: Guarded) -> Settings:
    settings = Settings(
        bootstrap_servers=broker.inside, topic_prefix=f"t{uuid.uuid4().hex[:8]}-", partitions=2
    )
    Topics(settings).create()
    return settings


def found(broker: Guarded, settings: Settings, **login: Any) -> Trouble | None:
    """What a worker with this login finds, ann's where nothing else is said."""
    said = {
        "bootstrap_servers": broker.guarded,
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "PLAIN",
        "sasl_username": "ann",
        "sasl_password": "right",
        "ssl_ca_file": broker.authority,
        **login,
    }
    asked = Settings(**{**settings.model_dump(), **said})
    return BrokerProbe(asked, timeout=20.0).look(thorough=True)


def test_whoever_may_do_everything_finds_no_trouble(broker: Guarded, settings: Settings) -> None:
    assert found(broker, settings) is None


def test_a_refused_login_is_told_with_its_name_and_not_its_password(
    broker: Guarded, settings: Settings
) -> None:
    trouble = found(broker, settings, sasl_password="wr0ng")  # noqa: S106
    assert trouble is not None
    assert trouble.kind is Kind.LOGIN
    assert "'ann'" in trouble.words
    assert "wr0ng" not in trouble.words


def test_a_certificate_that_is_not_accepted_is_told(broker: Guarded, settings: Settings) -> None:
    trouble = found(broker, settings, ssl_ca_file=broker.other_authority)
    assert trouble is not None
    assert trouble.kind is Kind.CERTIFICATE
    assert "STREAMSEG_SSL_CA_FILE" in trouble.words


def test_rights_that_are_missing_are_told_one_after_the_other(broker: Guarded, settings: Settings) -> None:
    def told() -> str:
        trouble = found(broker, settings, sasl_username="ben")
        assert trouble is not None
        assert trouble.kind is Kind.RIGHT
        assert "'ben'" in trouble.words
        return trouble.words

    prefix = settings.topic_prefix
    assert f"DESCRIBE on the topic {prefix}contact-updates" in told()
    broker.grant(ResourceType.TOPIC, prefix, AclOperation.DESCRIBE, AclOperation.READ)
    words = told()
    assert f"WRITE on the topic {prefix}membership-changes" in words
    assert "READ" not in words
    broker.grant(ResourceType.TOPIC, prefix, AclOperation.WRITE)
    assert f"READ on the group {worker_id(settings)}" in told()
    broker.grant(ResourceType.GROUP, worker_id(settings), AclOperation.DESCRIBE)
    assert f"READ on the group {worker_id(settings)}" in told()
    broker.grant(ResourceType.GROUP, worker_id(settings), AclOperation.READ)
    assert found(broker, settings, sasl_username="ben") is None
