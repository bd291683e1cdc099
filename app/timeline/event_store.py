"""Items packed into compressed blocks, of which single ones can be read again at any time.

A store never changes: adding a block and letting go of the oldest make a new one. Any thread reads.
"""

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
Lines = list[bytes]


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    """How an item becomes a line of bytes without a line break, and that an item again."""

    pack: Callable[[T], bytes]
    unpack: Callable[[bytes], T]


@dataclass(frozen=True, slots=True)
class Block(Generic[T]):
    """So many items, packed; those that cannot be packed are in ``odd`` as they are."""

    data: bytes
    odd: Mapping[int, T]

    @property
    def size_bytes(self) -> int:
        """About how much memory it takes."""
        return len(self.data) + 1000 * len(self.odd)


class BlockBuilder(Generic[T]):
    """Packs one block, an item at a time. One thread.

    An item that would not come back equal is kept as it is.
    """

    LEVEL = 6
    """A third less than at level 1, for 0.4 ms more a block."""

    def __init__(self, codec: Codec[T]) -> None:
        """Begin an empty block."""
        self._codec = codec
        self._lines: Lines = []
        self._odd: dict[int, T] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, item: T) -> None:
        """Pack the next item."""
        line = self._line_of(item)
        if line is None:
            self._odd[len(self._lines)] = item
        self._lines.append(line or b"")

    def finish(self) -> Block[T]:
        """Return the block of all that was added."""
        return Block(zlib.compress(b"\n".join(self._lines), self.LEVEL), self._odd)

    def _line_of(self, item: T) -> bytes | None:
        try:
            line = self._codec.pack(item)
            comes_back = b"\n" not in line and self._codec.unpack(line) == item
        except (TypeError, ValueError, LookupError, RecursionError):
            return None
        return line if comes_back else None


class LineCache:
    """The lines of the blocks read last, by a number that is a block's own. Any thread."""

    KEPT = 24

    def __init__(self) -> None:
        """Begin empty."""
        # Guards the order of what is kept; held for a look-up. No writer of items takes it.
        self._looking = threading.Lock()
        self._kept: OrderedDict[int, Lines] = OrderedDict()

    def lines(self, number: int, data: bytes) -> Lines:
        """Return the lines that ``data`` holds."""
        with self._looking:
            lines = self._kept.get(number)
            if lines is not None:
                self._kept.move_to_end(number)
                return lines
        lines = zlib.decompress(data).split(b"\n")
        with self._looking:
            self._kept[number] = lines
            while len(self._kept) > self.KEPT:
                self._kept.popitem(last=False)
        return lines


class BlockStore(Generic[T]):
    """Blocks of ``size`` items each, numbered on from ``first``; it never changes."""

    def __init__(self, codec: Codec[T], size: int) -> None:
        """Begin empty, at number 0."""
        self.first = 0
        self.size = size
        self.size_bytes = 0
        self._codec = codec
        self._blocks: tuple[Block[T], ...] = ()
        self._cache = LineCache()

    @property
    def stop(self) -> int:
        """The number of the item that would come next."""
        return self.first + len(self._blocks) * self.size

    def with_block(self, block: Block[T]) -> BlockStore[T]:
        """Return this and ``block``, which holds ``size`` items, behind it."""
        return self._changed(self.first, (*self._blocks, block), self.size_bytes + block.size_bytes)

    def without_oldest(self, count: int = 1) -> BlockStore[T]:
        """Return this without its ``count`` oldest blocks."""
        gone, kept = self._blocks[:count], self._blocks[count:]
        size_bytes = self.size_bytes - sum(block.size_bytes for block in gone)
        return self._changed(self.first + len(gone) * self.size, kept, size_bytes)

    def emptied(self, first: int) -> BlockStore[T]:
        """Return an empty one that goes on at number ``first``."""
        return self._changed(first, (), 0)

    def slice(self, start: int, stop: int) -> list[T]:
        """Return the items numbered ``[start, stop)``, as far as they are here."""
        start, stop = max(start, self.first), min(stop, self.stop)
        found: list[T] = []
        while start < stop:
            index, offset = divmod(start - self.first, self.size)
            count = min(self.size - offset, stop - start)
            found += self._read(index, offset, offset + count)
            start += count
        return found

    def _read(self, index: int, start: int, stop: int) -> list[T]:
        block = self._blocks[index]
        lines = self._cache.lines(self.first + index * self.size, block.data)
        unpack, odd = self._codec.unpack, block.odd
        return [
            odd[place] if place in odd else unpack(lines[place]) for place in range(start, stop)
        ]

    def _changed(self, first: int, blocks: tuple[Block[T], ...], size_bytes: int) -> BlockStore[T]:
        changed = BlockStore(self._codec, self.size)
        changed.first = first
        changed._blocks = blocks
        changed._cache = self._cache
        changed.size_bytes = size_bytes
        return changed
