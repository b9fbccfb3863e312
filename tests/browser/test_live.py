"""Changes are shown as they happen."""

from __future__ import annotations

import re

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


def test_while_paused_nothing_new_is_shown_and_afterwards_what_was_missed(page: Page, shop: Shop) -> None:
    shop.create(segment_id="paused", name="暂停时", type="standard", clusters=[of_points(5_000)])
    page.goto("/console/live?segment=paused")
    rows = page.locator("tbody tr.ant-table-row")
    shop.update("c1", {"member_points": 5_000})
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="暂停").click()
    expect(page.get_by_text("已暂停")).to_be_visible()
    shop.update("c3", {"member_points": 5_000})
    # A second page follows, so that the change has certainly been sent.
    other = page.context.new_page()
    other.goto("/console/live?segment=paused")
    expect(other.locator("tbody tr.ant-table-row")).to_have_count(2)
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="继续").click()
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("c3")
    shop.update("c1", {"member_points": 100})
    shop.update("c3", {"member_points": 300})
    expect(rows).to_have_count(4)


def test_changes_are_filtered_by_segment_and_by_change(page: Page, shop: Shop) -> None:
    shop.create(segment_id="rich", name="高积分", type="standard", clusters=[of_points(5_000)])
    shop.create(segment_id="richer", name="更高积分", type="standard", clusters=[of_points(6_000)])
    page.goto("/console/live")
    expect(page.get_by_text("实时", exact=True)).to_be_visible()
    rows = page.locator("tbody tr.ant-table-row")
    shop.update("c5", {"member_points": 6_000})
    richer = rows.filter(has_text="c5").filter(has=page.get_by_role("link", name="更高积分", exact=True))
    rich = rows.filter(has_text="c5").filter(has=page.get_by_role("link", name="高积分", exact=True))
    expect(richer).to_have_count(1)
    expect(rich).to_have_count(1)
    search = page.get_by_role("search")
    search.get_by_role("combobox", name="全部分群").click()
    page.get_by_title("更高积分", exact=True).click()
    expect(page).to_have_url(re.compile("segment=richer"))
    expect(rows).to_have_count(1)
    expect(richer).to_have_count(1)
    shop.update("c5", {"member_points": 500})
    expect(rows).to_have_count(2)
    search.get_by_role("combobox", name="变化").click()
    page.get_by_title("离开分群", exact=True).click()
    expect(page).to_have_url(re.compile("change=exited"))
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("离开分群")
    # The filter holds for what comes, and for what came before a pause.
    shop.update("c7", {"member_points": 6_000})
    shop.update("c7", {"member_points": 700})
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("c7")
    expect(rows.first).to_contain_text("离开分群")
    page.get_by_role("button", name="查看全部").click()
    expect(rows.filter(has_text="c7")).to_have_count(4)
    page.get_by_role("button", name="暂停").click()
    search.get_by_role("combobox", name="变化").click()
    page.get_by_title("进入分群", exact=True).click()
    expect(rows.filter(has_text="c7")).to_have_count(2)
    expect(rows.filter(has_text="离开分群")).to_have_count(0)


def of_points(least: int) -> dict[str, object]:
    points = {"attribute": "member_points", "operator": "ge", "value": least}
    return {"match": "all", "conditions": [points]}
