"""Everybody can use every screen: axe finds nothing, nothing is cut off, each control takes the focus."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.browser.conftest import PLAYWRIGHT_WAIT_MS, Shop, complaints, new_context, page_that_looks

expect.set_options(timeout=PLAYWRIGHT_WAIT_MS)

CONDITIONS = [
    {"attribute": "location", "operator": "eq", "value": "中国"},
    {
        "event": "form_submit",
        "where": {
            "match": "all",
            "conditions": [
                {"property": "form", "operator": "eq", "value": "会员注册"},
                {"elements": "lines", "match": "any", "conditions": [{"property": "", "operator": "is_set"}]},
            ],
        },
        "window": {"last": "P30D"},
    },
    {"event": "order_paid", "aggregate": {"function": "sum", "property": "a", "operator": "gt", "value": 1}},
    {"sequence": [{"event": "email_open"}, {"absent": {"event": "email_click"}}], "within": "P1D"},
]
CLUSTERS = [{"match": "any", "conditions": CONDITIONS}]
CHANGED = [{"match": "any", "conditions": [*CONDITIONS[:3], {"event": "wechat_scan"}]}]

SCREENS = {
    "segments": "/segments",
    "segment": "/segments/china",
    "members": "/segments/china?tab=contacts",
    "versions": "/segments/china?tab=versions",
    "growth": "/segments/china?tab=growth",
    "deleted": "/deleted",
    "explain": "/segments/china/explain/c4",
    "edit": "/segments/china/edit",
    "edit advanced": "/segments/mailing/edit",
    "new": "/new/standard",
    "contacts": "/contacts",
    "contact": "/contacts/c4",
    "live": "/live",
    "health": "/health",
}
"""Name -> address below /console."""

OPENED = {
    "calendar": ("/contacts/c4", ".ant-tabs-tab:nth-child(2)"),
    "what would change": ("/contacts/c4", ".ant-table-row-expand-icon"),
    "columns": ("/segments", ".toolbar button:has(.anticon-setting)"),
    "keys": ("/new/standard", "[aria-keyshortcuts]"),
}
"""Name -> address, and what is clicked there."""

ZOOMED = 1440 // 2
"""So many pixels wide is a page for its styles if it is enlarged to 200 %."""

REST = """Promise.all(
    document.getAnimations()
        .filter(one => one.effect.getComputedTiming().endTime !== Infinity)
        .map(one => one.finished.catch(() => 0))
)"""
"""Waits until what moves has come to rest. The sign of a live connection moves for ever."""

UNREADABLE_HEADERS = """() => {
    const titles = [...document.querySelectorAll('th')].map(
        one => one.querySelector('.ant-table-column-title') ?? one)
    const broken = title => {
        const walker = document.createTreeWalker(title, NodeFilter.SHOW_TEXT)
        for (let text = walker.nextNode(); text; text = walker.nextNode())
            for (const word of text.data.matchAll(/[A-Za-z]+/g)) {
                const range = document.createRange()
                range.setStart(text, word.index)
                range.setEnd(text, word.index + word[0].length)
                if (range.getClientRects().length > 1) return true
            }
        return title.scrollWidth > title.clientWidth + 1 && getComputedStyle(title).overflow === 'hidden'
    }
    const shown = one => one.offsetParent && !one.querySelector('.unseen')
    return titles.filter(one => shown(one) && broken(one)).map(one => one.textContent)
}"""
"""Headers of tables that are cut off, or broken within a word."""

HINTS_CUT_OFF = """() => {
    const ruler = document.createElement('canvas').getContext('2d')
    const isCutOff = field => {
        const style = getComputedStyle(field)
        ruler.font = style.font
        const room = field.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight)
        return ruler.measureText(field.placeholder).width > room + 1
    }
    const empty = [...document.querySelectorAll('input[placeholder]')].filter(one => !one.value)
    return empty.filter(one => one.offsetParent && isCutOff(one)).map(one => one.placeholder)
}"""
"""What empty fields ask for and cannot show whole."""

SHOTS = os.environ.get("STREAMSEG_TEST_SCREENSHOTS")
"""A folder for pictures of all screens, for whoever wants to look at them."""


@pytest.mark.parametrize(
    ("language", "scheme", "width"), [("zh", "light", 1440), ("en", "dark", 1024), ("en", "light", ZOOMED)]
)
def test_every_screen_is_whole(browser: Browser, shop: Shop, language: str, scheme: str, width: int) -> None:
    shop.create(segment_id="china", name="国内", type="standard", clusters=CLUSTERS)
    parts = [{"relation": "include", "clusters": CLUSTERS}, {"relation": "exclude", "clusters": CLUSTERS}]
    shop.create(segment_id="mailing", name="推送", type="advanced", parts=parts)
    changed = {"segment_id": "china", "name": "国内", "type": "standard", "clusters": CHANGED}
    assert shop.api.put("/segments/china", json=changed).status_code == 200
    shop.wait(lambda: shop.status("china") == "completed")
    shop.create(segment_id="gone", name="已删除", type="standard", clusters=CLUSTERS)
    assert shop.api.delete("/segments/gone").status_code == 204
    page = page_that_looks(browser, shop, language, scheme, width)
    failures = complaints(page)
    shown = {name: (address, None) for name, address in SCREENS.items()} | OPENED
    for name, (address, opened) in shown.items():
        page.goto(f"/console{address}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        # Everything has been answered, and what moves has come to rest.
        page.wait_for_load_state("domcontentloaded" if name == "live" else "networkidle")
        expect(page.locator(".ant-skeleton, .ant-spin-spinning")).to_have_count(0)
        if opened is not None:
            page.locator(opened).first.click()
            expect(page.locator(".ant-skeleton, .ant-spin-spinning")).to_have_count(0)
        page.evaluate(REST)
        assert failures == [], name
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{name} {language} {scheme} {width}.png", full_page=True)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        cut_off = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert cut_off <= 0, f"{name} is {cut_off} px too wide"
        assert page.evaluate(UNREADABLE_HEADERS) == [], name
        assert page.evaluate(HINTS_CUT_OFF) == [], name
        # Pictures and axe add styles of their own, which the page's policy refuses.
        failures.clear()
    page.context.close()


def test_every_control_is_reached_by_the_tab_key(browser: Browser, shop: Shop) -> None:
    shop.create(segment_id="china", name="国内", type="standard", clusters=CLUSTERS)
    context = new_context(browser, shop.url)
    page = context.new_page()
    page.goto("/console/segments/china/edit")
    expect(page.get_by_role("region", name="条件簇 1，共 1 个")).to_be_visible()
    wanted = page.evaluate(
        """() => {
            const able = 'button:not([disabled]), input:not([disabled]), a[href], summary'
            const all = [...document.querySelectorAll(able)]
            return all.filter(one => one.offsetParent && one.type !== 'radio' && one.tabIndex >= 0).length
        }"""
    )
    reached: set[int] = set()
    for _ in range(wanted + 30):
        page.keyboard.press("Tab")
        number = page.evaluate(
            "() => { const one = document.activeElement; window.n ??= new Map();"
            " if (!n.has(one)) n.set(one, n.size); return one === document.body ? -1 : n.get(one) }"
        )
        reached.add(number)
    assert len(reached - {-1}) >= wanted
    context.close()


@pytest.mark.parametrize(("wish", "moves"), [("reduce", False), ("no-preference", True)])
def test_a_menu_opens_without_movement_where_the_system_asks_for_that(
    browser: Browser, shop: Shop, wish: str, moves: bool
) -> None:
    context = new_context(browser, shop.url, reduced_motion=wish)
    page = context.new_page()
    page.goto("/console/new/standard")
    page.evaluate(
        "window.moved = []; addEventListener('animationstart', one => { moved.push(one.animationName) })"
    )
    page.get_by_role("button", name="更多条件").click()
    expect(page.get_by_role("menuitem", name="固定抽样")).to_be_visible()
    page.evaluate(REST)
    assert page.evaluate("moved.some(name => name.includes('SlideUp'))") is moves
    context.close()
