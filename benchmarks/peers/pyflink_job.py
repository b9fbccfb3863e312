"""PyFlink: the shared rules in a keyed process function, with event-time timers, over Flink's RocksDB state.

    python -m benchmarks.peers --only pyflink_job

Needs Java 17. Flink runs in processes of its own, on this machine and with a parallelism of one. The time is
taken where the function runs, from the first record to the end of the last timer, so starting Java is not in
it; the processor's time is Java's and Python's together.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from pyflink.common import Configuration, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.state import MapState, MapStateDescriptor, ValueState, ValueStateDescriptor

from benchmarks.peers.evaluate import Change, Rules, State, new_state, next_due
from benchmarks.peers.job import Job, Result

NAME = "PyFlink"
LIMITS = (
    "It expresses the whole job: event-time timers end memberships with nobody's record, though only when "
    "the watermark comes by, each 200 ms, and all keys wait for the slowest partition. Definitions are "
    "fixed when the job starts; a broadcast stream could bring new ones, but not judge the contacts that "
    "are there: that needs a pass over all keys, which only Java's API has. A contact's state, but for its "
    "history, is one pickle that is read and written again for each record."
)

_SECONDS = 300
_CHECKPOINT_MS = 1_000

Row = tuple[str, int, bytes]


@dataclass(frozen=True)
class Setup:
    """What Flink's processes are told, as JSON in the environment."""

    folder: str
    end_ms: int
    keep_all: bool

    @classmethod
    def told(cls) -> Setup:
        return cls(**json.loads(os.environ["PEER_SETUP"]))

    @property
    def path(self) -> Path:
        return Path(self.folder)

    def rules(self) -> Rules:
        return Rules(orjson.loads((self.path / "segments.json").read_bytes()), keep_all=self.keep_all)


class Judge(KeyedProcessFunction):
    """One contact after the other."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._began: tuple[float, float] | None = None
        self._rules: Rules
        self._contact: ValueState
        self._events: MapState

    def open(self, context: RuntimeContext) -> None:
        self._rules = self._setup.rules()
        anything = Types.PICKLED_BYTE_ARRAY()
        self._contact = context.get_state(ValueStateDescriptor("contact", anything))
        events = MapStateDescriptor("events", Types.STRING(), anything)
        self._events = context.get_map_state(events)

    def process_element(self, row: Row, context: KeyedProcessFunction.Context) -> Iterator[str]:
        if self._began is None:
            self._began = time.perf_counter(), session_seconds()
        contact_id, at_ms, value = row
        state = self._contact.value() or new_state()
        before = next_due(state)
        body = orjson.loads(value)
        changes = self._rules.judge(state, contact_id, at_ms, body, self._events)
        yield from self._done(state, before, changes, context)

    def on_timer(self, timestamp: int, context: KeyedProcessFunction.OnTimerContext) -> Iterator[str]:
        # The end of the input lets every timer fire, however far ahead.
        if timestamp <= self._setup.end_ms:
            state = self._contact.value()
            before = next_due(state)
            changes = self._rules.until(state, context.get_current_key(), timestamp)
            yield from self._done(state, before, changes, context)

    def _done(
        self, state: State, before: int | None, changes: list[Change], context: KeyedProcessFunction.Context
    ) -> Iterator[str]:
        due = next_due(state)
        if due is not None and due != before:
            context.timer_service().register_event_time_timer(due)
        self._contact.update(state)
        for change in changes:
            yield orjson.dumps(list(change)).decode()

    def close(self) -> None:
        if self._began is not None:
            seconds, cpu_seconds = self._began
            took = {
                "seconds": time.perf_counter() - seconds,
                "cpu_seconds": session_seconds() - cpu_seconds,
            }
            (self._setup.path / "took.json").write_bytes(orjson.dumps(took))


class RecordTime(TimestampAssigner):
    """The record's own."""

    def extract_timestamp(self, value: Row, record_timestamp: int) -> int:
        return value[1]


def session_seconds() -> float:
    """The processor's time of all living processes of this session: Java and its Python workers."""
    session = os.getsid(0)
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(") ")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[3]) == session:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def run(job: Job, folder: Path) -> Result:
    setup = Setup(str(folder), job.end_ms, job.keep_all)
    rows: list[Row] = [
        ((record.key or b"").decode(), record.timestamp_ms, record.value or b"") for record in job.records
    ]
    (folder / "segments.json").write_bytes(orjson.dumps(job.segments))
    (folder / "rows.pickle").write_bytes(pickle.dumps(rows))
    # The interpreter inside Java does not know of a virtual environment.
    path = os.pathsep.join((os.environ.get("PYTHONPATH", ""), sysconfig.get_path("platlib")))
    environment = {**os.environ, "PYTHONPATH": path, "PEER_SETUP": json.dumps(asdict(setup))}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_SECONDS)
        finally:
            process.kill()
            # Java would notice by itself, but only after the next peer has begun.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        status = process.wait()
    if status:
        raise SystemExit(f"Flink ended with status {status}:\n{(folder / 'log').read_text()}")
    changes = [Change(*orjson.loads(line)) for line in (folder / "changes").read_bytes().splitlines()]
    return Result(**orjson.loads((folder / "took.json").read_bytes()), changes=changes)


def main() -> None:
    setup = Setup.told()
    rows = pickle.loads((setup.path / "rows.pickle").read_bytes())  # noqa: S301 - written by `run`
    environment = StreamExecutionEnvironment.get_execution_environment(_configuration(setup))
    environment.set_parallelism(1)
    environment.enable_checkpointing(_CHECKPOINT_MS)
    kind = Types.TUPLE([Types.STRING(), Types.LONG(), Types.PRIMITIVE_ARRAY(Types.BYTE())])
    times = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(RecordTime())
    records = environment.from_collection(rows, type_info=kind).assign_timestamps_and_watermarks(times)
    keyed = records.key_by(lambda row: row[0], key_type=Types.STRING())
    judged = keyed.process(Judge(setup), output_type=Types.STRING())
    with judged.execute_and_collect() as changes, (setup.path / "changes").open("w") as lines:
        for change in changes:
            lines.write(f"{change}\n")


def _configuration(setup: Setup) -> Configuration:
    configuration = Configuration()
    for name, value in {
        "state.backend.type": "rocksdb",
        "state.backend.incremental": "true",
        "execution.checkpointing.dir": (setup.path / "checkpoints").as_uri(),
        # A fault is to be seen, not tried again.
        "restart-strategy.type": "none",
        # Python inside Java's process: no socket between them.
        "python.execution-mode": "thread",
        "python.executable": sys.executable,
    }.items():
        configuration.set_string(name, value)
    return configuration


if __name__ == "__main__":
    main()
