"""A segment's versions are compared and reverted to; deleted segments are restored."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PLAYWRIGHT_WAIT_MS, Shop
from tests.browser.open_list import OPEN_LIST

expect.set_options(timeout=PLAYWRIGHT_WAIT_MS)

GONE = {"title": "没有", "status": 404, "code": "not_found", "detail": "这里什么都没有"}


def _located(place: str) -> list[dict[str, Any]]:
    return [{"match": "all", "conditions": [{"attribute": "location", "operator": "eq", "value": place}]}]


CHINA, JAPAN, KOREA = _located("中国"), _located("日本"), _located("韩国")


@pytest.fixture
def changed(shop: Shop) -> None:
    """The segment `place` in two versions: China, then Japan."""
    shop.create(segment_id="place", name="国家", type="standard", clusters=CHINA)
    second = {"segment_id": "place", "name": "国家", "type": "standard", "clusters": JAPAN}
    assert shop.api.put("/segments/place", json=second).status_code == 200


@pytest.mark.usefixtures("changed")
def test_versions_are_compared_and_an_earlier_one_is_reverted_to(page: Page, shop: Shop) -> None:
    page.goto("/console/segments/place")
    page.get_by_role("tab", name="版本").click()
    expect(page.get_by_role("row", name=re.compile("^.*2 当前"))).to_contain_text("local")
    differences = page.get_by_role("list", name="与版本 1 相比")
    expect(differences.get_by_role("deletion")).to_contain_text("所在地 等于 中国")
    expect(differences.get_by_role("insertion")).to_contain_text("所在地 等于 日本")
    page.get_by_role("button", name="恢复到此版本 1").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("恢复到版本 1？")
    assert shop.api.get("/segments/place").json()["version"] == 2
    question.get_by_role("button", name="恢复到此版本").click()
    expect(page.get_by_role("list", name="与版本 2 相比").get_by_role("insertion")).to_contain_text("中国")
    now = shop.api.get("/segments/place").json()
    assert (now["version"], now["definition"]["clusters"]) == (3, CHINA)


def test_a_deletion_is_taken_back_where_it_was_made(page: Page, shop: Shop) -> None:
    # The second one refers to the first one, which is later in the list.
    shop.create(segment_id="referred", name="甲", type="standard", clusters=CHINA)
    refers = [{"match": "all", "conditions": [{"segment": "referred", "member": True}]}]
    shop.create(segment_id="refers", name="乙", type="standard", clusters=refers)
    page.goto("/console/segments?sort=name")
    for name in ("甲", "乙"):
        page.get_by_role("checkbox", name=f"选择 {name}", exact=True).check()
    page.get_by_role("region", name="批量操作").get_by_role("button", name="删除").click()
    page.get_by_role("dialog").get_by_role("button", name="删除").click()
    expect(page.get_by_role("link", name="甲", exact=True)).to_have_count(0)
    assert shop.segments() == {}
    page.get_by_role("button", name="撤销").click()
    expect(page.get_by_text("已恢复 2 个分群")).to_be_visible()
    expect(page.get_by_role("button", name="撤销")).to_have_count(0)
    expect(page.get_by_role("link", name="甲", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="乙", exact=True)).to_be_visible()
    assert {row["segment_id"] for row in shop.segments().values()} == {"referred", "refers"}


@pytest.mark.usefixtures("changed")
def test_any_two_versions_are_compared(page: Page, shop: Shop) -> None:
    third = {"segment_id": "place", "name": "国家", "type": "standard", "clusters": KOREA}
    assert shop.api.put("/segments/place", json=third).status_code == 200
    page.goto("/console/segments/place?tab=versions")
    expect(page.get_by_role("list", name="与版本 2 相比").get_by_role("deletion")).to_contain_text("日本")
    page.get_by_role("combobox", name="版本 3 与之比较的版本").click()
    page.locator(OPEN_LIST).get_by_title("与版本 1 相比").click()
    differences = page.get_by_role("list", name="与版本 1 相比")
    expect(differences.get_by_role("deletion")).to_contain_text("中国")
    expect(differences.get_by_role("insertion")).to_contain_text("韩国")


@pytest.mark.usefixtures("changed")
def test_only_the_owner_may_revert(page: Page, shop: Shop) -> None:
    shared = shop.api.post("/segments/place/share", json={"accounts": ["bob"]})
    assert shared.status_code == 200
    page.set_extra_http_headers({"X-Account": "bob"})
    page.goto("/console/segments/place?tab=versions")
    expect(page.get_by_role("list", name="与版本 1 相比")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("恢复到此版本"))).to_have_count(0)


@pytest.mark.usefixtures("changed")
def test_versions_that_cannot_be_read_are_asked_again(page: Page) -> None:
    page.route("**/segments/place/versions", lambda route: route.fulfill(status=404, json=GONE))
    page.goto("/console/segments/place?tab=versions")
    expect(page.get_by_text("这里什么都没有")).to_be_visible()
    page.unroute("**/segments/place/versions")
    page.get_by_role("button", name="重试").click()
    expect(page.get_by_role("list", name="与版本 1 相比")).to_be_visible()


def test_a_deleted_segment_is_restored_from_the_recycle_bin(page: Page, shop: Shop) -> None:
    shop.create(segment_id="autumn", name="秋季", type="standard", clusters=CHINA)
    page.goto("/console/segments")
    page.get_by_role("button", name="删除 秋季").click()
    page.get_by_role("dialog").get_by_role("button", name="删除").click()
    expect(page.get_by_role("link", name="秋季")).to_have_count(0)
    page.get_by_role("link", name="回收站").click()
    expect(page).to_have_url(re.compile("/console/deleted$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("回收站")
    expect(page.get_by_role("row", name="秋季")).to_contain_text("local")
    page.set_viewport_size({"width": 1024, "height": 900})
    box = page.get_by_role("button", name="恢复 秋季").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 1024
    page.get_by_role("button", name="恢复 秋季").click()
    expect(page.get_by_text("已恢复“秋季”")).to_be_visible()
    expect(page.get_by_role("row", name="秋季")).to_have_count(0)
    page.get_by_role("complementary", name="分组").get_by_role("button", name=re.compile("^全部")).click()
    expect(page.get_by_role("link", name="秋季")).to_be_visible()
    shop.wait(lambda: shop.status("autumn") == "completed")


def test_a_segment_whose_id_is_in_use_is_restored_under_another(page: Page, shop: Shop) -> None:
    shop.create(segment_id="winter", name="去年冬季", type="standard", clusters=CHINA)
    assert shop.api.delete("/segments/winter").status_code == 204
    shop.create(segment_id="winter", name="今年冬季", type="standard", clusters=JAPAN)
    page.goto("/console/deleted")
    page.get_by_role("button", name="恢复 去年冬季").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("winter 已被使用")
    question.get_by_role("textbox", name="新的分群 id").fill("winter-before")
    question.get_by_role("button", name="确定").click()
    expect(page.get_by_text("已恢复“去年冬季”")).to_be_visible()
    assert shop.segments()["去年冬季"]["segment_id"] == "winter-before"


def test_the_recycle_bin_says_that_it_is_empty_or_cannot_be_read(page: Page) -> None:
    page.set_extra_http_headers({"X-Account": "nobody"})
    page.goto("/console/deleted")
    expect(page.get_by_text("回收站是空的")).to_be_visible()
    page.route("**/deleted-segments*", lambda route: route.fulfill(status=404, json=GONE))
    page.reload()
    expect(page.get_by_text("这里什么都没有")).to_be_visible()
    page.unroute("**/deleted-segments*")
    page.get_by_role("button", name="重试").click()
    expect(page.get_by_text("回收站是空的")).to_be_visible()


def test_what_refers_to_a_segment_is_shown_before_it_is_deleted(page: Page, shop: Shop) -> None:
    shop.create(segment_id="place", name="国家", type="standard", clusters=CHINA)
    within = [{"match": "all", "conditions": [{"segment": "place"}]}]
    shop.create(segment_id="letter", name="来信", type="standard", clusters=within)
    page.goto("/console/segments/place")
    expect(page.get_by_role("row").filter(has_text="被引用")).to_contain_text("来信")
    page.get_by_role("button", name="删除", exact=True).click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("来信")
    expect(question.get_by_role("alert")).to_contain_text("不能删除")
    question.get_by_role("button", name="取消").click()
    # Both together can be deleted.
    page.goto("/console/segments")
    for name in ("国家", "来信"):
        page.get_by_role("checkbox", name=f"选择 {name}").check()
    page.get_by_role("region", name="批量操作").get_by_role("button", name="删除").click()
    expect(page.get_by_role("dialog")).to_contain_text("被引用")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_have_count(0)
    page.get_by_role("dialog").get_by_role("button", name="删除").click()
    shop.wait(lambda: not shop.segments())
