"""The version of the state layout: one number for the whole state.

The number is kept in two places, because a changelog record can be read without a folder, and a folder
without a changelog:

- The first byte of a contact's record (`streamseg.contact.contact`) is the layout in which that contact was
  last written. Records in a changelog, and records in a folder that were not written since, may have an
  earlier layout.
- The record `FORMAT_KEY` of a folder (`streamseg.store.layout`) is the greatest layout of its contacts, or a
  greater one in which the next contact will be written. So an earlier release refuses the folder. It follows
  from the contacts of the changelog.

A state goes on in its own layout, so that the release before can read it, until an operator raises it
(`layout_to_write`). docs/upgrading.md has the promise and the layouts of all releases.

A change of the layout adds one to STATE_VERSION and to EARLIEST_WRITTEN. `streamseg.contact.earlier_layouts`
then says how records of the version before are read and written, and tests/store/golden keeps files of that
version.
"""

from __future__ import annotations

from typing import Final

from streamseg.errors import ConfigurationError

STATE_VERSION: Final = 7
"""The latest version: the one in which new state is written."""

EARLIEST_WRITTEN: Final = 6
"""The earliest version that this release can go on writing."""

EARLIEST_VERSION: Final = 4
"""The earliest version that this release reads. An earlier one raises StateVersionError."""

FIRST_WITH_CHANGES: Final = 7
"""The first version in which membership changes and the growth of segments are kept."""


def layout_to_write(kept: int | None, asked: int | None) -> int:
    """Return the layout in which a partition's state is written.

    `kept` is the greatest layout of its contacts, None if it has none. `asked` is the operator's
    `Settings.layout`. Only these two decide, so every worker decides alike, whenever it starts.

    Raises ConfigurationError if `asked` is less than `kept`: what only the later layout holds would be lost.
    """
    if asked is not None and kept is not None and asked < kept:
        raise ConfigurationError(
            f"STREAMSEG_LAYOUT is {asked}, but the state has layout {kept} already, and a layout cannot be "
            f"lowered; set it to {kept} or remove it"
        )
    if asked is not None:
        return asked
    return STATE_VERSION if kept is None or kept < EARLIEST_WRITTEN else kept
