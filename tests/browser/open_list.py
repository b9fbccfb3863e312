"""The open list of a select box."""

from __future__ import annotations

from typing import Final

OPEN_LIST: Final = ".ant-select-dropdown:not(.ant-select-dropdown-hidden, .ant-slide-up-leave)"
"""A selector of the list that is open now. One that is still closing does not count: its movement may take
longer than the next step of a test."""
