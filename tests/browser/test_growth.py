"""How a segment grew: its size, who entered and left, and new versions, drawn and as a table."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import PLAYWRIGHT_WAIT_MS, Shop

expect.set_options(timeout=PLAYWRIGHT_WAIT_MS)


def clusters(value: str) -> list[dict[str, object]]:
    return [
        {"match": "all", "conditions": [{"attribute": "location", "operator": "eq", "value": value}]},
    ]


@pytest.mark.parametrize(
    ("language", "tab", "reason", "version"),
    [("zh", "增长", "分群条件变更 5", "版本 2"), ("en", "Growth", "changed definition 5", "version 2")],
)
def test_who_entered_and_left_is_shown_with_the_reason(
    page: Page, shop: Shop, language: str, tab: str, reason: str, version: str
) -> None:
    shop.create(segment_id=f"grown-{language}", name="国内", type="standard", clusters=clusters("中国"))
    changed = {"name": "日本", "type": "standard", "clusters": clusters("日本")}
    path = f"/segments/grown-{language}"
    assert shop.api.put(path, json={"segment_id": f"grown-{language}", **changed}).status_code == 200
    shop.wait(lambda: _moved(shop, path) == (10, 5))
    page.add_init_script(f"localStorage.setItem('streamseg.language', '{language}')")
    page.goto(f"/console{path}")
    page.get_by_role("tab", name=tab).click()
    today = page.locator(".growth tbody tr.ant-table-row").first
    expect(today).to_contain_text("+10")
    expect(today).to_contain_text("−5")
    expect(today).to_contain_text(reason)
    drawing = page.locator(".growth-drawing")
    expect(drawing.locator("line.version")).to_have_count(2)
    expect(drawing.get_by_text(version)).to_be_attached()
    bars = drawing.locator("rect.entered")
    assert bars.count() == drawing.locator("circle.size").count() > 0
    assert float(bars.last.get_attribute("height") or 0) > 0
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def _moved(shop: Shop, path: str) -> tuple[int, int]:
    buckets = shop.api.get(f"{path}/growth", params={"by": "day"}).json()["buckets"]
    entered, left = (sum(sum(one[kind].values()) for one in buckets) for kind in ("entered", "left"))
    return entered, left
