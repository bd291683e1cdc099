"""Where two states of a list differ that grows at its end. No Qt."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")
_STEPS = (0, 16, 256, 4096)
"""How far from the end the first difference is looked for, in turn."""


def first_difference(old: list[T], new: list[T]) -> int:
    """Return the first place where the two differ: the length of the shorter one if none does.

    Quick where they are mostly the same objects and differ near the end, however long they are.
    """
    both = min(len(old), len(new))
    reached = (both - step for step in _STEPS if step < both)
    start = next((n for n in reached if old[:n] == new[:n]), 0)
    return next((n for n in range(start, both) if old[n] != new[n]), both)
