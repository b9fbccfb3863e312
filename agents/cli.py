"""The commands that need Kafka; the engine's command line finds them through its entry points."""

from agents.topics_command import topics
from agents.verify_command import command as verify
from agents.worker_command import worker

__all__ = ["topics", "verify", "worker"]
