"""The commands, as typed."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.agents.demo.script import MISBEHAVING
from app.commands import cli
from app.commands.exit_codes import DEVICE_OR_FILE, OK, USAGE
from app.settings import Settings, SettingsFile
from audio.devices import Device
from audio.errors import MissingDependency


class OwnInterface:
    """An audio interface as a user might bring it."""

    def start(self, input_callback):
        self.callback = input_callback

    def stop(self):
        pass

    def output(self, audio):
        pass

    def interrupt(self):
        pass


class NotAnInterface:
    def start(self, input_callback):
        pass


def run(*arguments: str) -> int:
    return cli.main(arguments, lambda: pytest.fail("no window was asked for"))


@pytest.fixture(autouse=True)
def no_logs(monkeypatch):
    monkeypatch.setattr(cli, "set_up_logs", lambda **_: None)


def test_without_a_command_the_window_opens():
    opened = []
    assert cli.main([], lambda: opened.append(True) or 7) == 7
    assert opened == [True]


@pytest.mark.parametrize("command", [["--help"], ["run", "--help"], ["key", "--help"]])
def test_help_is_there(command, capsys):
    with pytest.raises(SystemExit) as ended:
        run(*command)
    assert ended.value.code == 0
    assert "turnscope" in capsys.readouterr().out


def test_help_tells_examples_and_exit_codes(capsys):
    with pytest.raises(SystemExit):
        run("--help")
    assert "turnscope run --agent demo --mic caller.wav" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        run("run", "--help")
    told = capsys.readouterr().out
    assert [code for code in ("0", "1", "2", "3", "130") if f"\n  {code} " not in told] == []


def test_help_names_every_script_that_is_shipped(capsys):
    with pytest.raises(SystemExit):
        run("run", "--help")
    told = "".join(capsys.readouterr().out.split())
    assert [name for name in MISBEHAVING if name not in told] == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--agent", "siri"], USAGE, "“siri” names no agent"),
        (["--agent", "elevenlabs:"], USAGE, "names no agent"),
        (["--agent", "elevenlabs:x", "--base-url", "ftp://x"], USAGE, "not the address"),
        (["--agent", "elevenlabs:x", "--base-url", "http://u:p@x"], USAGE, "Leave out user names"),
        (["--agent", "elevenlabs:x", "--script", "a"], USAGE, "only be given with --agent demo"),
        (["--agent", "demo", "--no-key"], USAGE, "--no-key can only be given"),
        (["--script", "/nowhere.toml"], USAGE, "/nowhere.toml"),
        (["--script", "no-such-script"], USAGE, "there are default, hears-itself"),
        (["--mic", "none", "--speaker", "out.mp3"], USAGE, "does not end in .wav"),
        (["--audio", "nowhere"], USAGE, "does not name a class"),
        (["--audio", "no.such:Thing"], USAGE, "ModuleNotFoundError"),
        (["--audio", f"{__name__}:NotAnInterface"], USAGE, "has no stop and no output and no"),
        (["--audio", f"{__name__}:OwnInterface", "--mic", "none"], USAGE, "--mic cannot be given"),
        (
            ["--audio", f"{__name__}:OwnInterface", "--speaker", "default"],
            USAGE,
            "--speaker cannot be given",
        ),
        (["--mic", "/nowhere/x.wav", "--speaker", "none"], DEVICE_OR_FILE, "/nowhere/x.wav"),
        (
            ["--mic", "none", "--speaker", "/nowhere/x.wav"],
            DEVICE_OR_FILE,
            "/nowhere/x.wav",
        ),
        (["--mic", __file__, "--speaker", "none"], DEVICE_OR_FILE, "not an audio file"),
        (
            ["--mic", "none", "--speaker", "none", "--record", "/proc/x"],
            DEVICE_OR_FILE,
            "Nothing can be recorded",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(arguments, code, words, capsys, caplog):
    assert run("run", *arguments) == code
    told = capsys.readouterr()
    assert words in told.out + told.err
    assert "Traceback" not in told.out + told.err


def test_a_missing_caller_is_said_before_an_agent_is_begun(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("app.agents.demo_agent.DemoAgent.open", lambda _: pytest.fail("begun"))
    missing = str(tmp_path / "none.wav")
    arguments = ("--mic", missing, "--speaker", "none", "--record", str(tmp_path / "kept"))
    assert run("run", *arguments) == DEVICE_OR_FILE
    assert f"There is no file “{missing}”." in capsys.readouterr().err
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("seconds", ["soon", "-1", "nan", "inf"])
def test_seconds_are_a_number(seconds, capsys):
    with pytest.raises(SystemExit) as ended:
        run("run", "--seconds", seconds)
    assert ended.value.code == USAGE
    assert "is not a number of seconds" in capsys.readouterr().err


def test_a_key_that_is_not_there_fails_the_session_with_advice(capsys):
    assert run("run", "--agent", "elevenlabs:x", "--mic", "none", "--speaker", "none") == 1
    assert "There is no API key. Store one with “turnscope key set”" in capsys.readouterr().out


def test_a_class_of_ones_own_carries_a_whole_session(tmp_path, capsys):
    own = ("--audio", f"{__name__}:OwnInterface")
    code = run("run", *own, "--seconds", "1.5", "--json", "--record", str(tmp_path))
    told = json.loads(capsys.readouterr().out)
    assert code == OK
    assert told["is_estimated"] is True
    assert told["received_ms"] > 0
    assert (Path(told["recording"]) / "agent.wav").is_file()


def test_devices_are_listed_by_the_names_that_are_taken(monkeypatch, capsys):
    found = [
        Device("pulse:mic1", "Headset", "microphone", is_default=True),
        Device("pulse:box", "Box", "speaker"),
    ]
    monkeypatch.setattr("audio.devices.list_devices", lambda: found)
    assert run("devices") == OK
    told = capsys.readouterr().out
    assert told.index("Microphones") < told.index("* Headset") < told.index("Speakers")
    assert "pulse:box" in told
    assert run("devices", "--json") == OK
    assert json.loads(capsys.readouterr().out)[0]["id"] == "pulse:mic1"


def test_no_device_names_the_way_without(monkeypatch, capsys):
    monkeypatch.setattr("audio.devices.list_devices", list)
    assert run("devices") == OK
    assert "give --mic a file" in capsys.readouterr().out

    def missing():
        raise MissingDependency("PyAudio is not installed.")

    monkeypatch.setattr("audio.devices.list_devices", missing)
    assert run("devices") == DEVICE_OR_FILE
    assert "PyAudio is not installed." in capsys.readouterr().err


def test_the_key_is_stored_found_and_forgotten_without_being_shown(monkeypatch, capsys):
    kept: dict[str, str] = {}
    monkeypatch.setattr("keyring.set_password", lambda s, a, value: kept.update(key=value))
    monkeypatch.setattr("keyring.get_password", lambda s, a: kept.get("key"))
    monkeypatch.setattr("keyring.delete_password", lambda s, a: kept.pop("key"))
    assert run("key", "status") == 1
    monkeypatch.setattr("sys.stdin", io.StringIO("sk_secret_secret\n"))
    assert run("key", "set") == OK
    assert kept == {"key": "sk_secret_secret"}
    assert run("key", "status") == OK
    assert run("key", "forget") == OK
    assert run("key", "status") == 1
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    assert run("key", "set") == USAGE
    told = capsys.readouterr()
    assert "sk_secret" not in told.out + told.err
    assert "in the keyring" in told.out


def test_the_demo_server_says_how_to_reach_it_and_ends_when_told():
    command = [sys.executable, "-m", "app", "demo-server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        killer = threading.Timer(20, server.kill)
        killer.start()
        assert server.stdout is not None
        lines = []
        for line in server.stdout:
            lines.append(line)
            if "Ctrl+C" in line:
                break
        server.send_signal(signal.SIGTERM)
        code = server.wait(10)
        killer.cancel()
    told = "".join(lines)
    assert "base URL   http://127.0.0.1:" in told
    assert "requires_auth=True" in told
    compile(told.split("\n\n", 1)[1].rsplit("\n\n", 1)[0], "snippet", "exec")
    assert code in (OK, 130)


def test_a_port_in_use_is_said_in_a_sentence(capsys):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert run("demo-server", "--port", str(taken.getsockname()[1])) == DEVICE_OR_FILE
    assert "cannot listen on port" in capsys.readouterr().err


@pytest.mark.parametrize("display", [{}, {"DISPLAY": "localhost:10.0"}])
def test_no_display_names_the_way_without_a_window(display):
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    }
    done = subprocess.run(
        [sys.executable, "-m", "app"],
        env={**environment, **display},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == USAGE
    assert done.stderr.count("\n") == 1
    assert "turnscope run" in done.stderr


def test_the_commands_load_nothing_that_the_window_would_wait_for():
    code = (
        "import sys; from app.commands import cli; cli.build_parser();"
        "slow = ('PySide6', 'elevenlabs', 'ui', 'numpy', 'audio');"
        "print([m for m in sys.modules if m.split('.')[0] in slow])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_run_is_recorded_where_the_settings_say_unless_told_not_to(tmp_path, capsys):
    SettingsFile().save(Settings(recordings=str(tmp_path / "kept")))
    own = ("--audio", f"{__name__}:OwnInterface", "--seconds", "0.2", "--json")
    assert run("run", *own) == OK
    (folder,) = (tmp_path / "kept").iterdir()
    assert json.loads(capsys.readouterr().out)["recording"] == str(folder)
    assert run("run", *own, "--no-record") == OK
    assert json.loads(capsys.readouterr().out)["recording"] is None
    assert list((tmp_path / "kept").iterdir()) == [folder]
    with pytest.raises(SystemExit):
        run("run", "--no-record", "--record", str(tmp_path))
    SettingsFile().path.unlink()


def test_settings_that_cannot_be_read_are_told_before_a_run(tmp_path, capsys, caplog, monkeypatch):
    monkeypatch.setattr("platformdirs.user_documents_dir", lambda: str(tmp_path))
    path = SettingsFile().path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{")
    assert run("run", "--audio", f"{__name__}:OwnInterface", "--seconds", "0.1") == OK
    assert "settings" in capsys.readouterr().err
    assert list((tmp_path / "Turnscope").iterdir())


def test_a_class_in_the_folder_that_one_is_in_is_found(tmp_path):
    (tmp_path / "my_sound.py").write_text(
        "class Quiet:\n"
        "    def start(self, input_callback): pass\n"
        "    def stop(self): pass\n"
        "    def output(self, audio): pass\n"
        "    def interrupt(self): pass\n"
    )
    # -P, as an installed command: the current folder is not on the path
    installed = "import sys; from app.__main__ import main; sys.exit(main())"
    arguments = ("run", "--audio", "my_sound:Quiet", "--no-record", "--seconds", "0.1")
    done = subprocess.run(
        [sys.executable, "-P", "-c", installed, *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == OK, done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the disk that is always full")
def test_a_version_that_cannot_be_shown_is_said_in_a_sentence():
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "app", "--version"],
            env={**os.environ, "PYTHONUNBUFFERED": ""},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == DEVICE_OR_FILE
    assert done.stderr.count("\n") == 1
    assert "no space left" in done.stderr


def test_the_version_is_shown(capsys):
    with pytest.raises(SystemExit) as ended:
        run("--version")
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("turnscope ")
