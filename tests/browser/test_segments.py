"""The list of segments."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PLAYWRIGHT_WAIT_MS, Shop, page_that_looks

expect.set_options(timeout=PLAYWRIGHT_WAIT_MS)

CHINA = {"match": "all", "conditions": [{"attribute": "location", "operator": "eq", "value": "中国"}]}


@pytest.fixture(autouse=True)
def made(shop: Shop) -> None:
    shop.create(segment_id="china", name="国内", type="standard", clusters=[CHINA])
    shop.create(
        segment_id="mailing",
        name="推送",
        type="advanced",
        parts=[{"relation": "include", "clusters": [CHINA]}],
    )


def test_the_list_has_the_columns_of_the_product(page: Page) -> None:
    page.goto("/")
    row = page.get_by_role("row", name="国内")
    expect(row).to_contain_text("标准分群")
    expect(row).to_contain_text("计算完成")
    expect(row.get_by_role("cell").nth(4)).to_have_text("5")
    expect(page.get_by_role("columnheader")).to_have_text(
        ["", "分群名称", "类型", "状态", "总人数", "创建者", "创建时间", "更新者", "更新时间", "操作"]
    )


def test_the_eye_is_grey_until_the_segment_is_calculated(page: Page, shop: Shop) -> None:
    page.goto("/console/segments")
    eye = page.get_by_role("button", name="查看分群联系人 推送")
    expect(eye).to_be_disabled()
    page.get_by_role("checkbox", name="选择 推送").check()
    page.get_by_role("button", name="计算", exact=True).click()
    expect(eye).to_be_enabled()
    eye.click()
    expect(page.get_by_role("link", name="c4", exact=True)).to_be_visible()


def test_conditions_are_shown_in_words_in_both_languages(page: Page) -> None:
    page.goto("/console/segments")
    page.get_by_role("button", name="查看分群条件 国内").click()
    expect(page.get_by_role("dialog")).to_contain_text("所在地 等于 中国")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="English").click()
    page.get_by_role("button", name="Conditions of 国内").click()
    expect(page.get_by_role("dialog")).to_contain_text("location is 中国")
    expect(page.get_by_role("heading", level=1)).to_have_text("Segments")


def test_a_copy_is_named_after_the_original_and_can_be_deleted(page: Page, shop: Shop) -> None:
    page.goto("/console/segments")
    page.get_by_role("button", name="复制 国内").click()
    expect(page.get_by_role("link", name="国内_复制")).to_be_visible()
    page.get_by_role("button", name="删除 国内_复制").click()
    page.get_by_role("dialog").get_by_role("button", name="删除").click()
    expect(page.get_by_role("link", name="国内_复制")).to_have_count(0)
    shop.wait(lambda: "国内_复制" not in shop.segments())


def test_the_conditions_in_words_are_shown_where_the_pointer_rests(page: Page) -> None:
    page.goto("/console/segments")
    view = page.get_by_role("button", name="查看分群条件 国内", exact=True)
    expect(view).to_have_attribute("title", "查看分群条件")
    view.hover()
    expect(view).to_have_attribute("title", "所在地 等于 中国")


def test_the_list_is_sorted_by_who_updated_last(page: Page, shop: Shop) -> None:
    owners = {"丙": {"X-Account": "ann"}, "丁": {"X-Account": "zoe"}}
    for name, account in owners.items():
        made = {"segment_id": name, "name": name, "type": "standard", "group": "default", "clusters": [CHINA]}
        assert shop.api.post("/segments", json=made | {"shared_with": ["local"]}, headers=account).is_success
    page.goto("/console/segments?type=standard")
    names = page.locator("tbody tr.ant-table-row .segment-name")
    expect(names).to_have_count(3)
    page.get_by_role("columnheader", name="更新者").click()
    expect(names).to_have_text(["丙", "国内", "丁"])
    page.get_by_role("columnheader", name="更新者").click()
    expect(names).to_have_text(["丁", "国内", "丙"])
    for name, account in owners.items():
        assert shop.api.delete(f"/segments/{name}", headers=account).is_success


def test_a_search_is_part_of_the_address(page: Page) -> None:
    page.goto("/console/segments")
    page.get_by_role("textbox", name="按分群名称搜索").or_(
        page.get_by_role("searchbox", name="按分群名称搜索")
    ).fill("推")
    expect(page.get_by_role("link", name="国内")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"[?&]q="))
    page.reload()
    expect(page.get_by_role("link", name="推送")).to_be_visible()
    expect(page.get_by_role("link", name="国内")).to_have_count(0)


def test_segments_are_moved_to_a_group_that_was_made_here(page: Page, shop: Shop) -> None:
    page.goto("/console/segments")
    page.get_by_role("button", name="新建分组").click()
    page.get_by_role("dialog").get_by_label("分组名称").fill("双十一")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    groups = page.get_by_role("complementary", name="分组")
    expect(groups.get_by_role("button", name="双十一 0")).to_be_visible()
    for name in ("国内", "推送"):
        page.get_by_role("checkbox", name=f"选择 {name}").check()
    page.get_by_role("button", name="移动分组", exact=True).click()
    page.get_by_role("dialog").get_by_role("combobox", name="分组名称").click()
    page.get_by_title("双十一", exact=True).click()
    page.get_by_role("button", name="确定").click()
    groups.get_by_role("button", name="双十一 2").click()
    expect(page.get_by_role("link", name="国内")).to_be_visible()
    assert {row["group"] for row in shop.segments().values()} == {"双十一"}


def test_the_page_says_why_a_contact_is_in_a_segment(page: Page) -> None:
    page.goto("/console/segments/china?tab=contacts")
    page.get_by_role("row", name="c4").get_by_role("link", name="为什么").click()
    expect(page.get_by_role("alert")).to_contain_text("在此分群中")
    expect(page.locator(".cluster").get_by_text("所在地 等于 中国")).to_be_visible()
    page.get_by_role("link", name="查看联系人").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("联系人4")
    page.go_back()
    expect(page.get_by_role("alert")).to_contain_text("在此分群中")


def test_an_unknown_address_leads_back(page: Page) -> None:
    page.goto("/console/nowhere")
    page.get_by_role("link", name="返回联系人分群").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("联系人分群")


@pytest.mark.parametrize("width", [1440, 1024])
def test_the_operations_of_a_row_are_in_view(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/console/segments")
    box = page.get_by_role("button", name="删除 国内", exact=True).bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= width


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_columns_of_the_product_fit_on_a_usual_screen(
    browser: Browser, shop: Shop, language: str
) -> None:
    page = page_that_looks(browser, shop, language, "light", 1440)
    page.goto("/console/segments")
    expect(page.locator("tbody tr.ant-table-row")).not_to_have_count(0)
    hidden = page.locator(".wide-table").evaluate("one => one.scrollWidth - one.clientWidth")
    assert hidden == 0
    page.context.close()
