"""A list that tells its reader where it changed. Pure; belongs to one thread."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


class Growing(list[T]):
    """A list that mostly grows at its end, and of which one reader follows what else changes.

    It is changed by ``append`` and by the methods below alone; readers leave it as it is.
    """

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self._changed = 0

    def put(self, index: int, item: T) -> None:
        """Replace the item at ``index``, from the end if that is below 0."""
        index += len(self) if index < 0 else 0
        if self[index] != item:
            self[index] = item
            self._changed = min(self._changed, index)

    def put_in(self, index: int, item: T) -> None:
        """Insert ``item`` before ``index``."""
        self.insert(index, item)
        self._changed = min(self._changed, index)

    def take_out(self, index: int) -> None:
        """Remove the item at ``index``."""
        del self[index]
        self._changed = min(self._changed, index)

    def cut_to(self, length: int) -> None:
        """Remove all from index ``length`` on."""
        del self[length:]
        self._changed = min(self._changed, length)

    def take_changed(self) -> int:
        """Return the index of the first item that is new or another since the last call.

        All before it are as they were; the list may have become shorter.
        """
        changed, self._changed = self._changed, len(self)
        return changed
