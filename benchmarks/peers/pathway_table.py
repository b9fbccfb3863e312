"""Pathway: the shared rules in a stateful reducer, its input persisted to files.

python -m benchmarks.peers --only pathway_table
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import orjson
import pathway as pw
from pathway.internals.parse_graph import G

from benchmarks.peers.evaluate import Change, Rules, State, new_state
from benchmarks.peers.job import Job, Result

NAME = "Pathway"
LIMITS = (
    "A stateful reducer has no timers, and its rows come in batches of no order, so they carry a number "
    "and are sorted. What time alone changes is found at the contact's next record, with the right time, "
    "and never if none comes. Joins of events with conditions under a temporal behaviour can forget by "
    "event time, but a definition then is a part of the graph, which is fixed when it starts. What is "
    "persisted is the input, which a restart judges again from its beginning; to persist operators' state "
    "takes a licence key."
)

_COMMIT_MS = 100


class Row(pw.Schema):
    """A record with its place in the order."""

    contact_id: str
    place: int
    at_ms: int
    body: bytes


class Source(pw.io.python.ConnectorSubject):
    """The job's records."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._records = job.records

    def run(self) -> None:
        for place, record in enumerate(self._records):
            contact_id = (record.key or b"").decode()
            self.next(contact_id=contact_id, place=place, at_ms=record.timestamp_ms, body=record.value)

    @property
    def _deletions_enabled(self) -> bool:
        return False


class Judged:
    """A contact after a batch, and what the batch changed. A new one each time, as Pathway compares them."""

    def __init__(self, contact: State, changes: list[Change]) -> None:
        self.contact = contact
        self.changes = changes


def judge_with(rules: Rules) -> Any:
    @pw.reducers.stateful_many
    def judge(
        before: pw.PyObjectWrapper[Judged] | None, rows: list[tuple[list[Any], int]]
    ) -> pw.PyObjectWrapper[Judged]:
        contact = new_state() if before is None else before.value.contact
        changes: list[Change] = []
        for _, at_ms, contact_id, body in sorted(values for values, _ in rows):
            changes += rules.judge(contact, contact_id, at_ms, orjson.loads(body))
        return pw.wrap_py_object(Judged(contact, changes))

    return judge


def run(job: Job, folder: Path) -> Result:
    logging.getLogger("pathway_engine").setLevel(logging.ERROR)
    result = Result()
    _build(job, result.changes)
    persistence = pw.persistence.Config(pw.persistence.Backend.filesystem(folder / "persisted"))
    with result.measured():
        pw.run(monitoring_level=pw.MonitoringLevel.NONE, persistence_config=persistence)
    G.clear()
    return result


def _build(job: Job, changes: list[Change]) -> None:
    judge = judge_with(job.rules())
    records = pw.io.python.read(Source(job), schema=Row, autocommit_duration_ms=_COMMIT_MS, name="records")
    this = pw.this
    judged = records.groupby(this.contact_id).reduce(
        judged=judge(this.place, this.at_ms, this.contact_id, this.body)
    )

    def on_change(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:  # noqa: ARG001
        if is_addition:
            changes.extend(row["judged"].value.changes)

    pw.io.subscribe(judged, on_change)
