"""The picture in README.md shows the page as it is."""

from __future__ import annotations

from playwright.sync_api import Browser, Page

from tests.browser.conftest import Shop
from tests.browser.picture import FILE, difference, take, worked_case
from tests.browser.program import has_fonts
from tests.lacking import lacks

MOST = 0.01
"""The share of blocks that may differ: browsers of other releases draw a little differently."""


def test_the_picture_is_current(browser: Browser, page: Page, shop: Shop) -> None:
    if not has_fonts():
        lacks("the fonts of the picture", "Debian's fonts-noto-cjk has them")
    shop.create(**worked_case())
    page.goto("about:blank")
    found = difference(page, FILE.read_bytes(), take(browser, shop.url))
    assert found <= MOST, f"{found:.1%} of the picture differ: python -m tests.browser.picture takes it again"


def test_a_control_more_or_less_is_a_difference(browser: Browser, page: Page, shop: Shop) -> None:
    case = worked_case()
    shop.create(**case)
    before = take(browser, shop.url)
    page.goto("about:blank")
    assert difference(page, before, before) == 0
    # One condition more, that everybody fulfils.
    case["clusters"][0]["conditions"].append({"attribute": "name", "operator": "is_set"})
    assert shop.api.put("/segments/cn-members", json=case).status_code == 200
    shop.wait(lambda: shop.status("cn-members") == "completed")
    assert difference(page, before, take(browser, shop.url)) > MOST
