"""A broker whose listeners ask for certificates of clients or for a password, all of which can change."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

SECONDS: Final = 180.0
USER: Final = "scram-user"


class Pair(NamedTuple):
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def certificate(name: str, authority: Pair | None = None) -> Pair:
    """A certificate for this machine, valid for two days; without an authority it is one itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)  # noqa: TID251 - certificates are checked against the clock of the machine
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if authority is None else authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
    return Pair(builder.sign(key if authority is None else authority.key, hashes.SHA256()), key)


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
        self._folder = folder
        self._script = script
        started = subprocess.run(
            [script, "start", folder, "--port", "0"],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
        )
        subprocess.run([script, "stop", folder], capture_output=True, timeout=SECONDS, check=True)
        self.inside = started.stdout.strip()
        host, port = self.inside.split(":")
        self.mutual, self.login = f"{host}:{int(port) + 1}", f"{host}:{int(port) + 2}"
        self._number = 0
        self._set_up()
        self._make()

    def _set_up(self) -> None:
        properties = self._folder / "server.properties"
        text = properties.read_text()
        for setting in ("listeners", r"advertised\.listeners"):
            text = re.sub(rf"(?m)^({setting}=.*)$", rf"\1,MUTUAL://{self.mutual},LOGIN://{self.login}", text)
        text = re.sub(r"(?m)^(listener\.security\.protocol\.map=.*)$", r"\1,MUTUAL:SSL,LOGIN:SASL_SSL", text)
        module = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        text += "\n".join(
            (
                "sasl.enabled.mechanisms=SCRAM-SHA-512",
                f"listener.name.login.scram-sha-512.sasl.jaas.config={module}",
                "ssl.keystore.type=PEM",
                f"ssl.keystore.location={self._folder / 'broker.pem'}",
                "ssl.truststore.type=PEM",
                f"ssl.truststore.location={self._folder / 'clients-ca.pem'}",
                "listener.name.mutual.ssl.client.auth=required",
                "",
            )
        )
        properties.write_text(text)

    def _make(self) -> None:
        """Make everything new, and keep what clients need for `give`."""
        self._number += 1
        broker_ca = certificate(f"broker authority {self._number}")
        clients_ca = certificate(f"client authority {self._number}")
        broker = certificate("localhost", broker_ca)
        (self._folder / "broker.pem").write_bytes(broker.key_pem + broker.certificate_pem)
        (self._folder / "clients-ca.pem").write_bytes(clients_ca.certificate_pem)
        self._broker_ca = broker_ca
        self._client = certificate(f"client-{self._number}", clients_ca)
        self._password = f"password {self._number}"

    def start(self) -> None:
        """Start it, and wait until it answers and has the user."""
        fetched = subprocess.run([self._script, "fetch"], capture_output=True, text=True, check=True).stderr
        found = re.search(r" (?:is in|into) (\S+)", fetched)
        assert found is not None, fetched
        java = Path(os.environ["JAVA_HOME"], "bin/java") if "JAVA_HOME" in os.environ else "java"
        with (self._folder / "certified.log").open("ab") as log:
            self._process = subprocess.Popen(
                [java, "-Xmx512m", "-cp", f"{found[1]}/*", "kafka.Kafka", self._folder / "server.properties"],
                stdout=log,
                stderr=log,
            )
        self._wait()
        password = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        admin = AdminClient({"bootstrap.servers": self.inside})
        changed = admin.alter_user_scram_credentials(
            [UserScramCredentialUpsertion(USER, password, self._password.encode())]
        )
        for done in changed.values():
            done.result(60)

    def _wait(self) -> None:
        admin = AdminClient({"bootstrap.servers": self.inside, "log_level": 0})
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                admin.list_topics(timeout=5)
                return
            except KafkaException:
                assert self._process.poll() is None, (self._folder / "certified.log").read_text()[-2_000:]
                assert time.monotonic() < deadline

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
        self._process.terminate()
        self._process.wait(SECONDS)
        self._make()
        self.start()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(30)
