"""The errors of librdkafka's clients, in words on which an operator can act."""

from __future__ import annotations

from collections import deque

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from agents.kafka.broker_trouble import no_connection, no_right
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings

_KEPT = 100
_UNANSWERED = (
    KafkaError._TRANSPORT,
    KafkaError._TIMED_OUT,
    KafkaError._MSG_TIMED_OUT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._RESOLVE,
    KafkaError._AUTHENTICATION,
    KafkaError._SSL,
)
_FORBIDDEN = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
)


class ClientErrors:
    """The errors of the connections of some clients. `note` is for their option `error_cb`.

    A request without an answer fails with an error which says only that its time is over. The errors of the
    connections say why.
    """

    def __init__(self, settings: Settings, *, timeout_seconds: float) -> None:
        """`timeout_seconds` is the time that the clients' requests have."""
        self._settings = settings
        self.timeout_seconds = timeout_seconds
        self._seen: deque[KafkaError] = deque(maxlen=_KEPT)

    def note(self, error: KafkaError) -> None:
        """Keep an error of a connection."""
        self._seen.append(error)

    def forget(self) -> None:
        """Forget the errors of before: the brokers have answered since."""
        self._seen.clear()

    def of(
        self,
        problem: KafkaException,
        what: str,
        client: Consumer | Producer | AdminClient | None,
        right: str = "it",
    ) -> ConfigurationError:
        """Return the error to raise for a request that failed. `what` says what cannot be done, `right` is
        the right that the user lacks if the brokers forbid it.

        The errors of the connections arrive by polling, so `client` is polled. It is None for a consumer that
        goes on: it has polled while it consumed, and a poll could take a record from it."""
        if code(problem) in _UNANSWERED:
            if client is not None:
                client.poll(0)
            trouble = no_connection(self._settings, problem.args[0], self._seen)
            return ConfigurationError(f"{what} within {self.timeout_seconds:g} s: {trouble.words}")
        return refusal(self._settings, problem, what, right)


def refusal(settings: Settings, problem: KafkaException, what: str, right: str = "it") -> ConfigurationError:
    """Return the error to raise for a request that the brokers have refused, as `ClientErrors.of`."""
    if code(problem) in _FORBIDDEN:
        return ConfigurationError(f"{what}: {no_right(settings, [right]).words}")
    return ConfigurationError(f"{what} at {settings.bootstrap_servers}: {text(problem)}")


def no_answer() -> KafkaException:
    """Return the problem of a caller that has waited in vain for records, or for their acknowledgement."""
    return KafkaException(KafkaError(KafkaError._TIMED_OUT))


def code(problem: KafkaException) -> int:
    """Return the code of a problem, one of the constants of KafkaError."""
    error = problem.args[0]
    return error.code() if isinstance(error, KafkaError) else KafkaError._FAIL


def text(problem: KafkaException) -> str:
    """Return librdkafka's own words for a problem."""
    error = problem.args[0]
    return (error.str() if isinstance(error, KafkaError) else str(error)).rstrip(".")
