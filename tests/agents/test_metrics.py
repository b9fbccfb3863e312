"""A worker's metrics change when the thing that they measure changes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka.errors import KafkaError
from faust.types import TP

from agents.kafka.compatibility import count_retries
from agents.kafka.unacknowledged import Unacknowledged
from agents.metrics import Metrics
from agents.partitions import restoring
from agents.partitions.assignment import Claim
from agents.partitions.owned_partitions import OwnedPartitions
from agents.partitions.scheduler import TaskScheduler
from agents.partitions.state_figures import observe_state
from agents.partitions.task import PartitionTask
from agents.partitions.worker_clock import WorkerClock
from agents.worker.stall_guard import StallGuard
from streamseg.build_form import BUILD_FORM
from streamseg.contact.contact import Contact
from streamseg.contact.state_version import STATE_VERSION
from streamseg.errors import EmptyStateError
from streamseg.plan.definitions import Definitions
from streamseg.settings import Settings
from streamseg.store.database import CacheUse, Figures
from streamseg.store.rocksdb import RocksStore
from tests.agents.metric_values import value


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - what it waits for has no event
            await asyncio.sleep(0.01)


def test_release_layout_and_process_are_told(metrics: Metrics) -> None:
    text = metrics.exposition().decode()
    assert f'streamseg_build_info{{form="{BUILD_FORM}",layout="{STATE_VERSION}",version="' in text
    for name in ("resident_memory_bytes", "cpu_seconds_total", "open_fds", "max_fds"):
        assert value(metrics, f"process_{name}") > 0
    assert value(metrics, "python_gc_collections_total", generation="0") > 0


# -- towards the brokers -----------------------------------------------------------------------------------


def test_the_oldest_output_on_its_way_is_told(metrics: Metrics) -> None:
    now = 100.0
    waiting = Unacknowledged(metrics, lambda: now)

    def seconds() -> float:
        waiting.observe()
        return value(metrics, "streamseg_unacknowledged_seconds")

    assert seconds() == 0
    with waiting.sending():
        now = 103.0
        with waiting.sending():
            now = 105.0
            assert seconds() == 5
        assert seconds() == 5
    assert seconds() == 0


def test_what_the_brokers_refuse_is_counted_and_waits_no_longer(metrics: Metrics) -> None:
    waiting = Unacknowledged(metrics, lambda: 1.0)
    with pytest.raises(KafkaError), waiting.sending():
        raise KafkaError
    with pytest.raises(ZeroDivisionError), waiting.sending():
        raise ZeroDivisionError
    assert value(metrics, "streamseg_produce_errors_total") == 1
    waiting.observe()
    assert value(metrics, "streamseg_unacknowledged_seconds") == 0


def test_only_batches_that_are_sent_once_more_are_retries(metrics: Metrics) -> None:
    sent = []

    async def send(node_id: int, batches: dict[TP, Any]) -> None:
        sent.append(batches)

    producer = SimpleNamespace(_sender=SimpleNamespace(_send_produce_req=send))
    count_retries(cast(Any, producer), metrics.produce_retries.inc)
    first, second = SimpleNamespace(retry_count=1), SimpleNamespace(retry_count=3)
    asyncio.run(producer._sender._send_produce_req(0, {TP("t", 0): first}))
    assert value(metrics, "streamseg_produce_retries_total") == 0
    asyncio.run(producer._sender._send_produce_req(0, {TP("t", 0): first, TP("t", 1): second}))
    assert value(metrics, "streamseg_produce_retries_total") == 1
    assert len(sent) == 2


# -- partitions --------------------------------------------------------------------------------------------


def test_a_restoring_tells_how_much_is_left(
    metrics: Metrics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    folder = tmp_path / "data"
    folder.mkdir()

    def read(
        _: object, topic: str, starts: object, apply: Any, reached: Any, stop: object, *, planned: Any
    ) -> None:
        planned(0, 0, 100)
        planned(1, 0, 10)
        apply(0, [(b"zx", b"v")], [], 59)
        reached(1, 10)
        go_on.wait(30)
        reached(0, 100)

    monkeypatch.setattr(restoring, "read_changelog", read)

    async def main() -> None:
        scheduler = SimpleNamespace(begin=lambda *_: None, end=_nothing)
        partitions = OwnedPartitions(
            Settings(data_dir=folder),
            scheduler=cast(TaskScheduler, scheduler),
            metrics=metrics,
            folder=lambda: tmp_path,
        )

        def shown() -> tuple[float, float]:
            partitions.observe()
            return (
                value(metrics, "streamseg_restoring_partitions"),
                value(metrics, "streamseg_restore_remaining_records"),
            )

        await partitions.start()
        assert shown() == (0, 0)
        partitions.assign([0, 1])
        await _until(lambda: shown() == (1, 40))
        go_on.set()
        await _until(lambda: shown() == (0, 0))
        assert value(metrics, "streamseg_rebalances_total") == 1
        assert value(metrics, "streamseg_last_rebalance_seconds") > 1_700_000_000
        assert 0 < value(metrics, "streamseg_disk_free_bytes") < value(metrics, "streamseg_disk_size_bytes")
        # Somebody removed the folder: the other metrics are shown all the same.
        await asyncio.to_thread(folder.rmdir)
        assert shown() == (0, 0)
        await partitions.stop()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("committed", "kept", "accepted", "cold_starts"),
    [(5, False, True, 1), (5, False, False, 1), (0, False, False, 0), (5, True, False, 0)],
)
def test_a_partition_that_lost_its_changelog_is_counted_and_refused_unless_it_is_accepted(
    metrics: Metrics, tmp_path: Path, committed: int, kept: bool, accepted: bool, cold_starts: int
) -> None:
    ends_asked = committed_asked = 0

    def end(_: object) -> float:
        nonlocal ends_asked
        ends_asked += 1
        return 10.0

    def begun_at(_: object) -> int | None:
        nonlocal committed_asked
        committed_asked += 1
        # Not known at first: until then nothing may be done.
        assert ends_asked == 0
        return None if committed_asked <= 2 else committed

    consumer = SimpleNamespace(
        end=end,
        begun_at=begun_at,
        ended_as_of=lambda _: None,
        acknowledge_all=lambda _: None,
    )

    async def main() -> None:
        settings = Settings(data_dir=tmp_path, accept_empty_state=accepted)
        scheduler = TaskScheduler(
            settings=settings,
            sink=cast(Any, None),
            consumer=lambda: cast(Any, consumer),
            plan=lambda: Definitions(settings).plan,
            clock=WorkerClock(settings, brokers_time=None, metrics=metrics),
            metrics=metrics,
            may_write=lambda _: True,
            lost=lambda _: None,
        )
        await scheduler.start()
        store = RocksStore(tmp_path / "state")
        if kept:
            store.set_number("next_offset contact-updates", 5)
            store.save()
        scheduler.begin(Claim(0, 1), store, 0)
        if cold_starts and not accepted:
            await _until(lambda: scheduler.crashed)
            assert isinstance(scheduler.crash_reason, EmptyStateError)
            assert scheduler.crash_reason.code in str(scheduler.crash_reason)
            assert ends_asked == 0
            assert store.is_empty()
        else:
            # Both topics, once; the next look finds it done.
            await _until(lambda: ends_asked >= 2)
        assert value(metrics, "streamseg_cold_starts_total") == cold_starts
        assert committed_asked == (0 if kept else 4)
        await scheduler.stop()
        store.close()

    asyncio.run(main())


async def _nothing(_: object) -> None:
    return None


def test_contacts_that_a_changed_definition_has_reached_are_told(metrics: Metrics) -> None:
    def task(sweeping: bool, swept: tuple[int, int], stalled: bool) -> PartitionTask:
        figures = Figures(
            disk_bytes=1_000, keys=10, compaction_pending_bytes=5 * stalled, write_stalled=stalled
        )
        store = SimpleNamespace(
            figures=lambda: figures, compacted_ms=None, take_cache_use=lambda: CacheUse(7, 2)
        )
        return cast(PartitionTask, SimpleNamespace(sweeping=sweeping, swept=swept, store=store))

    def shown(*names: str) -> list[float]:
        return [value(metrics, f"streamseg_{name}") for name in names]

    observe_state([task(True, (3, 8), True), task(True, (1, 8), False), task(False, (1, 1), False)], metrics)
    assert shown("sweeping_partitions", "sweep_done", "sweep_total") == [2, 4, 16]
    assert shown("state_bytes", "state_keys") == [3_000, 30]
    assert shown("block_cache_hits_total", "block_cache_misses_total") == [21, 6]
    assert shown("compaction_pending_bytes", "write_stalled_partitions") == [5, 1]
    observe_state([], metrics)
    assert shown("sweeping_partitions", "sweep_done", "sweep_total", "state_bytes") == [0, 0, 0, 0]


def test_a_store_knows_what_it_takes_on_disk(tmp_path: Path) -> None:
    store = RocksStore(tmp_path / "state")
    empty = store.figures()
    with store.in_bulk():
        store.apply_changelog([(b"zx%d" % number, b"v" * 100) for number in range(1_000)], 999)
    full = store.figures()
    store.close()
    assert full.disk_bytes > empty.disk_bytes
    assert full.keys - empty.keys == pytest.approx(1_000, abs=5)
    assert not full.write_stalled


def test_a_store_counts_blocks_that_were_in_the_cache_and_that_were_read(tmp_path: Path) -> None:
    store = RocksStore(tmp_path / "state")
    for number in range(3_000):
        contact = Contact(f"c{number}")
        contact.attributes.set("text", f"{number}" * 100, 5)
        store.put(contact)
    store.save()
    store.compact(1_000)
    store.take_cache_use()
    for number in range(1_500, 1_600):
        found = store.contact(f"c{number}")
        assert found is not None
        assert found.attributes.get("text") is not None
    used = store.take_cache_use()
    assert used.misses > 0
    assert used.hits > 0
    assert store.take_cache_use() == CacheUse(0, 0)
    store.close()


# -- the process -------------------------------------------------------------------------------------------


def test_what_holds_up_the_loop_is_seen(metrics: Metrics) -> None:
    async def main() -> None:
        watch = StallGuard(Settings(), late=metrics.loop_lag.observe)
        await watch.start()
        await _until(lambda: value(metrics, "streamseg_loop_lag_seconds_count") >= 1)
        before = value(metrics, "streamseg_loop_lag_seconds_sum")
        threading.Event().wait(0.6)
        await _until(lambda: value(metrics, "streamseg_loop_lag_seconds_count") >= 2)
        assert value(metrics, "streamseg_loop_lag_seconds_sum") - before >= 0.3
        await watch.stop()

    asyncio.run(main())
