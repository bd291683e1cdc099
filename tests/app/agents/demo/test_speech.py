"""Speech: that its word times are true, and what follows from them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.agents.demo import espeak, speech
from app.agents.demo.errors import ScriptError
from app.agents.demo.script import SPEECH_FOLDER, Script, load_script
from app.agents.demo.speech import Speech, Word, load_speeches

Write = Callable[[str], Path]
SAMPLES_PER_MS = 16

# Its two words last from 100 to 300 and from 500 to 700 of 1000 ms.
SMALL = Speech(
    "small",
    "Hi, you.",
    bytes(2 * 16_000),
    (Word(0, 2, 100, 300), Word(4, 7, 500, 700)),
    true_timing=True,
)


def _levels_dbfs(one: Speech, step_ms: int = 10) -> np.ndarray:
    samples = np.frombuffer(one.pcm, "<i2") / 32768
    step = step_ms * SAMPLES_PER_MS
    whole = samples[: len(samples) // step * step].reshape(-1, step)
    return 10 * np.log10(np.mean(whole**2, axis=1) + 1e-10)


def test_every_shipped_line_has_true_word_times(shipped_speech: dict[str, Speech]) -> None:
    assert all(one.true_timing for one in shipped_speech.values())


def test_replies_are_long_enough_to_be_worth_interrupting(
    shipped: Script, shipped_speech: dict[str, Speech]
) -> None:
    lengths_s = [shipped_speech[line.id].duration_ms / 1000 for line in shipped.replies]
    assert all(8 <= length_s <= 16 for length_s in lengths_s)


def test_the_shipped_speech_is_small() -> None:
    assert sum(path.stat().st_size for path in SPEECH_FOLDER.iterdir()) < 2_000_000


def test_words_stand_where_the_sound_is(shipped_speech: dict[str, Speech]) -> None:
    """Every word is loud somewhere inside; every long gap between words is quiet inside."""
    for one in shipped_speech.values():
        levels = _levels_dbfs(one)
        for word in one.words:
            inside = levels[word.start_ms // 10 : word.end_ms // 10 + 1]
            assert inside.max() > -30, (one.id, one.text[word.first_char : word.end_char])
        for before, after in zip(one.words, one.words[1:], strict=False):
            if after.start_ms - before.end_ms >= 120:
                gap = levels[before.end_ms // 10 + 4 : after.start_ms // 10 - 1]
                assert gap.max() < -40, (one.id, one.text[before.first_char : after.end_char])


def test_every_pause_in_the_sound_is_a_gap_between_words(
    shipped_speech: dict[str, Speech],
) -> None:
    """Where 120 ms and more are silent, no word is said to be spoken all the while."""
    for one in shipped_speech.values():
        quiet = _levels_dbfs(one) < -55
        for start in range(len(quiet) - 12):
            if quiet[start : start + 12].all():
                middle_ms = (start + 6) * 10
                assert not any(w.start_ms < middle_ms < w.end_ms for w in one.words), one.id


def test_all_words_of_the_text_are_timed_in_order(shipped_speech: dict[str, Speech]) -> None:
    for one in shipped_speech.values():
        words = [one.text[word.first_char : word.end_char] for word in one.words]
        assert words == [token.strip(".,:?!") for token in one.text.split()]


@pytest.mark.parametrize("chunk_ms", [20, 250, 333, 100_000])
def test_chunk_alignments_add_up_to_the_text_and_stay_in_the_sound(
    shipped_speech: dict[str, Speech], chunk_ms: int
) -> None:
    for one in shipped_speech.values():
        chars, starts, ends = [], [], []
        for start in range(0, one.samples, chunk_ms * SAMPLES_PER_MS):
            stop = min(start + chunk_ms * SAMPLES_PER_MS, one.samples)
            part = one.alignment(start, stop)
            assert len(part.chars) == len(part.start_times_ms) == len(part.durations_ms)
            assert all(0 <= at <= chunk_ms for at in part.start_times_ms)
            chars += part.chars
            starts += [at + start // SAMPLES_PER_MS for at in part.start_times_ms]
            ends += [
                at + start // SAMPLES_PER_MS + lasts
                for at, lasts in zip(part.start_times_ms, part.durations_ms, strict=True)
            ]
        assert "".join(chars) == one.text
        assert starts == sorted(starts)
        assert ends[:-1] == starts[1:]  # no gap, no overlap
        assert ends[-1] <= one.duration_ms


def test_characters_are_spread_in_words_and_spaces_in_gaps() -> None:
    part = SMALL.alignment(0, 16_000)
    assert "".join(part.chars) == "Hi, you."
    assert part.start_times_ms == (100, 200, 300, 400, 500, 566, 633, 700)
    assert part.durations_ms == (100, 100, 100, 100, 66, 67, 67, 300)


def test_times_count_from_the_start_of_the_chunk() -> None:
    part = SMALL.alignment(400 * SAMPLES_PER_MS, 600 * SAMPLES_PER_MS)
    assert part.chars == (" ", "y", "o")
    assert part.start_times_ms == (0, 100, 166)


@pytest.mark.parametrize(
    ("heard_ms", "text"),
    [(0, ""), (299, ""), (300, "Hi"), (699, "Hi"), (700, "Hi, you."), (1000, "Hi, you.")],
)
def test_heard_text_is_cut_at_the_word(heard_ms: int, text: str) -> None:
    assert SMALL.text_heard(heard_ms * SAMPLES_PER_MS) == text


def _script(write: Write, audio: str | None) -> Script:
    line = f'audio = "{audio}"\n' if audio else ""
    return load_script(
        write(
            '[[greeting]]\nid = "one"\ntext = "One, two three."\n'
            + line
            + '[[reply]]\nid = "two"\ntext = "Sure, go ahead."\naudio = "go-ahead.ogg"\n'
        )
    )


def test_audio_of_another_format_is_converted_and_its_words_estimated(
    write_script: Write, tmp_path: Path
) -> None:
    tone = np.sin(np.arange(44_100) * 0.05) * 0.5
    soundfile.write(tmp_path / "tone.wav", np.stack([tone, tone], axis=1), 44_100)
    one = load_speeches(_script(write_script, "tone.wav"))["one"]
    assert one.samples == pytest.approx(16_000, abs=2)
    assert not one.true_timing
    assert [one.text[w.first_char : w.end_char] for w in one.words] == ["One", "two", "three"]
    assert one.words[-1].end_ms <= 1000


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"no sound at all", "is not audio that can be read"), (b"", "is not audio")],
)
def test_what_is_not_audio_is_refused_with_the_line(
    write_script: Write, tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "noise.wav").write_bytes(content)
    with pytest.raises(ScriptError, match=f"line 4: noise.wav {said}"):
        load_speeches(_script(write_script, "noise.wav"))


@pytest.mark.parametrize(
    ("timings", "said"),
    [
        ("{", "cannot be read"),
        ("[]", "names no files"),
        ('{"files": {"tone.wav": 3}}', "no readable words"),
        ('{"files": {"tone.wav": {"text": "Else.", "words": []}}}', "the text differs"),
        (
            json.dumps(
                {"files": {"tone.wav": {"text": "One, two three.", "words": [[0, 3, 9, 5]]}}}
            ),
            "do not fit",
        ),
    ],
)
def test_word_times_that_do_not_fit_are_refused(
    write_script: Write, tmp_path: Path, timings: str, said: str
) -> None:
    soundfile.write(tmp_path / "tone.wav", np.zeros(16_000), 16_000)
    (tmp_path / "timings.json").write_text(timings)
    with pytest.raises(ScriptError, match=said):
        load_speeches(_script(write_script, "tone.wav"))


def test_a_line_without_audio_is_refused_where_espeak_is_missing(
    write_script: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise espeak.EspeakError("espeak-ng is not installed")

    monkeypatch.setattr(speech, "speak", missing)
    with pytest.raises(ScriptError, match=r"line 3: the line 'one' names no audio file.*not inst"):
        load_speeches(_script(write_script, None))


def test_a_line_without_audio_is_spoken_by_espeak_with_true_times(write_script: Write) -> None:
    try:
        espeak.speak("Hello.", "en-us", 170)
    except espeak.EspeakError as error:
        pytest.skip(str(error))
    one = load_speeches(_script(write_script, None))["one"]
    assert one.true_timing
    assert 500 < one.duration_ms < 3000
    assert len(one.words) == 3


def test_words_spoken_in_one_breath_share_its_time() -> None:
    spoken = espeak.Spoken(
        bytes(2000),
        1000,
        (espeak.SpokenWord(0, 0, 300), espeak.SpokenWord(4, 300, 900)),
    )
    assert speech.words_of("End of the.", spoken) == (
        Word(0, 3, 0, 300),
        Word(4, 6, 300, 500),
        Word(7, 10, 600, 900),
    )


def test_an_unknown_voice_is_refused(write_script: Write) -> None:
    script = load_script(
        write_script(
            '[agent]\nvoice = "xx-nobody"\n[[greeting]]\nid = "a"\ntext = "A."\n'
            '[[reply]]\nid = "b"\ntext = "B."\n'
        )
    )
    with pytest.raises(ScriptError, match=r"line 5: .* espeak-ng"):
        load_speeches(script)
