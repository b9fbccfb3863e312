"""One contact: when attributes were set, what would change a membership, events by day, long numbers."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, expect

from tests.browser.conftest import PLAYWRIGHT_WAIT_MS, Shop

expect.set_options(timeout=PLAYWRIGHT_WAIT_MS)

LONG = 9_007_199_254_740_993
CHINA = {
    "match": "all",
    "conditions": [
        {"attribute": "location", "operator": "eq", "value": "中国"},
        {"event": "form_submit"},
    ],
}


def test_each_attribute_says_when_it_was_set(page: Page, shop: Shop) -> None:
    page.goto("/console/contacts/c5")
    today = datetime.fromtimestamp(time.time_ns() / 1e9, UTC).astimezone(ZoneInfo("Asia/Shanghai"))
    entry = page.get_by_role("row").filter(has_text="会员积分")
    expect(entry).to_contain_text("500")
    expect(entry).to_contain_text(f"更新于 {today:%Y-%m}")


def test_the_timeline_names_what_happened_as_marketers_do(page: Page, shop: Shop) -> None:
    # Other tests' segments fill the timelines of contacts from China.
    shop.happens("c1", "form_open", {"form": "会员注册"})
    shop.wait(lambda: "form_open" in shop.api.get("/contacts/c1/timeline").text)
    page.goto("/console/contacts/c1")
    entries = page.locator(".ant-timeline-item")
    expect(entries.filter(has_text="会员积分: – → 100")).to_have_count(1)
    imported = entries.filter(has_text="导入时间: – →")
    expect(imported).to_contain_text(re.compile(r"→ \d{4}-\d\d-\d\d \d\d:\d\d"))
    expect(entries.filter(has_text="表单: 会员注册")).to_have_count(1)


def test_what_would_change_a_membership_is_said(page: Page, shop: Shop) -> None:
    shop.create(segment_id="china", name="国内", type="standard", clusters=[CHINA])
    page.goto("/console/contacts/c4")
    row = page.get_by_role("row").filter(has_text="国内")
    row.get_by_role("button", name="展开行").click()
    ways = page.get_by_role("region", name="怎样会改变")
    expect(ways).to_contain_text("怎样会离开此分群")
    expect(ways).to_contain_text("其中之一不再满足：")
    expect(ways.get_by_role("listitem").filter(has_text="所在地 等于 中国").last).to_be_visible()

    page.goto("/console/segments/china/explain/c6")
    expect(ways).to_contain_text("怎样会进入此分群")
    expect(ways).to_contain_text("需要满足：")
    expect(ways).to_contain_text("表单提交")
    expect(ways).not_to_contain_text("所在地")


def test_events_are_shown_by_day(page: Page, shop: Shop) -> None:
    for _ in range(2):
        shop.happens("c7", "order_paid", {"amount": 1})
        time.sleep(0.002)  # ids have the time in ms
    shop.wait(lambda: len(shop.api.get("/contacts/c7/timeline").json()["rows"]) >= 2)
    page.goto("/console/contacts/c7")
    page.get_by_role("tab", name="日历").click()
    day = page.get_by_role("button", name=re.compile(r"^\d{4}-\d\d-\d\d：\d+ 次事件$")).last
    expect(day).to_contain_text("order_paid ×2")
    name = (day.get_attribute("aria-label") or "")[:10]
    day.click()
    expect(page.get_by_role("region", name=name)).to_contain_text("order_paid ×2")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("button", name=re.compile(f"^{name}: "))).to_be_visible()


def test_long_numbers_are_shown_with_all_digits(page: Page, shop: Shop) -> None:
    shop.update("c8", {"ticket": LONG})
    shop.happens("c8", "order_paid", {"number": LONG})
    shop.wait(lambda: "ticket" in shop.api.get("/contacts/c8").json()["attributes"])
    shop.wait(lambda: str(LONG) in shop.api.get("/contacts/c8/timeline").text)
    page.goto("/console/contacts/c8")
    expect(page.get_by_role("row").filter(has_text="ticket")).to_contain_text(str(LONG))
    expect(page.get_by_role("listitem").filter(has_text="order_paid")).to_contain_text(f"number: {LONG}")
