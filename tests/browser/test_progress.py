"""A calculation that makes no progress is shown as such, and how long one that goes on will still take."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PLAYWRIGHT_WAIT_MS, Shop

expect.set_options(timeout=PLAYWRIGHT_WAIT_MS)

CHINA = {"match": "all", "conditions": [{"attribute": "location", "operator": "eq", "value": "中国"}]}


@pytest.mark.parametrize(("role", "ways"), [("admin", 1), ("read", 0)])
def test_a_calculation_without_progress_says_so(page: Page, shop: Shop, role: str, ways: int) -> None:
    shop.create(segment_id="stuck", name="停住", type="standard", clusters=[CHINA])
    session = {"account": "ann", "signed_in": "cookie", "role": role, "contacts": True, "expires_at": None}
    page.route("**/api/v1/session", lambda route: route.fulfill(json=session))
    progress = 0.25

    def calculating(row: dict[str, Any]) -> dict[str, Any]:
        if row["segment_id"] != "stuck":
            return row
        return {**row, "status": "calculating", "status_label": "计算中", "progress": progress}

    def answer(route: Route) -> None:
        found = route.fetch().json()
        if "rows" in found:
            route.fulfill(json={**found, "rows": [calculating(row) for row in found["rows"]]})
        else:
            route.fulfill(json=calculating(found))

    questions = re.compile(r"/api/v1/segments(/stuck)?\?")
    page.route(questions, answer)

    def pass_seconds(seconds: int) -> None:
        """Let the page's clock go on, with an answer at least every five seconds."""
        for _ in range(seconds // 5):
            with page.expect_response(questions):
                page.clock.run_for(5_000)

    page.clock.install()
    page.goto("/console/segments/stuck")
    status = page.locator(".status.calculating")
    expect(status).to_contain_text("计算中")
    expect(page.get_by_text("联系人轮到计算之前", exact=False)).to_be_visible()
    pass_seconds(40)
    expect(status).not_to_contain_text("没有进展")
    pass_seconds(30)
    expect(status).to_contain_text("60 秒没有进展")
    expect(status.get_by_role("link")).to_have_count(ways)
    # The list knows it at once.
    page.get_by_role("link", name="联系人分群", exact=True).click()
    expect(page.get_by_role("row", name="停住").locator(".status")).to_contain_text("60 秒没有进展")
    progress = 0.5
    pass_seconds(5)
    expect(status).to_contain_text("计算中")
    expect(status).not_to_contain_text("没有进展")
    # A quarter took a bit more than a minute, and a half is left.
    expect(status).to_contain_text(re.compile("还需约 [23] 分钟"))
    if ways:
        pass_seconds(70)
        status.get_by_role("link").click()
        expect(page).to_have_url(re.compile("/console/health$"))
