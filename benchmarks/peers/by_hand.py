"""The shared rules and a dictionary: no library, nothing durable. What the other peers have to add to.

python -m benchmarks.peers --only by_hand
"""

from __future__ import annotations

from pathlib import Path

import orjson

from benchmarks.peers.evaluate import State, new_state, next_due
from benchmarks.peers.job import Job, Result

NAME = "the rules by hand, in a dictionary"
LIMITS = (
    "State is lost with the process. What time alone changes is found at the contact's next record and, "
    "for this comparison, at the end."
)


def run(job: Job, folder: Path) -> Result:  # noqa: ARG001 - as the others are called
    rules = job.rules()
    states: dict[str, State] = {}
    result = Result()
    emit = result.changes.extend
    with result.measured():
        for record in job.records:
            body = orjson.loads(record.value or b"")
            contact_id = body["contact_id"]
            state = states.get(contact_id)
            if state is None:
                state = states[contact_id] = new_state()
            emit(rules.judge(state, contact_id, record.timestamp_ms, body))
        for contact_id, state in states.items():
            if (next_due(state) or job.end_ms + 1) <= job.end_ms:
                emit(rules.until(state, contact_id, job.end_ms))
    return result
