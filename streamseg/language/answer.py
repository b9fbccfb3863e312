"""The answer of a condition or a test at an instant."""

from __future__ import annotations

from typing import Final, NamedTuple


class Answer(NamedTuple):
    """Whether something holds at the instant asked about, and until when that is sure without input.

    next_ms  the next instant (epoch ms, later than that one) at which the answer may be another; None: never
    """

    holds: bool
    next_ms: int | None = None

    def turned_round(self) -> Answer:
        """The answer to the opposite question."""
        return Answer(not self.holds, self.next_ms)


YES: Final = Answer(True)
"""It holds, and time alone does not change that."""
NO: Final = Answer(False)
"""It does not hold, and time alone does not change that."""


def earliest_ms(*answers: Answer) -> int | None:
    """The first instant at which one of the answers may be another; None: never."""
    return min((one.next_ms for one in answers if one.next_ms is not None), default=None)
