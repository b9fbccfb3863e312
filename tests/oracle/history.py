"""Everything one contact ever did, kept for good, with the order in which it was accepted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.oracle.instants import BLANKS
from tests.oracle.operators import identity, is_number

NO_WORDS = ["false", "no", "n", "off", "0", "否", "不", "不订阅"]
APART = ("contact_id", "tags", "known_since")
"""Attributes that are no statements of their own."""
YES_WORDS = ["true", "yes", "y", "on", "1", "是", "订阅"]


@dataclass(frozen=True)
class Occurrence:
    """A behaviour event: `index` counts acceptances over all contacts, `at` is the (clamped) occurred_at."""

    index: int
    event_id: str
    name: str
    at: int
    properties: dict[str, Any]
    record_at: int
    derived: bool = False
    from_form: bool = False


@dataclass(frozen=True)
class Statement:
    """A value said of an attribute, a tag list or a list membership, and accepted.

    `real` is whether it changed anything: a value that was there already, or a null where there was
    none, is not a real change."""

    index: int
    value: Any
    at: int
    real: bool = True


@dataclass(frozen=True)
class Answer:
    """Something that was said about being written to on a channel, or (`global`) at all."""

    channel: str
    leaves: bool
    at: int
    by_attribute: bool = False


@dataclass
class History:
    """One contact. `erased_at` is the latest instant at which it was erased, the rest begins after it.

    `answers` may be older: those later than `answers_since` (None: all) count. `last_answer` is the last true
    or false that was accepted of the attribute `subscribed`."""

    contact_id: str
    erased_at: int | None = None
    answers: list[Answer] = field(default_factory=list)
    answers_since: int | None = None
    last_answer: bool | None = None
    record_times: list[int] = field(default_factory=list)
    attributes: dict[str, list[Statement]] = field(default_factory=dict)
    tags: list[Statement] = field(default_factory=list)
    lists: dict[Any, Statement] = field(default_factory=dict)
    events: list[Occurrence] = field(default_factory=list)

    @property
    def known(self) -> bool:
        return bool(self.record_times)

    @property
    def known_since(self) -> int:
        return min(self.record_times)

    def latest(self, name: str) -> Any:
        said = self.attributes.get(name)
        return said[-1].value if said else None

    def root(self) -> dict[str, Any]:
        """The latest attributes as one object, for dotted paths."""
        values = {name: said[-1].value for name, said in self.attributes.items()}
        if self.tags:
            values["tags"] = self.tags[-1].value
        if self.known:
            values["known_since"] = self.known_since
        return {**values, "contact_id": self.contact_id}

    def kept(self, now: int, retention: int, cap: int) -> list[Occurrence]:
        """The events that retention and the cap leave, oldest first."""
        ordered = sorted(self.events, key=lambda event: (event.at, event.event_id))
        return [event for event in ordered[-cap:] if event.at > now - retention]

    def apply_update(
        self,
        attributes: dict[str, Any],
        tags: dict[str, list[str]],
        lists: list[Any],
        at: int,
        record_at: int,
        index: int,
    ) -> None:
        """Merge an accepted update stated at `at`, and note the events that derive from real changes. `lists`
        are the keys of the lists that it also changes."""
        if self.erased_at is not None and at < self.erased_at:
            return
        stands = [not self._newer(self.attributes.get(name), at) for name in attributes if name not in APART]
        if "tags" in attributes or any(tags.values()) or "set" in tags:
            stands.append(not self._newer(self.tags, at))
        stands += [not self._newer([self.lists[key]] if key in self.lists else [], at) for key in lists]
        if not stands or any(stands):
            self.record_times.append(record_at)
        for name, value in attributes.items():
            if name not in APART:
                self._set_attribute(name, value, at, record_at, index)
        if "tags" in attributes:
            tags = {"set": attributes["tags"] or [], **tags}
        self._change_tags(tags, at, record_at, index)

    def change_list(self, list_key: Any, member: bool, at: int, index: int) -> None:
        """Put the contact in a static list or take it out, unless something newer was said."""
        if self.erased_at is not None and at < self.erased_at:
            return
        said = self.lists.get(list_key)
        if said is None or said.at <= at:
            self.lists[list_key] = Statement(index, member, at)

    def add_event(self, event: Occurrence) -> None:
        self.events.append(event)
        self.record_times.append(event.record_at)
        self.hear(event)
        answer = said_by(event)
        if event.name == "form_submit" and answer is not None and answer.leaves:
            self.events.append(
                Occurrence(
                    event.index,
                    f"{event.index}.global",
                    "global_unsubscribe",
                    event.at,
                    {},
                    event.record_at,
                    derived=True,
                    from_form=True,
                )
            )

    def hear(self, event: Occurrence) -> None:
        """Note what an event says about being written to."""
        answer = said_by(event)
        if answer is not None:
            self.answers.append(answer)

    def erase(self, at: int, survivors: list[Occurrence], keep_suppressions: bool) -> History:
        """The contact after its erasure: behaviour events later than it are still there, and what derives
        from them; and what was said about being written to, if that is to be kept."""
        erased_at = at if self.erased_at is None else max(at, self.erased_at)
        events = [event for event in survivors if event.at > at and (not event.derived or event.from_form)]
        times = [event.record_at for event in events if not event.derived]
        if keep_suppressions:
            answers, since = self.answers, self.answers_since
        else:
            answers = [answer for answer in self.answers if answer.at > erased_at and not answer.by_attribute]
            since = erased_at
        return History(
            self.contact_id,
            erased_at,
            answers=answers,
            answers_since=since,
            record_times=times,
            events=events if times else [],
        )

    def _set_attribute(self, name: str, value: Any, at: int, record_at: int, index: int) -> None:
        said = self.attributes.setdefault(name, [])
        if said and said[-1].at > at:
            return
        if name == "subscribed" and value is not None:
            # An answer that was never given counts as true.
            was = True if self.last_answer is None else self.last_answer
            self.last_answer = value
            if was != value:
                self.answers.append(Answer("global", leaves=not value, at=at, by_attribute=True))
            if was and not value:
                self._derive("global_unsubscribe", {}, f"{index}.global", at, record_at, index)
        old = said[-1].value if said else None
        if identity(old) == identity(value):
            said.append(Statement(index, value, at, real=False))
            return
        said.append(Statement(index, value, at))
        changed = {"attribute": name, "old": old, "new": value}
        self._derive("attribute_changed", changed, f"{index}.{name}", at, record_at, index)

    @staticmethod
    def _newer(said: list[Statement] | None, at: int) -> bool:
        """Whether something later than `at` was said."""
        return said is not None and len(said) > 0 and said[-1].at > at

    def _change_tags(self, change: dict[str, Any], at: int, record_at: int, index: int) -> None:
        says_nothing = "set" not in change and not any(change.values())
        if says_nothing or self._newer(self.tags, at):
            return
        old: list[str] = self.tags[-1].value if self.tags else []
        new = list(dict.fromkeys([*change.get("set", old), *change.get("add", [])]))
        new = [tag for tag in new if tag not in change.get("remove", [])]
        self.tags.append(Statement(index, new, at, real=set(new) != set(old)))
        for name, tags in (
            ("tag_added", [tag for tag in new if tag not in old]),
            ("tag_removed", [tag for tag in old if tag not in new]),
        ):
            for tag in tags:
                self._derive(name, {"tag": tag}, f"{index}.{name}.{tag}", at, record_at, index)

    def _derive(
        self, name: str, properties: dict[str, Any], event_id: str, at: int, record_at: int, index: int
    ) -> None:
        self.events.append(Occurrence(index, event_id, name, at, properties, record_at, derived=True))


def said_by(event: Occurrence) -> Answer | None:
    """What a behaviour event says about being written to, None where it says nothing."""
    for channel in ("email", "sms"):
        if event.name in (f"{channel}_unsubscribe", f"{channel}_resubscribe"):
            return Answer(channel, event.name.endswith("_unsubscribe"), event.at)
    if event.name != "form_submit" or "subscribed" not in event.properties:
        return None
    value = event.properties["subscribed"]
    if isinstance(value, str):
        word = value.strip(BLANKS).casefold()
        no, yes = word in NO_WORDS, word in YES_WORDS
    else:
        no = value is False or (is_number(value) and value == 0)
        yes = value is True or (is_number(value) and value == 1)
    return Answer("global", no, event.at) if no or yes else None
