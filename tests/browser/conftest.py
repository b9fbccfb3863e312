"""A browser, and a real worker with a small set of contacts behind the console."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from confluent_kafka import Producer
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from agents.console.page import BUILT
from agents.demo.embedded import EmbeddedBroker, EmbeddedWorker
from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES
from streamseg.times import DAY_MS
from tests.agents.installation import installed
from tests.browser.program import chromium, launch
from tests.lacking import lacks

WAIT_SECONDS = 60.0
PLAYWRIGHT_WAIT_MS = 60_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


# Until playwright is closed, an event loop counts as running in its thread. So it is closed before the tests
# of other folders, some of which run a loop of their own.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if chromium() is None:
        lacks("Chromium", "neither chromium nor google-chrome is on the PATH")
    if not (BUILT / "index.html").is_file():
        lacks("the built console", "make console builds it")
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


class Shop:
    """A worker with ten contacts: c0 … c9. Those with an even number are from China, and each has 100 points
    more than the one before. c0, c2 and c4 submitted the sign-up form; c6 scanned the code."""

    def __init__(self, url: str, producer: Producer) -> None:
        self.url = url
        self._producer = producer
        self.api = httpx.Client(base_url=f"{url}/api/v1", timeout=WAIT_SECONDS)

    def fill(self) -> None:
        now_ms = time.time_ns() // 1_000_000
        for number in range(10):
            attributes = {
                "name": f"联系人{number}",
                "location": "中国" if number % 2 == 0 else "日本",
                "imported_at": now_ms - DAY_MS,
                "member_points": number * 100,
            }
            self.send(CONTACT_UPDATES, {"contact_id": f"c{number}", "attributes": attributes})
        form = {"form": "会员注册", "name": "李雷", "email": "l@example.cn"}
        for number in (0, 2, 4):
            self.happens(f"c{number}", "form_submit", form)
        self.happens("c6", "wechat_scan", {"scene": "会员注册二维码"})
        self._producer.flush(30)
        self.wait(lambda: all(self.knows(f"c{number}") for number in range(10)))

    def update(self, contact_id: str, attributes: dict[str, Any]) -> None:
        """Send an update of attributes."""
        self.send(CONTACT_UPDATES, {"contact_id": contact_id, "attributes": attributes})

    def happens(self, contact_id: str, event: str, properties: dict[str, Any]) -> None:
        """Send an event that occurs now."""
        now_ms = time.time_ns() // 1_000_000
        record = {
            "event_id": f"{contact_id}-{event}-{now_ms}",
            "contact_id": contact_id,
            "event": event,
            "occurred_at": now_ms,
            "properties": properties,
        }
        self.send(BEHAVIOR_EVENTS, record)

    def send(self, topic: str, record: dict[str, Any]) -> None:
        self._producer.produce(topic, orjson.dumps(record), key=record["contact_id"])

    def knows(self, contact_id: str) -> bool:
        return self.api.get(f"/contacts/{contact_id}").status_code == 200

    def create(self, **definition: Any) -> None:
        """Make a segment, and wait until it is calculated."""
        made = self.api.post("/segments", json=definition)
        assert made.status_code == 201, made.text
        if definition["type"] == "standard":
            self.wait(lambda: self.status(definition["segment_id"]) == "completed")

    def status(self, segment_id: str) -> str:
        return str(self.api.get(f"/segments/{segment_id}").json()["status"])

    def segments(self) -> dict[str, Any]:
        """Name -> row of all segments that somebody made."""
        rows = self.api.get("/segments", params={"limit": 200}).json()["rows"]
        return {row["name"]: row for row in rows if row["created_by"]}

    def clear(self) -> None:
        """Delete all segments that somebody made."""
        made = [row["segment_id"] for row in self.segments().values()]
        if made:
            assert self.api.post("/batch/delete", json={"segment_ids": made}).status_code == 200
        for group in self.api.get("/groups").json()["groups"]:
            if not group["built_in"]:
                self.api.delete(f"/groups/{group['group']}")

    def wait(self, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not happened():
            assert time.monotonic() < deadline, "did not happen in time"
            time.sleep(0.05)


@pytest.fixture(scope="package")
def running(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with EmbeddedBroker() as broker:
        settings = installed(broker, tmp_path_factory.mktemp("console") / "data")
        producer = Producer(
            {"bootstrap.servers": broker.bootstrap, "partitioner": "murmur2_random", "log_level": 0}
        )
        with EmbeddedWorker(settings) as worker:
            assert worker.app is not None
            shop = Shop(f"http://127.0.0.1:{worker.app.web_server_service.port}", producer)
            shop.fill()
            yield shop
            shop.api.close()


@pytest.fixture
def shop(running: Shop) -> Iterator[Shop]:
    yield running
    running.clear()


def new_context(browser: Browser, url: str, **looks: Any) -> BrowserContext:
    """Return a browser without a past for the page of the worker at `url`. Nothing on the page moves, because
    a click can miss a menu that is still opening."""
    usual: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"}
    context = browser.new_context(base_url=url, locale="zh-CN", timezone_id="Asia/Shanghai", **usual | looks)
    context.set_default_timeout(PLAYWRIGHT_WAIT_MS)
    return context


@pytest.fixture
def context(browser: Browser, running: Shop) -> Iterator[BrowserContext]:
    context = new_context(browser, running.url)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page on which no script fails, and about which the browser has nothing to complain."""
    page = context.new_page()
    failures = complaints(page)
    yield page
    assert failures == []


def page_that_looks(browser: Browser, shop: Shop, language: str, scheme: str, width: int) -> Page:
    """Return a page in a language, light or dark, and so many pixels wide. The caller closes its context."""
    looks = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    context = new_context(browser, shop.url, **looks)
    context.add_init_script(f"localStorage.setItem('streamseg.language', '{language}')")
    return context.new_page()


def complaints(page: Page) -> list[str]:
    """Return a list to which failures of scripts and errors in the browser's console are added, such as those
    of the Content-Security-Policy. That a request was refused is no failure of the page."""
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            failures.append(message.text)

    page.on("console", note)
    return failures
