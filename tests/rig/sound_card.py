"""A virtual sound card: a PulseAudio daemon of our own, with a speaker and a microphone.

The daemon has its own home and runtime folder, so it never meets a person's sound server, and it
works as root. PortAudio reaches it as ALSA's `default`, through `.asoundrc` in that home.

    agent -> PortAudio -> [turnscope_speaker] -> monitor() hears it
    speak() -> [turnscope_feed] -> its monitor, remapped as [turnscope_mic] -> PortAudio -> agent

Sinks run at 48 kHz stereo, as most real cards do: the program's 16 kHz mono is converted by the
sound server here as it is there. A null sink keeps time by the system's clock, without drift. It
renders ahead of its playing by the smallest latency that any of its streams asked for; a monitor
asks for 5 ms. Rewinding is off: an idle null sink that may rewind works in blocks of 2 s, and a
microphone opened on it hears nothing for as long; without, in blocks of 50 ms.

Enter from one thread. `Monitor` has a reader thread of its own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from tests.rig.monitor import Monitor
from tests.rig.processes import dying_with_us
from tests.rig.speech import Samples, write_wav
from tests.rig.waiting import wait_until

SPEAKER = "turnscope_speaker"
SPEAKER_NAME = "Rig Speaker"
MICROPHONE = "turnscope_mic"
MICROPHONE_NAME = "Rig Microphone"
FEED = "turnscope_feed"

RATE_HZ = 48_000

_START_DEADLINE_S = 15.0
_STOP_DEADLINE_S = 5.0
_SPEAK_LATENCY_MS = 20

_ASOUNDRC = """\
pcm.!default { type pulse }
ctl.!default { type pulse }
"""
# Variables that would lead a program past this card, or to one device of it.
_STRAY = ("PULSE_SINK", "PULSE_SOURCE", "PULSE_COOKIE", "PULSE_CLIENTCONFIG", "ALSA_CONFIG_PATH")


class Device(NamedTuple):
    """A speaker or microphone of the card: `name` for PulseAudio, `description` for people."""

    name: str
    description: str
    modules: tuple[int, ...]


class Speech:
    """Sound on its way into a microphone."""

    def __init__(self, process: subprocess.Popen[bytes], wav: Path) -> None:
        self._process = process
        self._wav = wav

    def wait(self, deadline_s: float = 30.0) -> None:
        """Return when the last sample has been played into the microphone."""
        self._process.wait(deadline_s)
        self._wav.unlink(missing_ok=True)

    def stop(self) -> None:
        """Fall silent in mid-word."""
        self._process.terminate()
        self.wait()


class SoundCard:
    """A speaker and a microphone that exist between `start()` and `stop()`."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="turnscope-card-"))
        self.runtime = self.home / "run"
        self.speaker = Device(SPEAKER, SPEAKER_NAME, ())
        self.microphone = Device(MICROPHONE, MICROPHONE_NAME, ())
        self._daemon: subprocess.Popen[bytes] | None = None
        self._speeches: list[Speech] = []
        self._as_started = ""
        self._files_made = 0
        self._write_home()

    def __enter__(self) -> SoundCard:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- The daemon -------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the sound server, plug in the speaker and the microphone, make them the defaults.

        Raises:
            RuntimeError: PulseAudio is not installed, or did not come up; says which.
        """
        if shutil.which("pulseaudio") is None or shutil.which("pactl") is None:
            raise RuntimeError(
                "The virtual sound card needs PulseAudio (Debian: pulseaudio, pulseaudio-utils); "
                "`make test` installs it."
            )
        if self._daemon is not None:
            raise RuntimeError("The virtual sound card is running already.")
        try:
            self._launch()
            self.plug_microphone()
            self.plug_speaker()
            self._as_started = self._state()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End the sound server politely. Its clients see it go. Can be called twice."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the sound server as a crash would."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop, and start again at the same address, with the same devices."""
        self.stop()
        self.start()

    def mend(self) -> None:
        """Bring back what a test killed, unplugged or added; quick when nothing was."""
        if self._daemon is None or not self._is_as_started():
            self.restart()

    def close(self) -> None:
        """Stop, and delete the card's folder. The card cannot be started again."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def pid(self) -> int | None:
        """The sound server's process id while it runs."""
        return self._daemon.pid if self._daemon else None

    def environment(self) -> dict[str, str]:
        """The variables that send this process, or one it starts, to this card.

        They must be there before PortAudio is initialised. `HOME` is the card's own.
        """
        return {
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "PULSE_SERVER": f"unix:{self._socket}",
            "JACK_NO_START_SERVER": "1",
        }

    @contextlib.contextmanager
    def in_this_process(self) -> Iterator[SoundCard]:
        """Send this process to the card, and put its environment back afterwards."""
        before = dict(os.environ)
        os.environ.update(self.environment())
        for name in _STRAY:
            os.environ.pop(name, None)
        try:
            yield self
        finally:
            os.environ.clear()
            os.environ.update(before)

    # --- Sound ------------------------------------------------------------------------------------

    def speak(self, sound: Path | Samples, feed: str = FEED) -> Speech:
        """Say something into the microphone, a sound file or samples at 16 kHz; returns at once.

        The first sample is there some 20 to 60 ms later; `monitor(MICROPHONE)` knows when.
        """
        self._files_made += 1
        wav = self.home / f"speech-{self._files_made}.wav"
        if isinstance(sound, Path):
            shutil.copyfile(sound, wav)
        else:
            write_wav(wav, sound)
        command = ["paplay", f"--device={feed}", f"--latency-msec={_SPEAK_LATENCY_MS}", str(wav)]
        process = subprocess.Popen(command, env=self._own_environment(), stderr=subprocess.DEVNULL)
        speech = Speech(process, wav)
        self._speeches.append(speech)
        return speech

    def monitor(self, source: str = f"{SPEAKER}.monitor") -> Monitor:
        """Hear the speaker, or any other source (`MICROPHONE`), inside a `with` block."""
        return Monitor(source, self._own_environment())

    @contextlib.contextmanager
    def echo_path(self, latency_ms: int = 120, volume: float = 0.5) -> Iterator[None]:
        """Let the microphone hear the speaker, later by `latency_ms` and times `volume`."""
        module = self._load(
            "module-loopback",
            f"source={SPEAKER}.monitor",
            f"sink={FEED}",
            f"latency_msec={latency_ms}",
            # air keeps its length: the module would stretch the sound to come nearer to the latency
            "adjust_time=0",
            "source_dont_move=true",
            "sink_dont_move=true",
            "sink_input_properties=media.name=rig-echo",
        )
        try:
            stream = wait_until(self._find_echo, what="the echo path's stream")
            self.pactl("set-sink-input-volume", stream, f"{volume:.4f}")  # a factor
            yield
        finally:
            self._unload(module)

    # --- Plugging ---------------------------------------------------------------------------------

    def plug_speaker(self) -> None:
        """Plug the speaker in, as the default one."""
        self.speaker = self.add_speaker(SPEAKER, SPEAKER_NAME)
        self.pactl("set-default-sink", SPEAKER)

    def plug_microphone(self) -> None:
        """Plug the microphone in, as the default one."""
        self.microphone = self.add_microphone(MICROPHONE, MICROPHONE_NAME, feed=FEED)
        self.pactl("set-default-source", MICROPHONE)

    def unplug_speaker(self) -> None:
        """Pull the speaker out: its streams die, and nothing catches them."""
        self.unplug(self.speaker)

    def unplug_microphone(self) -> None:
        """Pull the microphone out: its streams die, and nothing catches them."""
        self.unplug(self.microphone)

    def add_speaker(self, name: str, description: str) -> Device:
        """Plug in one more speaker. Heard with `monitor(f"{name}.monitor")`."""
        return Device(name, description, (self._load_sink(name, description),))

    def add_microphone(self, name: str, description: str, feed: str | None = None) -> Device:
        """Plug in one more microphone, spoken into with `speak(..., feed=...)`.

        The feed is a sink of its own, named `<name>_feed` unless told otherwise.
        """
        feed = feed or f"{name}_feed"
        feed_module = self._load_sink(feed, f"Feed of {description}")
        microphone = self._load(
            "module-remap-source",
            f"source_name={name}",
            f"master={feed}.monitor",
            _properties("source_properties", description),
        )
        return Device(name, description, (microphone, feed_module))

    def unplug(self, device: Device) -> None:
        """Pull a device out. One that has gone already is no fault."""
        for module in device.modules:
            self._unload(module)

    def pactl(self, *arguments: str) -> str:
        """Run `pactl` against this card, and return what it printed.

        Raises:
            subprocess.CalledProcessError: it failed.
        """
        answer = subprocess.run(
            ["pactl", *arguments],
            env=self._own_environment(),
            check=True,
            capture_output=True,
            text=True,
            timeout=10,
        )
        return answer.stdout.strip()

    # --- Within -----------------------------------------------------------------------------------

    @property
    def _socket(self) -> Path:
        return self.runtime / "pulse" / "native"

    def _own_environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in _STRAY}
        return {**kept, **self.environment(), "LC_ALL": "C"}

    def _write_home(self) -> None:
        self.runtime.mkdir(mode=0o700)
        (self.home / ".asoundrc").write_text(_ASOUNDRC)
        client = self.home / ".config" / "pulse" / "client.conf"
        client.parent.mkdir(parents=True)
        client.write_text("autospawn = no\n")

    def _launch(self) -> None:
        # The socket's folder is private to its owner, so whoever reaches it may use it.
        protocol = f"module-native-protocol-unix auth-anonymous=1 socket={self._socket}"
        log = self.home / "pulseaudio.log"
        command = ["pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no"]
        command += ["--exit-idle-time=-1", f"--log-target=newfile:{log}", "--disallow-exit"]
        self._socket.parent.mkdir(mode=0o700, exist_ok=True)
        self._socket.unlink(missing_ok=True)
        self._daemon = subprocess.Popen(
            dying_with_us([*command, "-L", protocol]),
            env=self._own_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until(self._answers, _START_DEADLINE_S, "the sound server to come up")
        except AssertionError as error:
            told = log.read_text() if log.exists() else "nothing"
            raise RuntimeError(f"PulseAudio did not come up; it said: {told}") from error

    def _state(self) -> str:
        parts = (self.pactl("list", "short", "modules"), self.pactl("get-default-sink"))
        return "\n".join((*parts, self.pactl("get-default-source")))

    def _is_as_started(self) -> bool:
        return self._answers() and self._state() == self._as_started

    def _answers(self) -> bool:
        if not self._socket.exists():
            return False
        try:
            self.pactl("info")
        except subprocess.CalledProcessError:
            return False
        return True

    def _end(self, how: signal.Signals) -> None:
        daemon, self._daemon = self._daemon, None
        if daemon is None:
            return
        for speech in self._speeches:
            speech.stop()
        self._speeches.clear()
        daemon.send_signal(how)
        try:
            daemon.wait(_STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def _load_sink(self, name: str, description: str) -> int:
        return self._load(
            "module-null-sink",
            f"sink_name={name}",
            f"rate={RATE_HZ}",
            "channels=2",
            "norewinds=1",
            _properties("sink_properties", description),
        )

    def _load(self, module: str, *arguments: str) -> int:
        return int(self.pactl("load-module", module, *arguments))

    def _unload(self, module: int) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self.pactl("unload-module", str(module))

    def _find_echo(self) -> str:
        index = ""
        for line in self.pactl("list", "sink-inputs").splitlines():
            if line.startswith("Sink Input #"):
                index = line.partition("#")[2]
            if "rig-echo" in line:
                return index
        return ""


def _properties(argument: str, description: str) -> str:
    # Quoted twice: once for the module's arguments, once for the list of properties.
    return f"{argument}=\"device.description='{description}'\""
