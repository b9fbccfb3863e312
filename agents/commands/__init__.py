"""The commands that need Kafka. The command line finds them through its entry points."""

from agents.commands.dead_letters import dead_letters
from agents.commands.diagnose import diagnose
from agents.commands.record import record
from agents.commands.reset import reset
from agents.commands.state import state
from agents.commands.tokens import tokens
from agents.commands.topics import topics
from agents.commands.verify import command as verify
from agents.commands.worker import worker

__all__ = [
    "dead_letters",
    "diagnose",
    "record",
    "reset",
    "state",
    "tokens",
    "topics",
    "verify",
    "worker",
]
