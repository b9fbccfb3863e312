"""Administrators see the workers, their partitions, what was refused, and the settings."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PLAYWRIGHT_WAIT_MS, Shop

expect.set_options(timeout=PLAYWRIGHT_WAIT_MS)


def test_administrators_see_the_worker_and_its_partitions(page: Page, shop: Shop) -> None:
    page.goto("/console/segments")
    page.get_by_role("navigation", name="页面").get_by_role("link", name="运行状况").click()
    expect(page.get_by_role("status")).to_have_text("1 个工作进程，1 个就绪")
    worker = page.get_by_role("row").filter(has_text=shop.url).filter(has_text="就绪").first
    expect(worker).to_contain_text("主")
    for number in range(4):
        partition = page.get_by_role("row", name=f"{number} {shop.url} 工作中")
        expect(partition).to_be_visible()
    page.get_by_role("textbox", name="查找设置").fill("api_tokens")
    expect(page.get_by_role("row", name="STREAMSEG_API_TOKENS_FILE")).to_be_visible()
    expect(page.get_by_role("row", name="STREAMSEG_TIMEZONE")).to_have_count(0)


def test_a_refused_record_is_shown_with_its_reason(page: Page, shop: Shop) -> None:
    shop.happens("c1", "", {"secret": "not-to-be-shown"})
    page.goto("/console/health")
    row = page.get_by_role("row").filter(has_text="behavior-events /")
    expect(row.first).to_contain_text("invalid_schema")
    expect(row.first).to_contain_text("event")
    expect(page.get_by_role("list", name="按代码统计")).to_contain_text("invalid_schema")
    expect(page.get_by_text("not-to-be-shown")).to_have_count(0)


def condition(**more: Any) -> dict[str, Any]:
    return {
        "version": "0.1.0",
        "form": "plain",
        "ready": True,
        "reasons": [],
        "since": "2026-05-01T00:00:00.000Z",
        "leader": False,
        "clock": "2026-05-01T09:00:00.250Z",
        "clock_doubt": None,
        "partitions": [],
        "dead_letters": {"counts": {}, "latest": []},
        "settings": {"partitions": 3, "timezone": "UTC", "http_port": 8080},
        **more,
    }


def partition(number: int, **more: Any) -> dict[str, Any]:
    return {
        "partition": number,
        "state": "at_work",
        "restored": None,
        "lag": {"behavior-events": 1_234, "contact-updates": None},
        "clock": "2026-05-01T09:00:00.000Z",
        "behind_ms": 5_400_000,
        "swept": None,
        **more,
    }


def test_trouble_is_named(page: Page) -> None:
    restoring = partition(
        1, state="restoring", restored={"done": 500, "total": 2000}, lag={}, clock=None, behind_ms=None
    )
    workers = [
        {"url": "http://a", "problem": None, "condition": condition(partitions=[partition(0)])},
        {
            "url": "http://b",
            "problem": None,
            "condition": condition(
                ready=False,
                reasons=["the state of these partitions is still being read: 1"],
                clock_doubt="it is 2 min ahead",
                partitions=[restoring],
                settings={"partitions": 3, "timezone": "Asia/Shanghai", "http_port": 8081},
            ),
        },
        {"url": "http://c", "problem": "it does not answer", "condition": None},
    ]

    def tell(route: Route) -> None:
        route.fulfill(json={"asked": "http://a", "workers": workers})

    page.route("**/api/v1/workers", tell)
    page.goto("/console/health")
    expect(page.get_by_role("status")).to_have_text("3 个工作进程，1 个就绪 · 1 个分区无人处理")
    expect(page.get_by_role("row", name="0 http://a 工作中")).to_contain_text("1,234")
    expect(page.get_by_role("row", name="0 http://a 工作中")).to_contain_text("1.5小时")
    restored = page.get_by_role("row", name="1 http://b 恢复中")
    expect(restored).to_contain_text("500 / 2,000")
    expect(restored.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "25")
    expect(page.get_by_role("row", name="2 无人处理")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="it does not answer")).to_contain_text("没有应答")
    expect(page.get_by_text("it is 2 min ahead")).to_be_visible()
    # Workers may have different ports, but not different time zones.
    expect(page.get_by_role("alert")).to_have_text("各工作进程的设置不同：timezone")


def test_others_than_administrators_are_not_led_there(page: Page) -> None:
    session = {
        "account": "ann",
        "signed_in": "cookie",
        "role": "edit",
        "contacts": True,
        "expires_at": None,
    }
    page.route("**/api/v1/session", lambda route: route.fulfill(json=session))
    page.goto("/console/segments")
    links = page.get_by_role("navigation", name="页面").get_by_role("link")
    expect(links).to_have_text(["联系人分群", "联系人", "实时变化"])


def test_the_header_marks_the_screen_that_an_address_belongs_to(page: Page) -> None:
    for address in ("/segments", "/new/standard", "/deleted"):
        page.goto(f"/console{address}")
        here = page.get_by_role("navigation", name="页面").get_by_role("link", name="联系人分群")
        expect(here).to_have_attribute("aria-current", "page")
    page.goto("/console/contacts/c1")
    marked = page.locator("nav [aria-current=page]")
    expect(marked).to_have_text(["联系人"])
