"""The form in which this program runs: compiled by mypyc, or plain Python. Both do the same."""

from __future__ import annotations

BUILD_FORM: str = "plain" if __file__.endswith(".py") else "compiled"
"""`compiled` or `plain`. This module is compiled together with all the others of `setup.py`."""
