"""Segments are made and changed in the builder."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Page, expect

from tests.browser.builder import Builder
from tests.browser.conftest import PLAYWRIGHT_WAIT_MS, Shop

expect.set_options(timeout=PLAYWRIGHT_WAIT_MS)

CHINA = {"match": "all", "conditions": [{"attribute": "location", "operator": "eq", "value": "中国"}]}


def test_an_edit_shows_who_would_leave_and_why(page: Page, shop: Shop) -> None:
    shop.create(segment_id="china", name="国内", type="standard", clusters=[CHINA])
    page.goto("/console/segments/china/edit")
    builder = Builder(page)
    builder.cluster(1).get_by_role("button", name="联系人属性").click()
    points = builder.row("属性", 2)
    builder.choose(points, "属性", "会员积分")
    builder.fill(points, "值", "500")
    preview = page.get_by_role("complementary", name="预览")
    leaving = preview.get_by_role("group").filter(has_text="将离开")
    expect(leaving).to_contain_text("− 3")
    leaving.locator("summary").click()
    expect(leaving).to_contain_text("会员积分 大于等于 500")
    leaving.get_by_role("button", name="c2", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("不在此分群中")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("国内")
    shop.wait(lambda: shop.segments()["国内"]["contacts"] == 2)
    assert shop.segments()["国内"]["version"] == 2


def test_a_number_from_before_a_change_is_not_shown_for_the_change(page: Page, shop: Shop) -> None:
    shop.create(segment_id="china", name="国内", type="standard", clusters=[CHINA])
    page.goto("/console/segments/china/edit")
    number = page.get_by_role("complementary", name="预览").locator(".ant-statistic-content")
    expect(number).to_have_text("5")
    value = Builder(page).row("属性", 1).get_by_label("值", exact=True).first
    # Read at once, before the page asks again.
    shown = value.evaluate(
        """async (field) => {
            const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set
            set.call(field, '法国')
            field.dispatchEvent(new Event('input', { bubbles: true }))
            await Promise.resolve()
            return document.querySelector('.preview .ant-statistic-content').textContent
        }"""
    )
    assert shown == "计算中…"
    expect(number).to_have_text("0")


def test_a_refused_condition_is_marked_at_its_place(page: Page, shop: Shop) -> None:
    shop.create(segment_id="china", name="国内", type="standard", clusters=[CHINA])
    page.goto("/console/segments/china/edit")
    builder = Builder(page)
    builder.cluster(1).get_by_role("button", name="行为事件").click()
    event = builder.row("事件", 2)
    builder.choose(event, "事件", "邮件打开")
    builder.pick(event, "时间范围", "最近一段时间")
    builder.fill(event, "时长", "500")
    expect(event.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("complementary", name="预览")).to_contain_text("条件有误")
    builder.fill(event, "时长", "5")
    expect(event.get_by_role("alert")).to_have_count(0)


def test_a_draft_survives_a_reload_and_can_be_taken_back(page: Page, shop: Shop) -> None:
    shop.create(segment_id="china", name="国内", type="standard", clusters=[CHINA])
    page.goto("/console/segments/china/edit")
    name = page.get_by_role("textbox", name="分群名称", exact=True)
    save = page.get_by_role("button", name="保存", exact=True)
    expect(save).to_be_disabled()
    name.fill("国内客户")
    expect(save).to_be_enabled()
    page.reload()
    expect(name).to_have_value("国内客户")
    name.fill("国内客户二")
    page.keyboard.press("Control+z")
    expect(name).to_have_value("国内客户")
    page.keyboard.press("Control+y")
    expect(name).to_have_value("国内客户二")
    page.get_by_role("button", name="放弃修改").click()
    expect(name).to_have_value("国内")
    expect(save).to_be_disabled()


def test_a_condition_is_moved_to_another_cluster(page: Page, shop: Shop) -> None:
    points = {"attribute": "member_points", "operator": "ge", "value": 300}
    first = {"match": "all", "conditions": [CHINA["conditions"][0], points]}
    second = {"match": "any", "conditions": [{"event": "form_submit"}, {"event": "wechat_scan"}]}
    shop.create(segment_id="two", name="两簇", type="standard", clusters=[first, second])
    page.goto("/console/segments/two/edit")
    number = page.get_by_role("complementary", name="预览").locator(".ant-statistic-content")
    expect(number).to_have_text("2")
    builder = Builder(page)
    builder.row("属性", 2).get_by_role("button", name=re.compile("^更多设置")).click()
    page.get_by_role("menuitem", name="移到条件簇 2").click()
    expect(builder.cluster(1).get_by_role("group", name=re.compile("条件 1，"))).to_have_count(1)
    expect(builder.row("属性", 3, builder.cluster(2))).to_contain_text("会员积分")
    # c0 and c2 have fewer points, but match the other cluster by an event; c8 matches by its points alone.
    expect(number).to_have_text("5")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("两簇")
    saved = shop.api.get("/segments/two").json()["definition"]["clusters"]
    assert saved == [CHINA, {**second, "conditions": [*second["conditions"], points]}]
    # The last condition takes its cluster with it.
    page.goto("/console/segments/two/edit")
    builder.row("属性", 1).get_by_role("button", name=re.compile("^更多设置")).click()
    page.get_by_role("menuitem", name="移到条件簇 2").click()
    expect(page.get_by_role("region", name=re.compile("^条件簇"))).to_have_count(1)
    expect(builder.row("属性", 4)).to_contain_text("所在地")


def test_text_and_boxes_are_the_same_definition(page: Page, shop: Shop) -> None:
    page.goto("/console/new/standard")
    page.get_by_role("textbox", name="分群名称", exact=True).fill("文本")
    page.get_by_role("tab", name="JSON / YAML").click()
    text = page.get_by_role("textbox", name="JSON / YAML")
    text.fill(
        "name: 文本\ntype: standard\nclusters:\n  - match: any\n    conditions:\n"
        "      - sequence: [{event: email_open}, {absent: {event: email_click}}]\n        within: P1DT12H\n"
        "      - {sample: 0.25, salt: a}\n"
    )
    page.get_by_role("tab", name="分群条件").click()
    builder = Builder(page)
    expect(builder.row("行为顺序", 1)).to_contain_text("此后没有发生")
    expect(builder.row("行为顺序", 1).get_by_label("全程不超过")).to_have_value("P1DT12H")
    expect(builder.row("固定抽样", 2).get_by_label("固定抽样", exact=True)).to_have_value("25")
    page.get_by_role("tab", name="JSON / YAML").click()
    text.fill("clusters: 5")
    expect(page.get_by_role("alert")).to_contain_text("不是完整的分群定义")


def test_an_advanced_segment_has_parts_that_are_copied_from_others(page: Page, shop: Shop) -> None:
    shop.create(segment_id="china", name="国内", type="standard", clusters=[CHINA])
    page.goto("/console/new/advanced")
    builder = Builder(page)
    page.get_by_role("textbox", name="分群名称", exact=True).fill("推送")
    parts = page.get_by_role("navigation", name="子分群")
    parts.get_by_role("combobox", name="从已有分群复制").click()
    page.get_by_title("国内", exact=True).click()
    expect(builder.row("属性", 1)).to_contain_text("所在地")
    parts.get_by_role("button", name=re.compile("^删除 子分群 1")).click()
    parts.get_by_role("button", name="添加子分群").click()
    page.get_by_role("radiogroup", name="包含或排除").get_by_text("排除").click()
    page.get_by_role("textbox", name="子分群名称").fill("高积分")
    page.get_by_role("button", name="联系人属性").click()
    points = builder.row("属性", 1)
    builder.choose(points, "属性", "会员积分")
    builder.fill(points, "值", "600")
    expect(page.get_by_role("complementary", name="预览").locator(".ant-statistic-content")).to_have_text("3")
    page.get_by_role("button", name="保存并计算").click()
    expect(page.get_by_text("计算完成")).to_be_visible()
    assert shop.segments()["推送"]["contacts"] == 3


def test_conditions_are_moved_and_removed_by_keys(page: Page, shop: Shop) -> None:
    two = {**CHINA, "conditions": [*CHINA["conditions"], {"event": "wechat_scan"}]}
    shop.create(segment_id="china", name="国内", type="standard", clusters=[two])
    page.goto("/console/segments/china/edit")
    builder = Builder(page)
    page.get_by_role("button", name="下移 属性 条件 1，共 2 个").press("Enter")
    expect(builder.row("属性", 2)).to_be_visible()
    page.get_by_role("button", name="删除 事件 条件 1，共 2 个").press("Enter")
    # The focus goes to the neighbour, so that a keyboard can go on from there.
    expect(builder.row("属性", 1).get_by_role("combobox", name="属性", exact=True)).to_be_focused()
    expect(page.get_by_role("group", name=re.compile("^事件"))).to_have_count(0)
    page.keyboard.press("Control+s")
    expect(page.get_by_role("tab", name="分群联系人")).to_be_visible()
    assert shop.api.get("/segments/china").json()["definition"]["clusters"] == [CHINA]


def test_a_number_that_the_browser_cannot_represent_is_not_changed(page: Page, shop: Shop) -> None:
    digits = 9_007_199_254_740_993
    exact = [{"match": "all", "conditions": [{"attribute": "card", "operator": "eq", "value": digits}]}]
    shop.create(segment_id="card", name="卡号", type="standard", clusters=exact)
    page.goto("/console/segments/card/edit")
    expect(page.get_by_role("heading", level=1)).to_contain_text("过大的数字")
    expect(page.get_by_role("button", name="保存")).to_have_count(0)
    page.goto("/console/new/standard")
    page.get_by_role("tab", name="JSON / YAML").click()
    text = page.get_by_role("textbox", name="JSON / YAML")
    text.fill(f"name: 卡号\ntype: standard\nclusters: {json.dumps(exact)}")
    expect(page.get_by_role("alert")).to_contain_text("过大的数字")
    assert shop.api.get("/segments/card").json()["definition"]["clusters"] == exact


def test_an_advanced_segment_takes_no_more_than_20_parts(page: Page, shop: Shop) -> None:
    shop.create(segment_id="china", name="国内", type="standard", clusters=[CHINA])
    part = {"relation": "include", "clusters": [CHINA]}
    shop.create(segment_id="many", name="多个子分群", type="advanced", parts=[part] * 19)
    shop.create(segment_id="pair", name="两个子分群", type="advanced", parts=[part] * 2)
    page.goto("/console/segments/many/edit")
    parts = page.get_by_role("navigation", name="子分群")
    add = parts.get_by_role("button", name="添加子分群")
    copy = parts.get_by_role("combobox", name="从已有分群复制")
    expect(parts.get_by_role("listitem")).to_have_count(19)
    copy.click()
    page.get_by_title("国内", exact=True).click()
    expect(parts.get_by_role("listitem")).to_have_count(20)
    expect(add).to_be_disabled()
    expect(copy).to_be_disabled()
    expect(parts).to_contain_text("最多 20 个子分群")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("多个子分群")
    assert len(shop.api.get("/segments/many").json()["definition"]["parts"]) == 20
    # Without one of them there is room again.
    page.goto("/console/segments/many/edit")
    parts.get_by_role("button", name=re.compile("^删除 子分群 3$")).click()
    expect(add).to_be_enabled()
    expect(parts).not_to_contain_text("最多 20 个子分群")
    # A segment with more parts than there is room for is not copied in pieces.
    copy.click()
    page.get_by_title("两个子分群", exact=True).click()
    expect(page.get_by_text("最多 20 个子分群")).to_be_visible()
    expect(parts.get_by_role("listitem")).to_have_count(19)
