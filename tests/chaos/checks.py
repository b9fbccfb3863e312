"""The rules for a run's topics. Each check yields the violations of its rule."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from schemas.topics import CONTACT_UPDATES
from streamseg.times import parse_timestamp_ms
from tests.chaos.definitions import EMAIL_WINDOW_MS, RECENT_WINDOW_MS, SMS_WINDOW_MS, Birth, Json, Story
from tests.chaos.truth import Expected, Place, Source, Truth

GRACE_MS = 45_000
"""For this time after a static segment was made, a worker may not know it yet."""
_LIST_CODES = ("unknown_reference", "invalid_value")
_MEMBERSHIP_FIELDS = ("sequence", "entered_at")


class Difference(NamedTuple):
    check: str
    subject: str
    detail: str


Found = Iterator[Difference]
Pair = tuple[str, str]


def differences(truth: Truth, expected: Expected, story: Story) -> list[Difference]:
    """Yield every violation, by the topics' content and by the story of the records that were written."""
    births = story.births
    distinct = first_of_each(truth.changes)
    letters = {letter.source: letter for letter in truth.letters}
    undecided = undecided_entries(truth.records, letters, expected, births)
    return [
        *equal_ids_are_equal_changes(truth.changes),
        *numbered_on(distinct, truth.records, story.deleted),
        *memberships_are_the_fold(distinct, truth.memberships),
        *members_as_replayed(distinct, expected.members, truth.definitions, undecided),
        *refused_records_have_letters(truth, expected, births, letters),
        *refused_definitions_have_letters(truth, story.bad),
        *definitions_on_the_topic_are_in_force(expected),
        *suppressions_as_replayed(truth.suppressions, expected.suppressions),
        *due_times_are_exact(distinct, truth.records),
        *catalogue_counts_members(truth, distinct),
    ]


def first_of_each(changes: Iterable[tuple[bytes, Json]]) -> list[Json]:
    """Return the changes as a consumer sees them that drops repeats by their ids."""
    distinct: dict[str, Json] = {}
    for _, change in changes:
        distinct.setdefault(change["change_id"], change)
    return list(distinct.values())


def instant_ms(text: str) -> int:
    return parse_timestamp_ms(text, None)  # type: ignore[arg-type]  # our timestamps always have an offset


# -- checks of the changes alone -----------------------------------------------------------------------------


def equal_ids_are_equal_changes(changes: Iterable[tuple[bytes, Json]]) -> Found:
    seen: dict[str, bytes] = {}
    for raw, change in changes:
        first = seen.setdefault(change["change_id"], raw)
        if first != raw:
            yield Difference("change_id", change["change_id"], f"{first.decode()} and {raw.decode()}")


def erasures(records: Iterable[Source]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for record in records:
        if record.place.topic == CONTACT_UPDATES and b'"deleted":true' in (record.value or b""):
            found[(record.key or b"").decode()].append(record.at_ms)
    return found


def numbered_on(changes: Iterable[Json], records: Iterable[Source], deleted: Iterable[str]) -> Found:
    """Yield sequence numbers that are not 1, 2, 3 … per (segment, contact). Numbers start again at 1 after
    the contact was erased or the segment deleted.

    An erasure counts from its record's time. A deletion has no place in a partition's time: a partition whose
    clock is behind learns of it early.
    """
    erased, deletions = erasures(records), Counter(deleted)
    last: dict[Pair, Json] = {}
    restarts: Counter[Pair] = Counter()
    for change in changes:
        pair = (change["segment_id"], change["contact_id"])
        before = last.get(pair)
        last[pair] = change
        sequence = change["sequence"]
        if (change["change"] == "entered") != (sequence % 2 == 1):
            yield Difference(
                "sequence", str(pair), f"{change['change']} under an even or odd number: {change}"
            )
        number = 0 if before is None else before["sequence"]
        if sequence == number + 1 and not (before and before["reason"]["kind"] == "deletion"):
            continue
        if sequence == 1 and number % 2 == 0:
            restarts[pair] += 1
            by_ms = instant_ms(change["effective_at"])
            erasures_by_then = sum(at_ms <= by_ms for at_ms in erased.get(pair[1], ()))
            if erasures_by_then + deletions[pair[0]] >= restarts[pair]:
                continue
        yield Difference("sequence", str(pair), f"after {before} comes {change}")


def memberships_are_the_fold(changes: Iterable[Json], memberships: Mapping[str, Json]) -> Found:
    folded: dict[str, Json] = {}
    for change in changes:
        key = f"{change['segment_id']}|{change['contact_id']}"
        if change["change"] == "entered":
            folded[key] = {"sequence": change["sequence"], "entered_at": change["effective_at"]}
        else:
            folded.pop(key, None)
    for key in sorted(folded.keys() | memberships.keys()):
        said, kept = folded.get(key), memberships.get(key)
        kept = None if kept is None else {name: kept.get(name) for name in _MEMBERSHIP_FIELDS}
        if said != kept:
            yield Difference("segment-memberships", key, f"the changes say {said}, the topic {kept}")


def members(changes: Iterable[Json]) -> set[Pair]:
    """Return (segment, contact) of each current membership."""
    last = {(change["segment_id"], change["contact_id"]): change["change"] for change in changes}
    return {pair for pair, change in last.items() if change == "entered"}


# -- comparisons with a replay ------------------------------------------------------------------------------


def undecided_entries(
    records: Iterable[Source],
    letters: Mapping[Place, Any],
    expected: Expected,
    births: Iterable[Birth],
) -> set[Pair]:
    """Return (static segment, contact) of entries that a worker read before it knew the segment. Definitions
    and input are two topics, and their order of reading is not fixed. A dead letter proves that the entry was
    refused."""
    made = _made(births)
    undecided = set()
    for record in records:
        if record.place in letters and record.place not in expected.refused:
            for segment_id in _entries(record):
                if _just_made(made.get(segment_id, ()), record.at_ms):
                    undecided.add((segment_id, (record.key or b"").decode()))
    return undecided


def members_as_replayed(
    changes: Iterable[Json],
    wanted: Iterable[Pair],
    definitions: Mapping[str, Json],
    undecided: set[Pair],
) -> Found:
    wanted, found = set(wanted) - undecided, members(changes) - undecided
    for segment_id, contact_id in sorted(wanted ^ found):
        definition = definitions.get(segment_id)
        kind = definition["type"] if definition else "built-in or deleted"
        missing = (segment_id, contact_id) in wanted
        yield Difference(
            "members",
            f"{segment_id}|{contact_id}",
            f"{'missing' if missing else 'too many'} ({kind}); {'a' if missing else 'no'} member by a replay",
        )


def refused_records_have_letters(
    truth: Truth, expected: Expected, births: Iterable[Birth], letters: Mapping[Place, Any]
) -> Found:
    made = _made(births)
    for record in truth.records:
        place = record.place
        code = expected.refused.get(place)
        letter = letters.get(place)
        if letter is None:
            if code is not None:
                yield Difference(
                    "dead-letters", str(place), f"refused ({code}), but not there: {record.value!r}"
                )
            continue
        if (letter.key, letter.value) != (record.key, record.value):
            yield Difference("dead-letters", str(place), f"holds other bytes: {letter} of {record}")
        if code == letter.code:
            continue
        early = any(_just_made(made.get(segment_id, ()), record.at_ms) for segment_id in _entries(record))
        if not (code is None and early and letter.code in _LIST_CODES):
            yield Difference(
                "dead-letters", str(place), f"{letter.code}, but {code} by a replay: {record.value!r}"
            )


def refused_definitions_have_letters(truth: Truth, bad: Iterable[str]) -> Found:
    told = {letter.key for letter in truth.letters if letter.source.topic == "segment-definitions"}
    wanted = {segment_id.encode() for segment_id in bad}
    for key in sorted(wanted - told):
        yield Difference("dead-letters", key.decode(), "a refused definition, but not there")
    for key in sorted(one or b"" for one in told - wanted):
        yield Difference("dead-letters", key.decode(), "a definition was refused that is right")
    for key in sorted(wanted & {one.encode() for one in truth.definitions}):
        yield Difference("segment-definitions", key.decode(), "a refused definition stands on the topic")


def definitions_on_the_topic_are_in_force(expected: Expected) -> Found:
    for segment_id in sorted(expected.definitions):
        yield Difference("segment-definitions", segment_id, "stands on the topic, but a replay refuses it")


def suppressions_as_replayed(found: Iterable[str], wanted: Iterable[Pair]) -> Found:
    keys = {f"{contact_id}|{channel}" for contact_id, channel in wanted}
    for key in sorted(keys ^ set(found)):
        yield Difference("channel-suppressions", key, "missing" if key in keys else "too many")


# -- exact times and counts ----------------------------------------------------------------------------------


def due_times_are_exact(changes: Iterable[Json], records: Iterable[Source]) -> Found:
    """Yield changes by time alone whose `effective_at` is not exactly the due time."""
    occurred = _occurrences(records, {"scan", "email_unsubscribe", "sms_unsubscribe"})
    for change in changes:
        contact_id, kind, at_ms = (
            change["contact_id"],
            change["reason"]["kind"],
            instant_ms(change["effective_at"]),
        )
        segment_id = change["segment_id"]
        if segment_id == "recent" and kind == "time":
            right = at_ms - RECENT_WINDOW_MS in occurred[contact_id, "scan"]
        elif kind != "unsubscribe_window":
            continue
        elif segment_id == "email-unsubscribed":
            right = at_ms - EMAIL_WINDOW_MS in occurred[contact_id, "email_unsubscribe"]
        else:
            right = at_ms % SMS_WINDOW_MS == 0 and any(
                at_ms - SMS_WINDOW_MS <= one < at_ms for one in occurred[contact_id, "sms_unsubscribe"]
            )
        if not right:
            yield Difference("due", f"{segment_id}|{contact_id}", f"nothing is due then: {change}")


def _occurrences(records: Iterable[Source], names: set[str]) -> dict[Pair, set[int]]:
    found: dict[Pair, set[int]] = defaultdict(set)
    for record in records:
        if not any(f'"{name}"'.encode() in (record.value or b"") for name in names):
            continue
        try:
            event = orjson.loads(record.value or b"")
            occurred_ms = parse_timestamp_ms(event["occurred_at"], None)  # type: ignore[arg-type]
        except (ValueError, KeyError):
            continue
        if event["event"] in names:
            found[event["contact_id"], event["event"]].add(min(occurred_ms, record.at_ms))
    return found


def catalogue_counts_members(truth: Truth, changes: Iterable[Json]) -> Found:
    counts = Counter(segment_id for segment_id, _ in members(changes))
    for segment_id in truth.definitions:
        row = truth.catalogue.get(segment_id)
        said = None if row is None else (row["status"], row["contacts"])
        if said != ("completed", counts[segment_id]):
            yield Difference(
                "segment-catalog", segment_id, f"says {said}, the changes say {counts[segment_id]} members"
            )
    for key in truth.catalogue:
        if (
            truth.catalogue[key].get("type") in ("standard", "advanced", "static")
            and key not in truth.definitions
        ):
            yield Difference("segment-catalog", key, "a row of a segment that is not defined")


def _made(births: Iterable[Birth]) -> dict[str, list[int]]:
    made: dict[str, list[int]] = defaultdict(list)
    for birth in births:
        if not birth.deleted:
            made[birth.segment_id].append(birth.at_ms)
    return made


def _just_made(made: Iterable[int], at_ms: int) -> bool:
    return any(one_ms <= at_ms <= one_ms + GRACE_MS for one_ms in made)


def _entries(record: Source) -> list[str]:
    """Yield the static segments into which an update puts its contact or from which it takes the contact."""
    if b'"lists"' not in (record.value or b""):
        return []
    try:
        lists = orjson.loads(record.value or b"").get("lists") or {}
    except ValueError:
        return []
    return [*lists.get("add", ()), *lists.get("remove", ())]
