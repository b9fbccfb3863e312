"""What a user does in the builder."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.browser.open_list import OPEN_LIST


class Builder:
    """The builder on a page, in Chinese."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def cluster(self, number: int) -> Locator:
        return self.page.get_by_role("region", name=f"条件簇 {number}，")

    def row(self, name: str, number: int, within: Locator | None = None) -> Locator:
        """The row of a condition; its name begins with its kind."""
        return (within or self.page).get_by_role("group", name=f"{name} 条件 {number}，").first

    def choose(self, row: Locator, label: str, typed: str, option: str | None = None) -> None:
        """Choose an entry of a list of the row by typing. `option` is its text, if it is another."""
        row.get_by_role("combobox", name=label, exact=True).first.click()
        self.page.keyboard.type(typed)
        self._take(option or typed)

    def pick(self, row: Locator, label: str, option: str) -> None:
        """Choose an entry of a short list of the row."""
        row.get_by_role("combobox", name=label, exact=True).first.click()
        self._take(option)

    def _take(self, option: str) -> None:
        shown = self.page.locator(OPEN_LIST)
        shown.get_by_title(option, exact=True).click()
        # The next list may have an entry of the same name.
        expect(shown).to_have_count(0)

    def fill(self, row: Locator, label: str, value: str) -> None:
        field = row.get_by_label(label, exact=True).first
        field.fill(value)
        field.press("Tab")
