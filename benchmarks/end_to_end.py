"""How many events a second one worker takes in from Kafka, with state, changelog and outputs.

The input lies in Kafka before the worker starts, so the figure is the rate of a catch-up: fetch, decode,
judge, keep history, write changelog, state and changes, commit. Run it from the repository:

    python -m benchmarks.end_to_end
    python -m benchmarks.end_to_end --events 400000 --segments 1000

It starts a broker of its own (deploy/kafka.sh) on the same machine, unless --bootstrap names one.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import re
import resource
import shlex
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from confluent_kafka import Producer

from agents.topics import required_topics
from agents.topics_admin import TopicsAdmin
from streamseg.settings import Settings

ROOT = Path(__file__).parents[1]
EVENTS = ("form_open", "form_submit", "email_open", "email_click", "wechat_scan", "page_view")
FORMS = 40
TIMEOUT_SECONDS = 600
_APPLIED = re.compile(r'^streamseg_records_total\{result="applied"\} (\S+)', re.MULTILINE)


def definition(index: int) -> dict[str, Any]:
    """One of several kinds of segment, each on a form or campaign of its own or a place, in turn."""
    form = {"property": "form", "operator": "eq", "value": f"form-{index % FORMS}"}
    submitted = {"event": "form_submit", "where": {"match": "all", "conditions": [form]}}
    mails = {"event": "email_*", "count": {"operator": "ge", "value": 2 + index % 5}}
    conditions: list[list[dict[str, Any]]] = [
        [{**submitted, "window": {"last": "P7D"}}],
        [{**mails, "window": {"last": "P30D"}}],
        [
            {"attribute": "location", "operator": "eq", "value": "中国" if index % 2 else "美国"},
            {"event": "wechat_scan", "where": {"match": "any", "conditions": [form]}},
        ],
        [
            {"event": "page_view", "count": {"operator": "lt", "value": 1}, "window": {"last": "P14D"}},
            {"attribute": "member_points", "operator": "between", "value": [index * 30, index * 30 + 29]},
        ],
    ]
    return {
        "segment_id": f"segment-{index:05}",
        "name": f"segment {index}",
        "type": "standard",
        "clusters": [{"match": "all", "conditions": conditions[index % len(conditions)]}],
    }


def produce(settings: Settings, *, events: int, contacts: int, segments: int) -> None:
    """Definitions, an update for each contact, then the events, spread over an hour up to now."""
    seeded = random.Random(7)
    prefix = settings.topic_prefix
    producer = Producer(
        {
            "bootstrap.servers": settings.bootstrap_servers,
            "partitioner": "murmur2_random",
            "linger.ms": 20,
            "compression.type": "lz4",
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    now_ms = time.time_ns() // 1_000_000
    start_ms = now_ms - 3_600_000
    for index in range(segments):
        body = definition(index)
        producer.produce(f"{prefix}segment-definitions", orjson.dumps(body), key=body["segment_id"])
    for index in range(contacts):
        attributes = {"location": seeded.choice(["中国", "美国"]), "member_points": seeded.randrange(3_000)}
        update = {"contact_id": f"c{index:07}", "attributes": attributes}
        producer.produce(
            f"{prefix}contact-updates", orjson.dumps(update), key=f"c{index:07}", timestamp=start_ms - 1
        )
        producer.poll(0)
    for index in range(events):
        contact_id = f"c{seeded.randrange(contacts):07}"
        at_ms = start_ms + 3_600_000 * index // events
        event = {
            "event_id": f"e{index}",
            "contact_id": contact_id,
            "event": seeded.choice(EVENTS),
            "occurred_at": at_ms,
            "properties": {"form": f"form-{seeded.randrange(FORMS)}", "source": "benchmark", "n": index},
        }
        while True:
            try:
                producer.produce(
                    f"{prefix}behavior-events", orjson.dumps(event), key=contact_id, timestamp=at_ms
                )
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    producer.flush(60)


@contextmanager
def broker(bootstrap: str | None) -> Iterator[str]:
    """The address of the given broker, or of one that lives as long as the context."""
    if bootstrap is not None:
        yield bootstrap
        return
    script = ROOT / "deploy" / "kafka.sh"
    with tempfile.TemporaryDirectory(prefix="streamseg-kafka-") as folder:
        started = subprocess.run(
            [script, "start", folder, "--port", "0"], check=True, capture_output=True, text=True
        )
        try:
            yield started.stdout.strip()
        finally:
            subprocess.run([script, "stop", folder], check=True, capture_output=True)


@contextmanager
def worker(settings: Settings) -> Iterator[str]:
    """The address of the metrics of a `streamseg worker` process that lives as long as the context."""
    environment = {
        **os.environ,
        "STREAMSEG_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "STREAMSEG_TOPIC_PREFIX": settings.topic_prefix,
        "STREAMSEG_PARTITIONS": str(settings.partitions),
        "STREAMSEG_DATA_DIR": str(settings.data_dir),
        "STREAMSEG_HTTP_PORT": "0",
    }
    log = settings.data_dir / "worker.log"
    command = [Path(sys.executable).parent / "streamseg", "worker"]
    with log.open("w") as stderr, subprocess.Popen(command, env=environment, stderr=stderr) as process:
        try:
            while (found := re.search(r"metrics on port (\d+)", log.read_text())) is None:
                if process.poll() is not None:
                    raise SystemExit(f"the worker ended with status {process.returncode}:\n{log.read_text()}")
                time.sleep(0.05)
            yield f"http://127.0.0.1:{found[1]}/metrics"
        finally:
            process.terminate()


def applied(metrics_url: str) -> float:
    """How many records the worker has applied and made durable so far."""
    with urllib.request.urlopen(metrics_url, timeout=10) as response:  # noqa: S310 - our own worker
        found = _APPLIED.search(response.read().decode())
    return float(found[1]) if found else 0.0


def measure(metrics_url: str, records: int) -> tuple[float, float]:
    """Seconds from the first record made durable to the last, and how many that was."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    first: tuple[float, float] | None = None
    while time.monotonic() < deadline:
        count, now = applied(metrics_url), time.perf_counter()
        if count and first is None:
            first = (now, count)
        if count >= records and first is not None:
            return now - first[0], count - first[1]
        time.sleep(0.1)
    raise SystemExit(f"not done after {TIMEOUT_SECONDS} s: {count:.0f} of {records} records")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--contacts", type=int, default=20_000)
    parser.add_argument("--segments", type=int, default=100)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--bootstrap", help="a running broker, e.g. localhost:9092")
    wanted = parser.parse_args()
    with (
        broker(wanted.bootstrap) as bootstrap,
        tempfile.TemporaryDirectory(prefix="streamseg-state-") as data,
    ):
        settings = Settings(
            bootstrap_servers=bootstrap,
            topic_prefix=f"bench-{uuid.uuid4().hex[:8]}-",
            partitions=wanted.partitions,
            data_dir=Path(data),
        )
        TopicsAdmin(settings).create(required_topics(settings))
        produce(settings, events=wanted.events, contacts=wanted.contacts, segments=wanted.segments)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with worker(settings) as metrics_url:
            seconds, count = measure(metrics_url, wanted.events + wanted.contacts)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"$ python -m benchmarks.end_to_end {shlex.join(sys.argv[1:])}".rstrip())
    print(
        f"{count / seconds:,.0f} records/s: {count:,.0f} records in {seconds:.1f} s; "
        f"worker's CPU, start and stop included: {cpu_seconds:.1f} s\n"
        f"{wanted.contacts:,} contacts, {wanted.segments} segments, "
        f"{wanted.partitions} partitions, one worker; {os.cpu_count()} cores shared with the broker, load "
        f"{os.getloadavg()[0]:.1f}, Python {platform.python_version()}"
    )


if __name__ == "__main__":
    main()
