"""Measures what open consoles cost the input: the time from an event to its change, with many and with none.

Each console asks what the page of its kind asks, as often as the page does: the list of segments, a segment
with its contacts, a contact with its timeline, or the stream of changes. Rounds without consoles and with
them take turns, on one worker. The last line has ratios: the latency with consoles by that without, over all
rounds. Run it from the repository:

    python -m benchmarks.consoles --rate 2000
    python -m benchmarks.consoles --rate 2000 --consoles 50 --seconds 20 --repeats 3

The worker has one core. The broker, the consoles and this program have the other cores.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.sharedctypes import Synchronized

import aiohttp

from benchmarks.figures import about_the_machine, command, table
from benchmarks.kafka import Feed, WorkerProcess, broker, installation, leave_to_the_worker, wait_until
from benchmarks.latency import PROBED, Load, Watch, latencies
from benchmarks.workload import Workload, definitions

WORKER_CPU = 0
LIST_SECONDS = 5.0
GROUPS_SECONDS = 10.0
SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


async def _poll(
    session: aiohttp.ClientSession, path: str, seconds: float, answers: Synchronized[int]
) -> None:
    while True:
        async with session.get(path) as answered:
            await answered.read()
            if answered.status == 200:
                with answers.get_lock():
                    answers.value += 1
        await asyncio.sleep(seconds)


async def _follow(session: aiohttp.ClientSession, answers: Synchronized[int]) -> None:
    async with session.get("/api/v1/changes?recent=100&words=zh") as stream:
        async for _ in stream.content.iter_any():
            with answers.get_lock():
                answers.value += 1


async def _console(url: str, number: int, answers: Synchronized[int]) -> None:
    """One open page. Each has an account of its own, as people do."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=30)
    async with aiohttp.ClientSession(
        url, headers={"X-Account": f"account-{number}", "Accept-Language": "zh"}, timeout=timeout
    ) as session:
        segment = f"/api/v1/segments/{PROBED['segment_id']}"
        contact = f"/api/v1/contacts/contact-{number:07}"
        pages: list[list[tuple[str, float]]] = [
            [("/api/v1/segments?sort=updated_at&order=desc&limit=20", LIST_SECONDS)],
            [(f"{segment}?words=zh", LIST_SECONDS), (f"{segment}/contacts?limit=50", LIST_SECONDS)],
            [(contact, LIST_SECONDS), (f"{contact}/timeline?limit=50", LIST_SECONDS)],
            [],
        ]
        asked = pages[number % len(pages)]
        work = [_poll(session, path, seconds, answers) for path, seconds in asked]
        if asked:
            work.append(_poll(session, "/api/v1/groups", GROUPS_SECONDS, answers))
        else:
            work.append(_follow(session, answers))
        await asyncio.gather(*work)


def _open(url: str, count: int, answers: Synchronized[int]) -> None:
    async def all_of_them() -> None:
        await asyncio.gather(*(_console(url, number, answers) for number in range(count)))

    asyncio.run(all_of_them())


@contextmanager
def consoles(url: str, count: int) -> Iterator[Synchronized[int]]:
    """Keep so many pages open in another process. Yields the number of answers, and of pieces of streams."""
    context = multiprocessing.get_context("spawn")
    answers: Synchronized[int] = context.Value("q", 0)
    process = context.Process(target=_open, args=(url, count, answers), daemon=True)
    if count:
        process.start()
    try:
        if count:
            wait_until(lambda: answers.value >= count, "an answer for each console")
        yield answers
        if count and not process.is_alive():
            raise SystemExit(f"the consoles ended with status {process.exitcode}")
    finally:
        if count:
            process.terminate()
            process.join()


def _percentile(found: list[float], share: float) -> float:
    ordered = sorted(found)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rate", type=float, required=True, help="records/s")
    parser.add_argument("--consoles", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--contacts", type=int, default=20_000)
    parser.add_argument("--segments", type=int, default=100)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--bootstrap", help="a running broker, e.g. localhost:9092")
    wanted = parser.parse_args()
    leave_to_the_worker(WORKER_CPU)
    found: dict[int, list[float]] = {0: [], wanted.consoles: []}
    cpu: dict[int, float] = dict.fromkeys(found, 0.0)
    answered, watched_seconds = 0, 0.0
    with broker(wanted.bootstrap) as kafka, installation(kafka, wanted.partitions) as settings:
        feed = Feed(settings)
        feed.define([PROBED, *definitions(wanted.segments)])
        workload = Workload(wanted.contacts, start_ms=time.time_ns() // 1_000_000 - 1_000)
        known = feed.write(workload.updates())
        worker, watch = WorkerProcess(settings), Watch(settings)
        try:
            worker.start(WORKER_CPU)
            wait_until(lambda: worker.applied() >= known, "the contacts known", every=0.5)
            load = Load(settings, workload)
            load.run(wanted.rate, wanted.seconds / 4)
            for number in range(wanted.repeats):
                # The order changes, so that a machine that gets busier or quieter favours neither.
                for count in sorted(found, reverse=number % 2 == 1):
                    with consoles(worker.url, count) as answers:
                        used, before, began = worker.cpu_seconds(), answers.value, time.monotonic()
                        found[count] += latencies(watch, load.run(wanted.rate, wanted.seconds))
                        cpu[count] += worker.cpu_seconds() - used
                        if count:
                            answered += answers.value - before
                            watched_seconds += time.monotonic() - began
        finally:
            watch.stop()
            worker.stop()
    rows = [
        [
            f"{count} consoles",
            *(f"{_percentile(seconds, share) * 1000:.0f} ms" for share in SHARES.values()),
            f"{cpu[count]:.1f} s",
        ]
        for count, seconds in found.items()
    ]
    none, some = found[0], found[wanted.consoles]
    ratios = (f"{_percentile(some, share) / _percentile(none, share):.2f}" for share in SHARES.values())
    rows.append(["ratio", *ratios, f"{cpu[wanted.consoles] / cpu[0]:.2f}"])
    print(command("benchmarks.consoles"))
    print(table(["", *SHARES, "CPU of the worker"], rows))
    print(
        f"{wanted.rate:,.0f} records/s, {wanted.contacts:,} contacts, {wanted.segments:,} segments; "
        f"the consoles got {answered / max(watched_seconds, 1):,.0f} answers a second\n{about_the_machine()}"
    )


if __name__ == "__main__":
    main()
