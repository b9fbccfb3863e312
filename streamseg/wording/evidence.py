"""The evidence that decides a condition, in words: the `reached`, `left_out` and `read` of an explanation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from streamseg.catalogue.labels import Language
from streamseg.json_text import Json
from streamseg.wording import evidence_terms, terms
from streamseg.wording.bodies import property_words, step_words
from streamseg.wording.tokens import filled, value, word

Instant = Callable[[str], str]


def notes(one: Json, language: Language, instant: Instant = str) -> list[str]:
    """Return notes for a condition of an explanation: what it reached, what was left out and why, and how its
    value was read. `instant` formats times."""
    evidence = _Evidence(one, language, instant)
    return [*evidence.read(), *evidence.held(), *evidence.reached(), *evidence.left_out()]


class _Evidence:
    def __init__(self, one: Json, language: Language, instant: Instant) -> None:
        self._one = one
        self._condition: Json = one["condition"] or {}
        self._language = language
        self._instant = instant

    def read(self) -> Iterator[str]:
        read = self._one.get("read")
        if read is None:
            return
        if "why" in read:
            text = evidence_terms.NOT_READ[read["why"]].of(self._language)
            yield self._in_text(text) if "perhaps" in read else text
        elif "time" in read:
            label = (
                evidence_terms.READ_PERHAPS_SECONDS
                if "perhaps" in read
                else evidence_terms.READ_TIME[read["from"]]
            )
            yield filled(label, self._language, time=self._instant(read["time"]))
        else:
            yield filled(evidence_terms.READ_NUMBER, self._language, number=read["number"])

    def _in_text(self, text: str) -> str:
        return filled(evidence_terms.NUMBER_IN_TEXT, self._language, text=text)

    def _why(self, one: Json, where: str) -> str:
        """Return why an occurrence does not count. `where` is the field with the tests that it may have
        failed."""
        why = evidence_terms.LEFT_OUT_WHY[one["why"]].of(self._language)
        failed = one.get("failed", one.get("latest", {}).get("failed"))
        conditions = self._condition.get(where, {}).get("conditions", [])
        if failed and conditions:
            tests = [property_words(conditions[index], self._language) for index in failed]
            return filled(
                evidence_terms.FAILED, self._language, tests=terms.SEPARATOR.of(self._language).join(tests)
            )
        return self._in_text(why) if "perhaps" in one.get("latest", {}) else why

    def held(self) -> Iterator[str]:
        """Yield the time since which a test with `held` has been true."""
        if self._one.get("held_since") is not None:
            at = self._instant(self._one["held_since"])
            yield filled(evidence_terms.HELD_SINCE, self._language, at=at)

    def reached(self) -> Iterator[str]:
        reached = self._one.get("reached")
        if reached is None:
            return
        kind = reached["what"]
        if kind == "steps":
            yield from self._steps(reached)
        elif kind == "selected":
            yield self._selected(reached)
        elif kind == "count":
            count = self._condition.get("count", {"operator": "ge", "value": 1})
            missing = _missing(count["operator"], count["value"], reached["value"])
            label = evidence_terms.COUNT_REACHED if missing is None else evidence_terms.COUNT_MISSING
            yield filled(label, self._language, value=reached["value"], missing=missing)
        else:
            yield self._figure(kind, reached["value"])

    def _figure(self, function: str, figure: float | None) -> str:
        name = terms.FUNCTIONS[function].of(self._language)
        if figure is None:
            return filled(evidence_terms.FIGURE_NONE, self._language, function=name)
        aggregate = self._condition["aggregate"]
        missing = None
        if function in ("sum", "distinct"):
            missing = _missing(
                aggregate["operator"], aggregate["value"], figure, whole=function == "distinct"
            )
        label = evidence_terms.FIGURE_REACHED if missing is None else evidence_terms.FIGURE_MISSING
        return filled(label, self._language, function=name, value=figure, missing=missing)

    def _steps(self, reached: Json) -> Iterator[str]:
        done, steps = reached["value"], reached["of"]
        yield filled(evidence_terms.STEPS_REACHED, self._language, value=done, of=steps)
        for number, one in enumerate(reached["chain"], start=1):
            yield filled(
                evidence_terms.CHAIN_STEP, self._language, number=number, occurrence=self.occurrence(one)
            )
        if done < steps:
            step = step_words(self._condition["sequence"][done], self._language)
            yield filled(evidence_terms.STEP_MISSING, self._language, number=done + 1, step=step)
        if "followed_by" in reached:
            followed = self.occurrence(reached["followed_by"])
            yield filled(evidence_terms.FOLLOWED_BY, self._language, occurrence=followed)
        if "deadline" in reached:
            yield filled(evidence_terms.STEP_DEADLINE, self._language, at=self._instant(reached["deadline"]))

    def _selected(self, reached: Json) -> str:
        if reached["value"] is None:
            return evidence_terms.SELECTED_NONE.of(self._language)
        text = self.occurrence(reached["value"])
        if "why" not in reached:
            return filled(evidence_terms.SELECTED_ONE, self._language, occurrence=text)
        why = self._why(reached, "has")
        return filled(evidence_terms.SELECTED_FAILS, self._language, occurrence=text, why=why)

    def left_out(self) -> Iterator[str]:
        for one in self._one.get("left_out", ()):
            latest = self.occurrence(one["latest"])
            if "value" in one["latest"]:
                shown = value(one["latest"]["value"], self._language)
                latest = filled(evidence_terms.LEFT_OUT_VALUE, self._language, latest=latest, value=shown)
            why = self._why(one, "where")
            label = (
                evidence_terms.LEFT_OUT_ELEMENTS if self._counts_elements(one) else evidence_terms.LEFT_OUT
            )
            yield filled(label, self._language, count=one["count"], why=why, latest=latest)

    def _counts_elements(self, left_out: Json) -> bool:
        """Return whether the number of what was left out is that of elements, not of occurrences."""
        aggregate = self._condition.get("aggregate") or {}
        return "elements" in aggregate and left_out["why"] in ("no_value", "no_number")

    def occurrence(self, one: Json) -> str:
        """Return an occurrence by its id and time."""
        named = word(one["event_id"], self._language)
        return filled(
            evidence_terms.OCCURRENCE_NAMED, self._language, id=named, at=self._instant(one["occurred_at"])
        )


def _missing(operator: str, bound: Any, reached: float, *, whole: bool = True) -> str | None:
    """Return how much is missing, if a greater value would help: a whole number if `whole`, else any number.
    None if nothing is missing or a greater value would not help."""
    if operator not in ("ge", "gt", "eq"):
        return None
    short = Fraction(str(bound)) - Fraction(str(reached))
    if whole:
        more = -(-short // 1) if operator != "gt" else short // 1 + 1
        return str(more) if more > 0 else None
    if short > 0 or (operator == "gt" and short == 0):
        text = str(short) if short.denominator == 1 else repr(float(short))
        return text if operator != "gt" else f"> {text}"
    return None
