"""The options of librdkafka's consumers that read without being members of a group."""

from __future__ import annotations

from typing import Any

from agents.kafka.connection import librdkafka_options
from agents.kafka.rights import worker_groups
from streamseg.settings import Settings


def reader_options(settings: Settings) -> dict[str, Any]:
    """Return the options of a consumer that joins no group and commits nothing. Raises ConfigurationError if
    a login is incomplete or a file cannot be read.

    librdkafka looks for the coordinator of a group all the same. Workers and operators, backups and restores
    have a right to the one named here. Without a right they could read, but the brokers would log each
    attempt as denied."""
    _, group = worker_groups(settings)
    return {
        **librdkafka_options(settings),
        "group.id": group,
        "enable.auto.commit": False,
        # The end of a partition is known only when an empty answer arrives.
        "fetch.wait.max.ms": 20,
    }
