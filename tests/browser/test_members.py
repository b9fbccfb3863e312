"""Who is in a segment, who left it lately, and who was in it at an instant."""

from __future__ import annotations

import csv
import io
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PLAYWRIGHT_WAIT_MS, Shop

expect.set_options(timeout=PLAYWRIGHT_WAIT_MS)


def clusters(value: str) -> list[dict[str, object]]:
    return [
        {"match": "all", "conditions": [{"attribute": "location", "operator": "eq", "value": value}]},
    ]


def test_those_who_left_and_those_of_an_instant_are_listed(page: Page, shop: Shop) -> None:
    shop.create(segment_id="moved", name="国内", type="standard", clusters=clusters("中国"))
    between = datetime.fromtimestamp(time.time_ns() / 1e9, UTC) + timedelta(seconds=1)
    shop.wait(lambda: time.time_ns() / 1e9 > between.timestamp() + 1)
    changed = {"segment_id": "moved", "name": "日本", "type": "standard", "clusters": clusters("日本")}
    assert shop.api.put("/segments/moved", json=changed).status_code == 200
    shop.wait(
        lambda: len(shop.api.get("/segments/moved/contacts?left_since=2026-01-01").json()["contacts"]) == 5
    )
    page.goto("/console/segments/moved?tab=contacts")
    ids = page.locator("tbody tr.ant-table-row td:first-child")
    expect(ids).to_have_text(["c1", "c3", "c5", "c7", "c9"])
    which = page.get_by_role("combobox", name="显示")
    which.click()
    page.get_by_title("最近 7 天离开", exact=True).click()
    expect(ids).to_have_text(["c0", "c2", "c4", "c6", "c8"])
    expect(page.get_by_role("columnheader", name="离开时间")).to_be_visible()
    left = shop.api.get("/segments/moved/contacts?left_since=2026-01-01").json()["contacts"]
    assert downloaded(page) == [
        ["联系人 id", "进入时间", "离开时间"],
        *([one["contact_id"], one["entered_at"], one["left_at"]] for one in left),
    ]
    which.click()
    page.get_by_title("某一时刻", exact=True).click()
    expect(ids).to_have_text(["c1", "c3", "c5", "c7", "c9"])
    local = between.astimezone(ZoneInfo("Asia/Shanghai"))
    page.get_by_role("textbox", name="时刻").fill(f"{local:%Y-%m-%d %H:%M:%S}")
    page.keyboard.press("Enter")
    expect(ids).to_have_text(["c0", "c2", "c4", "c6", "c8"])


def downloaded(page: Page) -> list[list[str]]:
    """Return the cells of the file that the page makes of the members."""
    with page.expect_download() as started:
        page.get_by_role("button", name="下载 CSV").click()
    content = Path(started.value.path()).read_bytes()
    assert content.startswith("\ufeff".encode())
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_contacts_are_searched_by_the_beginning_of_their_ids(page: Page, shop: Shop) -> None:
    shop.create(segment_id="found", name="国内", type="standard", clusters=clusters("中国"))

    def in_pages_of_two(route: Route) -> None:
        route.continue_(url=route.request.url.replace("limit=50", "limit=2"))

    page.route("**/api/v1/segments/found/contacts?*", in_pages_of_two)
    page.goto("/console/segments/found?tab=contacts")
    ids = page.locator("tbody tr.ant-table-row td:first-child")
    expect(ids).to_have_text(["c0", "c2"])
    expect(page.get_by_text("共 5 个")).to_be_visible()
    page.get_by_role("button", name="下一页").click()
    expect(ids).to_have_text(["c4", "c6"])
    search = page.get_by_role("textbox", name="按联系人 id 开头搜索")
    # The search begins at the first page, and the number of all contacts is not that of its pages.
    search.fill("c")
    expect(ids).to_have_text(["c0", "c2"])
    expect(page.get_by_text("共 5 个")).to_have_count(0)
    search.fill("c4")
    expect(ids).to_have_text(["c4"])
    assert [row[0] for row in downloaded(page)[1:]] == ["c4"]
    # It also holds for those who left.
    changed = {"segment_id": "found", "name": "日本", "type": "standard", "clusters": clusters("日本")}
    assert shop.api.put("/segments/found", json=changed).status_code == 200
    page.get_by_role("combobox", name="显示").click()
    page.get_by_title("最近 7 天离开", exact=True).click()
    expect(ids).to_have_text(["c4"])
    search.fill("c1")
    expect(page.get_by_text("没有联系人")).to_be_visible()


def test_members_are_downloaded_with_since_and_until(page: Page, shop: Shop) -> None:
    form = {"event": "form_submit", "window": {"last": "P30D"}}
    conditions = [form, {"attribute": "member_points", "operator": "ge", "value": 900}]
    shop.create(
        segment_id="form",
        name="填表",
        type="standard",
        clusters=[{"match": "any", "conditions": conditions}],
    )
    page.goto("/console/segments/form?tab=contacts")
    expect(page.locator("tbody tr.ant-table-row td:first-child")).to_have_text(["c0", "c2", "c4", "c9"])
    members = shop.api.get("/segments/form/contacts").json()["contacts"]
    assert downloaded(page) == [
        ["联系人 id", "进入时间", "预计离开"],
        *([one["contact_id"], one["entered_at"], one.get("next_change_at", "")] for one in members),
    ]
    assert [one["contact_id"] for one in members if "next_change_at" in one] == ["c0", "c2", "c4"]


def test_a_download_has_10_000_members_at_most_and_no_formula(page: Page, shop: Shop) -> None:
    shop.create(segment_id="large", name="很多", type="standard", clusters=clusters("中国"))
    total = 10_000

    def answer(route: Route) -> None:
        asked = parse_qs(urlsplit(route.request.url).query)
        first, limit = int(asked.get("after", ["0"])[0]), int(asked["limit"][0])
        end = min(first + limit, total)
        contacts = [
            {"contact_id": f"={number}", "entered_at": None, "sequence": 1} for number in range(first, end)
        ]
        route.fulfill(json={"contacts": contacts, "next_cursor": str(end) if end < total else None})

    page.route("**/api/v1/segments/large/contacts?*", answer)
    page.goto("/console/segments/large?tab=contacts")
    expected = [["联系人 id", "进入时间", "预计离开"], *([f"'={number}", "", ""] for number in range(10_000))]
    assert downloaded(page) == expected
    expect(page.get_by_role("button", name="下载 CSV")).to_be_enabled()
    expect(page.get_by_role("dialog")).to_have_count(0)
    total += 1
    assert downloaded(page) == expected
    expect(page.get_by_role("dialog")).to_contain_text("10,000")
