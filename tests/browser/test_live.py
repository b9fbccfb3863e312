"""Changes are shown as they happen."""

from __future__ import annotations

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PLAYWRIGHT_WAIT_MS, Shop

expect.set_options(timeout=PLAYWRIGHT_WAIT_MS)

SCANNED = {"match": "all", "conditions": [{"event": "wechat_scan", "count": {"operator": "ge", "value": 1}}]}


def test_who_enters_is_shown_at_once_with_the_reason(page: Page, shop: Shop) -> None:
    shop.create(segment_id="scanned", name="扫码", type="standard", clusters=[SCANNED])
    page.goto("/console/live")
    expect(page.get_by_text("实时", exact=True)).to_be_visible()
    shop.happens("c9", "wechat_scan", {"scene": "会员注册二维码"})
    row = page.get_by_role("row").filter(has_text="c9").filter(has_text="扫码")
    expect(row).to_contain_text("进入分群")
    expect(row).to_contain_text("行为事件")
    page.get_by_role("button", name="暂停").click()
    expect(page.get_by_text("已暂停")).to_be_visible()
    row.get_by_role("link", name="为什么").click()
    expect(page.get_by_role("alert")).to_contain_text("在此分群中")


def test_after_a_refusal_the_page_follows_again(page: Page, shop: Shop) -> None:
    """A worker that starts refuses all questions for a while."""
    refused = 0

    def refuse_once(route: Route) -> None:
        nonlocal refused
        if refused:
            route.continue_()
            return
        refused += 1
        route.fulfill(status=503, content_type="application/problem+json", body='{"code": "starting"}')

    page.route("**/api/v1/changes?*", refuse_once)
    page.goto("/console/live")
    expect(page.get_by_text("实时", exact=True)).to_be_visible()
    assert refused == 1
