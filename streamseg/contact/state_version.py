"""The version of the state layout: one number for all that is kept.

It stands in two places, because a changelog record and a folder can be met without each other:

- The first byte of a contact's record (`streamseg.contact.contact`) tells in which layout that contact was
  last kept. The records of a changelog, and those in a folder that nothing has touched since, may be of an
  earlier one.
- The record `FORMAT_KEY` of a folder (`streamseg.store.layout`) tells which release wrote there last. It is
  set to STATE_VERSION when the folder is opened, so that an earlier release refuses the folder.

A change of either layout adds one to STATE_VERSION. `streamseg.contact.contact` then says how records of the
version before are read, and tests/store/golden keeps files of that version.
"""

from __future__ import annotations

from typing import Final

STATE_VERSION: Final = 5
"""What this release writes."""

EARLIEST_VERSION: Final = 4
"""The earliest that this release reads; another is refused with StateVersionError."""
