"""The decoded contacts of one store that have no unwritten changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from streamseg.contact.contact import Contact
from streamseg.store.caches import Caches

# Measured with 1,000 segments: a contact takes 950 bytes and those of its body. A body that was decoded takes
# six times its bytes in addition.
_CONTACT_BYTES = 1_000
_BODY_FACTOR = 7
_UNKNOWN_BODY = 300


class ContactCache:
    """The contacts that were used last, in as many bytes as the store may keep, but one at least.

    The size of a contact is estimated, as if all of it but its attributes were decoded.
    """

    __slots__ = ("_caches", "_contacts", "_size", "_sizes")

    def __init__(self, caches: Caches) -> None:
        self._caches = caches
        self._contacts: OrderedDict[str, Contact] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._size = 0

    def __len__(self) -> int:
        return len(self._contacts)

    def get(self, contact_id: str) -> Contact | None:
        """Return a contact, which counts as used now."""
        contact = self._contacts.get(contact_id)
        if contact is not None:
            self._contacts.move_to_end(contact_id)
        return contact

    def drop(self, contact_id: str) -> None:
        """Forget a contact, if it is here."""
        if self._contacts.pop(contact_id, None) is not None:
            self._size -= self._sizes.pop(contact_id)

    def add(self, contacts: Mapping[str, Contact]) -> None:
        """Keep contacts that are not here yet, by their ids."""
        sizes, size = self._sizes, self._size
        for contact_id, contact in contacts.items():
            body = contact.kept_body
            length = len(body) if isinstance(body, bytes) else _UNKNOWN_BODY
            sizes[contact_id] = one = _CONTACT_BYTES + _BODY_FACTOR * length
            size += one
        self._size = size
        self._contacts.update(contacts)

    def evict(self) -> list[str]:
        """Forget the contacts for which there is no room. Return their ids."""
        evicted: list[str] = []
        room = self._caches.contact_bytes
        while self._size > room and len(self._contacts) > 1:
            contact_id, _ = self._contacts.popitem(last=False)
            self._size -= self._sizes.pop(contact_id)
            evicted.append(contact_id)
        return evicted

    def clear(self) -> None:
        """Forget all contacts."""
        self._contacts.clear()
        self._sizes.clear()
        self._size = 0
