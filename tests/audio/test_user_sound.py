"""What the user track is said to hold, against scenes in which everything is known."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from audio.pcm import SAMPLE_RATE, round_to_samples
from audio.user_sound import EchoStretch, SoundMeasured, UserSound
from audio.vad import SpeechEdge
from tests.audio.scenes import Scene, echo, noise, scene, speech

pytestmark = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is not installed"
)


def heard(shown: Scene, *moments: float, block: int | None = None) -> list:
    sound = UserSound()
    for moment in moments:
        sound.ask(moment)
    told = []
    for start in range(0, len(shown.user), block or len(shown.user)):
        stop = start + (block or len(shown.user))
        told += sound.feed(shown.user[start:stop], shown.agent[start:stop])
    return told + sound.finish()


def only(told: list, kind: type) -> list:
    return [each for each in told if isinstance(each, kind)]


def speech_of(told: list) -> list[tuple[int, int]]:
    edges = [edge.position for edge in only(told, SpeechEdge)]
    return list(zip(edges[::2], edges[1::2], strict=True))


def overlap(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return min(a[1], b[1]) > max(a[0], b[0])


@pytest.mark.parametrize(
    ("delay_ms", "echo_db", "reverb_s"),
    [(5, -6, 0.0), (120, -12, 0.3), (450, -20, 0.2), (200, -35, 0.0)],
)
def test_the_agents_own_voice_is_no_speech_and_its_path_is_told(delay_ms, echo_db, reverb_s):
    path = {"echo_db": echo_db, "delay_ms": delay_ms, "reverb_s": reverb_s}
    shown = scene(15, 2, **path, noise_dbfs=-78, user_speaks=False)
    told = heard(shown)
    assert speech_of(told) == []
    stretches = only(told, EchoStretch)
    found = sum(each.stop - each.start for each in stretches)
    said = sum(stop - start for start, stop in shown.agent_speech)
    # not all of what comes back so faintly would be taken for speech
    assert found > 0.4 * said
    for each in stretches:
        assert each.delay_ms == pytest.approx(delay_ms, abs=2)
        assert each.level_db == pytest.approx(echo_db, abs=6)
        assert each.correlation > 0.7
        assert each.noticed - each.start < 1.7 * SAMPLE_RATE


@pytest.mark.parametrize(("delay_ms", "echo_db", "reverb_s"), [(30, -6, 0.0), (120, -12, 0.3)])
def test_who_speaks_over_the_echo_is_heard_from_the_first_sound_on(delay_ms, echo_db, reverb_s):
    shown = scene(25, 4, echo_db=echo_db, delay_ms=delay_ms, reverb_s=reverb_s)
    told = heard(shown)
    found = speech_of(told)
    for place in shown.user_speech:
        first = next(each for each in found if overlap(each, place))
        assert abs(first[0] - place[0]) < 0.08 * SAMPLE_RATE
    assert all(any(overlap(each, place) for place in shown.user_speech) for each in found)
    # nothing that is the user's is called an echo
    for stretch in only(told, EchoStretch):
        assert not any(stretch.start <= onset < stretch.stop for onset, _end in found)


def test_without_an_echo_nothing_is_taken_from_the_user():
    shown = scene(20, 3)
    told = heard(shown)
    assert only(told, EchoStretch) == []
    for (onset, _), (start, _) in zip(speech_of(told), shown.user_speech, strict=True):
        assert abs(onset - start) < 0.03 * SAMPLE_RATE


@pytest.mark.parametrize("block", [320, 1009, 40_000])
def test_how_the_tracks_are_cut_up_changes_nothing(block):
    shown = scene(12, 5, echo_db=-12, reverb_s=0.2)
    moments = (2.5, 6.0, 9.1)
    expected = heard(shown, *moments)
    assert len(only(expected, SoundMeasured)) == 3
    assert set(heard(shown, *moments, block=block)) == set(expected)


def test_speech_is_told_at_once_while_the_agent_is_silent_and_soon_over_its_voice():
    for agent_speaks, most_s in ((False, 0.25), (True, 0.65)):
        shown = scene(12, 6, agent_speaks=agent_speaks)
        sound, late = UserSound(), []
        for start in range(0, len(shown.user), 320):
            piece = slice(start, start + 320)
            for each in sound.feed(shown.user[piece], shown.agent[piece]):
                if isinstance(each, SpeechEdge) and each.kind == "onset":
                    late.append((start + 320 - each.position) / SAMPLE_RATE)
        assert len(late) == len(shown.user_speech)
        assert max(late) < most_s


def test_an_echo_is_found_though_the_clocks_drift():
    shown = scene(15, 7, user_speaks=False)
    back = echo(shown.agent.astype(float), 80, -10)
    positions = np.arange(len(back)) * (1 + 10e-6)
    drifting = np.interp(positions, np.arange(len(back)), back)
    track = round_to_samples(drifting + noise(len(back)) * 15)
    told = heard(Scene(track, shown.agent))
    assert speech_of(told) == []
    assert len(only(told, EchoStretch)) > 3


class Edges:
    """Tells of speech where it is told to: VAD that takes what is left of an echo for speech."""

    def __init__(self, *edges: SpeechEdge) -> None:
        self._edges = list(edges)
        self._position = 0

    def feed(self, samples: np.ndarray) -> list[SpeechEdge]:
        self._position += len(samples)
        told = [edge for edge in self._edges if edge.noticed <= self._position]
        del self._edges[: len(told)]
        return told

    def finish(self) -> list[SpeechEdge]:
        return []


def told_of(shown: Scene, start: int, stop: int) -> list:
    """Return what is told where VAD has speech in ``[start, stop)``."""
    noticed = (start + SAMPLE_RATE // 3, stop + SAMPLE_RATE // 2)
    edges = [SpeechEdge("onset", start, noticed[0]), SpeechEdge("end", stop, noticed[1])]
    sound = UserSound(Edges(*edges))
    told = []
    for at in range(0, len(shown.user), 4000):
        told += sound.feed(shown.user[at : at + 4000], shown.agent[at : at + 4000])
    return told + sound.finish()


def test_what_the_path_leaves_of_the_agents_voice_is_no_speech():
    shown = scene(20, 2, echo_db=-10, noise_dbfs=-78, user_speaks=False)
    began, _ended = next(place for place in shown.agent_speech if place[0] > 8 * SAMPLE_RATE)
    start = began + SAMPLE_RATE // 4
    assert speech_of(told_of(shown, start, start + SAMPLE_RATE // 4)) == []


@pytest.mark.parametrize(("early_s", "off_s"), [(0.5, 0.12), (0.3, 0.26), (0.1, 0.12)])
def test_a_user_who_begins_where_that_was_taken_for_speech_is_heard_from_there(early_s, off_s):
    shown = scene(25, 4, echo_db=-10, noise_dbfs=-78)
    user = next(place for place in shown.user_speech if place[0] > 8 * SAMPLE_RATE)
    start = user[0] - round(early_s * SAMPLE_RATE)
    assert any(each[0] < start < each[1] for each in shown.agent_speech), "the agent speaks before"
    told = told_of(shown, start, user[1])
    ((onset, end),) = speech_of(told)
    assert abs(onset - user[0]) < off_s * SAMPLE_RATE
    assert end == user[1]
    # else it would be taken back
    assert not any(each.start <= onset < each.stop for each in only(told, EchoStretch))


def stumbling(seed: int, jump_ms: float, echo_db: float, delay_ms: float) -> Scene:
    """Return a scene whose user track jumps as the agent says its first words: nobody speaks."""
    shown = scene(9, seed, echo_db=echo_db, delay_ms=delay_ms, reverb_s=0.3, user_speaks=False)
    at, by = 16 * SAMPLE_RATE // 10, round(jump_ms * SAMPLE_RATE / 1000)
    parts = (shown.user[:at], np.zeros(max(-by, 0), np.int16), shown.user[at + max(by, 0) :])
    track = np.resize(np.concatenate(parts), len(shown.user))
    return Scene(track, shown.agent, shown.user_speech, shown.agent_speech)


def kept_speech_of(told: list) -> list[tuple[int, int]]:
    """Return the speech that was not taken back."""
    echoes = only(told, EchoStretch)
    return [
        place
        for place in speech_of(told)
        if not any(each.start - SAMPLE_RATE // 10 <= place[0] < each.stop for each in echoes)
    ]


STUMBLES = [(5, 6.4, -12.0, 450.0), (7, 12.5, -30.0, 140.0), (6, -10.0, -6.0, 120.0)]


@pytest.mark.parametrize(("seed", "jump_ms", "echo_db", "delay_ms"), STUMBLES)
def test_first_words_taken_for_the_users_are_taken_back_once_the_path_is_known(
    seed, jump_ms, echo_db, delay_ms
):
    told = heard(stumbling(seed, jump_ms, echo_db, delay_ms), block=320)
    assert speech_of(told), "VAD takes none of it for speech"
    assert kept_speech_of(told) == []
    assert all(each.noticed - each.start < 2 * SAMPLE_RATE for each in only(told, EchoStretch))


@pytest.mark.parametrize("stumble", STUMBLES)
@pytest.mark.parametrize("at_s", [1.25, 1.9, 2.3])
def test_a_user_who_cuts_into_first_words_is_not_taken_back(stumble, at_s):
    shown = stumbling(*stumble)
    words, at = speech("Stop, I have a question."), round(at_s * SAMPLE_RATE)
    track = shown.user.astype(float)
    track[at : at + len(words)] += words
    told = heard(Scene(round_to_samples(track), shown.agent))
    assert any(overlap(place, (at, at + len(words))) for place in kept_speech_of(told))
    edges = [edge.position for edge in only(told, SpeechEdge)]
    assert edges == sorted(edges)


def test_what_is_taken_back_does_not_hang_on_how_the_tracks_are_cut_up():
    shown = stumbling(*STUMBLES[0])
    assert set(heard(shown, block=320)) == set(heard(shown))


def before(track: np.ndarray, agent: np.ndarray | None = None, at: float = 3.0) -> SoundMeasured:
    said = np.zeros(len(track)) if agent is None else agent
    (measured,) = only(
        heard(Scene(round_to_samples(track), round_to_samples(said)), at), SoundMeasured
    )
    return measured


def room(seconds: float = 5.0, rms: float = 20.0, color: str = "white") -> np.ndarray:
    return noise(round(seconds * SAMPLE_RATE), 9, color) * rms


@pytest.mark.parametrize("burst_ms", [60, 150, 300, 400])
@pytest.mark.parametrize("color", ["white", "pink"])
def test_a_cough_before_an_interrupt_is_a_burst_of_its_length(burst_ms, color):
    track, count = room(), burst_ms * 16
    track[36_000 : 36_000 + count] += noise(count, 3, color) * 3000 * np.hanning(count) ** 0.3
    measured = before(track)
    assert measured.kind == "burst"
    assert measured.burst_ms == pytest.approx(burst_ms, abs=40)
    assert measured.peak_dbfs > -20
    assert measured.noise_dbfs == pytest.approx(-64, abs=3)


def test_what_else_may_lie_before_an_interrupt():
    assert before(np.zeros(80_000)).kind == "silence"
    assert before(room(rms=5)).kind == "silence"
    assert before(room(rms=300)).kind == "noise"
    said = room()
    words = speech("Stop, I have a question.")
    said[34_000 : 34_000 + len(words)] += words
    assert before(said).kind == "speech"


def test_an_echo_before_an_interrupt_is_told_with_its_path():
    shown = scene(8, 8, echo_db=-15, delay_ms=140, reverb_s=0.2, user_speaks=False)
    (measured,) = only(heard(shown, 4.0), SoundMeasured)
    assert measured.kind == "echo"
    assert measured.echo_delay_ms == pytest.approx(140, abs=2)
    assert measured.echo_db == pytest.approx(-15, abs=6)
    assert measured.correlation > 0.7
    assert measured.noticed <= (4.0 + 0.3) * SAMPLE_RATE


def test_a_cough_over_the_echo_is_a_burst_still():
    shown = scene(8, 8, echo_db=-20, delay_ms=140, user_speaks=False)
    track = shown.user.astype(float)
    track[58_000:61_200] += noise(3200, 3) * 3000
    (measured,) = only(heard(Scene(round_to_samples(track), shown.agent), 4.0), SoundMeasured)
    assert measured.kind == "burst"


def test_a_user_who_says_what_the_agent_says_is_no_echo():
    """The same words in another voice at the same moment: loud, and none of the agent's sound."""
    agent = np.zeros(6 * SAMPLE_RATE)
    user = room(6.0)
    words, same = speech("Let me look that up for you."), speech("Let me look that up.", "en-gb+f4")
    agent[20_000 : 20_000 + len(words)] = words
    user[22_000 : 22_000 + len(same)] += same
    told = heard(Scene(round_to_samples(user), round_to_samples(agent)))
    ((onset, _end),) = speech_of(told)
    assert abs(onset - 22_000) < 0.05 * SAMPLE_RATE
