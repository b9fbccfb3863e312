"""The time for which a reader has waited for an answer of the brokers."""

from __future__ import annotations

import logging
import time

from agents.kafka.client_errors import ClientErrors, no_answer

_log = logging.getLogger(__name__)


class Silence:
    """The time since the brokers answered a reader last."""

    def __init__(self, errors: ClientErrors, topic: str, *, limited: bool) -> None:
        """`errors` are those of the reader's connections, and their time is the longest silence; without a
        limit, it is how often silence is logged. `topic` is the topic's name on the brokers."""
        self._errors = errors
        self._topic = topic
        self._limited = limited
        self._since = time.monotonic()

    def end(self) -> None:
        """Note that the brokers have answered, and that the answer was used."""
        self._since = time.monotonic()
        self._errors.forget()

    def go_on(self) -> None:
        """Note that there is still no answer. Raises ConfigurationError if the limit is reached. Without a
        limit it is logged: `agents.kafka.broker_watch` does not notice a broker that others reach."""
        if time.monotonic() - self._since < self._errors.timeout_seconds:
            return
        # The reader has polled, and another poll could take a record from it.
        error = self._errors.of(no_answer(), f"cannot read more of {self._topic}", None)
        if self._limited:
            raise error
        _log.warning("%s; waiting for it to end", error)
        self._since = time.monotonic()
