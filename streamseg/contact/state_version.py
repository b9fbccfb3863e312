"""The version of the state layout: one number for the whole state.

The number is kept in two places, because a changelog record can be read without a folder, and a folder
without a changelog:

- The first byte of a contact's record (`streamseg.contact.contact`) is the layout in which that contact was
  last written. Records in a changelog, and records in a folder that were not written since, may have an
  earlier layout.
- The record `FORMAT_KEY` of a folder (`streamseg.store.layout`) is the layout of the release that opened the
  folder last. It is set to STATE_VERSION when the folder is opened, so that an earlier release refuses it.

A change of either layout adds one to STATE_VERSION. `streamseg.contact.contact` then says how records of the
version before are read, and tests/store/golden keeps files of that version.
"""

from __future__ import annotations

from typing import Final

STATE_VERSION: Final = 7
"""The version that this release writes."""

EARLIEST_VERSION: Final = 4
"""The earliest version that this release reads. An earlier one raises StateVersionError."""
