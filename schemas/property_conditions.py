"""Tests of values: an operator with its operand, alone or for the elements of a list, and groups of tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, Tag, model_validator

from schemas.operands import OperatorName, TestOptions, add_operand_rules, check_test
from schemas.scalars import ElementPath, PathText
from schemas.unions import by_key
from schemas.wire import WireModel

Match = Literal["all", "any"]


class OperatorTest(WireModel):
    """An operator with its operand."""

    operator: OperatorName
    value: Any = None
    """The operand, in the shape that the operator takes; none for is_set and is_not_set. `model_fields_set`
    distinguishes a missing operand from null."""
    ignore_case: bool = False
    """Compare text after case folding; only with operators that compare text."""
    normalize: bool = False
    """Compare text after NFKC, with blanks at both ends removed and runs of blanks replaced by one space;
    only with operators that compare text. Full-width, half-width and composed forms are then equal."""
    as_: Literal["number"] | None = Field(None, alias="as")
    """`number`: text that is a number counts as that number; only with operators that compare numbers."""
    not_: bool = Field(False, alias="not")
    """True turns the condition into its complement."""

    @property
    def options(self) -> TestOptions:
        """The options that stand beside the operator."""
        return TestOptions(self.ignore_case, self.normalize, self.as_ == "number")

    @model_validator(mode="after")
    def _operand_fits(self) -> Self:
        check_test(self.operator, self.value, self.options, given="value" in self.model_fields_set)
        return self


class PropertyCondition(OperatorTest):
    """A test on one property of an occurrence of a behaviour event."""

    model_config = ConfigDict(json_schema_extra=add_operand_rules)

    property: PathText
    """A property name or a dotted path into nested objects; a literal dot is written `\\.`."""


class ElementPropertyCondition(OperatorTest):
    """A test on one property of an element of a list."""

    model_config = ConfigDict(json_schema_extra=add_operand_rules)

    property: ElementPath
    """A property name or a dotted path inside the element; empty, it is the element itself."""


class InnerElementsCondition(WireModel):
    """At least one element of a list inside an element passes."""

    elements: ElementPath
    """The path of the list inside the element; empty, the element itself is the list."""
    match: Match
    conditions: list[ElementCondition] = Field(min_length=1)
    not_: bool = Field(False, alias="not")
    """True turns the condition into its complement: no element passes."""


ElementCondition = Annotated[
    Annotated[ElementPropertyCondition, Tag("<property>")]
    | Annotated[InnerElementsCondition, Tag("<elements>")],
    by_key(
        {
            "property": ("property", ElementPropertyCondition),
            "elements": ("elements", InnerElementsCondition),
        },
        message="a condition on an element is an object with exactly one of property and elements",
    ),
]


class ElementGroup(WireModel):
    """Conditions of which all (any) hold on the same element of a list."""

    match: Match
    conditions: list[ElementCondition] = Field(min_length=1)


class ElementsCondition(WireModel):
    """At least one element of a list in an occurrence passes. A value that is not a list counts as a list of
    one."""

    elements: PathText
    """The path of the list in the occurrence's properties."""
    match: Match
    conditions: list[ElementCondition] = Field(min_length=1)
    not_: bool = Field(False, alias="not")
    """True turns the condition into its complement: no element passes."""


OccurrenceCondition = Annotated[
    Annotated[PropertyCondition, Tag("<property>")] | Annotated[ElementsCondition, Tag("<elements>")],
    by_key(
        {"property": ("property", PropertyCondition), "elements": ("elements", ElementsCondition)},
        message="a property condition is an object with exactly one of property and elements",
    ),
]


class Where(WireModel):
    """Property conditions of which all (any) hold on the same occurrence."""

    match: Match
    conditions: list[OccurrenceCondition] = Field(min_length=1)


def operators(
    test: OperatorTest | ElementGroup | ElementsCondition | InnerElementsCondition,
) -> Iterator[str]:
    """Yield the operators of a test, those inside elements included."""
    if isinstance(test, OperatorTest):
        yield test.operator
        return
    for condition in test.conditions:
        yield from operators(condition)
