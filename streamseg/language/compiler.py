"""The compiler: it makes segments from definitions and checks what the message's shape cannot show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import singledispatchmethod
from typing import Any
from zoneinfo import ZoneInfo

from schemas import definitions as wire
from schemas.attributes import KNOWN_SINCE
from schemas.durations import duration_ms
from schemas.paths import condition_path
from schemas.property_conditions import (
    ElementGroup,
    ElementPropertyCondition,
    ElementsCondition,
    InnerElementsCondition,
    OperatorTest,
    PropertyCondition,
)
from schemas.property_conditions import Where as WhereSchema
from streamseg.errors import Code, RejectedError
from streamseg.language.conditions.aggregate_conditions import AggregateCondition, RunningCondition
from streamseg.language.conditions.aggregates import Aggregate, Elements, RunningAggregate, Values
from streamseg.language.conditions.attribute import AttributeCondition, Held, HeldCondition
from streamseg.language.conditions.base import Condition
from streamseg.language.conditions.counts import CountCondition, CounterCondition, LoggedCount
from streamseg.language.conditions.matching import ElementsTest, Matcher, PropertyTest, Where
from streamseg.language.conditions.membership import ListCondition, SampleCondition, member_id
from streamseg.language.conditions.selection import SelectCondition
from streamseg.language.conditions.sequence import SequenceCondition
from streamseg.language.conditions.windows import (
    ALL_HISTORY,
    BetweenWindow,
    PeriodWindow,
    RollingWindow,
    Window,
)
from streamseg.language.operators import Test, compile_test
from streamseg.language.segments import Cluster, Literal, Part, Segment
from streamseg.language.standard import check_standard, check_standard_elements, is_standard_time
from streamseg.settings import Settings
from streamseg.times import MIN_MS, MONDAY, NEVER_MS, Period, parse_timestamp_ms, time_zone
from streamseg.values import element_getter, element_path, getter, split_path

_LEAST_CAP = 10_000


@contextmanager
def at(path: str) -> Iterator[None]:
    """Turn a ValueError that is raised inside the block into a RejectedError with `path`."""
    try:
        yield
    except ValueError as error:
        raise RejectedError(Code.INVALID_SCHEMA, str(error), path) from error


def compile_segment(
    definition: wire.SegmentDefinition,
    *,
    source: bytes,
    version: int,
    introduced: int,
    born: int,
    settings: Settings,
) -> Segment:
    """Return the compiled segment of a definition whose shape is valid. References are not checked yet.

    Raises RejectedError, with the path, for unknown time zones, operands that do not fit a standard
    attribute, bounds in the wrong order, patterns that do not compile and windows longer than the retention
    of the history."""
    return _Compiler(definition, settings).segment(source, version, introduced, born)


def compile_window(window: wire.Window, zone: str | None, settings: Settings) -> Window:
    """Return the compiled window of a definition in the time zone `zone`; None: the configured one.

    Raises RejectedError, with the path below `window`, as `compile_segment` does."""
    nothing = wire.SegmentDefinition(segment_id="-", name="-", type="static", timezone=zone)
    return _Compiler(nothing, settings)._window(window, "window")


class _Compiler:
    def __init__(self, definition: wire.SegmentDefinition, settings: Settings) -> None:
        self.definition = definition
        self.settings = settings
        self.value_zone = ZoneInfo(settings.timezone)
        self.zone = self.value_zone
        if definition.timezone is not None:
            with at("timezone"):
                self.zone = time_zone(definition.timezone)
        self.conditions: dict[int, Condition] = {}
        self.references: set[str] = set()

    def segment(self, source: bytes, version: int, introduced: int, born: int) -> Segment:
        definition = self.definition
        parts: tuple[Part, ...]
        if definition.clusters is not None:
            parts = (Part(None, True, self._clusters(definition.clusters, None)),)
        elif definition.parts is not None:
            parts = tuple(
                Part(part.name, part.relation == "include", self._clusters(part.clusters, index))
                for index, part in enumerate(definition.parts)
            )
        else:
            listed = self._shared(ListCondition(definition.segment_id))
            parts = (Part(None, True, (Cluster.of(True, (Literal(listed, False, None),)),)),)
        return Segment(
            segment_id=definition.segment_id,
            version=version,
            parts=parts,
            conditions=tuple(self.conditions.values()),
            references=frozenset(self.references),
            member_id=member_id(definition.segment_id),
            introduced=introduced,
            born=born,
            definition=definition,
            source=source,
        )

    def _shared(self, condition: Condition) -> int:
        self.conditions.setdefault(condition.id, condition)
        return condition.id

    def _clusters(self, clusters: list[wire.Cluster], part: int | None) -> tuple[Cluster, ...]:
        return tuple(
            Cluster.of(
                cluster.match == "all",
                tuple(
                    self._literal(condition, condition_path(part, index, number))
                    for number, condition in enumerate(cluster.conditions)
                ),
            )
            for index, cluster in enumerate(clusters)
        )

    def _literal(self, condition: Any, path: str) -> Literal:
        condition_id, negated = self._condition(condition, path)
        return Literal(condition_id, negated != condition.not_, condition)

    @singledispatchmethod
    def _condition(self, condition: Any, path: str) -> tuple[int, bool]:
        """Return the id of the shared condition that a written condition becomes, and whether its answer is
        negated. There is one method for each class of written conditions."""
        raise TypeError(f"{type(condition).__name__} is not a condition")

    @_condition.register
    def _membership(self, condition: wire.SegmentCondition, path: str) -> tuple[int, bool]:
        self.references.add(condition.segment)
        return member_id(condition.segment), not condition.member

    @_condition.register
    def _sample(self, condition: wire.SampleCondition, path: str) -> tuple[int, bool]:
        salt = self.definition.segment_id if condition.salt is None else condition.salt
        return self._shared(SampleCondition(condition.sample, salt)), False

    def _test(self, test: OperatorTest, path: str, *, is_time: bool) -> Test:
        at_fault = "operator" if test.value is None else "value"
        with at(f"{path}.{at_fault}"):
            return compile_test(
                test.operator,
                test.value,
                test.options,
                zone=self.zone,
                value_zone=self.value_zone,
                is_time=is_time,
            )

    @_condition.register
    def _attribute(self, condition: wire.AttributeCondition, path: str) -> tuple[int, bool]:
        with at(f"{path}.attribute"):
            steps = split_path(condition.attribute)
        check_standard(steps, condition, path)
        test = self._test(condition, path, is_time=is_standard_time(steps))
        return self._attribute_test(steps, test, condition.held, path)

    @_condition.register
    def _attribute_elements(self, condition: wire.AttributeElementsCondition, path: str) -> tuple[int, bool]:
        with at(f"{path}.attribute"):
            steps = split_path(condition.attribute)
        check_standard_elements(steps, condition, path)
        test = ElementsTest(self._group(condition.elements, f"{path}.elements"))
        return self._attribute_test(steps, test, condition.held, path)

    def _attribute_test(
        self, steps: tuple[str, ...], test: Test | ElementsTest, held: wire.Held | None, path: str
    ) -> tuple[int, bool]:
        if held is None:
            plain = AttributeCondition(steps, test.positive())
            return self._shared(plain), test.negated
        if steps == (KNOWN_SINCE,):
            raise RejectedError(
                Code.INVALID_SCHEMA,
                f"{KNOWN_SINCE} has no history; ask with within_last or before instead of held",
                f"{path}.held",
            )
        if test.moves:
            raise RejectedError(
                Code.INVALID_SCHEMA,
                "the test moves with the clock and cannot be held; remove held",
                f"{path}.held",
            )
        at_least = held.at_least is not None
        length_ms = duration_ms(held.at_least or held.less_than or "")
        return self._shared(HeldCondition(steps, test, Held(at_least, length_ms))), False

    def _where(self, where: WhereSchema | None, path: str) -> Where | None:
        return None if where is None else self._group(where, path)

    def _group(
        self, group: WhereSchema | ElementGroup | ElementsCondition | InnerElementsCondition, path: str
    ) -> Where:
        """Return the compiled conditions on one occurrence, or on one element of a list."""
        tests = tuple(
            self._property_test(condition, f"{path}.conditions[{index}]")
            for index, condition in enumerate(group.conditions)
        )
        return Where(group.match == "all", tests)

    @singledispatchmethod
    def _property_test(self, condition: Any, path: str) -> PropertyTest:
        """Return a compiled condition on one occurrence, or on one element of a list. There is one method for
        each class of written conditions."""
        raise TypeError(f"{type(condition).__name__} is not a property condition")

    @_property_test.register
    def _property(self, condition: PropertyCondition, path: str) -> PropertyTest:
        with at(f"{path}.property"):
            steps = split_path(condition.property)
        test = self._test(condition, path, is_time=False)
        return PropertyTest(steps, getter(steps), test, condition.not_)

    @_property_test.register
    def _elements(self, condition: ElementsCondition, path: str) -> PropertyTest:
        with at(f"{path}.elements"):
            steps = split_path(condition.elements)
        return PropertyTest(steps, getter(steps), ElementsTest(self._group(condition, path)), condition.not_)

    @_property_test.register
    def _element_property(self, condition: ElementPropertyCondition, path: str) -> PropertyTest:
        with at(f"{path}.property"):
            steps = element_path(condition.property)
        test = self._test(condition, path, is_time=False)
        return PropertyTest(steps, element_getter(steps), test, condition.not_)

    @_property_test.register
    def _inner_elements(self, condition: InnerElementsCondition, path: str) -> PropertyTest:
        with at(f"{path}.elements"):
            steps = element_path(condition.elements)
        test = ElementsTest(self._group(condition, path))
        return PropertyTest(steps, element_getter(steps), test, condition.not_)

    @singledispatchmethod
    def _window(self, window: Any, path: str) -> Window:
        """Return a compiled window. There is one method for each class of written windows."""
        raise TypeError(f"{type(window).__name__} is not a window")

    @_window.register
    def _no_window(self, window: None, path: str) -> Window:
        return ALL_HISTORY

    @_window.register
    def _last(self, window: wire.LastWindow, path: str) -> Window:
        return self._rolling(duration_ms(window.last), 0, f"{path}.last")

    @_window.register
    def _between(self, window: wire.BetweenWindow, path: str) -> Window:
        with at(f"{path}.between"):
            start, end = (
                None if bound is None else parse_timestamp_ms(bound, self.zone) for bound in window.between
            )
            if start is not None and end is not None and start > end:
                raise ValueError("the earlier bound comes first")
        return BetweenWindow(MIN_MS if start is None else start, NEVER_MS if end is None else end)

    @_window.register
    def _offset(self, window: wire.OffsetWindow, path: str) -> Window:
        return self._rolling(-duration_ms(window.from_), -duration_ms(window.to), f"{path}.from")

    @_window.register
    def _period(self, window: wire.PeriodWindow, path: str) -> Window:
        period = window.period
        week_start = period.week_start or MONDAY
        return PeriodWindow(Period(period.unit, period.from_, period.to, week_start, self.zone))

    def _rolling(self, far_ms: int, near_ms: int, path: str) -> Window:
        if far_ms > self.settings.history_retention_ms:
            raise RejectedError(
                Code.INVALID_SCHEMA,
                "longer than events are kept (history_retention); give a shorter window",
                path,
            )
        return RollingWindow(far_ms, near_ms)

    @property
    def _cap(self) -> int:
        """The greatest number of occurrences that a condition keeps. A small cap of the history must not make
        conditions forget what they counted; it only bounds what later definitions can count."""
        return max(self.settings.history_cap, _LEAST_CAP)

    def _matcher(self, occurrence: wire.EventCondition | wire.SequenceStep, path: str) -> Matcher:
        return Matcher(occurrence.event, self._where(occurrence.where, f"{path}.where"))

    @_condition.register
    def _event(self, condition: wire.EventCondition, path: str) -> tuple[int, bool]:
        matcher = self._matcher(condition, path)
        window = self._window(condition.window, f"{path}.window")
        cap = self._cap
        if condition.select != "any":
            has = self._where(condition.has, f"{path}.has")
            last = condition.select == "last"
            return self._shared(SelectCondition(matcher, window, last=last, has=has, cap=cap)), False
        if condition.aggregate is not None:
            return self._aggregate(condition.aggregate, matcher, window, path), False
        operator, number = "ge", 1
        if condition.count is not None:
            operator, number = condition.count.operator, condition.count.value
        number, exact, negated = normal_count(operator, number)
        if matcher.moving:
            return self._shared(LoggedCount(matcher, window, number, exact=exact, cap=cap)), negated
        kind = CounterCondition if window.fixed else CountCondition
        return self._shared(kind(matcher, window, number, exact=exact)), negated

    def _aggregate(self, aggregate: wire.Aggregate, matcher: Matcher, window: Window, path: str) -> int:
        values = self._values(aggregate, f"{path}.aggregate")
        function = (aggregate.function, values, aggregate.operator, aggregate.value)
        with at(f"{path}.aggregate.value"):
            if window.fixed and not matcher.moving and not values.moving:
                return self._shared(RunningCondition(matcher, window, RunningAggregate(*function)))
            return self._shared(AggregateCondition(matcher, window, Aggregate(*function), self._cap))

    def _values(self, aggregate: wire.Aggregate, path: str) -> Values:
        as_number, distinct = aggregate.as_ == "number", aggregate.function == "distinct"
        if aggregate.elements is None:
            with at(f"{path}.property"):
                steps = split_path(aggregate.property)
            return Values(steps, getter(steps), as_number=as_number, distinct=distinct)
        with at(f"{path}.property"):
            steps = element_path(aggregate.property)
        with at(f"{path}.elements"):
            list_steps = split_path(aggregate.elements)
        where = None if aggregate.where is None else self._group(aggregate.where, f"{path}.where")
        elements = Elements(list_steps, getter(list_steps), where)
        return Values(steps, element_getter(steps), as_number=as_number, distinct=distinct, elements=elements)

    @_condition.register
    def _sequence(self, condition: wire.SequenceCondition, path: str) -> tuple[int, bool]:
        steps = tuple(
            self._matcher(step, f"{path}.sequence[{index}]")
            for index, step in enumerate(condition.required_steps)
        )
        step = condition.absent_step
        absent = None if step is None else self._matcher(step, f"{path}.sequence[{len(steps)}].absent")
        window = self._window(condition.window, f"{path}.window")
        step_within = condition.step_within
        compiled = SequenceCondition(
            steps,
            absent,
            duration_ms(condition.within),
            window,
            self._cap,
            None if step_within is None else duration_ms(step_within),
        )
        return self._shared(compiled), False


def normal_count(operator: str, number: int) -> tuple[int, bool, bool]:
    """Return a comparison of a count in its normal form: the number, whether the count has to be exactly this
    number (otherwise at least), and whether the answer is negated."""
    if operator in ("gt", "le"):
        return number + 1, False, operator == "le"
    if operator in ("ge", "lt"):
        return number, False, operator == "lt"
    if number == 0:
        return 1, False, operator == "eq"
    return number, True, operator == "ne"
