"""``turnscope replay``, as typed: the same caller meets the same agent."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.commands import cli
from app.commands.exit_codes import DEVICE_OR_FILE, OK, USAGE
from tests.rig.speech import say, silence, tone, write_wav

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def no_logs(monkeypatch: pytest.MonkeyPatch, error_log: list[str]) -> Iterator[None]:
    """Leave the log as it is. A session that fails says so there as well."""
    monkeypatch.setattr(cli, "set_up_logs", lambda **_: None)
    yield
    error_log.clear()


def test_two_replays_of_a_caller_have_the_same_turns_and_interruptions(tmp_path: Path) -> None:
    said = (silence(1.2), say("Hold on."), silence(2.6), say("Mm."), silence(1.0))
    caller = write_wav(tmp_path / "caller.wav", np.concatenate((*said, say("Stop, please."))))
    command = [sys.executable, "-m", "app", "replay", str(caller), "--json", "--seconds", "9.5"]
    command += ["--record", str(tmp_path), "--title", "as it was"]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    first, second = (json.loads(run.communicate()[0]) for run in runs)
    assert _course(first) == _course(second)
    assert first["user_turns"] >= 2
    assert first["interruptions"] >= 1
    assert first["replays"] == {"name": "caller.wav", "kind": "file"}
    kept = Path(first["recording"])
    assert json.loads((kept / "notes.json").read_text())["title"] == "as it was"
    told = json.loads((kept / "session.json").read_text())
    assert (told["replays"], told["settings"]["replays"]) == ("caller.wav", first["replays"])


def _course(told: dict[str, Any]) -> tuple[object, ...]:
    counts = [told[name] for name in ("user_turns", "agent_turns", "interruptions")]
    kinds = [cut["kind"] for cut in told["interruption_list"]]
    return counts, kinds, len(told["response_latencies_ms"])


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nothing.wav"], DEVICE_OR_FILE, "no recording or audio file “nothing.wav”"),
        ([__file__], DEVICE_OR_FILE, "is not an audio file"),
        (["CALLER", "--swap"], USAGE, "nothing to swap"),
        (["CALLER", "--agent", "siri"], USAGE, "names no agent"),
        (["CALLER", "--no-record", "--title", "x"], USAGE, "cannot go with --no-record"),
        (["CALLER", "--speaker", "heard.mp3"], USAGE, "does not end in .wav"),
        (["CALLER", "--speaker", "CALLER"], DEVICE_OR_FILE, "the file that the caller is read"),
    ],
)
def test_what_cannot_be_replayed_is_said_in_a_sentence(
    arguments: list[str], code: int, words: str, tmp_path: Path, capsys: Captured
) -> None:
    caller = write_wav(tmp_path / "caller.wav", tone(0.2))
    before = caller.read_bytes()
    given = [str(caller) if each == "CALLER" else each for each in arguments]
    assert cli.main(["replay", *given], lambda: 0) == code
    told = capsys.readouterr()
    assert words in told.out + told.err
    assert caller.read_bytes() == before


def test_the_summary_for_a_person_says_what_was_replayed(tmp_path: Path, capsys: Captured) -> None:
    caller = write_wav(tmp_path / "caller.wav", tone(0.2))
    assert cli.main(["replay", str(caller), "--no-record", "--seconds", "0.1"], lambda: 0) == OK
    assert "  replays           caller.wav\n" in capsys.readouterr().out


def test_open_hands_the_recording_to_the_window(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_wav(tmp_path / "caller.wav", tone(0.2))
    opened: list[Path] = []
    assert cli.main(["open", "caller.wav"], lambda path: opened.append(path) or OK) == OK
    assert opened == [tmp_path / "caller.wav"]
    assert cli.main(["open", "gone.wav"], lambda path: opened.append(path) or OK) == DEVICE_OR_FILE
    assert len(opened) == 1
    assert "no recording or audio file “gone.wav”" in capsys.readouterr().err
