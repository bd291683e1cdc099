"""From the monitors of the card to what really happened. Positions count samples at 16 kHz.

A monitor tells of a sound up to 5 ms before PortAudio reckons it at the device (see
``tests/rig/monitor.py``); nothing here corrects that.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.recordings.recording import open_recording
from app.recordings.turns_found import TurnsFound
from tests.rig.monitor import Monitor
from tests.rig.speech import RATE_HZ, Samples
from tests.truth import sounds
from tests.truth.scenario import Cut, Said, Scenario
from tests.truth.scripted_agent import ScriptedAgent, SentReply
from tests.truth.truth import TrueCut, TrueEcho, TrueSpeech
from tests.truth.voice import CARRIER

Span = tuple[int, int]
"""``[start, stop)`` at a monitor."""

_AUDIBLE = CARRIER // 6
_GAP_SAMPLES = RATE_HZ // 25
_SEARCH_S = 0.5
_SURE_MS = 25.0
"""A cut this far from every word is surely between two."""
_LONGEST_ECHO_S = 0.5
_CLEAR = 0.8
"""So much of half a second at the microphone the speaker must explain, to tell of the path."""


@dataclass
class Ears:
    """Both monitors of one session. ``zero`` is its second 0, ``began`` the plan's, monotonic."""

    speaker: Monitor
    microphone: Monitor
    zero: float
    began: float

    def __post_init__(self) -> None:
        self.spans = agent_spans(self.speaker.samples)

    def spoken_at(self, position: int) -> float:
        """When the sample at ``position`` left the speaker."""
        return self.speaker.time_of(position) - self.zero

    def captured_at(self, position: int) -> float:
        """When the sample at ``position`` reached the microphone."""
        return self.microphone.time_of(position) - self.zero

    @property
    def heard(self) -> list[tuple[float, float]]:
        """When agent audio left the speaker."""
        return [(self.spoken_at(start), self.spoken_at(stop)) for start, stop in self.spans]

    # -- the user ------------------------------------------------------------------------------

    def speech(self, scenario: Scenario) -> list[TrueSpeech]:
        """Where the user's speech stands in what the microphone heard."""
        track = scenario.track()
        told = []
        for said in scenario.said:
            start = self.captured_at(self._place(track, said.at, len(said.samples)))
            told.append(TrueSpeech(start, start + said.stop - said.at, said.text, said.over))
        return told

    def coughs(self, scenario: Scenario) -> list[float]:
        """When the coughs began."""
        track = scenario.track()
        return [
            self.captured_at(self._place(track, one.at, round(one.length_ms * RATE_HZ / 1000)))
            for one in scenario.coughs
        ]

    def _place(self, track: Samples, at: float, count: int) -> int:
        """Find what the track holds from ``at`` on at the microphone's monitor."""
        first, search = round(at * RATE_HZ), round(_SEARCH_S * RATE_HZ)
        expected = self.microphone.position_at(self.began + at)
        begin = max(expected - search, 0)
        around = self.microphone.samples[begin : expected + count + search]
        lags = correlation(around, track[first : first + count])
        return begin + int(np.argmax(lags))

    # -- interrupts ----------------------------------------------------------------------------

    def cuts(self, scenario: Scenario, agent: ScriptedAgent, presses: list[float]) -> list[TrueCut]:
        """What each interrupt did: those of the agent, and of the button."""
        buttons = [cut for cut in scenario.actions if isinstance(cut, Cut) and cut.kind == "button"]
        made = [(sent.cut, sent.at) for sent in agent.cuts]
        made += list(zip(buttons, presses, strict=False))
        speech = dict(zip(scenario.said, self.speech(scenario), strict=True))
        return [
            self._cut(cut, at, scenario, agent.replies, speech)
            for cut, at in sorted(made, key=lambda pair: pair[1])
        ]

    def _cut(
        self,
        cut: Cut,
        at: float,
        scenario: Scenario,
        replies: list[SentReply],
        speech: dict[Said, TrueSpeech],
    ) -> TrueCut:
        onset = next((true.start for said, true in speech.items() if said.at == cut.onset), None)
        silent = self._silent_after(at)
        reply = next(sent for sent in reversed(replies) if sent.at < at)
        words, sure = (None, False) if silent is None else self._words(reply, silent)
        return TrueCut(
            at - self.zero,
            cut.kind,
            cut.sounds,
            onset,
            None if silent is None else self.spoken_at(silent),
            words,
            sure,
            scenario.setting.alignment,
            reply.reply.text,
        )

    def _silent_after(self, at: float) -> int | None:
        """The end of what the speaker was saying at monotonic ``at``."""
        position = self.speaker.position_at(at)
        return next((stop for start, stop in self.spans if start <= position <= stop), None)

    def _words(self, reply: SentReply, silent: int) -> tuple[int, bool]:
        """How many words of ``reply`` were heard by ``silent``, and whether none was cut."""
        sent = self.speaker.position_at(reply.at)
        of_reply = [span for span in self.spans if span[0] >= sent and span[1] <= silent]
        heard_ms = sum(stop - start for start, stop in of_reply) * 1000 / RATE_HZ
        words = reply.speech.words
        heard = sum(1 for word in words if (word.start_ms + word.end_ms) / 2 <= heard_ms)
        sure = all(
            not word.start_ms - _SURE_MS < heard_ms < word.end_ms + _SURE_MS for word in words
        )
        return heard, sure

    # -- the echo ------------------------------------------------------------------------------

    def echo(self, scenario: Scenario) -> TrueEcho | None:
        """How the microphone hears the speaker: the median of half seconds without a user.

        The path's delay creeps by a millisecond or two in ten seconds, so that no longer stretch
        tells of it sharply.
        """
        if scenario.setting.echo is None:
            return None
        length = RATE_HZ // 2
        places = [at for start, stop in self.spans for at in range(start, stop - length, length)]
        paths = [path for path in map(self._path_at, places) if path.correlation > _CLEAR]
        assert paths, "the echo is nowhere to be heard clearly"
        return TrueEcho(
            *(float(np.median(values)) for values in zip(*map(astuple, paths), strict=True))
        )

    def _path_at(self, at: int) -> TrueEcho:
        """Find half a second of the speaker's again at the microphone."""
        spoken = self.speaker.samples[at : at + RATE_HZ // 2].astype(np.float64)
        begin = self.microphone.position_at(self.speaker.time_of(at))
        end = begin + len(spoken) + round(_LONGEST_ECHO_S * RATE_HZ)
        heard = self.microphone.samples[begin:end].astype(np.float64)
        lags = correlation(heard, spoken)
        lag = int(np.argmax(lags))
        energy = max(float(np.sum(spoken**2)), 1.0)
        there = max(float(np.sum(heard[lag : lag + len(spoken)] ** 2)), 1.0)
        best = max(float(lags[lag]), 1.0)
        return TrueEcho(
            lag * 1000 / RATE_HZ,
            20 * float(np.log10(best / energy)),
            best / (energy * there) ** 0.5,
        )


def agent_spans(samples: Samples) -> list[Span]:
    """Find where the speaker's monitor holds anything: the agent's hiss tells speech from none."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) >= _AUDIBLE)
    if not loud.size:
        return []
    breaks = np.flatnonzero(np.diff(loud) > _GAP_SAMPLES)
    starts = loud[np.concatenate(([0], breaks + 1))]
    stops = loud[np.concatenate((breaks, [loud.size - 1]))] + 1
    return [(int(start), int(stop)) for start, stop in zip(starts, stops, strict=True)]


def correlation(around: Samples | sounds.Wave, sound: Samples | sounds.Wave) -> NDArray[np.float64]:
    """Correlate ``sound`` with each place in ``around`` where it fits whole."""
    size = 1 << (len(around) + len(sound) - 1).bit_length()
    spectrum = np.fft.rfft(around.astype(np.float64), size)
    spectrum *= np.conj(np.fft.rfft(sound.astype(np.float64), size))
    return np.fft.irfft(spectrum, size)[: len(around) - len(sound) + 1]


def recorded_turns(bundle: Path) -> TurnsFound:
    """Open a recording as a person would, and return what its events tell of.

    What it kept of an earlier look is thrown away first.
    """
    (bundle / "peaks" / "turns.json").unlink(missing_ok=True)
    recording = open_recording(bundle)
    try:
        assert recording.wait(30), "the recording was not worked out in time"
        assert recording.turns is not None
        return TurnsFound.of(recording.turns)
    finally:
        recording.close()
