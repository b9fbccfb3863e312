"""The worked case is made, looked at and deleted without a mouse."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.browser.builder import Builder
from tests.browser.conftest import PLAYWRIGHT_WAIT_MS, Shop
from tests.browser.keyboard import Keyboard

expect.set_options(timeout=PLAYWRIGHT_WAIT_MS)


def box(row: Locator, label: str) -> Locator:
    return row.get_by_role("combobox", name=label, exact=True).first


def test_the_worked_case_is_made_by_keys_only(page: Page, shop: Shop) -> None:
    keys, builder = Keyboard(page), Builder(page)
    page.goto("/console/new/standard")
    keys.write(page.get_by_role("textbox", name="分群名称", exact=True), "案例分群")

    keys.push(page.get_by_role("button", name="联系人属性"))
    first = builder.cluster(1)
    location = builder.row("属性", 1, first)
    keys.find(box(location, "属性"), "所在地")
    keys.write(location.get_by_label("值", exact=True), "中国")
    keys.push(first.get_by_role("button", name="联系人属性"))
    keys.find(box(builder.row("属性", 2, first), "属性"), "导入时间")

    keys.push(page.get_by_role("button", name="行为事件").last)
    second = builder.cluster(2)
    form = builder.row("事件", 1, second)
    keys.find(box(form, "事件"), "表单提交")
    keys.push(form.get_by_role("button", name="添加事件属性条件"))
    tested = builder.row("事件属性", 1, form)
    keys.find(box(tested, "事件属性"), "表单")
    keys.write(tested.get_by_label("值", exact=True), "会员注册")
    for number, name in ((2, "联系人名称"), (3, "邮箱")):
        keys.push(form.get_by_role("button", name="添加属性"))
        row = builder.row("事件属性", number, form)
        keys.find(box(row, "事件属性"), name)
        keys.pick(box(row, "比较方式"), "有值")
    keys.push(second.get_by_role("button", name="行为事件"))
    scan = builder.row("事件", 2, second)
    keys.find(box(scan, "事件"), "微信扫码")
    keys.push(scan.get_by_role("button", name="添加事件属性条件"))
    scene = builder.row("事件属性", 1, scan)
    keys.find(box(scene, "事件属性"), "二维码")
    keys.write(scene.get_by_label("值", exact=True), "会员注册二维码")
    keys.reach(second.get_by_role("radiogroup", name="条件簇 2").get_by_role("radio").first)
    keys.press("ArrowRight")

    preview = page.get_by_role("complementary", name="预览")
    expect(preview.locator(".ant-statistic-content")).to_have_text("4")
    keys.press("Control+s")
    expect(page.get_by_role("heading", level=1)).to_have_text("案例分群")
    shop.wait(lambda: shop.segments()["案例分群"]["contacts"] == 4)

    keys.push(page.get_by_role("navigation", name="页面").get_by_role("link", name="联系人分群"))
    keys.push(page.get_by_role("button", name="查看分群条件 案例分群"))
    expect(page.get_by_role("dialog")).to_contain_text("微信扫码（二维码 等于 会员注册二维码）")
    keys.press("Escape")
    keys.push(page.get_by_role("button", name="删除 案例分群"))
    keys.push(page.get_by_role("dialog").get_by_role("button", name="删除"))
    shop.wait(lambda: "案例分群" not in shop.segments())
