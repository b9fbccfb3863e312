"""No operator is left out of the reference and of the random definitions."""

from __future__ import annotations

from schemas.operands import OPERATORS, TABLE
from tests.oracle.operators import COMPLEMENT_OF
from tests.strategies.operators import DRAWN


def test_the_reference_has_the_complements_of_the_table() -> None:
    assert {row.complement: row.name for row in TABLE if row.complement is not None} == COMPLEMENT_OF


def test_random_definitions_have_every_operator() -> None:
    assert DRAWN == OPERATORS
