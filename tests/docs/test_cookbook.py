"""The cookbook's timelines, replayed: the page says when the contact enters and leaves."""

from __future__ import annotations

from typing import Any

import pytest

from tests.docs.pages import below, section
from tests.docs.timelines import attributes, clock_text, event, replayed, tags, update

PAGE = "segment-language.md"
RECIPES = below(PAGE, "Cookbook")[1:]
CUSTOMERS = section(PAGE, "Standard segments (标准分群)").json[0]

Lines = list[dict[str, Any]]

HAPPENINGS: dict[str, Lines] = {
    "birthday-next-week": [attributes("2026-06-01 12:00", birthday="1990-06-15")],
    "no-purchase-90d": [
        attributes("2026-01-01 09:00", name="李雷"),
        event("2026-01-10 10:00", "purchase"),
    ],
    "lapsed-customers": [
        attributes("2026-01-01 09:00", name="李雷"),
        event("2026-01-10 10:00", "purchase"),
        event("2026-05-01 12:00", "purchase"),
    ],
    "three-clicks-an-hour": [
        event("2026-05-01 10:00", "email_click"),
        event("2026-05-01 10:20", "email_click"),
        event("2026-05-01 10:50", "email_click"),
        event("2026-05-01 11:15", "email_click"),
    ],
    "spent-1000-in-30d": [
        event("2026-05-01 10:00", "purchase", amount=600),
        event("2026-05-11 10:00", "purchase", amount=400),
        event("2026-05-12 10:00", "purchase", amount=0.5),
    ],
    "abandoned-form": [
        event("2026-05-01 10:00", "form_open", form="报名"),
        event("2026-05-03 09:00", "form_submit", form="报名"),
        event("2026-06-01 10:00", "form_open", form="报名"),
        event("2026-06-01 10:05", "form_submit", form="报名"),
    ],
    "first-purchase-last-month": [
        event("2026-04-20 15:00", "purchase"),
        event("2026-05-10 15:00", "purchase"),
    ],
    "cn-members": [
        attributes("2026-05-01 08:00", location="中国", imported_at="2026-05-01T08:00:00"),
        event("2026-05-01 09:00", "form_submit", form="会员注册", name="李雷", email=""),
        event("2026-05-02 09:00", "form_submit", form="会员注册", name="李雷", email="a@b.cn"),
        attributes("2026-05-03 09:00", location="英国"),
        attributes("2026-05-04 09:00", location="中国"),
        attributes("2026-06-01 08:00", imported_at="2026-06-01T08:00:00"),
    ],
    "vip-for-a-week": [
        tags("2026-05-01 10:00", add=["vip"]),
        tags("2026-05-03 10:00", add=["gold"]),
        tags("2026-05-10 10:00", remove=["vip"]),
        tags("2026-05-11 10:00", add=["vip"]),
    ],
    "all-but-holdout": [attributes("2026-05-01 10:00", name="李雷")],
    "clicks-in-working-hours": [
        event(at, "email_click", clicked_at=at.replace(" ", "T") + ":00")
        for at in (
            "2026-05-04 09:00",
            "2026-05-05 17:59",
            "2026-05-06 18:00",
            "2026-05-09 10:00",
            "2026-05-11 10:00",
        )
    ],
    "bought-k7-over-100": [
        event("2026-05-01 10:00", "order", lines=[{"code": "K7", "price": 90}, {"code": "K9", "price": 200}]),
        event("2026-05-02 10:00", "order", lines=[{"code": "K7", "price": 100}]),
        event("2026-05-03 10:00", "order", lines=[{"code": "K9", "price": 8}, {"code": "K7", "price": 120}]),
    ],
    "over-18": [
        attributes("2026-02-01 12:00", birthday="2008-02-29"),
        attributes("2026-03-10 12:00", birthday="2009-02-28"),
    ],
    "bought-this-week": [event("2026-05-09 23:00", "purchase"), event("2026-05-10 09:00", "purchase")],
    "shoes-over-1000": [
        event(at, "order", lines=[{"category": category, "price": price} for category, price in lines])
        for at, lines in (
            ("2026-05-01 10:00", [("shoes", "999.90"), ("hats", "500")]),
            ("2026-05-02 10:00", [("shoes", " 0.10 ")]),
            ("2026-05-03 10:00", [("shoes", "0.01")]),
            ("2026-05-04 10:00", [("shoes", "-100")]),
        )
    ],
    "open-click-buy": [
        event("2026-05-01 10:00", "email_open"),
        event("2026-05-01 10:50", "email_click"),
        event("2026-05-01 12:00", "purchase"),
        event("2026-05-02 10:00", "email_open"),
        event("2026-05-02 11:00", "email_click"),
        event("2026-05-02 11:40", "purchase"),
    ],
    "vip-however-written": [
        tags("2026-05-01 10:00", add=["ＶＩＰ"]),
        tags("2026-05-02 10:00", add=["Vip"]),
        tags("2026-05-03 10:00", remove=["ＶＩＰ"]),
        tags("2026-05-04 10:00", remove=["Vip"]),
    ],
    "prospects-cn": [
        attributes("2026-05-01 09:00", location="中国"),
        event("2026-05-03 10:00", "purchase"),
    ],
    "mailing": [
        attributes("2026-05-01 09:00", email="a@b.cn"),
        event("2026-05-02 15:00", "email_unsubscribe"),
        event("2026-05-04 09:00", "email_resubscribe"),
        attributes("2026-05-05 09:00", subscribed=False),
    ],
}


@pytest.mark.parametrize("recipe", RECIPES, ids=[one.title for one in RECIPES])
def test_the_contact_enters_and_leaves_when_the_page_says(recipe: Any) -> None:
    (definition,) = recipe.json
    segment_id = definition["segment_id"]
    claimed = [(at, change) for at, _, change in recipe.rows if change]
    until = recipe.rows[-1][0]
    assert replayed([CUSTOMERS, definition, *HAPPENINGS[segment_id]], until).of(segment_id) == claimed


@pytest.mark.parametrize("recipe", RECIPES, ids=[one.title for one in RECIPES])
def test_the_timeline_shows_every_record(recipe: Any) -> None:
    (definition,) = recipe.json
    shown = {at for at, _, _ in recipe.rows}
    outcome = replayed(HAPPENINGS[definition["segment_id"]])
    assert outcome.dead_letters == []
    for line in HAPPENINGS[definition["segment_id"]]:
        assert clock_text(line["timestamp"]) in shown


def definition(title: str) -> dict[str, Any]:
    found: dict[str, Any] = section(PAGE, title).json[0]
    return found


def test_a_birthday_known_late_enters_at_once_and_a_changed_one_leaves() -> None:
    lines = [
        definition("Birthday next week"),
        attributes("2026-06-12 12:00", birthday="1990-06-15"),
        attributes("2026-06-13 12:00", birthday="1990-08-15"),
    ]
    assert replayed(lines).of("birthday-next-week") == [
        ("2026-06-12 12:00", "enters"),
        ("2026-06-13 12:00", "leaves"),
    ]


def test_two_clicks_an_hour_apart_are_not_within_an_hour() -> None:
    lines = [
        definition("Third click within an hour"),
        event("2026-05-01 10:00", "email_click"),
        event("2026-05-01 10:30", "email_click"),
        event("2026-05-01 11:00", "email_click"),
    ]
    assert replayed(lines, "2026-05-02 00:00").of("three-clicks-an-hour") == []


def test_a_refund_takes_the_sum_down() -> None:
    lines = [
        definition("Spent over 1,000 in 30 days"),
        event("2026-05-01 10:00", "purchase", amount=1000.01),
        event("2026-05-02 10:00", "purchase", amount=-0.01),
    ]
    assert replayed(lines).of("spent-1000-in-30d") == [
        ("2026-05-01 10:00", "enters"),
        ("2026-05-02 10:00", "leaves"),
    ]


def test_a_submission_at_the_last_instant_of_the_day_counts() -> None:
    lines = [
        definition("Abandoned form"),
        event("2026-05-01 10:00", "form_open", form="报名"),
        event("2026-05-02 10:01", "form_submit", occurred="2026-05-02 10:00", form="报名"),
    ]
    assert replayed(lines, "2026-06-01 00:00").of("abandoned-form") == [
        ("2026-05-02 10:00", "enters"),
        ("2026-05-02 10:01", "leaves"),
    ]


def test_an_earlier_first_purchase_that_arrives_late_takes_out() -> None:
    lines = [
        definition("First purchase last month"),
        event("2026-04-20 15:00", "purchase"),
        event("2026-05-20 15:00", "purchase", occurred="2026-03-20 15:00"),
    ]
    assert replayed(lines, "2026-07-01 00:00").of("first-purchase-last-month") == [
        ("2026-05-01 00:00", "enters"),
        ("2026-05-20 15:00", "leaves"),
    ]


def test_the_scan_does_as_well_as_the_form_and_may_be_older_than_the_import() -> None:
    lines = [
        definition("New members from China"),
        event("2026-04-01 08:00", "wechat_scan", scene="会员注册二维码"),
        attributes("2026-05-01 08:00", location="中国", imported_at="2026-05-01T07:00:00"),
    ]
    assert replayed(lines, "2026-07-01 00:00").of("cn-members") == [
        ("2026-05-01 08:00", "enters"),
        ("2026-05-08 07:00", "leaves"),
    ]


def test_the_contact_that_is_drawn_never_enters() -> None:
    lines = [definition("All but a random tenth"), update("2026-05-01 10:00", contact_id="c2")]
    assert replayed(lines).of("all-but-holdout") == []


def test_a_customer_is_no_prospect() -> None:
    lines = [
        CUSTOMERS,
        definition("Not in another segment"),
        event("2026-05-01 09:00", "purchase"),
        attributes("2026-05-03 10:00", location="中国"),
    ]
    assert replayed(lines).of("prospects-cn") == []
