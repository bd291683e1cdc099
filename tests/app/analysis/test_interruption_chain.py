"""The chain of an interruption: every part of it, in whichever order it is told."""

from __future__ import annotations

import itertools
import random

import pytest

from app.analysis.chain import DEFINITIONS, parts_of
from app.analysis.turn_records import Interruption
from app.timeline.events import AgentChunkReceived, Alignment, MessageReceived, MicChunkSent, Muted
from tests.app.spoken_session import (
    RATE,
    cut,
    discarded,
    echo,
    ended,
    heard,
    mic,
    mics,
    said,
    sound,
    told,
    track,
)

ONSET = 2.10
MICS = [mic(0.0, 0.25, 0.26, 0.002), mic(2.0, 2.25, 2.255, 0.004), mic(2.25, 2.5, 2.51, 0.002)]
LATER = [heard(4.0, 5.0, 3 * RATE), ended(9.0)]


def only(*events: object) -> Interruption:
    (found,) = track(*events).interruptions
    return found


def test_every_part_is_there_and_together_they_are_the_whole() -> None:
    start, stop = said(ONSET, 3.0)
    found = only(
        heard(1.0, 2.5), MICS[0], MICS[1], start, MICS[2], told(2.49, 7), *cut(2.5), stop, *LATER
    )
    assert (found.kind, found.user_onset) == ("barge-in", ONSET)
    assert (found.chunk_ended_at, found.chunk_sent_at) == (2.25, pytest.approx(2.259))
    assert (found.told_at, found.agent_next_at) == (2.49, 4.0)
    parts = parts_of(found)
    assert [part.name for part in parts] == list(DEFINITIONS)
    ms = [part.ms for part in parts]
    assert ms == pytest.approx([150, 9, 231, 10, 30, 1470])
    assert sum(ms[:5]) == pytest.approx(found.mouth_to_silence_ms)


def test_the_parts_come_in_any_order() -> None:
    start, stop = said(ONSET, 3.0)
    pieces = [[MICS[1], MICS[2]], [start, stop], [told(2.49, 7)], cut(2.5)]
    records = set()
    for order in itertools.permutations(pieces):
        records.add(only(heard(1.0, 2.5), MICS[0], *itertools.chain(*order), *LATER))
    assert len(records) == 1
    assert records.pop().chunk_ended_at == 2.25


def test_a_part_that_is_not_known_is_none_and_so_are_its_neighbours() -> None:
    start, stop = said(ONSET, 3.0)
    found = only(heard(1.0, 2.5), MICS[0], start, *cut(2.5), stop, ended(9.0))
    assert [part.ms for part in parts_of(found)] == [
        *(None, None, None, None),
        pytest.approx(30),
        None,
    ]


def test_an_onset_whose_audio_was_dropped_has_no_mic_chunk() -> None:
    start, stop = said(ONSET, 3.0)
    found = only(heard(1.0, 2.5), MICS[0], start, MICS[2], *cut(2.5), stop, ended(9.0))
    assert found.kind == "barge-in"
    assert found.chunk_ended_at is None


@pytest.mark.parametrize("event_id", [7, None])
def test_the_message_belongs_by_its_event_and_its_time(event_id: int | None) -> None:
    others = [told(0.2, 7), told(2.45, 6)]
    found = only(
        heard(1.0, 2.5), *others, told(2.49, event_id), *cut(2.5, event_id=event_id), ended(9.0)
    )
    assert found.told_at == 2.49


def test_two_interruptions_have_each_their_own_message() -> None:
    start, _ = said(ONSET, 3.0)
    events = [heard(1.0, 2.5), start, told(2.49, 7), told(2.79, 7), *cut(2.5), *cut(2.8, 2)]
    assert [each.told_at for each in track(*events).interruptions] == [2.49, 2.79]


def test_the_button_has_no_message_and_no_onset() -> None:
    start, stop = said(ONSET, 3.0)
    found = only(heard(1.0, 2.5), start, told(2.49, 7), *cut(2.5, source="button"), stop)
    assert (found.kind, found.told_at, found.user_onset) == ("button", None, None)


def test_an_order_that_is_not_that_of_the_chain_has_no_length() -> None:
    found = Interruption(1, 2.5, "agent", told_at=2.49, chunk_sent_at=2.495, silent_at=2.52)
    assert [part.ms for part in parts_of(found)] == [
        *(None, None, None, pytest.approx(10), pytest.approx(20), None),
    ]


def test_ends_that_the_clocks_cannot_tell_apart_are_the_same_moment() -> None:
    found = Interruption(1, 2.5, "agent", chunk_ended_at=2.4005, chunk_sent_at=2.4)
    assert parts_of(found)[1].ms == 0


def test_when_the_agent_spoke_next_is_told_of_each_interrupt_before() -> None:
    events = [heard(1.0, 2.5), *cut(2.5), *cut(2.8, 2), heard(4.0, 5.0, 3 * RATE)]
    assert [each.agent_next_at for each in track(*events).interruptions] == [4.0, 4.0]


def test_a_user_who_speaks_for_long_before_the_agent_gives_way_is_still_its_cause() -> None:
    start, stop = said(2.0, 12.0)
    found = only(heard(1.0, 11.0), *MICS, start, *cut(11.0), stop, ended(20.0))
    assert (found.kind, found.user_onset) == ("barge-in", 2.0)
    assert found.mouth_to_silence_ms == pytest.approx(9030)


def test_an_agent_that_talked_over_the_user_has_no_mouth_to_silence() -> None:
    start, stop = said(1.0, 4.0)
    found = only(*MICS, start, heard(2.0, 3.0), *cut(3.0), stop, ended(9.0))
    assert (found.kind, found.user_onset, found.mouth_to_silence_ms) == ("barge-in", 1.0, None)


def test_speech_from_before_the_first_moment_is_measured_as_it_was() -> None:
    found = only(said(-0.3, 4.0)[0], MICS[0], heard(0.0, 0.5), *cut(0.5), ended(9.0))
    assert found.mouth_to_silence_ms == pytest.approx(830)


def test_a_short_silence_of_the_agent_after_the_onset_changes_nothing() -> None:
    start, stop = said(2.0, 4.0)
    playout = [heard(1.0, 2.2), heard(2.35, 3.0, 2 * RATE)]
    found = only(*MICS, playout[0], start, playout[1], *cut(3.0), stop, ended(9.0))
    assert found.mouth_to_silence_ms == pytest.approx(1030)


# -- what was there instead of speech --------------------------------------------------------------

FALSE = [*mics(1.0), heard(1.0, 2.5)]


@pytest.mark.parametrize("kind", ["silence", "noise", "burst", "echo"])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_false_one_says_what_the_microphone_held(kind: str, is_first: bool) -> None:
    first, second = cut(2.5), [sound(2.5, kind)]
    events = [*second, *first] if is_first else [*first, *second]
    found = only(*FALSE, *events, ended(9.0))
    assert (found.kind, found.user_onset) == ("false", None)
    assert found.sound is not None
    assert (found.sound.kind, found.sound.peak_dbfs) == (kind, -20.0)


def test_a_barge_in_has_no_sound_instead() -> None:
    found = only(*FALSE, *said(ONSET, 3.0), *cut(2.5), sound(2.5, "speech"), ended(9.0))
    assert (found.kind, found.sound) == ("barge-in", None)


def test_speech_that_was_echo_makes_it_false_whenever_that_is_told() -> None:
    start, stop = said(ONSET, 2.7)
    pieces = [[start, stop], [echo(2.05, 2.7)], cut(2.5), [sound(2.5, "noise")]]
    records = set()
    for order in itertools.permutations(pieces):
        records.add(only(*FALSE, *itertools.chain(*order), ended(9.0)))
    (found,) = records
    assert (found.kind, found.user_onset, found.mouth_to_silence_ms) == ("false", None, None)
    assert found.sound is not None
    assert (found.sound.kind, found.sound.echo_delay_ms, found.sound.echo_db) == (
        *("echo", 140.0, -31.0),
    )


def test_the_onset_before_the_echo_is_the_one() -> None:
    found = only(*FALSE, *said(1.5, 2.0), *said(2.1, 2.4), echo(2.1, 2.4), *cut(2.5), ended(9.0))
    assert (found.kind, found.user_onset) == ("barge-in", 1.5)


def test_speech_long_after_an_interrupt_is_not_its_cause_but_right_after_it_leaves_doubt() -> None:
    for late_s, kind in ((0.2, None), (0.5, "false")):
        found = only(*FALSE, *cut(2.5), *said(2.5 + late_s, 4.0), ended(9.0))
        assert (found.kind, found.user_onset) == (kind, None), late_s


@pytest.mark.parametrize("kind", ["burst", "echo", "noise", "silence"])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_burst_after_speech_that_had_ended_is_the_cause(kind: str, is_first: bool) -> None:
    """A backchannel, and then a cough: the cough it was. Over noise the agent may be slow."""
    first, second = cut(3.5), [sound(3.5, kind)]
    events = [*second, *first] if is_first else [*first, *second]
    stands_out = kind in {"burst", "echo"}
    tracker = track(*mics(1.0), heard(1.0, 3.5), *said(1.6, 2.0), *events, ended(9.0))
    (found,) = tracker.interruptions
    assert found.kind == ("false" if stands_out else "barge-in")
    (overlap,) = tracker.overlaps
    assert overlap.kind == ("backchannel" if stands_out else None)


def test_while_muted_nothing_is_false() -> None:
    assert only(*FALSE, Muted(1.2, True), *cut(2.5), ended(9.0)).kind is None


# -- the word ----------------------------------------------------------------------------------

TEXT = "Good morning everybody here"
LETTER = 800


def spoken(stopped_letters: float, *, is_aligned: bool = True) -> Interruption:
    starts = tuple(50 * number for number in range(len(TEXT)))
    alignment = Alignment(tuple(TEXT), starts, (50,) * len(TEXT)) if is_aligned else None
    whole, stop = len(TEXT) * LETTER, round(stopped_letters * LETTER)
    body = {"agent_response": TEXT, "event_id": 1}
    at = 1.0 + stop / RATE
    return only(
        MessageReceived(0.9, "agent_response", {"agent_response_event": body}, 1),
        AgentChunkReceived(0.9, 0, whole, 1, alignment),
        heard(1.0, at),
        *cut(at - 0.03),
        discarded(at - 0.03, stop, whole),
        ended(9.0),
    )


def test_the_word_that_was_cut_in_two_is_told() -> None:
    found = spoken(8)
    assert (found.cut_word, found.heard_text) == ("morning", "Good")
    assert found.unheard_text == "morning everybody here"
    assert spoken(10).heard_text == "Good morning"
    assert spoken(10).cut_word == "morning"


@pytest.mark.parametrize("letters", [4, 4.5, 5, 12, 12.6, 13, 4.9, 13.2])
def test_a_cut_between_words_cuts_none_and_is_exact(letters: float) -> None:
    found = spoken(letters)
    assert found.cut_word == ""
    assert not found.words_estimated
    assert found.heard_text == TEXT[: round(letters)].strip()


def test_without_alignment_the_word_is_estimated_and_said_to_be() -> None:
    found = spoken(8, is_aligned=False)
    assert (found.cut_word, found.words_estimated) == ("morning", True)


# -- the price -----------------------------------------------------------------------------------


def test_what_is_kept_for_the_chain_is_bounded() -> None:
    tracker = track()
    for number in range(20_000):
        at = number * 0.02
        tracker.feed(MicChunkSent(at + 0.02, 0, 320, at, at + 0.02, 0.001))
        if number % 50 == 0:
            tracker.feed(said(at, at + 0.5)[number % 100 == 0])
    finder = tracker._cuts._chunks
    assert len(finder._chunks) <= 0.02 + finder.KEPT_S / 0.02 + 2
    assert len(finder._waiting) <= 17


@pytest.mark.parametrize("seed", range(30))
def test_the_order_of_notice_between_the_streams_changes_nothing(seed: int) -> None:
    """Each stream keeps its own order; how they interleave is chance, within half a second."""
    streams = [
        [(each.t, each) for each in mics(20.0, 0.1)],
        [(t, each) for n in range(5) for t, each in _speech(n * 4.0 + 1.5 + 0.1 * (seed % 5))],
        [(each.at, each) for n in range(5) for each in _playout(n)],
    ]
    chance = random.Random(seed)
    expected = None
    for _ in range(4):
        noticed = []
        for stream in streams:
            late, last = chance.uniform(0.0, 0.4), 0.0
            for t, event in stream:
                last = max(last, t + late + chance.uniform(0.0, 0.1))
                noticed.append((last, len(noticed), event))
        tracker = track(*(event for _, _, event in sorted(noticed, key=lambda item: item[:2])))
        tracker.feed(ended(30.0))
        found = (
            list(tracker.overlaps),
            list(tracker.user_turns),
            list(tracker.agent_turns),
            [each.latency_ms for each in tracker.responses],
        )
        expected = expected or found
        assert found == expected
    assert expected is not None
    assert expected[0]


def _speech(start: float) -> list[tuple[float, object]]:
    onset, end = said(start, start + 0.9)
    return [(onset.noticed_at, onset), (end.noticed_at, end)]


def _playout(number: int) -> list[object]:
    at, position = number * 4.0 + 1.0, number * 2 * RATE
    return [heard(at + n * 0.1, at + (n + 1) * 0.1, position + n * RATE // 10) for n in range(20)]


def test_a_reply_that_began_after_the_interrupt_and_is_told_before_it_is_no_part_of_it() -> None:
    def text(t: float, words: str, event_id: int) -> MessageReceived:
        body = {"agent_response": words, "event_id": event_id}
        return MessageReceived(t, "agent_response", {"agent_response_event": body}, event_id)

    first = AgentChunkReceived(1.0, 0, 2 * RATE, 1)
    second = AgentChunkReceived(2.25, 2 * RATE, 3 * RATE, 3)
    found = only(
        *[text(1.0, "one two", 1), first, heard(1.2, 2.2), *mics(3.0)],
        *[text(2.24, "Sure, go ahead.", 3), second],
        *cut(2.2),
        *[heard(2.6, 3.6, 2 * RATE), ended(9.0)],
    )
    assert "Sure" not in found.heard_text + found.unheard_text
    assert found.heard_text.startswith("one")
