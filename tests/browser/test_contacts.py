"""Contacts are found, and one contact is shown with its timeline."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import PLAYWRIGHT_WAIT_MS, Shop

expect.set_options(timeout=PLAYWRIGHT_WAIT_MS)

CHINA = {"match": "all", "conditions": [{"attribute": "location", "operator": "eq", "value": "中国"}]}


def test_a_contact_is_found_and_shown_with_its_timeline(page: Page, shop: Shop) -> None:
    shop.create(segment_id="china", name="国内", type="standard", clusters=[CHINA])
    page.goto("/console/contacts")
    page.get_by_role("textbox", name="按联系人 id 开头搜索").fill("c6")
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="c6").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("联系人6")
    expect(page.get_by_text("会员积分", exact=True)).to_be_visible()
    entries = page.get_by_role("listitem")
    expect(entries.filter(has_text="进入分群 国内").first).to_contain_text("分群条件变更")


def test_a_contact_that_is_not_in_a_segment_is_explained(page: Page, shop: Shop) -> None:
    shop.create(segment_id="china", name="国内", type="standard", clusters=[CHINA])
    page.goto("/console/contacts/c1")
    page.get_by_role("combobox", name="选择分群").click()
    page.get_by_title("国内", exact=True).click()
    page.get_by_role("button", name="为什么").click()
    expect(page.get_by_role("alert")).to_contain_text("不在此分群中")
    expect(page.get_by_text("日本")).to_be_visible()


def test_an_unknown_contact_is_said_to_be_unknown(page: Page) -> None:
    page.goto("/console/contacts/nobody")
    expect(page.get_by_text("没有这个联系人")).to_be_visible()
