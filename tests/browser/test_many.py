"""Much of everything: the page draws a bounded number of rows, and all of it can be reached."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
from playwright.sync_api import Page, Route, expect

from schemas.topics import BEHAVIOR_EVENTS
from streamseg.times import MINUTE_MS
from tests.browser.conftest import PLAYWRIGHT_WAIT_MS, Shop

expect.set_options(timeout=PLAYWRIGHT_WAIT_MS)

MANY = 10_000
MOST_NODES = 6_000
"""A bound for the elements of a page, far below one for each of the many."""


def nodes(page: Page) -> int:
    return int(page.evaluate("document.querySelectorAll('*').length"))


def row(number: int) -> dict[str, Any]:
    return {
        "segment_id": f"many-{number}",
        "name": f"分群{number:05}",
        "type": "static",
        "type_label": "静态分群",
        "group": "default",
        "version": 1,
        "status": "completed",
        "status_label": "计算完成",
        "progress": 1.0,
        "contacts": number,
        "created_by": "ann",
        "created_at": "2026-05-01T00:00:00.000Z",
        "updated_by": "ann",
        "updated_at": "2026-05-01T00:00:00.000Z",
        "shared_with": [],
        "operations": ["view_contacts"],
    }


def list_many(route: Route) -> None:
    """Answer as the API would with many segments. The broker of these tests cannot keep so many records."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(route.request.url).query).items()}
    rows = [row(number) for number in range(MANY) if query.get("q", "") in f"分群{number:05}"]
    begin, limit = int(query.get("cursor", "0")), int(query.get("limit", "50"))
    after = begin + limit
    cursor = str(after) if after < len(rows) else None
    route.fulfill(json={"rows": rows[begin:after], "total": len(rows), "next_cursor": cursor})


def test_a_list_of_ten_thousand_segments_is_paged(page: Page) -> None:
    page.route("**/api/v1/segments?*", list_many)
    page.goto("/console/segments?limit=200")
    names = page.locator("tbody .segment-name")
    expect(page.get_by_text("共 10000 个")).to_be_visible()
    expect(names).to_have_count(200)
    assert nodes(page) < 200 * 100
    page.get_by_role("button", name="下一页").click()
    expect(names.first).to_have_text("分群00200")
    expect(names).to_have_count(200)
    page.get_by_role("checkbox", name="选择 分群00200").check()
    expect(page.get_by_text("已选 1 个")).to_be_visible()
    page.get_by_role("textbox", name="按分群名称搜索").or_(
        page.get_by_role("searchbox", name="按分群名称搜索")
    ).fill("分群09999")
    expect(names).to_have_text(["分群09999"])
    page.goto("/console/segments")
    expect(names).to_have_count(20)
    assert nodes(page) < MOST_NODES


def test_a_contact_with_ten_thousand_events_is_paged(page: Page, shop: Shop) -> None:
    now_ms = time.time_ns() // 1_000_000
    for number in range(MANY):
        shop.send(
            BEHAVIOR_EVENTS,
            {
                "event_id": f"many-{number}",
                "contact_id": "busy",
                "event": "order_paid",
                "occurred_at": now_ms - number * MINUTE_MS,
                "properties": {"number": number},
            },
        )

    def all_there() -> bool:
        answered = shop.api.get("/contacts/busy/timeline", params={"limit": 1})
        months = shop.api.get("/contacts/busy/calendar", params={"month": "2026-05"}).json().get("months", [])
        days = [
            day
            for month in months
            for day in shop.api.get("/contacts/busy/calendar", params={"month": month}).json()["days"]
        ]
        counted = sum(one["count"] for day in days for one in day["events"])
        return answered.status_code == 200 and counted >= MANY

    shop.wait(all_there)
    page.goto("/console/contacts/busy")
    entries = page.locator(".ant-timeline-item")
    expect(entries).to_have_count(50)
    expect(entries.first).to_contain_text("number: 0")
    page.get_by_role("button", name="下一页").click()
    expect(entries.first).to_contain_text("number: 50")
    expect(entries).to_have_count(50)
    assert nodes(page) < MOST_NODES
    page.get_by_role("tab", name="日历").click()
    expect(page.locator(".calendar td > button").first).to_contain_text("order_paid")
    assert nodes(page) < MOST_NODES


def test_a_contact_in_a_thousand_segments_is_paged(page: Page, shop: Shop) -> None:
    segments = [
        {"segment_id": f"many-{number}", "entered_at": "2026-05-01T00:00:00.000Z", "sequence": 1}
        for number in range(1_000)
    ]
    contact = shop.api.get("/contacts/c1").json()
    page.route("**/api/v1/contacts/c1", lambda route: route.fulfill(json={**contact, "segments": segments}))
    asked: list[str] = []

    def name(route: Route) -> None:
        segment_id = urlsplit(route.request.url).path.rpartition("/")[2]
        asked.append(segment_id)
        route.fulfill(body=orjson.dumps(row(int(segment_id.rpartition("-")[2]))))

    page.route("**/api/v1/segments/many-*", name)
    page.goto("/console/contacts/c1")
    rows = page.locator(".ant-table-tbody tr.ant-table-row")
    expect(rows).to_have_count(20)
    expect(rows.first).to_contain_text("分群00000")
    assert nodes(page) < MOST_NODES
    assert len(asked) <= 100


def test_columns_are_chosen_and_kept(page: Page, shop: Shop) -> None:
    page.goto("/console/segments")
    headers = page.get_by_role("columnheader")
    expect(headers).to_have_count(10)
    page.get_by_role("button", name="显示列").click()
    choices = page.get_by_role("group", name="显示列").or_(page.locator(".column-choices"))
    choices.get_by_role("checkbox", name="更新者").uncheck()
    choices.get_by_role("checkbox", name="分群 id").check()
    wanted = ["", "分群名称", "类型", "状态", "总人数", "创建者", "创建时间", "更新时间", "分群 id", "操作"]
    expect(headers).to_have_text(wanted)
    page.reload()
    expect(headers).to_have_text(wanted)
    expect(page.get_by_role("row").filter(has_text="全局退订")).to_contain_text("global-unsubscribed")
