"""Our account of the words that were heard, beside the agent's corrected text. Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two texts of what was heard agree; both begin where the reply begins.

    ``apart`` is how many words more the agent takes for heard than we do; less than 0 where it
    takes fewer. None where the texts are not beginnings of one text.
    """

    apart: int | None

    @property
    def agrees(self) -> bool:
        """Whether both have the same words."""
        return self.apart == 0


def agreement(heard: str, corrected: str) -> Agreement:
    """Compare by words, whatever their case and punctuation; what is cut short may agree too.

    The agent may end in part of a word, or in dots: a last word that is the beginning of ours
    counts as ours.
    """
    ours, theirs = words_of(heard), words_of(corrected)
    return Agreement(len(theirs) - len(ours) if _is_beginning(ours, theirs) else None)


def _is_beginning(ours: list[str], theirs: list[str]) -> bool:
    """Say whether one is the beginning of the other, to the letter."""
    if not ours or not theirs:
        return True
    last = min(len(ours), len(theirs)) - 1
    if ours[:last] != theirs[:last]:
        return False
    one, other = ours[last], theirs[last]
    if len(ours) == len(theirs):
        return one.startswith(other) or other.startswith(one)
    return one.startswith(other) if len(theirs) < len(ours) else other.startswith(one)


def words_of(text: str) -> list[str]:
    """Return the words of ``text`` without case and punctuation."""
    bare = ("".join(filter(_counts, word)) for word in unicodedata.normalize("NFKC", text).split())
    return [word.casefold() for word in bare if word]


def _counts(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LNM"
