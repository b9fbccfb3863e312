"""The answer of a condition or a test at one time."""

from __future__ import annotations

from typing import Final, NamedTuple


class Answer(NamedTuple):
    """Whether a condition or test holds at a time, and until when this is certain without input.

    next_ms  the next time (epoch ms, later than the time of this answer) at which the answer may differ;
             None: never
    """

    holds: bool
    next_ms: int | None = None

    def turned_round(self) -> Answer:
        """Return the answer of the negated condition."""
        return Answer(not self.holds, self.next_ms)


YES: Final = Answer(True)
"""The condition holds, and time alone does not change this."""
NO: Final = Answer(False)
"""The condition does not hold, and time alone does not change this."""


def earliest_ms(*answers: Answer) -> int | None:
    """Return the first time (epoch ms) at which one of the answers may differ; None: never."""
    return min((one.next_ms for one in answers if one.next_ms is not None), default=None)
