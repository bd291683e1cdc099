"""Spoken lines: samples, the time of every word, and what follows from them.

From the word times come the character alignment that goes out with each audio chunk, and the
text that was heard when playout was cut at a given sample. Immutable once loaded.
"""

from __future__ import annotations

import bisect
import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile

from app.agents.demo.errors import ScriptError
from app.agents.demo.espeak import EspeakError, Spoken, SpokenWord, speak
from app.agents.demo.script import Line, Script
from audio.pcm import SAMPLE_RATE, to_bytes, to_contract, to_samples

SAMPLES_PER_MS = SAMPLE_RATE // 1000
TIMINGS_FILE = "timings.json"
MAX_SPEECH_S = 300


@dataclass(frozen=True, slots=True)
class Word:
    """A word: its characters in the text (end exclusive) and its milliseconds in the sound."""

    first_char: int
    end_char: int
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Alignment:
    """Characters with their times in ms, counted from the start of the chunk they come with."""

    chars: tuple[str, ...]
    start_times_ms: tuple[int, ...]
    durations_ms: tuple[int, ...]


@dataclass(frozen=True)
class Speech:
    """One line, ready to be sent.

    ``pcm`` is 16-bit mono little-endian at 16 kHz. ``true_timing`` is False where no word times
    came with the sound: then they are spread over it by the length of the words.
    """

    id: str
    text: str
    pcm: bytes
    words: tuple[Word, ...]
    true_timing: bool

    @property
    def samples(self) -> int:
        """The length in samples."""
        return len(self.pcm) // 2

    @property
    def duration_ms(self) -> float:
        """The length in milliseconds."""
        return self.samples / SAMPLES_PER_MS

    @functools.cached_property
    def char_times_ms(self) -> tuple[tuple[int, int], ...]:
        """Start and duration of every character: even inside a word, and inside each gap."""
        times: list[tuple[int, int]] = []
        char, at_ms = 0, 0
        for word in self.words:
            times += _spread(at_ms, word.start_ms, word.first_char - char)
            times += _spread(word.start_ms, word.end_ms, word.end_char - word.first_char)
            char, at_ms = word.end_char, word.end_ms
        return tuple(times + _spread(at_ms, int(self.duration_ms), len(self.text) - char))

    def alignment(self, start_sample: int, stop_sample: int) -> Alignment:
        """Align the characters that begin within a range of samples.

        Over consecutive ranges that cover the whole sound, every character comes exactly once.
        """
        starts = [start for start, _ in self.char_times_ms]
        first = bisect.bisect_left(starts, -(-start_sample // SAMPLES_PER_MS))
        last = bisect.bisect_left(starts, -(-stop_sample // SAMPLES_PER_MS))
        if stop_sample >= self.samples:
            last = len(starts)
        origin = start_sample // SAMPLES_PER_MS
        return Alignment(
            tuple(self.text[first:last]),
            tuple(start - origin for start in starts[first:last]),
            tuple(duration for _, duration in self.char_times_ms[first:last]),
        )

    def text_heard(self, samples: int) -> str:
        """Return the text up to the last word that had ended after so many samples."""
        heard_ms = samples / SAMPLES_PER_MS
        whole = [word for word in self.words if word.end_ms <= heard_ms]
        if len(whole) == len(self.words):
            return self.text
        return self.text[: whole[-1].end_char] if whole else ""


def _spread(start_ms: int, end_ms: int, chars: int) -> list[tuple[int, int]]:
    """Divide a stretch of time evenly over some characters, without gap or overlap."""
    edges = [start_ms + (end_ms - start_ms) * n // chars for n in range(chars)] if chars else []
    return [(at, until - at) for at, until in zip(edges, [*edges[1:], end_ms], strict=False)]


def load_speeches(script: Script) -> dict[str, Speech]:
    """Load everything a script can say, by the id of the line.

    Raises:
        ScriptError: a file is not audio or far too long, its word times do not fit, or a line
            without a file cannot be synthesised here.
    """
    return {line.id: _load(script, line) for line in script.lines}


def _load(script: Script, line: Line) -> Speech:
    try:
        if line.audio is None:
            return _synthesised(script, line)
        return _recorded(line.id, line.text, line.audio)
    except (EspeakError, ValueError) as error:
        raise ScriptError(script.path, line.line_number, str(error).rstrip(".")) from error


def _synthesised(script: Script, line: Line) -> Speech:
    try:
        spoken = speak(line.text, script.agent.voice, script.agent.rate_wpm)
    except EspeakError as error:
        said = f"the line {line.id!r} names no audio file and cannot be synthesised: {error}"
        raise EspeakError(said) from error
    return from_spoken(line.id, line.text, spoken)


def from_spoken(line_id: str, text: str, spoken: Spoken) -> Speech:
    """Bring what espeak-ng spoke to 16 kHz, and its words to milliseconds."""
    pcm = to_bytes(to_contract(to_samples(spoken.pcm), spoken.rate))
    return Speech(line_id, text, pcm, words_of(text, spoken), true_timing=True)


def words_of(text: str, spoken: Spoken) -> tuple[Word, ...]:
    """Join espeak-ng's marks to the words of the text, as divided by spaces.

    "mid-sentence" is two marks: a word lasts from its first mark to the end of its last. "of the"
    is spoken in one breath and is one mark: such words share its time by their characters.
    Punctuation around a word belongs to the gap.
    """
    words: list[Word] = []
    for breath, marks in _breaths(_word_spans(text), spoken.words):
        start_ms = marks[0].start_sample * 1000 // spoken.rate
        end_ms = marks[-1].end_sample * 1000 // spoken.rate
        first_char, end_char = breath[0][0], breath[-1][1]
        per_char = (end_ms - start_ms) / (end_char - first_char)
        for first, end in breath:
            at_ms = start_ms + int((first - first_char) * per_char)
            words.append(Word(first, end, at_ms, start_ms + int((end - first_char) * per_char)))
    return tuple(words)


_Span = tuple[int, int]
_Breath = tuple[list[_Span], list[SpokenWord]]


def _breaths(spans: list[_Span], marks: tuple[SpokenWord, ...]) -> list[_Breath]:
    """Group the words so that each group begins with a word that espeak-ng marks."""
    breaths: list[_Breath] = []
    for first, end in spans:
        of_word = [mark for mark in marks if first <= mark.first_char < end]
        if of_word or not breaths:
            breaths.append(([(first, end)], of_word))
        else:
            breaths[-1][0].append((first, end))
    return [breath for breath in breaths if breath[1]]


def _word_spans(text: str) -> list[_Span]:
    """Return first and end (exclusive) character of each word, without its punctuation."""
    spans, first = [], 0
    for token in text.split(" "):
        letters = [index for index, char in enumerate(token) if char.isalnum()]
        if letters:
            spans.append((first + letters[0], first + letters[-1] + 1))
        first += len(token) + 1
    return spans


def _recorded(line_id: str, text: str, path: Path) -> Speech:
    pcm = _read_audio(path)
    duration_ms = len(pcm) // 2 // SAMPLES_PER_MS
    words = _words_from_timings(text, path, duration_ms)
    if words is None:
        return Speech(line_id, text, pcm, _estimated(text, duration_ms), true_timing=False)
    return Speech(line_id, text, pcm, words, true_timing=True)


def _read_audio(path: Path) -> bytes:
    """Read any file that soundfile reads as 16 kHz mono; raise ValueError with a sentence."""
    try:
        with soundfile.SoundFile(path) as file:
            if file.frames > MAX_SPEECH_S * file.samplerate:
                raise ValueError(f"{path.name} is longer than {MAX_SPEECH_S} s")
            block = file.read(dtype="int16", always_2d=True)
            rate = file.samplerate
    except soundfile.LibsndfileError as error:
        raise ValueError(f"{path.name} is not audio that can be read") from error
    if not len(block):
        raise ValueError(f"{path.name} holds no sound")
    return to_bytes(to_contract(block, rate, block.shape[1]))


def _words_from_timings(text: str, path: Path, duration_ms: int) -> tuple[Word, ...] | None:
    """Look up the word times beside an audio file; None if there are none for it."""
    timings = _timings(path.parent / TIMINGS_FILE)
    if path.name not in timings:
        return None
    try:
        entry = timings[path.name]
        words = tuple(Word(*map(int, word)) for word in entry["words"])
        same_text = entry["text"] == text
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{TIMINGS_FILE} has no readable words for {path.name}") from error
    if not same_text:
        raise ValueError(f"the text differs from the one that {path.name} speaks")
    if not _in_order(words, len(text), duration_ms):
        raise ValueError(f"the word times in {TIMINGS_FILE} do not fit {path.name}")
    return words


def _timings(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ValueError(f"{path.name} beside the audio cannot be read") from error
    files = content.get("files") if isinstance(content, dict) else None
    if not isinstance(files, dict):
        raise ValueError(f"{path.name} beside the audio names no files")
    return files


def _in_order(words: tuple[Word, ...], chars: int, duration_ms: int) -> bool:
    char, at_ms = 0, 0
    for word in words:
        if not (char <= word.first_char < word.end_char and at_ms <= word.start_ms <= word.end_ms):
            return False
        char, at_ms = word.end_char, word.end_ms
    return char <= chars and at_ms <= duration_ms and bool(words)


def _estimated(text: str, duration_ms: int) -> tuple[Word, ...]:
    """Spread the words over the whole sound, each as long as it has characters."""
    per_char = duration_ms / max(1, len(text))
    return tuple(
        Word(first, end, int(first * per_char), int(end * per_char))
        for first, end in _word_spans(text)
    )
