"""Pools of names, numbers, texts and times, and the data of updates and events drawn from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
ZONES = (
    *("Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Lord_Howe"),
    "America/Havana",  # one midnight a year comes twice, and one does not come
    "America/Nuuk",  # clocks go back at midnight, so that an hour of the day before comes twice
)
DURATIONS = {"PT1H": HOUR, "P1D": DAY, "P2D": 2 * DAY, "P1W": 7 * DAY}
STARTS = (
    "2026-04-30T16:00:00+00:00",  # midnight in Shanghai
    "2026-03-07T05:00:00+00:00",  # midnight in New York, the day before clocks go forward
    "2026-10-24T23:00:00+00:00",  # midnight in London, hours before clocks go back
    "2026-04-03T13:00:00+00:00",  # midnight on Lord Howe, the day before clocks go back half an hour
    "2026-10-31T04:00:00+00:00",  # midnight in Havana, the day before midnight comes twice
    "2026-10-24T02:00:00+00:00",  # midnight in Nuuk, the day before clocks go back at midnight
    "2026-12-31T15:00:00+00:00",  # the last hours of a year
    "2028-02-27T16:00:00+00:00",  # 28 February of a leap year in Shanghai
    "2027-02-25T16:00:00+00:00",  # three days before 1 March of another year
)
CONTACTS = ("c1", "c2", "联系人")
SEGMENTS = ("s1", "s2", "s3", "s4", "list")
BUILT_IN = ("email-unsubscribed", "global-unsubscribed", "mobile-unsubscribed")
EVENTS = ("buy", "buy_more", "open", "form_submit")
CLOSE_EVENTS = ("buy", "open")
CHANNEL_EVENTS = ("email_unsubscribe", "email_resubscribe", "sms_unsubscribe", "sms_resubscribe")
DERIVED_EVENTS = ("attribute_changed", "tag_added", "tag_removed", "global_unsubscribe")

TEXTS = ("cn", "CN", "cnx", "a.b", "ß", "İ")
WIDE_TEXTS = (
    "ＣＮ",
    "\u3000cn ",
    "c\t n",
    "c n",
    "ﬁ",
    "fi",
    "e\u0301",
    "é",
    " ",
    "\x1ccn",
    "ẞ",
    "ſ",
    "i\u0307",
    "½",
    "é\u0345",
)
NUMBERS = (*(0, 1, 2, 2.0, 2.5, -1, 0.1, 0.2) * 3, 2**53 + 1, 2.0**53, 10**23, 1e23, 1e308, 5e-324)
"""Beyond 2**53 there are floats that are written as another integer than the one they are exactly."""
NUMBER_TEXTS = (
    "2",
    "\u30002 ",
    "+2.00",
    "20e-1",
    "2.",
    ".1",
    "0.10",
    "-1",
    "1e400",
    "1e-400",
    "0e999",
    "1,5",
    "２",
    "",
)
TAGS = ("vip", "trial", "vip2")


def text_of(at_ms: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ms_of(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1000


texts = st.one_of(st.sampled_from(TEXTS), st.sampled_from(TEXTS), st.sampled_from(WIDE_TEXTS))
numbers = st.sampled_from(NUMBERS)
number_texts = st.sampled_from(NUMBER_TEXTS)
durations = st.sampled_from(tuple(DURATIONS))
jitters = st.sampled_from((0, 0, 0, -1, 1))
shifts = st.builds(
    lambda days, rest, jitter: days * DAY + rest + jitter,
    st.sampled_from((-8, -7, -2, -1, 0, 0, 1, 2, 7, 9)),
    st.sampled_from((0, 0, HOUR, 12 * HOUR)),
    jitters,
)


@dataclass(frozen=True)
class Moment:
    """A time as it will be written: so long after the start of its scenario, in one of the notations."""

    after_ms: int
    notation: str

    def written(self, start: int) -> Any:
        at = start + self.after_ms
        match self.notation:
            case "utc":
                return text_of(at)
            case "naive":
                return text_of(at).removesuffix("Z")
            case "date":
                return text_of(at)[:10]
            case "spaced":
                return f"\u3000{text_of(at + 5 * HOUR)[:-1].replace('T', ' ')}12345 +05 "
            case "minute":
                return text_of(at)[:16].replace("T", "t") + "-0030"
        return at


def written(value: Any, start: int) -> Any:
    """The value with every Moment in it written out."""
    if isinstance(value, Moment):
        return value.written(start)
    if isinstance(value, dict):
        return {name: written(item, start) for name, item in value.items()}
    if isinstance(value, list):
        return [written(item, start) for item in value]
    return value


NOTATIONS = ("utc", "utc", "naive", "date", "date", "number", "spaced", "minute")
times = st.builds(Moment, shifts, st.sampled_from(NOTATIONS))
no_times = st.sampled_from(
    (
        "yesterday",
        "2026-02-30",
        "2026-05-01T08",
        "2026-05-01T24:00",
        "2026-05-01T08:00:60Z",
        "2026-05-01T08:00:00,5Z",
        "2026-05-01+08:00",
        "2026/05/01",
        "2026-05-01T08:00+24:00",
        1.5,
        True,
        [],
    )
)
"""What is taken for no timestamp."""
seconds = st.sampled_from((1_777_593_600, 0, -1, 99_999_999_999))
"""Integers that mean seconds in `occurred_at` and `updated_at`, and some day about 1970 elsewhere."""
whole_numbers = st.sampled_from((2, 2.0))
"""Two forms of one number, of which only the first can be a time."""
blanks = st.sampled_from(("", " ", "\u3000\t"))
scalars = st.one_of(
    texts,
    numbers,
    st.sampled_from((None, "", [], {}, True, False, "2")),
    st.sampled_from((["cn", "vip"], ["vip", "vip2"], ["vip"], [2, "cnx"], [True, 1])),
    times,
)
_elements = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={
            "code": st.one_of(texts, scalars),
            "price": st.one_of(numbers, number_texts, scalars),
            "at": times,
            "sub": st.one_of(st.lists(st.one_of(texts, numbers, number_texts), max_size=2), scalars),
        },
    ),
    scalars,
)
elements = st.one_of(
    *[st.lists(_elements, max_size=3)] * 3, _elements, st.lists(st.lists(scalars, max_size=2), max_size=2)
)
answers: st.SearchStrategy[Any] = st.sampled_from(
    (
        *(True, True, True, False, False, False, None, None),
        *(
            0,
            1,
            0.0,
            1.0,
            -0.0,
            2,
            "0",
            "1",
            "false",
            "no",
            "No",
            " NO\u3000",
            "n",
            "off",
            "否 ",
            "不",
            "不订阅",
        ),
        *("true", "Yes", "y", "ON", "是", "订阅", "", "取消订阅", "０", "ｎｏ", "falſe", "ye s", [False], {}),
    )
)
"""What forms and the attribute `subscribed` say, and what they do not."""
properties = st.fixed_dictionaries(
    {},
    optional={
        "form": st.one_of(texts, scalars),
        "amount": st.one_of(numbers, number_texts, scalars),
        "lines": elements,
        "order": st.one_of(st.fixed_dictionaries({"amount": numbers}), scalars),
        "at": st.one_of(times, times, times, no_times, seconds),
        "a.b": scalars,
        "subscribed": answers,
    },
)
attribute_values = {
    "location": st.one_of(texts, texts, st.sampled_from(("", None, 1, ["cn"]))),
    "member_points": st.one_of(numbers, numbers, st.sampled_from((None, "2", True)), blanks),
    "imported_at": st.one_of(times, times, times, st.none(), no_times, seconds, blanks),
    "member_day": st.one_of(times, times, st.sampled_from(("2000-02-29", "1990-03-01", {}))),
    "known_since": st.one_of(st.none(), blanks, times),
    "subscribed": st.sampled_from((True, True, False, False, None, None, "no", 0, "", " ")),
    "level": st.one_of(scalars, texts, number_texts, whole_numbers),
    "cart": elements,
    "address": st.one_of(st.fixed_dictionaries({"city": scalars}), scalars),
}
attributes = st.fixed_dictionaries({}, optional=attribute_values)
