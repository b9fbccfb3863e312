"""What decides a condition: what was reached, what was left out and why, and how a value was read.

Everything is asked of the compiled condition (its names, `where`, window and aggregate) over the contact's
kept events and its summary; nothing here changes the contact. Answers are bounded: of many occurrences the
latest are named, and what is left out is counted by its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from schemas.timestamps import EARLIEST_STATED_MS
from streamseg.contact.contact import Contact
from streamseg.engine.longest_chain import longest_chain
from streamseg.language.conditions.aggregate_conditions import AggregateCondition, RunningCondition
