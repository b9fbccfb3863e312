"""A broker whose listeners ask for certificates of clients or for a password, all of which can change."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple

from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from tests.certificates import certificate
from tests.kafka.secured import SecuredBroker, key_store

USER: Final = "scram-user"


class Clients(NamedTuple):
    """The files of a client, and its settings."""

    folder: Path

    def settings(self, *, mutual: bool) -> dict[str, Any]:
        """The settings for a listener: with certificates of clients, or with a password."""
        ca = {"ssl_ca_file": self.folder / "ca.pem"}
        if mutual:
            files = {"ssl_certificate_file": self.folder / "tls.crt", "ssl_key_file": self.folder / "tls.key"}
            return {"security_protocol": "SSL", **ca, **files}
        login = {"sasl_username": USER, "sasl_password_file": self.folder / "password"}
        return {"security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-512", **ca, **login}


class Certified:
    """One broker with three listeners: `inside` without anything, `mutual` for clients with a certificate,
    and `login` for those with a password. `renew` makes new authorities, certificates and a new password; the
    old ones are worth nothing afterwards."""

    def __init__(self, script: Path, folder: Path) -> None:
        self._broker = SecuredBroker(script, folder, {"MUTUAL": "SSL", "LOGIN": "SASL_SSL"})
        self.inside = self._broker.inside
        self.mutual, self.login = self._broker.address("MUTUAL"), self._broker.address("LOGIN")
        self._number = 0

    def start(self) -> None:
        """Make everything new, keep what clients need for `give`, and start."""
        self._number += 1
        folder = self._broker.folder
        self._broker_ca = certificate(f"broker authority {self._number}")
        clients_ca = certificate(f"client authority {self._number}")
        (folder / "clients-ca.pem").write_bytes(clients_ca.certificate_pem)
        self._client = certificate(f"client-{self._number}", clients_ca)
        self._password = f"password {self._number}"
        module = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        self._broker.start(
            key_store(folder / "broker.pem", certificate("localhost", self._broker_ca))
            | {
                "sasl.enabled.mechanisms": "SCRAM-SHA-512",
                "listener.name.login.scram-sha-512.sasl.jaas.config": module,
                "ssl.truststore.type": "PEM",
                "ssl.truststore.location": folder / "clients-ca.pem",
                "listener.name.mutual.ssl.client.auth": "required",
            }
        )
        password = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        admin = AdminClient({"bootstrap.servers": self.inside})
        changed = admin.alter_user_scram_credentials(
            [UserScramCredentialUpsertion(USER, password, self._password.encode())]
        )
        for done in changed.values():
            done.result(60)

    def give(self, folder: Path) -> Clients:
        """Write what a client needs now into a folder, each file by replacing the one before."""
        given = {
            "ca.pem": self._broker_ca.certificate_pem,
            "tls.crt": self._client.certificate_pem,
            "tls.key": self._client.key_pem,
            "password": f"{self._password}\n".encode(),
        }
        for name, content in given.items():
            fresh = folder / f"{name}.new"
            fresh.write_bytes(content)
            fresh.replace(folder / name)
        return Clients(folder)

    def renew(self) -> None:
        """Restart the broker with new authorities, certificates and a new password."""
        self._broker.stop()
        self.start()

    def stop(self) -> None:
        self._broker.stop()
