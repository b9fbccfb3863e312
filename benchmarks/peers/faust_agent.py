"""Faust without streamseg: the shared rules in an agent, one contact's state under one key of a Table.

python -m benchmarks.peers --only faust_agent
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import faust
from faust.types import TableT

from benchmarks.peers.evaluate import Json, State, new_state
from benchmarks.peers.job import Job, Result
from benchmarks.peers.kafka_topics import Setup, Stopwatch, run_process

NAME = "Faust, a plain agent"
LIMITS = (
    "A timer may not write to a Table, so what time alone changes is found at the contact's next record, "
    "with the right time, and never if none comes; a timer that scans the Table and sends a record to each "
    "contact that is due would cost as much as there are contacts. One topic holds events and updates "
    "here, since the order between two is not kept. State, changes and offsets are not one transaction: "
    "after a crash a record may be judged twice on state that has it already, and changes may be lost or "
    "come twice."
)


class Events:
    """The whole history, each event under a key of its own: what is kept is not written again."""

    def __init__(self, table: TableT[str, list[Any]], contact_id: str) -> None:
        self._table = table
        self._prefix = f"{contact_id}|"

    def __contains__(self, event_id: str) -> bool:
        return self._prefix + event_id in self._table

    def __setitem__(self, event_id: str, event: list[Any]) -> None:
        self._table[self._prefix + event_id] = event


def run(job: Job, folder: Path, bootstrap: str) -> Result:
    return run_process(__name__, job, folder, bootstrap)


def make_app(setup: Setup) -> faust.App:
    app = faust.App(
        setup.name,
        broker=f"kafka://{setup.bootstrap}",
        store="rocksdb://",
        datadir=Path(setup.folder) / "state",
        topic_partitions=1,
        topic_replication_factor=1,
        web_enabled=False,
        # Without it, each record's state and changes go to the broker in requests of their own.
        producer_linger=0.05,
        producer_max_batch_size=1 << 20,
    )
    records = app.topic(setup.source, key_type=str)
    changes = app.topic(setup.changes, key_type=str)
    contacts = app.Table("contacts", default=new_state, partitions=1)
    events = app.Table("events", partitions=1)
    rules, watch = setup.rules(), Stopwatch(setup)

    @app.agent(records)
    async def judge(stream: faust.StreamT[Json]) -> None:
        async for event in stream.events():
            last = watch.record()
            contact_id, at_ms = event.key, round(event.message.timestamp * 1000)
            state: State = contacts[contact_id]
            history = Events(events, contact_id)
            for change in rules.judge(state, contact_id, at_ms, event.value, history):
                await changes.send(key=contact_id, value=change)
            contacts[contact_id] = state
            if last:
                await app.producer.flush()
                watch.stop()
                os.kill(os.getpid(), signal.SIGTERM)

    return app


def main() -> None:
    app = make_app(Setup.told())
    sys.argv = [sys.argv[0], "worker", "--loglevel", "warn"]
    app.main()


if __name__ == "__main__":
    main()
