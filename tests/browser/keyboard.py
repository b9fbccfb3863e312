"""A user without a mouse."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.browser.open_list import OPEN_LIST

MOST_TABS = 150


class Keyboard:
    """Reaches controls by the Tab key only, and operates them by keys."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, keys: str) -> None:
        self.page.keyboard.press(keys)

    def reach(self, control: Locator) -> None:
        """Press Tab until the control has the focus."""
        expect(control).to_be_attached()
        for _ in range(MOST_TABS):
            if control.evaluate("one => one === document.activeElement"):
                return
            self.press("Tab")
        raise AssertionError(f"{control} is not reached by Tab")

    def push(self, button: Locator) -> None:
        self.reach(button)
        self.press("Enter")

    def write(self, field: Locator, text: str) -> None:
        self.reach(field)
        self.press("Control+a")
        self.page.keyboard.type(text)

    def find(self, box: Locator, typed: str, option: str | None = None) -> None:
        """Choose an entry of a list that is searched by typing. `option` is its text, if it is another."""
        self.reach(box)
        self.page.keyboard.type(typed)
        self._choose(option or typed)

    def pick(self, box: Locator, option: str) -> None:
        """Choose an entry of a short list."""
        self.reach(box)
        self.press("ArrowDown")
        self._choose(option)

    def _choose(self, option: str) -> None:
        # A list that was left may still be closing.
        lists = self.page.locator(OPEN_LIST)
        shown = lists.filter(has=self.page.get_by_title(option, exact=True)).last
        expect(shown.get_by_title(option, exact=True)).to_be_visible()
        active = shown.locator(".ant-select-item-option-active")
        for _ in range(MOST_TABS):
            if active.count() and active.get_attribute("title") == option:
                break
            self.press("ArrowDown")
        else:
            raise AssertionError(f"{option} is not reached by the arrow keys")
        self.press("Enter")
        expect(lists).to_have_count(0)
