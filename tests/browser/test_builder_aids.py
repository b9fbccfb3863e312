"""What helps in the builder: recipes to begin with, windows drawn, and the list of keys."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.browser.builder import Builder
from tests.browser.conftest import PLAYWRIGHT_WAIT_MS, Shop
from tests.docs.recipes import recipes

expect.set_options(timeout=PLAYWRIGHT_WAIT_MS)

ZONE = "America/New_York"


def now() -> datetime:
    return datetime.fromtimestamp(time.time_ns() / 1e9, UTC)


@pytest.mark.parametrize(("language", "name"), [("zh", "90天未购买"), ("en", "No purchase for 90 days")])
def test_a_first_segment_is_made_of_a_recipe(page: Page, shop: Shop, language: str, name: str) -> None:
    page.add_init_script(f"localStorage.setItem('streamseg.language', '{language}')")
    page.goto("/console/new/standard")
    offered = page.locator(".recipes li")
    titles = [one["definition"]["name"] if language == "zh" else one["title"] for one in recipes()]
    expect(offered).to_have_text(titles)
    page.get_by_role("button", name=name).click()
    expect(offered).to_have_count(0)
    preview = page.get_by_role("complementary").last
    expect(preview.locator(".ant-statistic-content")).to_have_text("10")
    page.keyboard.press("Control+s")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    saved = shop.segments()[name]
    definition = shop.api.get(f"/segments/{saved['segment_id']}").json()["definition"]
    assert definition["clusters"] == recipes()[0]["definition"]["clusters"]


def test_a_recipe_is_taken_back(page: Page, shop: Shop) -> None:
    page.goto("/console/new/standard")
    page.get_by_role("textbox", name="分群名称", exact=True).fill("我的分群")
    page.get_by_role("button", name="满18岁").click()
    expect(page.get_by_role("textbox", name="分群名称", exact=True)).to_have_value("我的分群")
    page.get_by_role("button", name="撤销 (Ctrl+Z)").click()
    expect(page.get_by_role("button", name="满18岁")).to_be_visible()


def test_each_form_of_a_window_is_drawn_with_its_exact_instants(page: Page, shop: Shop) -> None:
    windows = [
        {"last": "P30D"},
        {"between": ["2026-05-01", None]},
        {"from": "-P60D", "to": "-P30D"},
        {"period": {"unit": "month", "from": -1, "to": -1}},
    ]
    conditions = [{"event": "email_open", "window": window} for window in windows]
    shop.create(
        segment_id="windows",
        name="窗口",
        type="standard",
        timezone=ZONE,
        clusters=[{"match": "any", "conditions": conditions}],
    )
    before = now()
    page.goto("/console/segments/windows/edit")
    lines = page.get_by_role("figure", name="时间范围图示")
    expect(lines).to_have_count(4)
    expect(lines.locator("svg rect.window")).to_have_count(4)

    first, end = (datetime.fromisoformat(one) for one in _instants(lines.nth(0).inner_html()))
    assert end - first == timedelta(days=30)
    assert before - timedelta(minutes=1) < end < now() + timedelta(minutes=1)

    may = datetime(2026, 5, 1, tzinfo=ZoneInfo(ZONE))
    assert [datetime.fromisoformat(one) for one in _instants(lines.nth(1).inner_html())] == [may]
    expect(lines.nth(1)).to_contain_text("2026-05-01 00:00:00")
    expect(lines.nth(1)).to_contain_text("不限结束")
    expect(lines.nth(1)).to_contain_text(ZONE)

    first, end = (datetime.fromisoformat(one) for one in _instants(lines.nth(2).inner_html()))
    assert end - first == timedelta(days=30)

    month = now().astimezone(ZoneInfo(ZONE)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    expect(lines.nth(3)).to_contain_text(f"至 {month:%Y-%m-%d} 00:00:00")

    # Another length is drawn at once.
    builder = Builder(page)
    builder.fill(builder.row("事件", 1), "时长", "7")
    shop.wait(lambda: _length(lines.nth(0).inner_html()) == timedelta(days=7))


def test_the_steps_of_a_sequence_are_drawn_from_left_to_right(page: Page, shop: Shop) -> None:
    steps = [{"event": "email_open"}, {"event": "email_click"}, {"absent": {"event": "order_paid"}}]
    condition = {"sequence": steps, "within": "P1D"}
    clusters = [{"match": "all", "conditions": [condition]}]
    shop.create(segment_id="steps", name="顺序", type="standard", clusters=clusters)
    page.goto("/console/segments/steps/edit")
    drawn = page.locator(".step-line li")
    expect(drawn).to_have_text(["邮件打开", "邮件点击", "order_paid 此后没有发生"])
    boxes = [one.bounding_box() for one in drawn.all()]
    places = [(box["x"], box["y"]) for box in boxes if box is not None]
    assert places == sorted(places)
    assert len({y for _, y in places}) == 1


def _instants(html: str) -> list[str]:
    return [one.replace("Z", "+00:00") for one in re.findall(r'datetime="([^"]+)"', html)]


def _length(html: str) -> timedelta:
    first, end = (datetime.fromisoformat(one) for one in _instants(html))
    return end - first


def test_a_question_mark_shows_the_keys_where_no_text_is_typed(page: Page) -> None:
    page.goto("/console/new/standard")
    name = page.get_by_role("textbox", name="分群名称", exact=True)
    name.fill("")
    name.press("?")
    expect(name).to_have_value("?")
    dialog = page.get_by_role("dialog", name="键盘操作")
    expect(dialog).to_have_count(0)
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("?")
    for key in ("Ctrl", "保存", "重新计数", "复制分群条件的文字", "撤销"):
        expect(dialog).to_contain_text(key)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="键盘操作").press("Enter")
    expect(dialog).to_be_visible()
