"""The receiver of what a partition sends."""

from __future__ import annotations

from streamseg.records.outputs import DeadLetter, MembershipChange, Suppression


class Outputs:
    """Keeps the changes."""

    def __init__(self) -> None:
        self.changes: list[MembershipChange] = []

    def change(self, change: MembershipChange) -> None:
        self.changes.append(change)

    def membership(self, change: MembershipChange) -> None:
        return

    def suppression(self, suppression: Suppression) -> None:
        return

    def dead_letter(self, letter: DeadLetter) -> None:
        return
