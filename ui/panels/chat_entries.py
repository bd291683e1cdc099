"""What the chat is made of: lines of the transcript, and what interrupted them in its place. No Qt.

Texts in it are an agent's or a user's: whoever shows them shows plain text.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from app.analysis.limits import Limits, class_of
from app.analysis.turn_records import Interruption, Line, Overlap
from app.analysis.words import agreement
from ui.lanes.time_axis import clock_text
from ui.parts.differing import first_difference
from ui.parts.tables import felt_text

if TYPE_CHECKING:
    from app.analysis.word_times import TimedWord

Record = Interruption | Overlap
BREAK = "\u2028"
"""Begins another line of the same paragraph."""
WORD = re.compile(r"\S+")
LONGEST = 20_000
"""Characters of a piece of a line that are shown: to lay out a million takes seconds."""
LONGEST_WORD = 400
"""Of a word: where a longer one is broken is looked for at a price that grows with its square."""
_TOO_LONG = re.compile(rf"(\S{{{LONGEST_WORD}}})\S+")
_TURNING = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), "\u2060")
"""Marks that turn the reading direction, of all that follows in the paragraph: of figures, too."""


@dataclass(frozen=True, slots=True)
class Note:
    """An interruption or a missed one, as one line between the words."""

    record: Record
    text: str

    @property
    def at(self) -> float:
        """When it was, in session seconds."""
        return self.record.at if isinstance(self.record, Interruption) else self.record.start

    @property
    def number(self) -> int | None:
        """The interruption's number; None for a missed one."""
        return self.record.number if isinstance(self.record, Interruption) else None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line, and the notes in it, each with how many of its words stand before it."""

    line: Line
    notes: tuple[tuple[int, Note], ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """Part of an entry's text, in one style; ``word`` is the number of its first word.

    Styles: heard, pending, unheard, tentative; of what is not the line's: note, account.
    """

    text: str
    style: str
    word: int = 0
    note: Note | None = None

    @property
    def has_words(self) -> bool:
        """Whether it holds words of the line."""
        return self.style not in {"note", "account"}


class ChatEntries:
    """The entries of a session, brought up to date from its records at the price of what is new."""

    NEAR = 8
    """Lines stand in the order in which they came: by their times they are off by so many."""

    def __init__(self) -> None:
        """Begin empty."""
        self.all: list[Entry] = []
        self._lines: list[Line] = []
        self._ats: list[float] = []
        self._cuts = _Noted()
        self._overlaps = _Noted()
        self._notes: list[Note] = []
        self._limits = Limits()
        self._places: dict[float, int | None] = {}
        """How many words stand before a missed interruption, by its time; None is not known."""
        self._misplaced: int | None = None

    def bring(
        self,
        lines: Sequence[Line],
        cuts: Sequence[Interruption] = (),
        overlaps: Sequence[Overlap] = (),
        limits: Limits | None = None,
    ) -> int | None:
        """Take in records; return the number of the first entry that is new, None where none is."""
        lines = list(lines)
        changed_t = self._bring_notes(cuts, overlaps, limits or self._limits)
        is_same = lines == self._lines  # quick, for mostly they are the same objects
        if is_same and changed_t == inf and self._misplaced is None:
            return None
        first = len(lines) if is_same else first_difference(self._lines, lines)
        self._lines = lines
        self._ats[first:] = [line.at for line in lines[first:]]
        if changed_t < inf:
            first = min(first, bisect_left(self._ats, changed_t))
        if self._misplaced is not None:
            first, self._misplaced = min(first, self._misplaced), None
        return self._rebuild(max(first - 2 * self.NEAR, 0))

    def forget_places(self) -> None:
        """Forget where missed interruptions stand: those of another session come."""
        self._places.clear()

    def line_at(self, t: float, who: str) -> int | None:
        """Return the number of ``who``'s last line that had begun to be spoken by ``t``."""
        near = bisect_right(self._ats, t)
        numbers = range(max(near - self.NEAR, 0), min(near + self.NEAR, len(self.all)))
        spoken = [number for number in numbers if self._is_spoken(number, t, who)]
        return max(spoken, key=lambda number: (self._ats[number], number), default=None)

    def misplaced(self) -> list[int]:
        """Return the numbers of the entries whose missed interruptions want a place among words.

        They do once the line has been heard, until `place` tells it.
        """
        numbers = {
            self._line_of(note)
            for note in self._notes
            if note.number is None and note.at not in self._places
        }
        return sorted(n for n in numbers if n < len(self.all) and is_past(self.all[n].line))

    def place(self, number: int, words: Sequence[TimedWord]) -> None:
        """Give the missed interruptions in an entry their places among its ``words``."""
        for _, note in self.all[number].notes:
            if note.number is None:
                begun = [word for word in words if _had_begun(word, note.at)]
                self._places[note.at] = len(begun) if words else None
        self._misplaced = number if self._misplaced is None else min(number, self._misplaced)

    def _is_spoken(self, number: int, t: float, who: str) -> bool:
        line = self.all[number].line
        has_words = bool(line.heard_text) if who == "agent" else not line.typed
        return line.who == who and line.at <= t and has_words

    # -- notes ---------------------------------------------------------------------------------

    def _bring_notes(
        self, cuts: Sequence[Interruption], overlaps: Sequence[Overlap], limits: Limits
    ) -> float:
        """Take in what is to be noted; return the time from which on it is another, else inf."""
        if limits != self._limits:
            self._limits, self._cuts, self._overlaps = limits, _Noted(), _Noted()
        are_new = [
            noted.bring(records, limits)
            for noted, records in ((self._cuts, cuts), (self._overlaps, overlaps))
        ]
        if not any(are_new):
            return inf
        old = self._notes
        found = [note for note in (*self._cuts.notes, *self._overlaps.notes) if note is not None]
        self._notes = sorted(found, key=lambda note: note.at)
        first = first_difference(old, self._notes)
        return min((note.at for notes in (old, self._notes) for note in notes[first:]), default=inf)

    def _line_of(self, note: Note) -> int:
        """Return the number of the line that a note stands in."""
        near = bisect_right(self._ats, note.at)
        numbers = range(max(near - self.NEAR, 0), min(near + self.NEAR, len(self._lines)))
        agents = [n for n in numbers if self._lines[n].who == "agent" and self._ats[n] <= note.at]
        heard = [n for n in agents if self._lines[n].heard_text]
        return max(heard or agents, key=lambda n: self._ats[n], default=max(near - 1, 0))

    def _rebuild(self, start: int) -> int | None:
        since = min(self._ats[start:], default=inf) if start else -inf
        notes: dict[int, list[tuple[int, Note]]] = {}
        for note in self._notes[bisect_left(self._notes, since, key=lambda note: note.at) :]:
            number = self._line_of(note)
            if start <= number < len(self._lines):
                words = self._words_before(note, self._lines[number])
                notes.setdefault(number, []).append((words, note))
        entries = [
            Entry(line, tuple(sorted(notes.get(number, ()), key=lambda each: each[0])))
            for number, line in enumerate(self._lines[start:], start)
        ]
        old = self.all[start:]
        self.all[start:] = entries
        first = first_difference(old, entries)
        return None if first == len(old) == len(entries) else start + first

    def _words_before(self, note: Note, line: Line) -> int:
        shown = f"{line.heard_text} {line.waiting_text} {line.unheard_text}".split()
        if isinstance(note.record, Overlap):
            place = self._places.get(note.at)
            return len(shown) or len(line.text.split()) if place is None else place
        heard = note.record.heard_text.split()
        return len(heard) if shown[: len(heard)] == heard else len(line.heard_text.split())


class _Noted:
    """Records, and what the chat says of each."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self.notes: list[Note | None] = []

    def bring(self, records: Sequence[Record], limits: Limits) -> bool:
        """Take in ``records``; say whether any of them is another."""
        records = list(records)
        same = first_difference(self._records, records)
        if same == len(self._records) == len(records):
            return False
        self._records = records
        self.notes[same:] = [note_of(each, limits) for each in records[same:]]
        return True


def is_past(line: Line) -> bool:
    """Whether a line is an agent's of which no word waits to be heard."""
    return line.who == "agent" and not line.waiting_text and bool(line.heard_text)


def _had_begun(word: TimedWord, t: float) -> bool:
    return word.fate == "heard" and word.start is not None and word.start <= t


def note_of(record: Record, limits: Limits) -> Note | None:
    """Return what the chat says of an interruption, or of an overlap that was a missed one."""
    kind = class_of(record, limits)
    if isinstance(record, Interruption):
        felt, _ = felt_text(record, kind)
        return Note(record, f"#{record.number} {kind or 'interrupt'}, {felt}")
    if kind != "missed" or record.interruption is not None or record.stop is None:
        return None
    spoke_s = record.stop - record.start
    return Note(record, f"missed: you spoke {spoke_s:.1f} s over the agent, and it went on")


# -- one entry ------------------------------------------------------------------------------------


def head_of(line: Line) -> tuple[str, str, list[str]]:
    """Return who speaks, when, and what is to be said of it beside its text."""
    told = ((line.tentative, "not final"), (line.typed, "typed"), (line.estimated, "≈ words"))
    name = "You" if line.who == "user" else "Agent"
    return name, clock_text(line.at, 1).removeprefix("00:"), [text for is_so, text in told if is_so]


def pieces(line: Line) -> list[tuple[str, str]]:
    """Return a line's text cut into ``(text, style)``: heard, pending, unheard or tentative."""
    if line.tentative:
        return [(line.text, "tentative")]
    divided = ((line.heard_text, "heard"), (line.waiting_text, "pending"))
    parts = [(text, style) for text, style in (*divided, (line.unheard_text, "unheard")) if text]
    if line.who == "user" or not parts:
        return [(line.text, "heard" if line.who == "user" else "pending")]
    gaps = [("" if text[-1:].isspace() else " ") for text, _ in parts[:-1]] + [""]
    return [(text + gap, style) for (text, style), gap in zip(parts, gaps, strict=True)]


def segments(entry: Entry) -> list[Segment]:
    """Return an entry's text in the order in which it is shown, in one paragraph."""
    found: list[Segment] = []
    notes, word = list(entry.notes), 0
    for text, style in pieces(entry.line):
        whole = one_paragraph(text)
        starts = [match.start() for match in WORD.finditer(whole)]
        begin = 0
        while notes and notes[0][0] < word + len(starts):
            cut = starts[max(notes[0][0] - word, 0)]
            _add_words(found, whole[begin:cut], style, word + bisect_left(starts, begin))
            _add_note(found, notes.pop(0)[1])
            begin = cut
        _add_words(found, whole[begin:], style, word + bisect_left(starts, begin))
        word += len(starts) if len(text) <= LONGEST else len(text.split())
    for _, note in notes:
        _add_note(found, note)
    account = account_of(entry.line)
    if account:
        found.append(Segment(BREAK + one_paragraph(account), "account"))
    return found


def _add_words(found: list[Segment], text: str, style: str, word: int) -> None:
    if not text:
        return
    begins_anew = bool(found) and found[-1].note is not None
    found.append(Segment(BREAK + text if begins_anew else text, style, word))


def _add_note(found: list[Segment], note: Note) -> None:
    found.append(Segment((BREAK if found else "") + note.text, "note", note=note))


def account_of(line: Line) -> str:
    """Return the agent's own account of what was heard of a line, where ours is another."""
    if line.corrected_text is None or line.waiting_text:
        return ""
    found = agreement(line.heard_text, line.corrected_text)
    if found.agrees:
        return ""
    said = f"“{line.corrected_text}”" if line.corrected_text.strip() else "nothing was heard"
    if found.apart is None:
        return f"Agent’s account: {said}"
    words = "1 word" if abs(found.apart) == 1 else f"{abs(found.apart)} words"
    return f"Agent’s account, {words} {'more' if found.apart > 0 else 'fewer'}: {said}"


def word_at(entry: Entry, offset: int) -> int | Note | None:
    """Return the number of the word, or the note, at ``offset`` in an entry's paragraph."""
    begin = 0
    for segment in segments(entry):
        inside = offset - begin
        if inside < len(segment.text):
            if not segment.has_words:
                return segment.note
            before, here = segment.text[:inside], segment.text[inside]
            begins = not here.isspace() and (not before or before[-1].isspace())
            return segment.word + max(len(before.split()) - (not begins), 0)
        begin += len(segment.text)
    return None


def place_of_word(entry: Entry, number: int) -> tuple[int, int] | None:
    """Return offset and length of a word in an entry's paragraph."""
    begin = 0
    parts = segments(entry)
    for place, segment in enumerate(parts):
        following = next((each.word for each in parts[place + 1 :] if each.has_words), None)
        if (
            segment.has_words
            and segment.word <= number
            and (following is None or number < following)
        ):
            words = list(WORD.finditer(segment.text))
            if number - segment.word < len(words):
                word = words[number - segment.word]
                return begin + word.start(), word.end() - word.start()
            return None
        begin += len(segment.text)
    return None


def one_paragraph(text: str) -> str:
    """Return ``text`` with its line breaks as such: a new paragraph would begin another block.

    What is too long to be read is cut short, and what stands behind it reads as it would alone.
    """
    shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    lines = shown.replace("\u2029", "\n").splitlines()
    return _TOO_LONG.sub(r"\1…", BREAK.join(lines)).translate(_TURNING)
