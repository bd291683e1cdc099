"""``turnscope export``, as typed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.commands import cli
from app.commands.exit_codes import DEVICE_OR_FILE, INTERRUPTED, OK, USAGE
from app.export.motif import Look, Motif
from app.notices import AppError
from tests.app.export.recorded import NAME, Recorded, record, write_wav
from tests.rig.waiting import wait_until


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return record(tmp_path_factory.mktemp("recorded"))


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path) -> Path:
    monkeypatch.setattr(cli, "set_up_logs", lambda **_: None)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def run(*arguments: object, get_draw: object = None) -> int:
    typed = ["export", *map(str, arguments)]
    return cli.main(typed, lambda: pytest.fail("no window"), get_draw)


def test_help_tells_formats_times_privacy_and_exit_codes(capsys):
    with pytest.raises(SystemExit) as ended:
        run("--help")
    assert ended.value.code == 0
    told = capsys.readouterr().out
    for word in (
        "wav ",
        "tracks ",
        "flac ",
        "opus ",
        "mp3 ",
        "labels ",
        "srt ",
        "vtt ",
        "zip ",
        "png ",
    ):
        assert f"\n  {word}" in told
    assert "--no-user-text" in told
    assert "\n  3    a file cannot be read or written" in told


def test_files_are_written_here_and_listed(recorded, here, capsys):
    assert run(recorded.path, "--format", "wav,srt", "--format", "csv") == OK
    written = capsys.readouterr().out.split()
    assert written == [
        f"{NAME}.wav",
        f"{NAME}.srt",
        f"{NAME}-turns.csv",
        f"{NAME}-interruptions.csv",
    ]
    assert sorted(path.name for path in here.iterdir()) == sorted(written)


def test_a_stretch_into_a_named_file_as_json(recorded, here, capsys):
    target = here / "cut.wav"
    arguments = ("--format", "wav", "--from", "0:04", "--to", "7", "--out", target, "--json")
    assert run(recorded.path, *arguments) == OK
    told = json.loads(capsys.readouterr().out)
    assert told == {"written": [{"path": str(target), "bytes": target.stat().st_size}]}
    samples, _ = soundfile.read(target, dtype="int16")
    assert np.array_equal(samples[:, 0], recorded.user[64_000:112_000])


def test_several_files_take_the_name_that_was_given(recorded, here):
    assert run(recorded.path, "--format", "tracks,labels", "--out", "talk.wav", "--no-user") == OK
    assert sorted(path.name for path in here.iterdir()) == ["talk-agent.wav", "talk-labels.txt"]
    assert run(recorded.path, "--format", "csv", "--out", "v1.2") == OK
    assert (here / "v1.2-turns.csv").exists()


def test_a_folder_takes_the_sessions_names(recorded, here):
    (here / "figures").mkdir()
    assert run(recorded.path, "--format", "json", "--out", "figures", "--no-user-text") == OK
    assert [path.name for path in (here / "figures").iterdir()] == [f"{NAME}.json"]


def test_nothing_is_replaced_without_force(recorded, here, capsys):
    (here / "out.srt").write_text("mine")
    assert run(recorded.path, "--format", "srt", "--out", "out.srt") == USAGE
    told = capsys.readouterr()
    assert "“out.srt” exists already" in told.err
    assert "--force" in told.err
    assert told.out == ""
    assert (here / "out.srt").read_text() == "mine"
    assert run(recorded.path, "--format", "srt", "--out", "out.srt", "--force") == OK
    assert "weather" in (here / "out.srt").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--format", "wav", "--from", "90"], USAGE, "the session lasts 28.000 s"),
        (["--format", "csv", "--out", "nowhere/x"], USAGE, "There is no folder “nowhere”"),
        (["--format", "wav", "--out", "/proc/1/x.wav"], DEVICE_OR_FILE, "/proc/1/x.wav"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(recorded, arguments, code, words, capsys):
    assert run(recorded.path, *arguments) == code
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "docx"], "there is no format “docx”: there are wav, tracks"),
        (["--format", "png", "--size", "9x9"], "“9x9” is no size from 320x240 to 16384x8192"),
        (["--format", "png", "--size", "99999x400"], "is no size"),
        (["--format", "png", "--size", "large"], "“large” is no size"),
        (["--format", "png", "--theme", "blue"], "invalid choice"),
        (["--format", "wav", "--from", "soon"], "“soon” is no time in a session"),
        (["--format", "wav", "--to", "-1"], "“-1” is no time"),
        ([], "--format"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(recorded, arguments, words, capsys):
    with pytest.raises(SystemExit) as ended:
        run(recorded.path, *arguments)
    assert ended.value.code == USAGE
    assert words in capsys.readouterr().err


def test_of_an_audio_file_there_is_audio_alone(here, capsys):
    write_wav(here / "caller.wav", np.arange(100, dtype=np.int16))
    assert run("caller.wav", "--format", "flac") == OK
    assert run("caller.wav", "--format", "srt") == USAGE
    assert "“caller.wav” is an audio file: it has no turns" in capsys.readouterr().err
    assert run("caller.wav", "--format", "wav", "--force") == USAGE
    assert "is the recording itself" in capsys.readouterr().err


def test_what_is_no_session(here, capsys):
    (here / "notes.txt").write_text("hello")
    assert run("notes.txt", "--format", "wav") == DEVICE_OR_FILE
    (here / "folder").mkdir()
    assert run("folder", "--format", "wav") == USAGE
    told = capsys.readouterr().err
    assert "notes.txt" in told
    assert "is not a recording" in told


class Drawing:
    """Draws nothing, and keeps what it was to draw."""

    def __init__(self) -> None:
        self.drawn: list[tuple[Motif, str, Look]] = []

    def __call__(self, motif: Motif, kind: str, look: Look) -> bytes:
        assert motif.recording.progress == 1.0
        self.drawn.append((motif, kind, look))
        return f"a picture, {kind}".encode()


def test_a_picture_is_of_all_that_was_worked_out(recorded, here):
    drawing = Drawing()
    assert run(recorded.path, "--format", "png,svg", get_draw=lambda: drawing) == OK
    assert (here / f"{NAME}.png").read_bytes() == b"a picture, png"
    assert (here / f"{NAME}.svg").read_bytes() == b"a picture, svg"
    (motif, _, look), (again, _, _) = drawing.drawn
    assert motif.recording is again.recording
    assert look == Look(1600, 500, "light")
    assert (motif.title, motif.start_s) == (NAME, 0.0)
    assert motif.stop_s == pytest.approx(recorded.samples / 16_000, rel=0.02)
    assert [marker.t for marker in motif.markers] == [2.0, 6.0]
    assert motif.recording.turns.interruptions


def test_a_picture_of_a_stretch_keeps_the_sessions_time(recorded, here):
    drawing = Drawing()
    arguments = ("--format", "png", "--from", "4", "--to", "7", "--size", "800x300")
    assert run(recorded.path, *arguments, "--theme", "dark", get_draw=lambda: drawing) == OK
    motif, _, look = drawing.drawn[0]
    assert (motif.start_s, motif.stop_s) == (4.0, 7.0)
    assert look == Look(800, 300, "dark")


def test_nothing_is_drawn_where_a_file_is_in_the_way(recorded, here):
    (here / "a.png").write_text("mine")
    drawing = Drawing()
    assert (
        run(recorded.path, "--format", "png", "--out", "a.png", get_draw=lambda: drawing) == USAGE
    )
    assert not drawing.drawn
    arguments = ("--format", "png", "--out", "a.png", "--force")
    assert run(recorded.path, *arguments, get_draw=lambda: drawing) == OK
    assert (here / "a.png").read_bytes() == b"a picture, png"


def test_a_picture_that_fails_leaves_nothing_behind(recorded, here):
    def draw(*_: object) -> bytes:
        raise AppError("There is no colour.")

    assert run(recorded.path, "--format", "wav,png", get_draw=lambda: draw) == USAGE
    assert not list(here.iterdir())


def test_without_anybody_to_draw_there_is_no_picture(recorded, here, capsys):
    assert run(recorded.path, "--format", "png") == USAGE
    assert "can only be had from the window" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("before", "code", "said"),
    [
        ("sys.modules['PySide6'] = None", USAGE, "No picture can be drawn: "),
        ("", OK, ""),
    ],
)
def test_a_picture_takes_qt_and_no_display(recorded, here, before, code, said):
    arguments = ["turnscope", "export", str(recorded.path), "--format", "png", "--out", "a.png"]
    program = f"import sys; {before or 'pass'}; sys.argv = {arguments}; import app.__main__ as m; "
    unset = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment["PYTHONPATH"] = str(Path(cli.__file__).parents[2])
    command = [sys.executable, "-c", program + "sys.exit(m.main())"]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith(f"turnscope: {said}" if said else "")
    assert "Traceback" not in done.stderr
    assert (here / "a.png").exists() == (code == OK)


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
@pytest.mark.parametrize("kind", ["SIGINT", "SIGTERM"])
def test_ctrl_c_leaves_nothing_behind(here, kind):
    write_wav(here / "long.wav", np.zeros(4 * 3600 * 16_000, np.int16))
    command = [sys.executable, "-m", "app", "export", "long.wav", "--format", "mp3"]
    environment = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])}
    process = subprocess.Popen(command, cwd=here, env=environment, stderr=subprocess.DEVNULL)
    wait_until(lambda: list(here.glob(".turnscope-*")), 20, "the export to begin")
    process.send_signal(getattr(signal, kind))
    assert process.wait(20) == INTERRUPTED
    assert [path.name for path in here.iterdir()] == ["long.wav"]
