"""The worked case of the product document, made by a new user with mouse and keyboard, in either language.

`Hand` counts what the user does, and estimates the time with the keystroke-level model (Card, Moran and
Newell, 1980): pointing 1.1 s, a key or a button 0.2 s, a hand that moves between mouse and keyboard 0.4 s,
and a mental step of 1.35 s before everything that is pointed at or typed. A Chinese character counts as four
keys, since it is typed as its sounds and then chosen. Waiting for the page is not in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Locator, Page, expect

from streamseg.wording.vocabulary import attribute_label, event_label, fixed_vocabulary, property_label
from tests.browser.open_list import OPEN_LIST
from tests.console.test_page_code import CONSOLE

Language = Literal["zh", "en"]

POINT, PRESS, HOME, THINK = 1.1, 0.2, 0.4, 1.35
"""Seconds."""
KEYS_OF_A_CHARACTER = 4

ENTERED: Final = {
    "zh": {
        "name": "案例分群",
        "country": "中国",
        "form": "会员注册",
        "scene": "会员注册二维码",
    },
    "en": {
        "name": "New members from China",
        "country": "中国",
        "form": "会员注册",
        "scene": "会员注册二维码",
    },
}
"""What the user types. The values are those of the contacts' data, in every language of the page."""


class Words:
    """What stands on the page in a language."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self._texts = json.loads((CONSOLE / "src" / "language" / f"{language}.json").read_text("utf-8"))

    def __call__(self, key: str, **given: object) -> str:
        text = self._texts
        for name in key.split("."):
            text = text[name]
        found = str(text)
        for name, value in given.items():
            found = found.replace(f"{{{{{name}}}}}", str(value))
        return found

    def _of(self, label: dict[str, str] | None, name: str) -> str:
        return name if label is None else label[self.language]

    def attribute(self, name: str) -> str:
        return self._of(attribute_label(name), name)

    def event(self, name: str) -> str:
        return self._of(event_label(name), name)

    def property(self, event: str, name: str) -> str:
        return self._of(property_label(event, name), name)

    def kind(self, name: str) -> str:
        (label,) = (one["label"] for one in fixed_vocabulary()["conditions"] if one["kind"] == name)
        return self._of(label, name)

    def operator(self, name: str) -> str:
        (label,) = (one["label"] for one in fixed_vocabulary()["operators"] if one["name"] == name)
        return self._of(label, name)


@dataclass
class Hand:
    """A user's hand. `at_keys` is whether it is at the keyboard now."""

    page: Page
    picture: Callable[[str], None]
    pointings: int = 0
    clicks: int = 0
    keys: int = 0
    homings: int = 0
    thoughts: int = 0
    at_keys: bool = field(default=False)

    @property
    def seconds(self) -> float:
        pressed = PRESS * (self.clicks + self.keys)
        return POINT * self.pointings + pressed + HOME * self.homings + THINK * self.thoughts

    def hover(self, control: Locator) -> None:
        self._point()
        control.hover()

    def click(self, control: Locator) -> None:
        self._point()
        self.clicks += 1
        control.click()

    def type(self, text: str) -> None:
        self._to(keys=True)
        self.thoughts += 1
        self.keys += sum(1 if one.isascii() else KEYS_OF_A_CHARACTER for one in text)
        self.page.keyboard.type(text)

    def fill(self, field_: Locator, text: str) -> None:
        self.click(field_)
        self.type(text)

    def choose(self, box: Locator, typed: str, picture: str | None = None) -> None:
        """Choose an entry of a list that is searched by typing."""
        self.click(box)
        if picture is not None:
            expect(self.page.locator(OPEN_LIST)).to_be_visible()
            self.picture(picture)
        self.type(typed)
        self._take(typed)

    def pick(self, box: Locator, option: str) -> None:
        """Choose an entry of a short list."""
        self.click(box)
        self._take(option)

    def _take(self, option: str) -> None:
        shown = self.page.locator(OPEN_LIST)
        self.click(shown.get_by_title(option, exact=True))
        # The next list may have an entry of the same name.
        expect(shown).to_have_count(0)

    def _point(self) -> None:
        self._to(keys=False)
        self.thoughts += 1
        self.pointings += 1

    def _to(self, *, keys: bool) -> None:
        if keys != self.at_keys:
            self.at_keys = keys
            self.homings += 1


def row(within: Locator, words: Words, name: str, number: int) -> Locator:
    """The row of a condition."""
    return within.get_by_role(
        "group", name=_begin(words, "builder.row", words(f"builder.{name}"), number)
    ).first


def cluster(page: Page, words: Words, number: int) -> Locator:
    return page.get_by_role("region", name=_begin(words, "builder.cluster", "", number))


def _begin(words: Words, key: str, name: str, number: int) -> str:
    """What stands before the number of all rows or clusters."""
    return words(key, name=name, number=number).partition("{{total}}")[0]


def box(within: Locator, words: Words, label: str) -> Locator:
    return within.get_by_role("combobox", name=words(f"builder.{label}"), exact=True).first


def make(page: Page, words: Words, picture: Callable[[str], None]) -> Hand:
    """Make the worked case from the first page on, up to why a contact is in it. `picture` is called with the
    name of each step when the page shows it."""
    hand, entered = Hand(page, picture), ENTERED[words.language]
    value = words("builder.value")
    page.goto("/")
    create = page.get_by_role("button", name=words("segments.create"))
    expect(page.get_by_role("table")).to_be_visible()
    picture("01 the list")
    hand.hover(create)
    standard = page.get_by_role("menuitem", name=words("segments.create_standard"))
    expect(standard).to_be_visible()
    picture("02 what can be made")
    hand.click(standard)
    name = page.get_by_role("textbox", name=words("segments.name"), exact=True)
    expect(name).to_be_visible()
    picture("03 an empty segment")
    hand.fill(name, entered["name"])

    attribute = page.get_by_role("button", name=words.kind("attribute"))
    hand.click(attribute)
    first = cluster(page, words, 1)
    location = row(first, words, "attribute", 1)
    picture("04 the first cluster")
    hand.choose(box(location, words, "attribute"), words.attribute("location"), "05 which attribute")
    hand.fill(location.get_by_label(value, exact=True), entered["country"])
    picture("06 the value")
    hand.click(first.get_by_role("button", name=words.kind("attribute")))
    hand.choose(box(row(first, words, "attribute", 2), words, "attribute"), words.attribute("imported_at"))
    picture("07 the last 7 days")

    hand.click(page.get_by_role("button", name=words.kind("event")).last)
    second = cluster(page, words, 2)
    form = row(second, words, "event", 1)
    hand.choose(box(form, words, "event"), words.event("form_submit"), "08 which event")
    hand.click(form.get_by_role("button", name=words("builder.add_where")))
    tested = row(form, words, "property", 1)
    # What was not filled in yet is not wrong.
    preview = page.get_by_role("complementary", name=words("preview.title"))
    expect(preview).to_contain_text(words("preview.incomplete"))
    hand.choose(box(tested, words, "property"), words.property("form_submit", "form"), "09 which property")
    hand.fill(tested.get_by_label(value, exact=True), entered["form"])
    for number, property_ in ((2, "name"), (3, "email")):
        hand.click(form.get_by_role("button", name=words("builder.add_property")))
        tested = row(form, words, "property", number)
        hand.choose(box(tested, words, "property"), words.property("form_submit", property_))
        hand.pick(box(tested, words, "operator"), words.operator("is_set"))
    picture("10 the form")
    hand.click(second.get_by_role("button", name=words.kind("event")))
    scan = row(second, words, "event", 2)
    hand.choose(box(scan, words, "event"), words.event("wechat_scan"))
    hand.click(scan.get_by_role("button", name=words("builder.add_where")))
    scene = row(scan, words, "property", 1)
    hand.choose(box(scene, words, "property"), words.property("wechat_scan", "scene"))
    hand.fill(scene.get_by_label(value, exact=True), entered["scene"])
    joined = page.get_by_role("radiogroup", name=words("builder.cluster", number=2, total=2))
    hand.click(joined.get_by_text(words("match.or"), exact=True))
    expect(preview.locator(".ant-statistic-content")).to_have_text("4")
    picture("11 who it selects")
    hand.click(page.get_by_role("button", name=words("builder.save"), exact=True))
    expect(page.get_by_role("heading", level=1)).to_have_text(entered["name"])
    expect(page.locator(".status.completed")).to_be_visible()
    picture("12 saved")
    hand.click(page.get_by_role("tab", name=words("segment.contacts")))
    expect(page.get_by_role("link", name="c6", exact=True)).to_be_visible()
    picture("13 its contacts")
    hand.click(page.get_by_role("row").filter(has_text="c6").get_by_role("link", name=words("segment.why")))
    expect(page.locator("main")).to_contain_text(words("explain.member"))
    picture("14 why one is in it")
    return hand


def pictures(page: Page, folder: Path | None, beside: str) -> Callable[[str], None]:
    """Return what takes a picture of a step into a folder; without a folder it takes none."""

    def take(step: str) -> None:
        if folder is not None:
            page.wait_for_load_state("networkidle")
            page.screenshot(path=folder / f"{step} {beside}.png", animations="disabled")

    return take
