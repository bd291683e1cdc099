"""The agent's turns: latency and its parts, how its audio came, and what nobody played."""

from __future__ import annotations

import itertools

import pytest

from app.analysis.turn_records import Refused, Response
from app.analysis.turns import TurnTracker
from app.timeline.events import AgentHeard, Event, MessageReceived, MessageSent, Trouble
from tests.app.spoken_session import (
    RATE,
    chunk,
    cut,
    echo,
    ended,
    heard,
    mic,
    mics,
    said,
    told,
    track,
    transcript,
)

USER = said(1.0, 2.0)


def responses(*events: Event) -> list[Response]:
    return track(*events).responses


def only(*events: Event) -> Response:
    (found,) = responses(*events)
    return found


def test_a_response_has_the_whole_way_from_speech_to_sound() -> None:
    found = only(*USER, transcript(2.4), chunk(2.7, 3.0, 4.0), heard(3.0, 4.0), ended(9.0))
    assert found == Response(
        heard_at=3.0,
        user_stop=2.0,
        endpointed_at=2.4,
        first_chunk_at=2.7,
        latency_ms=pytest.approx(1000),
    )


def test_it_is_the_same_in_any_order() -> None:
    pieces = [USER, [transcript(2.4)], [chunk(2.7, 3.0, 4.0), heard(3.0, 4.0)]]
    found = {only(*itertools.chain(*order), ended(9.0)) for order in itertools.permutations(pieces)}
    assert len(found) == 1


def test_a_greeting_answers_nobody() -> None:
    found = only(transcript(0.1), chunk(0.2, 0.5, 1.5), heard(0.5, 1.5), ended(9.0))
    assert (found.user_stop, found.latency_ms, found.endpointed_at) == (None, None, None)
    assert found.first_chunk_at == 0.2


def test_what_was_written_and_transcripts_of_before_are_no_endpointing() -> None:
    found = only(transcript(0.5), *USER, heard(3.0, 4.0), ended(9.0))
    assert (found.latency_ms, found.endpointed_at) == (pytest.approx(1000), None)
    typed = only(*USER, MessageSent(2.5, "user_message", {"text": "x"}), heard(3.0, 4.0))
    assert (typed.latency_ms, typed.endpointed_at) == (None, None)


def test_latencies_and_responses_say_the_same() -> None:
    tracker = track(heard(0.2, 0.8), *USER, heard(3.0, 4.0, RATE), *said(5.0, 6.0), heard(6.5, 7))
    known = [each.latency_ms for each in tracker.responses if each.latency_ms is not None]
    assert known == tracker.response_latencies_ms == pytest.approx([1000, 500])
    assert [each.heard_at for each in tracker.responses] == [
        turn.start for turn in tracker.agent_turns
    ]


def test_how_far_ahead_the_audio_came_is_told_from_the_second_chunk_on() -> None:
    arrivals = [2.7, 2.9, 3.2, 3.75]
    chunks = [chunk(t, 0, 0.25, n * RATE // 4) for n, t in enumerate(arrivals)]
    found = only(*USER, *chunks, heard(3.0, 4.0), ended(9.0))
    # they begin to play at 3.25, 3.5 and 3.75
    assert found.least_lead_ms == pytest.approx(0)
    assert found.median_lead_ms == pytest.approx(300)


def test_one_chunk_has_no_lead_of_its_own() -> None:
    found = only(*USER, chunk(2.7, 3.0, 4.0), heard(3.0, 4.0), ended(9.0))
    assert (found.least_lead_ms, found.median_lead_ms) == (None, None)


def test_chunks_that_were_never_played_do_not_count() -> None:
    chunks = [chunk(2.7 + n / 10, 0, 0.25, n * RATE // 4) for n in range(8)]
    found = only(*USER, *chunks, heard(3.0, 3.5), *cut(3.5), ended(9.0))
    assert found.least_lead_ms == found.median_lead_ms == pytest.approx(450)


@pytest.mark.parametrize("gaps", [[0.05], [0.2], [0.05, 0.3, 0.2]])
def test_a_queue_that_ran_dry_is_counted_with_its_length(gaps: list[float]) -> None:
    at, events = 3.0, []
    for number, gap in enumerate([*gaps, 0.0]):
        events.append(heard(at, at + 0.5, number * RATE // 2))
        at += 0.5 + gap
    found = only(*USER, *events, ended(9.0))
    assert (found.underruns, found.underrun_ms) == (len(gaps), pytest.approx(sum(gaps) * 1000))


def test_a_device_that_pauses_is_no_underrun_of_the_agent() -> None:
    playout = [heard(3.0, 3.5), heard(3.9, 4.4, RATE // 2), heard(4.45, 4.95, RATE)]
    came = only(*USER, chunk(2.7, 0, 1.5), *playout, ended(9.0))
    assert (came.underruns, came.underrun_ms) == (0, 0)
    late = [chunk(2.7, 0, 0.5), chunk(3.85, 0, 0.5, RATE // 2), chunk(3.86, 0, 0.5, RATE)]
    found = only(*USER, *late, *playout, ended(9.0))
    assert (found.underruns, found.underrun_ms) == (1, pytest.approx(400))


def test_a_turn_of_nothing_but_underruns_counts_them_all() -> None:
    tracker = TurnTracker()
    for number in range(100):
        tracker.feed(heard(number * 0.4, number * 0.4 + 0.2, number * RATE // 5))
    (found,) = tracker.responses
    assert (found.underruns, found.underrun_ms) == (99, pytest.approx(99 * 200))


def test_an_underrun_that_is_told_of_and_seen_counts_once() -> None:
    trouble = Trouble(3.5, "underrun", "x", data={"count": 1, "ms": 200.0})
    events = [heard(3.0, 3.5), heard(3.7, 4.2, RATE // 2)]
    found = only(*USER, *events, trouble, ended(9.0))
    assert (found.underruns, found.underrun_ms) == (1, pytest.approx(200))


def reply(t: float, text: str, event_id: int) -> MessageReceived:
    body = {"agent_response_event": {"agent_response": text, "event_id": event_id}}
    return MessageReceived(t, "agent_response", body, event_id)


@pytest.mark.parametrize("gap_s", [0.05, 0.4])
@pytest.mark.parametrize("text_at", [3.49, 3.52, 3.95])
@pytest.mark.parametrize("is_told", [True, False])
def test_the_pause_between_two_replies_is_no_underrun(
    gap_s: float, text_at: float, is_told: bool
) -> None:
    """Whether its text comes before its audio, after it, or once it is heard."""
    trouble = Trouble(3.5, "underrun", "x", data={"count": 1, "ms": gap_s * 1000})
    events = [
        *(reply(2.6, "One.", 1), chunk(2.7, 0, 0.5, event_id=1), heard(3.0, 3.5)),
        chunk(3.5 + gap_s - 0.01, 0, 0.5, RATE // 2, event_id=3),
        heard(3.5 + gap_s, 4.0 + gap_s, RATE // 2),
        *([trouble] if is_told else []),
    ]
    text = reply(text_at, "Two.", 3)
    place = sum(event.t <= text_at for event in events)
    tracker = track(*USER, *events[:place])
    assert tracker.responses is not None
    for event in (text, *events[place:], ended(9.0)):
        tracker.feed(event)
    (found,) = tracker.responses
    assert (found.underruns, found.underrun_ms) == (0, 0)
    # the same silence in the middle of one reply is an underrun
    (within,) = track(*USER, *events, ended(9.0)).responses
    assert (within.underruns, within.underrun_ms) == (1, pytest.approx(gap_s * 1000))


def test_of_many_short_silences_in_a_turn_those_between_replies_do_not_count() -> None:
    tracker = TurnTracker()
    for number in range(200):
        at, start = number * 0.25, number * RATE // 5
        if number % 2 == 0:
            tracker.feed(reply(at, f"Reply {number}.", number))
        tracker.feed(chunk(at, 0, 0.2, start, event_id=number))
        tracker.feed(heard(at, at + 0.2, start))
    (found,) = tracker.responses
    assert (found.underruns, found.underrun_ms) == (100, pytest.approx(100 * 50))


@pytest.mark.parametrize("pause_s", [0.4, 1.5, 4.0])
@pytest.mark.parametrize("user", [[], said(3.6, 3.75)])
def test_a_pause_of_the_device_does_not_end_the_agents_turn(pause_s: float, user: list) -> None:
    """Audio was waiting all the while: the agent did not pause. A user who speaks changes none."""
    at = 3.5 + pause_s
    gap = Trouble(at, "gap", "x", "output", data={"ms": pause_s * 1000})
    clock = mic(at - 0.3, at - 0.05, at - 0.01, 0.0)
    events = [*user, clock, gap, heard(at, at + 1.0, RATE // 2)]
    tracker = track(*USER, chunk(2.7, 0, 1.5), heard(3.0, 3.5), *events, ended(19.0))
    assert [(turn.start, turn.stop) for turn in tracker.agent_turns] == [(3.0, at + 1.0)]
    (found,) = tracker.responses
    assert (found.latency_ms, found.underruns) == (pytest.approx(1000), 0)


def test_a_silence_shorter_than_the_pause_ends_no_turn_however_late_its_end_is_told() -> None:
    events = [*USER, heard(3.0, 3.5), mic(4.2, 4.45, 4.6, 0.0), heard(4.4, 5.0, RATE // 2)]
    tracker = track(*events, ended(9.0))
    assert [(turn.start, turn.stop) for turn in tracker.agent_turns] == [(3.0, 5.0)]


def test_an_interrupt_in_a_silence_ends_the_turn() -> None:
    events = [*USER, heard(3.0, 3.5), *cut(3.5), heard(4.4, 5.0, 3 * RATE), ended(9.0)]
    tracker = track(chunk(2.7, 0, 5.0), *events)
    assert [(turn.start, turn.stop) for turn in tracker.agent_turns] == [(3.0, 3.5), (4.4, 5.0)]


def test_the_jitter_of_a_clock_is_no_underrun() -> None:
    events = [heard(3.0, 3.5), heard(3.504, 4.0, RATE // 2)]
    assert only(*USER, *events, ended(9.0)).underruns == 0


def test_modelled_times_are_marked() -> None:
    assert only(AgentHeard(1.0, 0, RATE, 1.0, estimated=True)).estimated


def test_what_was_echo_is_answered_by_nobody() -> None:
    start, stop = said(2.5, 2.9)
    playout = [heard(1.0, 3.0), heard(6.0, 7.0, 2 * RATE)]
    for order in itertools.permutations([[start, stop], [echo(2.5, 2.9)], playout]):
        tracker = track(*mics(0.5), *itertools.chain(*order), ended(9.0))
        assert [each.latency_ms for each in tracker.responses] == [None, None]
        assert tracker.user_turns == []
        assert tracker.response_latencies_ms == []


def test_echo_leaves_the_turns_before_and_after_it_as_they_are() -> None:
    events = [*USER, heard(3.0, 5.0), *said(4.0, 4.5), heard(5.4, 6.0, 2 * RATE), *said(7, 8)]
    events += [heard(8.5, 9.0, 3 * RATE)]
    tracker = track(*events, echo(3.9, 4.5), ended(12.0))
    without = [each for each in events if each.t not in {4.0, 4.5}]
    expected = track(*without, ended(12.0))
    assert tracker.user_turns == expected.user_turns
    assert tracker.agent_turns == expected.agent_turns
    assert tracker.responses == expected.responses


def test_echo_that_is_told_after_responses_were_read_changes_them() -> None:
    events = [*said(1.0, 2.0), heard(3.0, 4.0), heard(6.0, 7.0, RATE), *said(8.0, 9.0)]
    tracker = track(*events)
    assert tracker.responses[0].latency_ms == pytest.approx(1000)
    tracker.feed(echo(0.95, 2.1))
    assert [each.latency_ms for each in tracker.responses] == [None, None]


def test_echo_that_is_told_while_vad_hears_it_swallows_the_end_of_it() -> None:
    start, stop = said(4.0, 4.5)
    tracker = track(*USER, heard(3.0, 6.0), start, echo(3.9, 4.4), stop, *said(7, 8))
    assert [(turn.start, turn.stop) for turn in tracker.user_turns] == [(1.0, 2.0), (7, 8)]


def test_what_is_kept_for_responses_is_bounded() -> None:
    tracker = TurnTracker()
    for number in range(30_000):
        at, start = number * 0.1, number * RATE // 10
        tracker.feed(chunk(at, 0, 0.1, start))
        tracker.feed(heard(at + 0.05, at + 0.15, start))
    (found,) = tracker.responses
    assert found.median_lead_ms == pytest.approx(50)
    keeper = tracker._responses
    assert len(keeper._arrivals) < 4
    assert sum(len(piece.leads_ms) for piece in keeper._pieces) <= keeper.LEADS


# -- refused -------------------------------------------------------------------------------------


def audio(t: float, event_id: int, size: int = 3200, dropped: str = "too old") -> MessageReceived:
    return MessageReceived(t, "audio", {"audio_event": {}}, event_id, size, dropped)


def response(t: float, event_id: int) -> MessageReceived:
    body = {"agent_response": "Yes", "event_id": event_id}
    return MessageReceived(t, "agent_response", {"agent_response_event": body}, event_id)


def metadata(name: str) -> MessageReceived:
    key = "conversation_initiation_metadata"
    return MessageReceived(0.1, key, {f"{key}_event": {"agent_output_audio_format": name}})


def test_audio_that_the_sdk_drops_is_told_and_joined() -> None:
    tracker = track(told(1.0, 7), audio(1.05, 7), audio(1.1, 7), audio(1.2, 9, dropped=""))
    tracker.feed(audio(1.3, 7))
    assert tracker.refused == [
        Refused(1.05, 1.1, 200.0, 7, "too old"),
        Refused(1.3, 1.3, 100.0, 7, "too old"),
    ]


def test_late_audio_and_that_of_the_next_reply_are_told_apart() -> None:
    tracker = track(told(1.0, 7), audio(1.05, 6), response(1.2, 7), audio(1.3, 7), audio(1.4, 7))
    assert [(each.ms, each.of_new_reply) for each in tracker.refused] == [
        (100.0, False),
        (200.0, True),
    ]


@pytest.mark.parametrize(
    ("name", "ms"), [("pcm_16000", 100), ("pcm_48000", 33.3), ("ulaw_8000", 400), ("odd", 100)]
)
def test_how_long_it_is_goes_by_the_agents_format(name: str, ms: float) -> None:
    (found,) = track(metadata(name), audio(1.0, 7)).refused
    assert found.ms == pytest.approx(ms, abs=0.1)
