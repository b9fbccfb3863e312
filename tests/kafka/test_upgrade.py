"""Workers of release 0.1.0 are replaced by ours, and the state layout is raised, while input flows."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import pytest

from agents.kafka.topics import changelog_topic
from streamseg.contact.state_version import EARLIEST_WRITTEN, STATE_VERSION
from streamseg.settings import Settings
from tests.chaos.checks import Difference, differences
from tests.chaos.definitions import LONGEST_WINDOW_SECONDS, WINDOW_SETTINGS, Story
from tests.chaos.traffic import NO_SUCH_LIST, Traffic, last_words
from tests.chaos.truth import read, replayed
from tests.chaos.writing import Mode, Writer, Written
from tests.kafka.earlier_release import earlier_release
from tests.kafka.live import PROGRAMS, Topics, Worker, eventually, worker_environment

SEED = 5
CONTACTS = 300
TICK_SECONDS = 0.2
RECORDS_PER_TICK = 30

# 0.1.0 understood these otherwise: CHANGELOG.md has each of them.
_CHANGED_SINCE = (b'"subscribed"', b'"keep_suppressions"', NO_SUCH_LIST.encode(), b'"many"', b'"bad-')


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def alike(record: Written) -> bool:
    """Whether 0.1.0 and this release do the same with a record."""
    return not any(text in (record.value or b"") for text in _CHANGED_SINCE)


@contextmanager
def input_flows(writer: Writer) -> Iterator[None]:
    """Write input all the time. An error in the writing is raised at the end."""
    over, failed = threading.Event(), []

    def write() -> None:
        traffic = Traffic(SEED, CONTACTS)
        try:
            while not over.wait(TICK_SECONDS):
                batch, mode = traffic.batch(RECORDS_PER_TICK, now_ms())
                writer.write(filter(alike, batch), mode)
            writer.close()
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert not failed, failed


def longest_pauses(topics: Topics, until_ms: int) -> dict[int, int]:
    """Partition -> the longest time (ms) without a membership change."""
    times: dict[int, list[int]] = {}
    for message in topics.read("membership-changes"):
        times.setdefault(message.partition(), []).append(message.timestamp()[1])
    return {
        partition: max(later - one for one, later in pairwise(each) if later <= until_ms)
        for partition, each in ((partition, sorted(each)) for partition, each in times.items())
    }


def contact_layouts(topics: Topics) -> set[int]:
    """The layouts of the latest records of contacts in the changelog."""
    latest = {
        (one.partition(), one.key()): one.value()
        for one in topics.read(changelog_topic(topics.settings))
        if one.key()[:1] == b"c"
    }
    return {value[0] for value in latest.values() if value is not None}


@pytest.fixture
def workers(kafka_settings: Settings) -> Iterator[list[Worker]]:
    """The workers that run, each on the folder of its place."""
    running: list[Worker] = []
    yield running
    for worker in running:
        worker.end()


def test_an_upgrade_from_0_1_0_and_a_raised_layout_leave_what_a_replay_gives(
    kafka_settings: Settings, workers: list[Worker], tmp_path: Path
) -> None:
    topics, writer = Topics(kafka_settings), Writer(kafka_settings)
    programs = earlier_release("0.1.0", tmp_path / "0.1.0")
    environment = {**worker_environment(kafka_settings, tmp_path / "unused"), **WINDOW_SETTINGS}

    def place(number: int, programs: Path = PROGRAMS, /, **more: str) -> Worker:
        """A worker on the folder of this number."""
        return Worker(kafka_settings, f"worker-{number}", programs, **WINDOW_SETTINGS, **more)

    def replace(number: int, **more: str) -> None:
        assert workers[number].stop() == 0, workers[number].log
        workers[number] = place(number, **more)
        workers[number].start()
        ready(workers[number])

    def ready(worker: Worker) -> None:
        eventually(lambda: worker.get("/ready")[0] == 200, "ready")

    create: list[str | Path] = [programs / "streamseg", "topics", "create"]
    subprocess.run(create, env=environment, check=True, capture_output=True)
    story = Story(SEED, topics.ends, topics.committed)
    writer.write(story.standing(now_ms()), Mode.PLAIN)
    # One is enough: 0.1.0 has faults of its own when its workers share partitions anew.
    first = place(0, programs)
    workers.append(first)
    first.launch()
    first.wait_for("agents.worker: started")
    with input_flows(writer):
        eventually(lambda: topics.length("membership-changes") > 500, "changes by 0.1.0")

        topics.create()  # those that are new since
        # Ours does not begin beside it. It goes on in the earlier layout first, as a release does with the
        # state of the release before.
        second = place(1, STREAMSEG_LAYOUT=str(EARLIEST_WRITTEN))
        workers.append(second)
        second.launch()
        second.wait_for("workers of release 0.1.0 are in the group")
        stopped_ms = now_ms()
        assert first.stop() == 0, first.log
        assert second.at_work not in second.log
        workers[0] = place(0, STREAMSEG_LAYOUT=str(EARLIEST_WRITTEN))
        workers[0].launch()
        for worker in workers:
            worker.wait_for(worker.at_work)
            ready(worker)
        written = topics.length("membership-changes")
        eventually(lambda: topics.length("membership-changes") > written + 200, "changes by this release")
        switched_ms = now_ms()
        replace(0)
        assert contact_layouts(topics) == {EARLIEST_WRITTEN}

        for number in (0, 1):
            replace(number, STREAMSEG_LAYOUT=str(STATE_VERSION))
        written = topics.length("membership-changes")
        eventually(lambda: topics.length("membership-changes") > written + 200, "changes in the new layout")

    writer.write(last_words(SEED, 40, now_ms()), Mode.PLAIN)
    ended_ms = now_ms()
    eventually(topics.all_committed, "all input committed")
    until_ms = ended_ms + round(LONGEST_WINDOW_SECONDS * 1000)
    expected = replayed(
        read(topics),
        story.births,
        file=tmp_path / "records.ndjson",
        interpreter=PROGRAMS / "python",
        environment=environment,
        until_ms=until_ms,
        limit_bytes=kafka_settings.max_record_bytes,
        only_json=False,
    )
    eventually(lambda: now_ms() > until_ms, "everything fell due")
    found: list[Difference] = []

    def right() -> bool:
        found[:] = differences(read(topics), expected, story)
        return not found

    with suppress(AssertionError):
        eventually(right, "all as replayed", 30)
    assert not found, found[:10]
    assert STATE_VERSION in contact_layouts(topics)
    print(f"longest time without a change, ms by partition: {longest_pauses(topics, ended_ms)}")
    print(f"0.1.0 stopped to this release at work, at most: {switched_ms - stopped_ms} ms")
