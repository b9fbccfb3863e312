"""Times about a segment are in the time zone of its definition; the title has the viewer's and UTC."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PLAYWRIGHT_WAIT_MS, Shop

expect.set_options(timeout=PLAYWRIGHT_WAIT_MS)

ZONE = "America/New_York"
CHINA = {"match": "all", "conditions": [{"attribute": "location", "operator": "eq", "value": "中国"}]}


def zoned(shop: Shop, zone: str | None = ZONE) -> None:
    own = {} if zone is None else {"timezone": zone}
    shop.create(segment_id="zoned", name="国内", type="standard", clusters=[CHINA], **own)


def is_shown_in_zone(shown: Locator) -> None:
    at = datetime.fromisoformat(str(shown.get_attribute("datetime")).replace("Z", "+00:00"))
    expect(shown).to_have_text(f"{at.astimezone(ZoneInfo(ZONE)):%Y-%m-%d %H:%M:%S}")
    viewers = f"{at.astimezone(ZoneInfo('Asia/Shanghai')):%Y-%m-%d %H:%M:%S} Asia/Shanghai"
    title = str(shown.get_attribute("title"))
    assert title.startswith(f"{viewers} · {at:%Y-%m-%d %H:%M:%S}"), title
    assert title.endswith(" UTC")


def test_times_about_a_segment_are_in_the_zone_of_its_definition(page: Page, shop: Shop) -> None:
    zoned(shop)
    for address in ("zoned", "zoned?tab=contacts", "zoned?tab=growth", "zoned?tab=versions"):
        page.goto(f"/console/segments/{address}")
        expect(page.get_by_text(f"时间为 {ZONE} 时区")).to_be_visible()
        is_shown_in_zone(page.locator(".ant-tabs-content-active time, .ant-tabs-tabpane-active time").first)
    page.goto("/console/segments/zoned/explain/c4")
    expect(page.get_by_text(f"时间为 {ZONE} 时区")).to_be_visible()
    is_shown_in_zone(page.locator(".explanation time").first)
    page.goto("/console/segments/zoned/edit")
    preview = page.get_by_role("complementary", name="预览")
    is_shown_in_zone(preview.locator("time").first)
    preview.get_by_role("button", name="c4").click()
    is_shown_in_zone(page.get_by_role("dialog").locator("time").first)


def test_an_instant_is_chosen_in_the_zone_of_the_definition(page: Page, shop: Shop) -> None:
    zoned(shop)
    page.goto("/console/segments/zoned?tab=contacts")
    page.get_by_role("combobox", name="显示").click()
    page.get_by_title("某一时刻", exact=True).click()
    chosen = datetime.fromtimestamp(time.time_ns() / 1e9, UTC).replace(microsecond=0) - timedelta(days=1)
    asked = re.compile(r"/segments/zoned/contacts\?.*at=" + re.escape(f"{chosen:%Y-%m-%dT%H%%3A%M%%3A%S}"))
    with page.expect_request(asked):
        field = page.get_by_role("textbox", name="时刻")
        field.fill(f"{chosen.astimezone(ZoneInfo(ZONE)):%Y-%m-%d %H:%M:%S}")
        page.keyboard.press("Enter")


def test_where_the_zones_are_the_same_nothing_is_said(page: Page, shop: Shop) -> None:
    zoned(shop, "Asia/Shanghai")
    page.goto("/console/segments/zoned")
    shown = page.locator("time").first
    expect(shown).to_have_attribute("title", re.compile(r"^[-0-9]+ [0-9:.]+ UTC$"))
    expect(page.get_by_text("时间为")).to_have_count(0)
