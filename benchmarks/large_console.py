"""Measures how the console behaves with much: a list of 10,000 segments, and a contact with 10,000 events.

A real worker on a real broker answers a real browser (Chromium, without a window). For each step the report
has the time until what was asked for stands on the page, the time in which the page's thread was blocked
(tasks of more than 50 ms: what they last beyond 50 ms), and the longest such task. While the page is scrolled
it has the times between frames. Run it from the repository:

    python -m benchmarks.large_console
    python -m benchmarks.large_console --segments 10000 --events 10000 --repeats 3
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import orjson
from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.figures import Figure, about_the_machine, command, table
from benchmarks.kafka import Feed, WorkerProcess, broker, installation, wait_until
from benchmarks.workload import Workload, definitions
from streamseg.records.inputs import Record
from streamseg.times import MINUTE_MS

BUSY = "contact-busy"
WAIT_MS = 120_000
FRAMES = 90
MATCHING = 200
"""So many segments test values that occur; an installation has many that hardly anybody is in."""

_OBSERVE = """
window.blocked = [];
new PerformanceObserver((list) => {
    for (const one of list.getEntries()) window.blocked.push(one.duration);
}).observe({ type: 'longtask', buffered: true });
"""
_SCROLL = """(frames) => new Promise((done) => {
    const found = [], height = document.documentElement.scrollHeight - innerHeight;
    let last = performance.now(), number = 0;
    const step = (now) => {
        if (number > 0) found.push(now - last);
        last = now;
        number += 1;
        scrollTo(0, height * number / frames);
        if (number <= frames) requestAnimationFrame(step);
        else done(found);
    };
    requestAnimationFrame(step);
})"""


@dataclass
class Step:
    """What was measured of one step, one value a round; all in ms."""

    until: list[float] = field(default_factory=list)
    blocked: list[float] = field(default_factory=list)
    longest: list[float] = field(default_factory=list)


@dataclass
class Report:
    steps: dict[str, Step] = field(default_factory=dict)
    frames: dict[str, list[float]] = field(default_factory=dict)

    def step(self, page: Page, name: str, act: Callable[[], object], shown: Callable[[], object]) -> None:
        """Act, wait until it is shown, and note the time and the long tasks until the page is quiet."""
        page.evaluate("window.blocked = []")
        began = time.monotonic()
        act()
        shown()
        until_ms = (time.monotonic() - began) * 1_000
        page.wait_for_timeout(300)
        blocked = list(map(float, page.evaluate("window.blocked")))
        found = self.steps.setdefault(name, Step())
        found.until.append(until_ms)
        found.blocked.append(sum(one - 50 for one in blocked))
        found.longest.append(max(blocked, default=0.0))

    def scroll(self, page: Page, name: str) -> None:
        page.evaluate("scrollTo(0, 0)")
        self.frames.setdefault(name, []).extend(map(float, page.evaluate(_SCROLL, FRAMES)))


def look(page: Page, report: Report, segments: int) -> None:
    """What a user does with a list and with a contact."""
    expect.set_options(timeout=WAIT_MS)
    rows = page.locator("tbody .segment-name")
    last = f"分群 {segments - 1}"
    report.step(
        page,
        "open the list",
        lambda: page.goto("/console/segments?sort=name"),
        lambda: page.get_by_text(f"共 {segments + 3} 个").wait_for(),
    )
    first = rows.first.inner_text()
    report.step(
        page,
        "next page",
        lambda: page.get_by_role("button", name="下一页").click(),
        lambda: expect(rows.first).not_to_have_text(first),
    )
    report.step(
        page,
        "search one",
        lambda: page.get_by_role("searchbox", name="按分群名称搜索").fill(last),
        lambda: rows.first.filter(has_text=last).wait_for(),
    )
    page.get_by_role("searchbox", name="按分群名称搜索").fill("")
    page.get_by_text(f"共 {segments + 3} 个").wait_for()
    report.step(
        page,
        "sort by contacts",
        lambda: page.get_by_role("columnheader", name="总人数").click(),
        lambda: page.get_by_role("columnheader", name="总人数").and_(page.locator("[aria-sort]")).wait_for(),
    )
    report.step(
        page,
        "200 rows on a page",
        lambda: page.goto("/console/segments?sort=name&limit=200"),
        lambda: rows.nth(199).wait_for(),
    )
    report.scroll(page, "200 segments")
    report.step(
        page,
        "select all 200",
        lambda: (
            page.get_by_role("checkbox", name="Select all").or_(page.locator("thead input")).first.check()
        ),
        lambda: page.get_by_text("已选 200 个").wait_for(),
    )
    entries = page.locator(".ant-timeline-item")
    report.step(
        page,
        "open the contact",
        lambda: page.goto(f"/console/contacts/{BUSY}"),
        lambda: entries.filter(has_text="number: 0").first.wait_for(),
    )
    report.scroll(page, "50 entries of a timeline")
    report.step(
        page,
        "next page of the timeline",
        lambda: page.get_by_role("button", name="下一页").last.click(),
        lambda: entries.filter(has_text="number: 99").first.wait_for(),
    )
    report.step(
        page,
        "calendar",
        lambda: page.get_by_role("tab", name="日历").click(),
        lambda: page.locator(".calendar td > button").first.wait_for(),
    )


def busy(events: int, now_ms: int) -> list[Record]:
    """The events of the contact with many, the latest first."""
    found: list[Record] = []
    for number in range(events):
        event = {
            "event_id": f"busy-{number}",
            "contact_id": BUSY,
            "event": "order_paid",
            "occurred_at": now_ms - number * MINUTE_MS,
            "properties": {"number": number, "amount": number % 97},
        }
        found.append(Record("behavior-events", 0, 0, now_ms, BUSY.encode(), orjson.dumps(event)))
    return found


def listed(api: httpx.Client) -> int:
    """Return how many segments the API lists; 0 while the worker is not ready."""
    return int(api.get("/segments", params={"limit": 1}).json().get("total", 0))


def applied(worker: WorkerProcess) -> float:
    """Return how many records the worker has applied; 0 if it is too busy to answer."""
    try:
        return worker.applied()
    except TimeoutError:
        return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--segments", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--contacts", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--bootstrap", help="a running broker, e.g. localhost:9092")
    wanted = parser.parse_args()
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("neither chromium nor google-chrome is on the PATH")
    report = Report()
    with broker(wanted.bootstrap) as kafka, installation(kafka, 4) as settings:
        feed, now_ms = Feed(settings), time.time_ns() // 1_000_000
        feed.define(definitions(wanted.segments, matching=MATCHING))
        known = feed.write(Workload(wanted.contacts, start_ms=now_ms - 1_000).updates())
        known += feed.write(busy(wanted.events, now_ms))
        worker = WorkerProcess(settings)
        try:
            worker.start()
            # The first answer takes long: the worker takes over all definitions at once.
            api = httpx.Client(base_url=f"{worker.url}/api/v1", timeout=WAIT_MS / 1_000)
            wait_until(
                lambda: listed(api) >= wanted.segments,
                "all segments listed",
                every=0.5,
            )
            wait_until(lambda: applied(worker) >= known, "everything applied", every=0.5)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
                for _ in range(wanted.repeats):
                    context = browser.new_context(
                        base_url=worker.url, viewport={"width": 1440, "height": 900}, locale="zh-CN"
                    )
                    context.set_default_timeout(WAIT_MS)
                    context.add_init_script(_OBSERVE)
                    look(context.new_page(), report, wanted.segments)
                    context.close()
                browser.close()
        finally:
            worker.stop()
    print(command("benchmarks.large_console"), end="\n\n")
    print(
        table(
            ["step", "until it stands there, ms", "blocked, ms", "longest task, ms"],
            [
                [name, *(Figure(one).text(0) for one in (step.until, step.blocked, step.longest))]
                for name, step in report.steps.items()
            ],
        ),
        end="\n\n",
    )
    frames = [
        [name, *(f"{sorted(found)[int(len(found) * share)]:.0f}" for share in (0.5, 0.95, 0.999))]
        for name, found in report.frames.items()
    ]
    print(table(["while scrolling", "frame, median, ms", "95 %", "longest"], frames), end="\n\n")
    print(about_the_machine())


if __name__ == "__main__":
    main()
