"""The events of a session, and the bounded timeline that keeps them.

Any thread appends to a timeline; any thread reads it with a cursor of its own, or by number.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

from app.timeline.event_codec import EventError, event_from_dict, pack_event, unpack_event
from app.timeline.event_store import BlockBuilder, BlockStore, Codec
from app.timeline.event_types import (
    AgentChunkReceived,
    AgentDiscarded,
    AgentHeard,
    Alignment,
    EchoHeard,
    Event,
    Interrupted,
    InterruptSource,
    Level,
    MessageReceived,
    MessageSent,
    MicChunkSent,
    Muted,
    Silenced,
    SoundBefore,
    SpeechEnded,
    SpeechStarted,
    StateChanged,
    Trouble,
)

__all__ = [
    "AgentChunkReceived",
    "AgentDiscarded",
    "AgentHeard",
    "Alignment",
    "EchoHeard",
    "Event",
    "EventError",
    "InterruptSource",
    "Interrupted",
    "Level",
    "MessageReceived",
    "MessageSent",
    "MicChunkSent",
    "Muted",
    "Silenced",
    "SoundBefore",
    "SpeechEnded",
    "SpeechStarted",
    "StateChanged",
    "Timeline",
    "Trouble",
    "event_from_dict",
]

CODEC = Codec(pack_event, unpack_event)


class _Kept(NamedTuple):
    """What a timeline holds: packed events, and behind them those that are not packed yet."""

    packed: BlockStore[Event]
    recent: list[Event]

    @property
    def appended(self) -> int:
        return self.packed.stop + len(self.recent)


class Timeline:
    """The session's events, bounded: the oldest go first, and each reader is told how many.

    The newest are kept as they are. Older ones are packed by whoever calls `compact` and unpacked
    when they are read, so that an hour takes a few MB. Readers take no lock of a writer's: they see
    one state or the next. What is read of packed events is equal to what was appended.
    """

    CAPACITY = 2_000_000
    CAPACITY_BYTES = 400_000_000
    """Of packed events; an hour of a usual session takes 2 MB."""
    RECENT = 2048
    BLOCK = 256
    UNPACKED = 200_000
    """So many are kept as they are where nobody packs them."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Keep about the last ``capacity`` events."""
        self._capacity = capacity
        self._kept = _Kept(BlockStore(CODEC, self.BLOCK), [])
        # Guards what is kept against two writers; held for one append, or to exchange a list of at
        # most some thousands.
        self._writing = threading.Lock()
        # Guards the block that is being made: two threads that pack do so one after the other.
        self._packing = threading.Lock()
        self._builder = BlockBuilder(CODEC)
        self._builds_from = 0

    def append(self, event: Event) -> None:
        """Add an event, from any thread."""
        with self._writing:
            packed, recent = self._kept
            recent.append(event)
            if len(recent) > min(self.UNPACKED, self._capacity):
                # A new list, for a reader may still be slicing the old one.
                gone = max(len(recent) // 64, 1)
                self._kept = _Kept(packed.emptied(packed.stop + gone), recent[gone:])

    @property
    def first(self) -> int:
        """The number of the oldest event that is kept."""
        return self._kept.packed.first

    @property
    def appended(self) -> int:
        """How many events were ever appended: the next one gets this number."""
        return self._kept.appended

    def read(self, cursor: int = 0, limit: int | None = None) -> tuple[list[Event], int, int]:
        """Return ``(events, next_cursor, lost)`` since ``cursor``, at most ``limit`` of them.

        ``lost`` counts events that were dropped before this reader came for them.
        """
        kept = self._kept
        first = max(cursor, kept.packed.first)
        stop = kept.appended if limit is None else min(kept.appended, first + limit)
        events = _slice(kept, first, stop)
        return events, first + len(events), first - cursor

    def slice(self, start: int, stop: int) -> list[Event]:
        """Return the events numbered ``[start, stop)``, as far as they are kept."""
        kept = self._kept
        return _slice(kept, max(start, kept.packed.first), stop)

    def compact(self, most: int = 16) -> None:
        """Pack up to ``most`` events that are recent no longer: some 20 µs each.

        To be called often, by a thread that nobody waits for; a backlog is worked off faster.
        """
        if not self._packing.acquire(blocking=False):
            return
        try:
            self._pack(most)
        finally:
            self._packing.release()

    def _pack(self, most: int) -> None:
        packed, recent = self._kept
        if self._builds_from != packed.stop:
            # nobody packed for so long that the oldest events went: begin with those that are left
            self._builder, self._builds_from = BlockBuilder(CODEC), packed.stop
        due = len(recent) - self.RECENT - len(self._builder)
        for _ in range(min(due, max(most, due // 64))):
            self._builder.add(recent[len(self._builder)])
            if len(self._builder) == self.BLOCK:
                self._close_block()
                return

    def _close_block(self) -> None:
        block = self._builder.finish()
        with self._writing:
            packed, recent = self._kept
            if packed.stop == self._builds_from:
                packed = packed.with_block(block)
                self._kept = _Kept(self._bounded(packed), recent[self.BLOCK :])
        self._builder, self._builds_from = BlockBuilder(CODEC), packed.stop

    def _bounded(self, packed: BlockStore[Event]) -> BlockStore[Event]:
        while packed.stop - packed.first > self._capacity or (
            packed.size_bytes > self.CAPACITY_BYTES
        ):
            packed = packed.without_oldest()
        return packed


def _slice(kept: _Kept, start: int, stop: int) -> list[Event]:
    base = kept.packed.stop
    packed = kept.packed.slice(start, stop) if start < base else []
    if stop <= base:
        return packed
    return packed + kept.recent[max(start - base, 0) : max(stop - base, 0)]
