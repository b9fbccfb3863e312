"""The worked case is made by clicking only, by a new user, within three minutes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import PLAYWRIGHT_WAIT_MS, Shop, complaints, page_that_looks
from tests.browser.picture import worked_case
from tests.browser.worked_case import ENTERED, Language, Words, make, pictures

expect.set_options(timeout=PLAYWRIGHT_WAIT_MS)

THREE_MINUTES = 180.0

SHOTS = os.environ.get("STREAMSEG_TEST_SCREENSHOTS")
"""A folder for pictures of each step, in both languages, light and dark, and two widths, for whoever wants to
look at them."""

LOOKS: list[tuple[Language, str, int]] = [("zh", "light", 1440), ("en", "dark", 1024)]
if SHOTS:
    LOOKS += [("zh", "dark", 1024), ("en", "light", 1440)]


def conditions(clusters: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The clusters as the builder writes them."""
    return [{"match": one["match"], "conditions": one["conditions"]} for one in clusters]


@pytest.mark.parametrize(("language", "scheme", "width"), LOOKS)
def test_the_worked_case_is_made_by_clicking_only(
    browser: Browser, shop: Shop, language: Language, scheme: str, width: int
) -> None:
    page = page_that_looks(browser, shop, language, scheme, width)
    failures = complaints(page)
    take = pictures(page, Path(SHOTS) if SHOTS else None, f"{language} {scheme} {width}")
    hand = make(page, Words(language), take)
    if not SHOTS:
        # Pictures add styles of their own, which the page's policy refuses.
        assert failures == []
    page.context.close()
    made = shop.segments()[ENTERED[language]["name"]]
    stored = shop.api.get(f"/segments/{made['segment_id']}").json()["definition"]["clusters"]
    assert conditions(stored) == conditions(worked_case()["clusters"])
    assert made["contacts"] == 4
    print(
        f"{language}: {hand.pointings} pointings, {hand.clicks} clicks, {hand.keys} keys, "
        f"{hand.homings} moves between mouse and keyboard, {hand.thoughts} mental steps: {hand.seconds:.0f} s"
    )
    assert hand.seconds < THREE_MINUTES
