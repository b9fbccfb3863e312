"""Bytewax: the shared rules in a stateful operator, with recovery to its SQLite files.

python -m benchmarks.peers --only bytewax_flow
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import bytewax.operators as op
import orjson
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSink, TestingSource, run_main

from benchmarks.peers.evaluate import Change, Rules, State, new_state
from benchmarks.peers.job import Job, Result
from streamseg.records.inputs import Record

NAME = "Bytewax"
LIMITS = (
    "Its timers (notify_at) go by the wall clock only, also those of its event-time windows, and each key "
    "has a clock of its own. Live, they would end a membership on time; in a catch-up they would fire at "
    "once, so here what fell due is found at the contact's next record, or at the end of the input, and "
    "comes out late though with the right time. All state is in memory; a snapshot, each second here, is "
    "the pickle of a contact's whole state. Definitions are fixed when the flow starts; state, sink and "
    "source are not one transaction."
)

_BATCH = 500
_EPOCH = timedelta(seconds=1)

Item = tuple[int, bytes]


class Judging(StatefulBatchLogic[Item, Change, bytes]):
    """One contact's state."""

    def __init__(self, rules: Rules, end_ms: int, resumed: bytes | None) -> None:
        self._rules = rules
        self._end_ms = end_ms
        self._contact_id = ""
        self._state: State = new_state()
        if resumed is not None:
            self._contact_id, self._state = pickle.loads(resumed)  # noqa: S301 - our own recovery file

    def on_batch(self, values: list[Item]) -> tuple[Iterable[Change], bool]:
        changes: list[Change] = []
        for at_ms, value in values:
            body = orjson.loads(value)
            self._contact_id = body["contact_id"]
            changes += self._rules.judge(self._state, self._contact_id, at_ms, body)
        return changes, StatefulBatchLogic.RETAIN

    def on_eof(self) -> tuple[Iterable[Change], bool]:
        return self._rules.until(self._state, self._contact_id, self._end_ms), StatefulBatchLogic.RETAIN

    def notify_at(self) -> datetime | None:
        """Never: the records' time is not the wall's."""
        return None

    def snapshot(self) -> bytes:
        # Bytewax writes it after more records may have come, so it must be a copy; a pickle is one.
        return pickle.dumps((self._contact_id, self._state))


def run(job: Job, folder: Path) -> Result:
    recovery = folder / "recovery"
    recovery.mkdir()
    init_db_dir(recovery, 1)
    result = Result()
    flow = dataflow(job, result.changes)
    with result.measured():
        run_main(flow, epoch_interval=_EPOCH, recovery_config=RecoveryConfig(recovery))
    return result


def dataflow(job: Job, changes: list[Change]) -> Dataflow:
    rules = job.rules()
    flow = Dataflow("segments")
    records = op.input("records", flow, TestingSource(job.records, batch_size=_BATCH))
    keyed = op.map("key", records, _keyed)
    judged = op.stateful_batch("judge", keyed, lambda resumed: Judging(rules, job.end_ms, resumed))
    op.output("changes", op.map("change", judged, lambda pair: pair[1]), TestingSink(changes))
    return flow


def _keyed(record: Record) -> tuple[str, Item]:
    return (record.key or b"").decode(), (record.timestamp_ms, record.value or b"")
