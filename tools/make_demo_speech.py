"""Make the demo agent's speech again, from the texts of its script.

    python tools/make_demo_speech.py [--all]

Needs espeak-ng's library (``apt install espeak-ng``, ``brew install espeak-ng``) and the
project's own requirements. For every line of the scripts in ``resources/demo`` that names an audio
file it writes that file to ``resources/demo/speech/`` (Ogg Vorbis, 16 kHz, mono), and the time of
every word, as espeak-ng itself marks it, to ``timings.json`` beside it: for each file the text
and a list of ``[first character, end character, start ms, end ms]``, ends exclusive.
All lines are raised by the same gain, so that the loudest peaks at -2 dBFS. A file that speaks the
same text already is left as it is, unless ``--all`` is given: espeak-ng speaks no line twice alike.
"""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from app.agents.demo.espeak import speak  # noqa: E402
from app.agents.demo.script import (  # noqa: E402
    DEFAULT_SCRIPT,
    SPEECH_FOLDER,
    find_script,
    shipped_scripts,
)
from app.agents.demo.speech import TIMINGS_FILE, Speech, from_spoken  # noqa: E402
from audio.pcm import SAMPLE_RATE  # noqa: E402

TAIL_MS = 120
PEAK = 10 ** (-2 / 20)
Timing = dict[str, Any]
"""What a file speaks: its ``text``, and its ``words`` as in the file of timings."""
QUALITY = 0.55  # libsndfile's 0 (largest) to 1 (smallest)


def main() -> int:
    """Speak every line, level them together, and write them."""
    agent = tomllib.loads(DEFAULT_SCRIPT.read_text(encoding="utf-8"))["agent"]
    spoken = {
        entry["audio"]: _speak(entry, agent["voice"], agent["rate_wpm"])
        for name in shipped_scripts()
        for entry in _lines(find_script(name))
        if "audio" in entry
    }
    gain = PEAK / max(np.abs(_samples(speech)).max() for speech in spoken.values())
    SPEECH_FOLDER.mkdir(parents=True, exist_ok=True)
    there = {} if "--all" in sys.argv[1:] else _timings_of_files()
    timings: dict[str, Timing] = {}
    for name, speech in spoken.items():
        timings[name] = there.get(name, {})
        if timings[name].get("text") != speech.text:
            timings[name] = _timing(speech)
            _write(SPEECH_FOLDER / name, _samples(speech) * gain)
            print(f"{name}: {speech.duration_ms / 1000:.1f} s, {len(speech.words)} words")
    _write_timings(timings, agent)
    return 0


def _lines(script: Path) -> list[dict[str, str]]:
    content = tomllib.loads(script.read_text(encoding="utf-8"))
    kinds = ("greeting", "reply", "acknowledgement", "idle_prompt")
    return [entry for kind in kinds for entry in content.get(kind, [])]


def _timings_of_files() -> dict[str, Timing]:
    """Return text and words of each file that is there."""
    path = SPEECH_FOLDER / TIMINGS_FILE
    files = json.loads(path.read_text(encoding="utf-8"))["files"] if path.exists() else {}
    return {name: timing for name, timing in files.items() if (SPEECH_FOLDER / name).exists()}


def _timing(speech: Speech) -> Timing:
    words = [[w.first_char, w.end_char, w.start_ms, w.end_ms] for w in speech.words]
    return {"text": speech.text, "words": words}


def _speak(entry: dict[str, str], voice: str, rate_wpm: int) -> Speech:
    text = " ".join(entry["text"].split())
    return from_spoken(entry["id"], text, speak(text, voice, rate_wpm))


def _samples(speech: Speech) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the line as -1 to 1, cut shortly after its last word."""
    stop = (speech.words[-1].end_ms + TAIL_MS) * SAMPLE_RATE // 1000
    return np.frombuffer(speech.pcm, dtype="<i2")[:stop] / 32768.0


def _write(path: Path, samples: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    with soundfile.SoundFile(
        path, "w", SAMPLE_RATE, 1, format="OGG", subtype="VORBIS", compression_level=QUALITY
    ) as file:
        file.write(samples)


def _write_timings(timings: dict[str, Timing], agent: dict[str, Any]) -> None:
    """Write the word times, one line for each file, so that a change is easy to read."""
    files = [
        f"{json.dumps(name)}: {json.dumps(timing)}" for name, timing in sorted(timings.items())
    ]
    made = json.dumps(f"espeak-ng, voice {agent['voice']}, {agent['rate_wpm']} words a minute")
    content = '{"made_with": ' + made + ',\n"files": {\n' + ",\n".join(files) + "\n}}\n"
    (SPEECH_FOLDER / TIMINGS_FILE).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
