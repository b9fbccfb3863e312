"""Segments are shared, calculated and deleted together; groups are renamed; uses of a segment are drawn."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import PLAYWRIGHT_WAIT_MS, Shop

expect.set_options(timeout=PLAYWRIGHT_WAIT_MS)

CHINA = [{"match": "all", "conditions": [{"attribute": "location", "operator": "eq", "value": "中国"}]}]
NAMES = ("春", "夏", "秋")


def fill(shop: Shop, kind: str = "standard") -> None:
    for number, name in enumerate(NAMES):
        parts = {"parts": [{"relation": "include", "clusters": CHINA}]}
        body = {"clusters": CHINA} if kind == "standard" else parts
        shop.create(segment_id=f"season-{number}", name=name, type=kind, **body)


def select(page: Page, *names: str) -> None:
    page.goto("/console/segments")
    for name in names:
        page.get_by_role("checkbox", name=f"选择 {name}").check()
    expect(page.get_by_text(f"已选 {len(names)} 个")).to_be_visible()


def act(page: Page, name: str) -> None:
    page.get_by_role("region", name="批量操作").get_by_role("button", name=name).click()


def test_segments_are_shared_together(page: Page, shop: Shop) -> None:
    fill(shop)
    select(page, "春", "秋")
    act(page, "共享")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="账号").click()
    page.keyboard.type("bob,eve,")
    dialog.get_by_role("button", name="确 定").or_(dialog.get_by_role("button", name="确定")).click()
    shop.wait(lambda: shop.segments()["春"]["shared_with"] == ["bob", "eve"])
    rows = shop.segments()
    assert [rows[name]["shared_with"] for name in NAMES] == [["bob", "eve"], [], ["bob", "eve"]]


def test_segments_are_calculated_together(page: Page, shop: Shop) -> None:
    fill(shop, "advanced")
    assert {shop.status(f"season-{number}") for number in range(3)} == {"not_calculated"}
    select(page, "春", "夏")
    act(page, "计算")
    shop.wait(lambda: shop.status("season-0") == shop.status("season-1") == "completed")
    assert shop.status("season-2") == "not_calculated"
    finished = page.get_by_role("row").filter(has_text="春")
    expect(finished).to_contain_text("计算完成")
    expect(finished.locator(".numeric")).to_have_text("5")


def test_segments_are_deleted_together(page: Page, shop: Shop) -> None:
    fill(shop)
    select(page, "春", "夏")
    act(page, "删除")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("春")
    expect(dialog).to_contain_text("夏")
    dialog.get_by_role("button", name="删除").click()
    shop.wait(lambda: set(shop.segments()) == {"秋"})


def test_a_group_is_renamed_and_deleted(page: Page, shop: Shop) -> None:
    assert shop.api.post("/groups", json={"group": "旧名"}).status_code == 201
    fill(shop)
    moved = {"segment_ids": ["season-0"], "group": "旧名"}
    assert shop.api.post("/batch/move", json=moved).status_code == 200
    page.goto("/console/segments")
    page.get_by_role("button", name="重命名 旧名").click()
    field = page.get_by_role("dialog").get_by_role("textbox")
    field.fill("新名")
    field.press("Enter")
    shop.wait(lambda: shop.segments()["春"]["group"] == "新名")
    page.get_by_role("button", name="删除 新名").click()
    page.get_by_role("dialog").get_by_role("button", name="删除").click()
    shop.wait(lambda: shop.segments()["春"]["group"] == "default")
    expect(page.get_by_role("button", name="删除 新名")).to_have_count(0)


def test_what_refers_to_a_segment_is_drawn_down_to_three_levels(page: Page, shop: Shop) -> None:
    shop.create(segment_id="base", name="国内", type="standard", clusters=CHINA)
    below = "base"
    for number, name in enumerate(("一级", "二级", "三级", "四级")):
        reference = [{"match": "all", "conditions": [{"segment": below}]}]
        below = f"level-{number}"
        shop.create(segment_id=below, name=name, type="standard", clusters=reference)
    page.goto("/console/segments/base")
    tree = page.locator(".lineage").first
    for name in ("一级", "二级", "三级"):
        expect(tree.get_by_role("link", name=name)).to_be_visible()
    expect(tree.get_by_role("link", name="四级")).to_have_count(0)
    expect(tree.get_by_role("listitem").filter(has_text="一级").get_by_role("link")).to_have_count(3)
    # Before it is changed, too.
    page.goto("/console/segments/base/edit")
    preview = page.get_by_role("complementary", name="预览")
    expect(preview.get_by_role("link", name="二级")).to_be_visible()
    page.goto("/console/new/standard")
    expect(page.get_by_role("complementary", name="预览")).not_to_contain_text("被引用")


def test_who_enters_is_shown_on_the_page_of_the_segment(page: Page, shop: Shop) -> None:
    points = [
        {"match": "all", "conditions": [{"attribute": "member_points", "operator": "ge", "value": 5000}]}
    ]
    shop.create(segment_id="rich", name="高积分", type="standard", clusters=points)
    page.goto("/console/segments/rich?tab=live")
    expect(page.get_by_text("实时", exact=True)).to_be_visible()
    shop.update("c3", {"member_points": 6000})
    entered = page.get_by_role("row").filter(has_text="c3")
    expect(entered).to_contain_text("进入")
    shop.update("c3", {"member_points": 300})
    expect(page.get_by_role("row").filter(has_text="c3").first).to_contain_text("离开")


def test_a_member_has_the_time_until_which_it_stays(page: Page, shop: Shop) -> None:
    recent = [{"match": "all", "conditions": [{"event": "form_submit", "window": {"last": "P30D"}}]}]
    shop.create(segment_id="recent", name="最近提交", type="standard", clusters=recent)
    shop.create(segment_id="china", name="国内", type="standard", clusters=CHINA)
    expected = shop.api.get("/segments/recent/contacts").json()["contacts"][0]["next_change_at"]
    page.goto("/console/segments/recent?tab=contacts")
    expect(page.get_by_role("columnheader", name="预计离开")).to_be_visible()
    until = page.get_by_role("row").filter(has_text="c0").locator("time").nth(1)
    expect(until).to_have_attribute("datetime", expected)
    page.goto("/console/segments/china?tab=contacts")
    expect(page.get_by_role("row").filter(has_text="c0")).to_contain_text("不会仅因时间而变化")
