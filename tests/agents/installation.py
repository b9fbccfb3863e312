"""An installation on the broker inside this process."""

from __future__ import annotations

from pathlib import Path

from agents.demo.embedded import EmbeddedBroker
from streamseg.settings import Settings


def installed(broker: EmbeddedBroker, data_dir: Path) -> Settings:
    """Return settings for workers on the broker, which has all their topics."""
    settings = Settings(
        bootstrap_servers=broker.bootstrap,
        data_dir=data_dir,
        http_host="127.0.0.1",
        http_port=0,
        # This broker does not hear that a worker leaves.
        session_timeout_ms=6_000,
    )
    broker.create_topics(settings)
    return settings
