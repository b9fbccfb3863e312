"""`streamseg verify`: compare the stored state with what attributes and history give."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Protocol

import typer

from agents.kafka.memberships_reader import Membership, MembershipsReader
from streamseg.cli import words
from streamseg.cli.display import plain_table
from streamseg.cli.session import Session, connected
from streamseg.json_text import Json
from streamseg.settings import Settings

PAGE = 200
_LOOKS = 5
_BETWEEN_LOOKS_SECONDS = 1.0


class TopicMemberships(Protocol):
    """The memberships on the topic, by record key, at the position up to which it was read."""

    @property
    def memberships(self) -> Mapping[bytes, Membership]: ...

    def read_on(self) -> None:
        """Read up to the end that the topic has now."""


class Comparison:
    """One run: the memberships in the workers' state, page by page, compared with those on the topic."""

    def __init__(self, session: Session, contacts: Sequence[str], segments: Sequence[str]) -> None:
        self._session = session
        self._contacts = list(contacts)
        self._segments = list(segments) or None
        self.contacts = 0
        self.differences: list[Json] = []
        self._memberships: dict[bytes, Membership] = {}

    @property
    def memberships(self) -> int:
        """The number of memberships found."""
        return len(self._memberships)

    def compare_state(self) -> None:
        """Compare all contacts, or those that were named."""
        if self._contacts:
            for start in range(0, len(self._contacts), PAGE):
                self._note(self._ask(contacts=self._contacts[start : start + PAGE]))
            return
        number, partitions = 0, 1
        while number < partitions:
            partitions = self._compare_partition(number)
            number += 1

    def _compare_partition(self, number: int) -> int:
        """Compare a partition's contacts. Return the number of partitions."""
        after: str | None = None
        first: Json | None = None
        members: Counter[str] = Counter()
        while True:
            page = self._ask(partition=number, after=after, limit=PAGE)
            first = first or page
            members.update(self._note(page))
            after = page["next_cursor"]
            if after is None:
                break
        if page["changes"] == first["changes_before"]:
            # No contact entered or exited meanwhile, so the numbers must agree.
            self.differences += _count_differences(members, page["member_counts"], self._segments)
        partitions: int = page["partitions"]
        return partitions

    def _ask(self, **wanted: Any) -> Json:
        body = {**wanted, "segments": self._segments, "memberships": True}
        page: Json = self._session.api.post(
            "verify", body={name: value for name, value in body.items() if value is not None}
        )
        return page

    def _note(self, page: Json) -> Iterator[str]:
        """Add a page to the results. Return the segments of its memberships."""
        self.contacts += page["contacts"]
        self.differences += page["differences"]
        found = [Membership(**membership) for membership in page["memberships"]]
        self._memberships.update((membership.key, membership) for membership in found)
        return (membership.segment_id for membership in found)

    def compare_topic(self, reader: TopicMemberships, pause: Callable[[], None]) -> None:
        """Compare the memberships with those on the topic. Both continue to change, so each difference is
        looked at again a few times, after a `pause`. Only a difference that remains is reported."""
        reader.read_on()
        suspects = [key for key in self._keys(reader) if self._differs(reader, key)]
        for _ in range(_LOOKS - 1):
            if not suspects:
                return
            pause()
            self._look_again(reader, suspects)
            reader.read_on()
            # What was equal at the first look and differs now has changed since.
            suspects = [key for key in suspects if self._differs(reader, key)]
        for key in suspects:
            kept, on_topic = self._memberships.get(key), reader.memberships.get(key)
            one = kept or on_topic
            if one is not None:
                self.differences.append(
                    {
                        "kept": "topic",
                        "contact_id": one.contact_id,
                        "segment_id": one.segment_id,
                        "found": _described(on_topic),
                        "expected": _described(kept),
                    }
                )

    def _keys(self, reader: TopicMemberships) -> Iterator[bytes]:
        yield from self._memberships
        yield from (key for key, one in reader.memberships.items() if self._is_wanted(one))

    def _is_wanted(self, membership: Membership) -> bool:
        return (not self._contacts or membership.contact_id in self._contacts) and (
            self._segments is None or membership.segment_id in self._segments
        )

    def _differs(self, reader: TopicMemberships, key: bytes) -> bool:
        return self._memberships.get(key) != reader.memberships.get(key)

    def _look_again(self, reader: TopicMemberships, suspects: Sequence[bytes]) -> None:
        doubtful = [self._memberships.get(key) or reader.memberships[key] for key in suspects]
        contact_ids = sorted({one.contact_id for one in doubtful})
        for key in suspects:
            self._memberships.pop(key, None)
        for start in range(0, len(contact_ids), PAGE):
            page = self._ask(contacts=contact_ids[start : start + PAGE])
            found = [Membership(**membership) for membership in page["memberships"]]
            self._memberships.update((one.key, one) for one in found)


def _count_differences(
    members: Counter[str], counts: dict[str, int], segments: Sequence[str] | None
) -> Iterator[Json]:
    for segment_id in sorted(members.keys() | counts.keys()):
        found, expected = counts.get(segment_id, 0), members[segment_id]
        if found != expected and (segments is None or segment_id in segments):
            yield {
                "kept": "count",
                "contact_id": None,
                "segment_id": segment_id,
                "found": f"{found} members",
                "expected": f"{expected} members",
            }


def _described(membership: Membership | None) -> str:
    return "no member" if membership is None else f"sequence {membership.sequence} at {membership.entered_at}"


def verify(
    session: Session,
    contact: Annotated[
        list[str] | None,
        typer.Option("--contact", metavar="ID", help="Only this contact; may be given several times."),
    ] = None,
    segment: Annotated[
        list[str] | None,
        typer.Option("--segment", metavar="ID", help="Only this segment; may be given several times."),
    ] = None,
    no_topic: Annotated[
        bool,
        typer.Option("--no-topic", help="Do not read the topic segment-memberships; needs no Kafka then."),
    ] = False,
) -> None:
    """Compare the workers' state with what attributes and history give; change nothing.

    Compares memberships, conditions, due times, kept membership changes, the index and the number of members,
    and the topic segment-memberships. Input may continue meanwhile. It needs a token with the role admin.
    `streamseg segments recount` corrects a difference.

    The exit status is 0 if nothing differs and 1 if something does.

    Example: streamseg verify --segment cn-members
    """
    comparison = Comparison(session, contact or (), segment or ())
    if no_topic:
        comparison.compare_state()
    else:
        with MembershipsReader(Settings.read()) as reader:
            comparison.compare_state()
            comparison.compare_topic(reader, lambda: time.sleep(_BETWEEN_LOOKS_SECONDS))
    _show(session, comparison)
    if comparison.differences:
        raise typer.Exit(1)


def _show(session: Session, comparison: Comparison) -> None:
    if session.as_json:
        session.print_json(
            {
                "contacts": comparison.contacts,
                "memberships": comparison.memberships,
                "differences": comparison.differences,
            }
        )
        return
    if comparison.differences:
        headings = (words.KEPT, words.CONTACT_ID, words.SEGMENT_ID, words.FOUND, words.EXPECTED)
        table = plain_table(*(session.word(heading) for heading in headings))
        for one in comparison.differences:
            table.add_row(
                session.word(words.KEPT_KINDS[one["kept"]]),
                one["contact_id"] or "",
                one["segment_id"] or "",
                one["found"],
                one["expected"],
            )
        session.out.print(table)
    session.say(
        words.VERIFIED,
        contacts=f"{comparison.contacts:,}",
        memberships=f"{comparison.memberships:,}",
        differences=f"{len(comparison.differences):,}",
    )


command = connected(verify)
