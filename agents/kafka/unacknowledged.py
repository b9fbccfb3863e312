"""The records that are being sent, and the time since they were sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aiokafka.errors import KafkaError

from agents.metrics import Metrics


class Unacknowledged:
    """The send operations that were begun and are not acknowledged yet."""

    def __init__(self, metrics: Metrics, timer: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._timer = timer
        # In the order in which they were begun.
        self._began: dict[object, float] = {}

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Wrap a send operation, until it is acknowledged or has failed."""
        mark = object()
        self._began[mark] = self._timer()
        try:
            yield
        except KafkaError:
            self._metrics.produce_errors.inc()
            raise
        finally:
            del self._began[mark]

    def observe(self) -> None:
        """Update the gauge of unacknowledged records."""
        began = next(iter(self._began.values()), None)
        self._metrics.unacknowledged.set(0 if began is None else self._timer() - began)
