"""Quix Streams: the shared rules in a stateful `apply`, over its RocksDB state with a changelog topic.

python -m benchmarks.peers --only quix_app
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from quixstreams import Application, State

from benchmarks.peers.evaluate import Json, new_state
from benchmarks.peers.job import Job, Result
from benchmarks.peers.kafka_topics import Setup, Stopwatch, run_process

NAME = "Quix Streams"
LIMITS = (
    "It has no timers: what time alone changes is found at the contact's next record, with the right time, "
    "and never if none comes; its windows close by time, but answer no question about a contact's "
    "attributes. One topic holds events and updates here; `concat` would merge two by time. At least once, "
    "its default: after a crash a record may be judged twice and changes come twice; exactly once can be "
    "had. A contact's state, but for its history, is JSON that is read and written again for each record."
)


class Events:
    """The whole history, each event under a key of its own: what is kept is not written again."""

    def __init__(self, state: State[str, Any]) -> None:
        self._state = state

    def __contains__(self, event_id: str) -> bool:
        found: bool = self._state.exists(f"event|{event_id}")
        return found

    def __setitem__(self, event_id: str, event: list[Any]) -> None:
        self._state.set(f"event|{event_id}", event)


def run(job: Job, folder: Path, bootstrap: str) -> Result:
    return run_process(__name__, job, folder, bootstrap)


def serve(guarantee: Literal["at-least-once", "exactly-once"]) -> None:
    """Judge as many records as there are, then stop."""
    setup = Setup.told()
    rules, watch = setup.rules(), Stopwatch(setup)

    def judge(body: Json, key: str, at_ms: int, _headers: object, state: State[str, Any]) -> list[list[Any]]:
        if watch.record():
            app.stop()
        contact = state.get("contact") or new_state()
        changes = rules.judge(contact, key, at_ms, body, Events(state))
        state.set("contact", contact)
        return [list(change) for change in changes]

    app = Application(
        broker_address=setup.bootstrap,
        consumer_group=setup.name,
        auto_offset_reset="earliest",
        state_dir=Path(setup.folder) / "state",
        loglevel="WARNING",
        processing_guarantee=guarantee,
    )
    records = app.dataframe(app.topic(setup.source, value_deserializer="json", key_deserializer="str"))
    changes = records.apply(judge, expand=True, stateful=True, metadata=True)
    changes.to_topic(app.topic(setup.changes, value_serializer="json", key_serializer="str"))
    app.run()
    # A stop ends with a checkpoint: state, changelog, outputs and offsets are safe now.
    watch.stop()


if __name__ == "__main__":
    serve("at-least-once")
