"""The kinds of trouble with brokers, in words on which an operator can act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
from confluent_kafka import KafkaError

from streamseg.settings import Settings

_REFUSALS = (
    (TopicAuthorizationFailedError, "READ or WRITE", "topic"),
    (GroupAuthorizationFailedError, "READ", "group"),
    (TransactionalIdAuthorizationFailed, "WRITE", "transactional id"),
    (ClusterAuthorizationFailedError, "IDEMPOTENT_WRITE", "cluster"),
)
_LOGIN = (KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED)
_CONNECTION = (KafkaError._TRANSPORT, KafkaError._RESOLVE)


class Kind(StrEnum):
    """The cause that the operator must correct."""

    UNREACHABLE = "unreachable"
    LOGIN = "login"
    CERTIFICATE = "certificate"
    RIGHT = "right"
    TOPIC = "topic"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Trouble:
    """The reason why this worker cannot work with the brokers: a sentence that says what to check."""

    kind: Kind
    words: str


def no_connection(settings: Settings, error: KafkaError, seen: Sequence[KafkaError]) -> Trouble:
    """Return why no broker answers. `error` is the error of the last request, `seen` the errors of the
    connections. A refused login or certificate among `seen` explains most, so it takes precedence."""
    refusals = [one for one in seen if one.code() in (*_LOGIN, KafkaError._SSL)]
    cause = refusals[-1] if refusals else error
    brokers = settings.bootstrap_servers
    if cause.code() in _LOGIN:
        return Trouble(
            Kind.LOGIN,
            f"the brokers of {brokers} refuse the login of {settings.sasl_username!r} "
            f"({settings.sasl_mechanism}); look at STREAMSEG_SASL_USERNAME, STREAMSEG_SASL_PASSWORD and "
            "STREAMSEG_SASL_MECHANISM",
        )
    if cause.code() == KafkaError._SSL:
        return Trouble(
            Kind.CERTIFICATE,
            f"no encrypted connection to {brokers}: the certificate is not accepted ({_last_words(cause)}); "
            "look at STREAMSEG_SSL_CA_FILE, the brokers' certificates and STREAMSEG_SSL_CERTIFICATE_FILE",
        )
    of_connection = [one for one in seen if one.code() in _CONNECTION]
    why = f" ({_last_words(of_connection[-1])})" if of_connection else ""
    return Trouble(
        Kind.UNREACHABLE,
        f"no Kafka answered at {brokers}{why}; is it running, and are the address "
        "(STREAMSEG_BOOTSTRAP_SERVERS, --bootstrap) and STREAMSEG_SECURITY_PROTOCOL right?",
    )


def no_right(settings: Settings, rights: Sequence[str]) -> Trouble:
    """Return the trouble that an ACL is missing, such as `READ on the topic t`."""
    user = f" {settings.sasl_username!r}" if settings.uses_sasl else ""
    return Trouble(
        Kind.RIGHT,
        f"the brokers give this user{user} no right to {', '.join(rights)}; "
        "grant it (`streamseg topics acls` prints the Kafka ACLs)",
    )


def no_reading(settings: Settings, name: str, error: KafkaError | None) -> str | None:
    """Return in words that a topic may not be read, if an error of librdkafka's consumer says that."""
    if error is None or error.code() != KafkaError.TOPIC_AUTHORIZATION_FAILED:
        return None
    return no_right(settings, [f"READ on the topic {name}"]).words


def in_words(settings: Settings, error: BaseException) -> str:
    """Return a client's error in words; an error that is not expected here is returned as it is."""
    for kind, operation, what in _REFUSALS:
        if isinstance(error, kind):
            # Some of these errors carry the name, or a set of names.
            named = error.args[0] if error.args else ""
            names = [named] if isinstance(named, str) else sorted(map(str, named))
            return no_right(settings, [f"{operation} on the {what} {name}".rstrip() for name in names]).words
    return str(error) or repr(error)


def no_topic(names: Sequence[str]) -> Trouble:
    return Trouble(Kind.TOPIC, f"no topic {', '.join(names)}; make them with `streamseg topics create`")


def other_protocol(group: str) -> Trouble:
    return Trouble(
        Kind.GROUP,
        f"workers of release 0.1.0 are in the group {group}, or ended less than their session timeout ago; "
        "stop all of them first, since a partition would be at work there and here (docs/upgrading.md)",
    )


def _last_words(error: KafkaError) -> str:
    """Return librdkafka's message without the address before it and without the timing and the advice after
    it."""
    words = error.str().split(" (after ")[0].split(", verify that ")[0]
    return words.split(": ", 1)[-1].rstrip(".: ")
