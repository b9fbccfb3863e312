"""Tunes Python's garbage collector, so that it does not stop a worker in the middle of its input."""

from __future__ import annotations

import gc

_YOUNG = 5_000
_MIDDLE = 10
_NEVER = 1_000_000_000


def tune_collector() -> None:
    """Make the collector ignore old objects from now on, and examine young objects only.

    A full collection examines every contact in the cache: with 50,000 contacts it took 150 to 300 ms, and the
    worker did nothing else meanwhile. It found nothing: contacts are trees, and Python frees a tree when
    nothing refers to it any more. Objects that refer to themselves, for example an error and its frames, live
    for a short time and are found while they are young. Those of a partition live for long; they are
    collected when the partitions are released (`agents.partitions.owned_partitions`)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _NEVER)


def free_ended_app() -> None:
    """Free the objects of an app that has ended in this process, and tune the collector for the next one. The
    app's objects refer to each other, and `tune_collector` made the collector ignore some of them."""
    gc.unfreeze()
    tune_collector()
