"""Python's garbage collector, kept from stopping a worker in the middle of its input."""

from __future__ import annotations

import gc

_YOUNG = 5_000
_MIDDLE = 10
_NEVER = 1_000_000_000


def tune_collector() -> None:
    """Leave what is old alone from now on, and look through what is young only.

    A full collection walks through every contact in the cache: at 50,000 contacts that took 150 to 300 ms,
    in which nothing else was done. It found nothing: contacts are trees, which go once nothing refers to
    them. What does refer to itself, such as an error and its frames, is short-lived and found young."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _NEVER)
