"""Who is in a segment, who left it lately, and who was in it at an instant."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, expect

from tests.browser.conftest import PLAYWRIGHT_WAIT_MS, Shop

expect.set_options(timeout=PLAYWRIGHT_WAIT_MS)


def clusters(value: str) -> list[dict[str, object]]:
    return [
        {"match": "all", "conditions": [{"attribute": "location", "operator": "eq", "value": value}]},
    ]


def test_those_who_left_and_those_of_an_instant_are_listed(page: Page, shop: Shop) -> None:
    shop.create(segment_id="moved", name="国内", type="standard", clusters=clusters("中国"))
    between = datetime.fromtimestamp(time.time_ns() / 1e9, UTC) + timedelta(seconds=1)
    shop.wait(lambda: time.time_ns() / 1e9 > between.timestamp() + 1)
    changed = {"segment_id": "moved", "name": "日本", "type": "standard", "clusters": clusters("日本")}
    assert shop.api.put("/segments/moved", json=changed).status_code == 200
    shop.wait(
        lambda: len(shop.api.get("/segments/moved/contacts?left_since=2026-01-01").json()["contacts"]) == 5
    )
    page.goto("/console/segments/moved?tab=contacts")
    ids = page.locator("tbody tr.ant-table-row td:first-child")
    expect(ids).to_have_text(["c1", "c3", "c5", "c7", "c9"])
    which = page.get_by_role("combobox", name="显示")
    which.click()
    page.get_by_title("最近 7 天离开", exact=True).click()
    expect(ids).to_have_text(["c0", "c2", "c4", "c6", "c8"])
    expect(page.get_by_role("columnheader", name="离开时间")).to_be_visible()
    which.click()
    page.get_by_title("某一时刻", exact=True).click()
    expect(ids).to_have_text(["c1", "c3", "c5", "c7", "c9"])
    local = between.astimezone(ZoneInfo("Asia/Shanghai"))
    page.get_by_role("textbox", name="时刻").fill(f"{local:%Y-%m-%d %H:%M:%S}")
    page.keyboard.press("Enter")
    expect(ids).to_have_text(["c0", "c2", "c4", "c6", "c8"])
