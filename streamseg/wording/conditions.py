"""Every kind of condition as a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from schemas import definitions as wire
from schemas.property_conditions import (
    ElementGroup,
    ElementPropertyCondition,
    ElementsCondition,
    InnerElementsCondition,
    PropertyCondition,
    Where,
)
from streamseg.catalogue.labels import BUILT_IN_NAMES, Language
from streamseg.language.standard import is_standard_time
from streamseg.values import split_path
from streamseg.wording import terms
from streamseg.wording.comparisons import comparison, number_range, period, time_range
from streamseg.wording.tokens import duration, filled, joined, number, offset, percent, word


def condition(one: wire.Condition, language: Language) -> str:
    """Return a condition, with its `not`."""
    text = _CONDITIONS[type(one)](one, language)
    return _not(text, language) if one.not_ else text


def _not(text: str, language: Language) -> str:
    return filled(terms.NOT, language, what=text)


def _attribute(one: wire.AttributeCondition, language: Language) -> str:
    is_time = is_standard_time(split_path(one.attribute))
    text = f"{attribute_name(one.attribute, language)} {comparison(one, language, is_time=is_time)}"
    return _held(text, one.held, language)


def _attribute_elements(one: wire.AttributeElementsCondition, language: Language) -> str:
    text = _some_element(attribute_name(one.attribute, language), one.elements, language)
    return _held(text, one.held, language)


def _held(text: str, held: wire.Held | None, language: Language) -> str:
    if held is None:
        return text
    if held.at_least is not None:
        label, length = terms.HELD_AT_LEAST, held.at_least
    else:
        label, length = terms.HELD_LESS_THAN, held.less_than or ""
    return filled(label, language, what=text, length=duration(length, language))


def attribute_name(path: str, language: Language) -> str:
    """Return the display name of a standard attribute; any other name as it is written."""
    label = terms.ATTRIBUTES.get(path)
    return word(path, language) if label is None else label.of(language)


def property_name(path: str, language: Language) -> str:
    """Return the display name of a standard event's property; any other path as it is written. The empty path
    is the element itself."""
    if not path:
        return terms.THE_ELEMENT.of(language)
    label = terms.PROPERTIES.get(path)
    return word(path, language) if label is None else label.of(language)


_Tested = PropertyCondition | ElementPropertyCondition | ElementsCondition | InnerElementsCondition
_Group = Where | ElementGroup | ElementsCondition | InnerElementsCondition


def property_test(one: _Tested, language: Language) -> str:
    """Return a condition on one occurrence, or on one element of a list, with its `not`."""
    text = _TESTS[type(one)](one, language)
    return _not(text, language) if one.not_ else text


def _property(one: PropertyCondition | ElementPropertyCondition, language: Language) -> str:
    return f"{property_name(one.property, language)} {comparison(one, language, is_time=False)}"


def _elements(one: ElementsCondition | InnerElementsCondition, language: Language) -> str:
    return _some_element(property_name(one.elements, language), one, language)


def _some_element(name: str, group: _Group, language: Language) -> str:
    return filled(terms.SOME_ELEMENT, language, list=name, where=_where(group, language))


def _where(where: _Group, language: Language) -> str:
    tests = [property_test(one, language) for one in where.conditions]
    return joined(tests, where.match == "all", language)


def event_name(pattern: str, language: Language) -> str:
    """Return the display name of a standard event. A prefix is described as a prefix."""
    if pattern == "*":
        return terms.EVENT_ANY.of(language)
    if pattern.endswith("*"):
        return filled(terms.EVENT_PREFIX, language, prefix=word(pattern[:-1], language))
    label = terms.EVENTS.get(pattern)
    return word(pattern, language) if label is None else label.of(language)


def _occurrence(one: wire.EventCondition | wire.SequenceStep, language: Language) -> str:
    text = event_name(one.event, language)
    if one.where is None:
        return text
    return filled(terms.OCCURRENCE, language, event=text, where=_where(one.where, language))


def window(one: wire.Window, language: Language) -> str:
    """Return the time in which occurrences count."""
    return _WINDOWS[type(one)](one, language)


def _last(one: wire.LastWindow, language: Language) -> str:
    return filled(terms.WINDOW_LAST, language, length=duration(one.last, language))


def _between(one: wire.BetweenWindow, language: Language) -> str:
    return filled(terms.WINDOW_BETWEEN, language, range=time_range([*one.between], language))


def _offset(one: wire.OffsetWindow, language: Language) -> str:
    low, high = offset(one.from_, language), offset(one.to, language)
    text = filled(terms.OFFSET_RANGE, language, low=low, high=high)
    return filled(terms.WINDOW_OFFSET, language, range=text)


def _period(one: wire.PeriodWindow, language: Language) -> str:
    text = period(one.period.model_dump(by_alias=True), language)
    return filled(terms.WINDOW_PERIOD, language, period=text)


def _during(one: wire.Window | None, language: Language) -> str:
    """Return a window with the blank that separates it from the sentence: after it in Chinese, before it in
    English."""
    if one is None:
        return ""
    return f"{window(one, language)} " if language == "zh" else f" {window(one, language)}"


def _event(one: wire.EventCondition, language: Language) -> str:
    if one.select != "any":
        return _selected(one, language)
    event, during = _occurrence(one, language), _during(one.window, language)
    if one.aggregate is not None:
        return _aggregated(one.aggregate, event, during, language)
    if one.count is None:
        return filled(terms.OCCURRED, language, event=event, during=during)
    if (one.count.operator, one.count.value) == ("eq", 0):
        return filled(terms.NOT_OCCURRED, language, event=event, during=during)
    test = filled(terms.COUNT_OPERATORS[one.count.operator], language, value=one.count.value)
    return filled(terms.COUNTED, language, event=event, during=during, test=test)


def _aggregated(one: wire.Aggregate, event: str, during: str, language: Language) -> str:
    ranged = one.operator in ("between", "not_between")
    bound = number_range(one.value, language) if ranged else number(one.value)
    return filled(
        terms.AGGREGATED,
        language,
        event=event,
        during=during,
        property=_aggregated_property(one, language),
        function=terms.FUNCTIONS[one.function].of(language),
        test=filled(terms.COUNT_OPERATORS[one.operator], language, value=bound),
    )


def _aggregated_property(one: wire.Aggregate, language: Language) -> str:
    text = property_name(one.property, language)
    if one.as_ is not None:
        text = filled(terms.OPTIONS, language, test=text, options=terms.AS_NUMBER.of(language))
    if one.elements is None:
        return text
    pieces = {"list": property_name(one.elements, language), "property": text}
    if one.where is None:
        return filled(terms.OF_ELEMENTS, language, **pieces)
    return filled(terms.OF_ELEMENTS_WITH, language, **pieces, where=_where(one.where, language))


def _selected(one: wire.EventCondition, language: Language) -> str:
    label = terms.FIRST if one.select == "first" else terms.LAST
    pieces = {"which": filled(label, language, event=_occurrence(one, language))}
    if one.window is not None:
        pieces["during"] = window(one.window, language)
    if one.has is not None:
        pieces["has"] = _where(one.has, language)
    template = {
        (False, False): terms.SELECTED,
        (False, True): terms.SELECTED_HAS,
        (True, False): terms.SELECTED_DURING,
        (True, True): terms.SELECTED_DURING_HAS,
    }[one.window is not None, one.has is not None]
    return filled(template, language, **pieces)


def _sequence(one: wire.SequenceCondition, language: Language) -> str:
    steps = terms.STEP.of(language).join(step(each, language) for each in one.sequence)
    limits = [filled(terms.WITHIN, language, length=duration(one.within, language))]
    if one.step_within is not None:
        limits.append(filled(terms.STEP_WITHIN, language, length=duration(one.step_within, language)))
    if one.window is not None:
        label = terms.LAST_STEP_IN if one.absent_step is None else terms.DEADLINE_IN
        limits.append(filled(label, language, during=window(one.window, language)))
    return filled(terms.SEQUENCE, language, steps=steps, limits=terms.SEPARATOR.of(language).join(limits))


def step(one: wire.Step, language: Language) -> str:
    """Return a step of a sequence; an absent step is described as absent."""
    return _STEPS[type(one)](one, language)


def _occurring(one: wire.SequenceStep, language: Language) -> str:
    return _occurrence(one, language)


def _absent(one: wire.AbsentStep, language: Language) -> str:
    return filled(terms.ABSENT, language, event=_occurrence(one.absent, language))


def _segment(one: wire.SegmentCondition, language: Language) -> str:
    label = terms.MEMBER if one.member else terms.NOT_MEMBER
    return filled(label, language, segment=segment_name(one.segment, language))


def segment_name(segment_id: str, language: Language) -> str:
    """Return the display name of a built-in segment, or the id of any other segment."""
    label = BUILT_IN_NAMES.get(segment_id)
    return word(segment_id, language) if label is None else label.of(language)


def _sample(one: wire.SampleCondition, language: Language) -> str:
    text = filled(terms.SAMPLE, language, share=percent(one.sample))
    if one.salt is None:
        return text
    return filled(terms.SAMPLE_SALT, language, what=text, salt=word(one.salt, language))


_Phrases = dict[type[Any], Callable[[Any, Language], str]]
"""The function that describes a value, by the class of the value."""

_CONDITIONS: Final[_Phrases] = {
    wire.AttributeCondition: _attribute,
    wire.AttributeElementsCondition: _attribute_elements,
    wire.EventCondition: _event,
    wire.SegmentCondition: _segment,
    wire.SequenceCondition: _sequence,
    wire.SampleCondition: _sample,
}
_TESTS: Final[_Phrases] = {
    PropertyCondition: _property,
    ElementPropertyCondition: _property,
    ElementsCondition: _elements,
    InnerElementsCondition: _elements,
}
_WINDOWS: Final[_Phrases] = {
    wire.LastWindow: _last,
    wire.BetweenWindow: _between,
    wire.OffsetWindow: _offset,
    wire.PeriodWindow: _period,
}
_STEPS: Final[_Phrases] = {wire.SequenceStep: _occurring, wire.AbsentStep: _absent}
