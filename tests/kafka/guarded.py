"""A broker with logins, certificates and rights."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from agents.kafka.rights import Resource, Right
from streamseg.settings import Settings

SECONDS = 180.0
STORE_PASSWORD = "not-a-secret"  # noqa: S105 - of a key store that lives as long as the tests
PASSWORD = "right"  # noqa: S105
STRANGERS = tuple(f"stranger{number}" for number in range(20))
USERS = ("ann", "ben", "worker", "missing", "operator", "tracker", "campaign", "auditor", *STRANGERS)

_KINDS = {
    Resource.TOPIC: ResourceType.TOPIC,
    Resource.GROUP: ResourceType.GROUP,
    Resource.TRANSACTIONAL_ID: ResourceType.TRANSACTIONAL_ID,
}


class Guarded:
    """One broker with two listeners: `inside` for whoever makes its topics, and `guarded`, which wants a
    login over an encrypted connection. There `ann` may do everything, and others what they are granted."""

    def __init__(self, script: Path, folder: Path) -> None:
        self._folder = folder
        self._strangers = iter(STRANGERS)
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
        store_options = ["-keystore", str(store), "-storepass", STORE_PASSWORD, "-storetype", "PKCS12"]
        common = ["-alias", name, *store_options]
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
        users = " ".join(f'user_{name}="{PASSWORD}"' for name in USERS)
        login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        text = re.sub(r"(?m)^(listeners=.*)$", rf"\1,GUARDED://{self.guarded}", text)
        text = re.sub(r"(?m)^(advertised\.listeners=.*)$", rf"\1,GUARDED://{self.guarded}", text)
        text = re.sub(r"(?m)^(listener\.security\.protocol\.map=.*)$", r"\1,GUARDED:SASL_SSL", text)
        text += "\n".join(
            (
                "sasl.enabled.mechanisms=PLAIN",
                f"listener.name.guarded.plain.sasl.jaas.config={login} {users};",
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
        with (self._folder / "guarded.log").open("wb") as log:
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

    def settings(self, settings: Settings, user: str, **changes: Any) -> Settings:
        """The settings with which a user comes in through `guarded`."""
        login = {
            "bootstrap_servers": self.guarded,
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "PLAIN",
            "sasl_username": user,
            "sasl_password": PASSWORD,
            "ssl_ca_file": self.authority,
        }
        return Settings(**{**settings.model_dump(), **login, **changes})

    def new_user(self) -> str:
        """A user who was granted nothing yet."""
        return next(self._strangers)

    def grant(self, user: str, *rights: Right) -> None:
        """Give a user these rights."""
        admin = AdminClient({"bootstrap.servers": self.inside})
        for done in admin.create_acls([_binding(user, right, AclBinding) for right in rights]).values():
            done.result(30)

    def withdraw(self, user: str, *rights: Right) -> None:
        """Take these rights from a user."""
        admin = AdminClient({"bootstrap.servers": self.inside})
        filters = [_binding(user, right, AclBindingFilter) for right in rights]
        for done in admin.delete_acls(filters).values():
            assert len(done.result(30)) == 1


def _binding(user: str, right: Right, kind: type[Any]) -> Any:
    return kind(
        _KINDS[right.resource],
        right.name,
        ResourcePatternType.LITERAL,
        f"User:{user}",
        "*",
        AclOperation[right.operation.name],
        AclPermissionType.ALLOW,
    )
