"""What the preview says beside the counts, and the keys that count again and copy."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.builder import Builder
from tests.browser.conftest import PLAYWRIGHT_WAIT_MS, Shop

expect.set_options(timeout=PLAYWRIGHT_WAIT_MS)

CHINA = {"match": "all", "conditions": [{"attribute": "location", "operator": "eq", "value": "中国"}]}


def previewed(page: Page, shop: Shop) -> Locator:
    shop.create(segment_id="previewed", name="国内", type="standard", clusters=[CHINA])
    page.goto("/console/segments/previewed/edit")
    preview = page.get_by_role("complementary", name="预览")
    expect(preview.locator(".ant-statistic-content")).to_have_text("5")
    return preview


def test_a_count_says_as_of_when_it_is_and_how_long_it_took(page: Page, shop: Shop) -> None:
    preview = previewed(page, shop)
    expect(preview.get_by_text(re.compile(r"截至 [-0-9]+ [0-9:]+ 用时 [0-9.]+ ?秒"))).to_be_visible()


def test_ctrl_and_enter_count_again(page: Page, shop: Shop) -> None:
    previewed(page, shop)
    with page.expect_request("**/api/v1/preview?*"):
        page.keyboard.press("Control+Enter")
    # A change is counted without the pause. In a field for text, too.
    page.clock.install()
    page.get_by_role("textbox", name="分群名称", exact=True).fill("另一个")
    with page.expect_request("**/api/v1/preview?*"):
        page.keyboard.press("Control+Enter")


def test_the_conditions_before_and_now_are_compared_line_by_line(page: Page, shop: Shop) -> None:
    preview = previewed(page, shop)
    lines = preview.get_by_role("list", name="修改前后的条件")
    expect(lines).to_have_count(0)
    builder = Builder(page)
    builder.fill(builder.row("属性", 1), "值", "日本")
    expect(lines.get_by_role("deletion")).to_contain_text("所在地 等于 中国")
    expect(lines.get_by_role("insertion")).to_contain_text("所在地 等于 日本")


def test_the_keys_for_copying_copy_the_sentence_unless_something_else_is_selected(
    page: Page, shop: Shop
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    previewed(page, shop)
    clipboard = "navigator.clipboard.readText()"
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("Control+c")
    expect(page.get_by_text("已复制")).to_be_visible()
    assert page.evaluate(clipboard) == "所在地 等于 中国"
    name = page.get_by_role("textbox", name="分群名称", exact=True)
    name.select_text()
    page.keyboard.press("Control+c")
    assert page.evaluate(clipboard) == "国内"
    page.get_by_role("heading", level=1).select_text()
    page.keyboard.press("Control+c")
    assert page.evaluate(clipboard) == "编辑 国内"
    page.goto("/console/segments/previewed")
    expect(page.get_by_text("所在地 等于 中国").first).to_be_visible()
    page.keyboard.press("Control+c")
    expect(page.get_by_text("已复制")).to_be_visible()
    assert page.evaluate(clipboard) == "所在地 等于 中国"


def test_a_time_zone_of_its_own_is_a_chip_that_is_taken_away(page: Page, shop: Shop) -> None:
    zone = "America/New_York"
    shop.create(segment_id="chip", name="国内", type="standard", clusters=[CHINA], timezone=zone)
    page.goto("/console/segments/chip/edit")
    expect(page.get_by_text(f"时区 {zone}", exact=True)).to_be_visible()
    page.get_by_role("button", name=f"取消 时区 {zone}").click()
    expect(page.get_by_text(f"时区 {zone}", exact=True)).to_have_count(0)
    page.keyboard.press("Control+s")
    expect(page.get_by_role("heading", level=1)).to_have_text("国内")
    assert "timezone" not in shop.api.get("/segments/chip").json()["definition"]


def test_a_negative_comparison_says_that_it_is_true_without_a_value(page: Page, shop: Shop) -> None:
    previewed(page, shop)
    hint = page.get_by_text("没有值时也满足")
    expect(hint).to_have_count(0)
    row = Builder(page).row("属性", 1)
    Builder(page).choose(row, "比较方式", "不等于")
    expect(hint).to_be_visible()
    row.get_by_role("button", name="更多设置").click()
    page.get_by_role("menuitem", name="取反").click()
    expect(hint).to_have_count(0)


def test_a_thousand_values_are_pasted_at_once(page: Page, shop: Shop) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    within = {"attribute": "contact_id", "operator": "in", "value": ["c1"]}
    clusters = [{"match": "all", "conditions": [within]}]
    shop.create(segment_id="pasted", name="名单", type="standard", clusters=clusters)
    page.goto("/console/segments/pasted/edit")
    values = [f"v{number}" for number in range(999)] + ["c4"]
    page.evaluate("text => navigator.clipboard.writeText(text)", "\n".join(values))
    preview = page.get_by_role("complementary", name="预览")
    expect(preview.locator(".ant-statistic-content")).to_have_text("1")
    Builder(page).row("属性", 1).get_by_role("combobox", name="值", exact=True).click()
    page.keyboard.press("Control+v")
    expect(preview.locator(".ant-statistic-content")).to_have_text("2")
    page.keyboard.press("Control+s")
    expect(page.get_by_role("heading", level=1)).to_have_text("名单")
    (saved,) = shop.api.get("/segments/pasted").json()["definition"]["clusters"][0]["conditions"]
    assert saved["value"] == ["c1", *values]
