"""A broker with logins, certificates and rights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
from tests.certificates import certificate
from tests.kafka.secured import SecuredBroker, key_store

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
        self._strangers = iter(STRANGERS)
        self._broker = SecuredBroker(script, folder, {"GUARDED": "SASL_SSL"})
        self.inside, self.guarded = self._broker.inside, self._broker.address("GUARDED")
        self.authority, self.other_authority = folder / "ca.pem", folder / "other.pem"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        authority = certificate("authority")
        self.authority.write_bytes(authority.certificate_pem)
        self.other_authority.write_bytes(certificate("other authority").certificate_pem)
        users = " ".join(f'user_{name}="{PASSWORD}"' for name in USERS)
        login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        self._broker.start(
            key_store(self._broker.folder / "broker.pem", certificate("localhost", authority))
            | {
                "sasl.enabled.mechanisms": "PLAIN",
                "listener.name.guarded.plain.sasl.jaas.config": f"{login} {users};",
                "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users": "User:ANONYMOUS;User:ann",
            }
        )

    def stop(self) -> None:
        self._broker.stop()

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
