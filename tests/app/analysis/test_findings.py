"""What is found in records written down by hand, in which words, and what is not found."""

from __future__ import annotations

from dataclasses import replace
from time import thread_time

import pytest

from app.analysis.finding import duration, share
from app.analysis.findings import find, nothing_found
from app.analysis.findings_turns import response_parts
from app.analysis.limits import Limits
from app.analysis.turn_records import (
    Interruption,
    Line,
    Overlap,
    Refused,
    Response,
    Sound,
    Spread,
    Summary,
    Turn,
)
from app.recordings.turns_found import TurnsFound

LIMITS = Limits()


def summary(**changes):
    nothing = Spread()
    figures = Summary(60.0, 0, 0, 0, nothing, nothing, nothing, 0.0, 0.0, 0.0, 0)
    return replace(figures, **changes)


def barge_in(number, *, chunk_ms=40, sending_ms=2, agent_ms=100, flush_ms=1, playout_ms=30, **more):
    """A barge-in whose chain has these parts; ten seconds to each."""
    onset = 10.0 * number
    chunk = onset + chunk_ms / 1000
    sent = chunk + sending_ms / 1000
    told = sent + agent_ms / 1000
    at = told + flush_ms / 1000
    silent = at + playout_ms / 1000
    return Interruption(
        number,
        at,
        "agent",
        kind="barge-in",
        silent_at=silent,
        time_to_silence_ms=playout_ms,
        user_onset=onset,
        chunk_ended_at=chunk,
        chunk_sent_at=sent,
        told_at=told,
        mouth_to_silence_ms=(silent - onset) * 1000,
        **more,
    )


def false(number, sound=None):
    return Interruption(number, 10.0 * number, "agent", kind="false", sound=sound)


def heard(kind, **more):
    return Sound(kind, 0.0, 1.0, -14.0, -52.0, **more)


def found(*cuts, figures=None, limits=LIMITS, **records):
    view = TurnsFound(interruptions=list(cuts), figures=figures or summary(), **records)
    return {finding.id: finding for finding in find(view, limits)}


def test_a_session_within_its_limits_has_no_findings_and_that_is_said():
    cuts = [barge_in(1), barge_in(2)]
    responses = [Response(5.0, 4.0, 4.5, 4.8, 1000.0, least_lead_ms=400.0)]
    assert found(*cuts, responses=responses, figures=summary(mic_chunk_ms=40.0)) == {}
    view = TurnsFound(interruptions=cuts, responses=responses)
    told = nothing_found(view)
    what = "2 interruptions and 1 response: what was measured is within the limits."
    assert told == f"Nothing stands out in {what}"
    assert nothing_found(TurnsFound()).startswith("There is nothing to judge yet")


def test_long_mic_chunks_are_told_by_what_they_cost():
    costs = (90, 130, 200)
    cuts = [barge_in(n, chunk_ms=ms) for n, ms in enumerate(costs, 1)]
    finding = found(*cuts, figures=summary(mic_chunk_ms=250.0))["long-chunks"]
    assert finding.sentence.startswith(
        "Your 250 ms mic chunks cost 130 ms of a barge-in (median of 3 barge-ins, 200 ms at worst):"
    )
    assert "Try mic chunks of 40 ms (input_frames=640)" in finding.advice
    assert finding.figures == {
        "seen": 3,
        "chunk_ms": 250.0,
        "median_ms": pytest.approx(130.0),
        "worst_ms": pytest.approx(200.0),
    }
    assert finding.moments == tuple(pytest.approx(cut.at) for cut in cuts)


@pytest.mark.parametrize(("chunk_ms", "cost_ms"), [(40.0, 130), (250.0, 20), (None, 130)])
def test_mic_chunks_are_let_be_where_they_are_short_cheap_or_not_known(chunk_ms, cost_ms):
    cuts = [barge_in(n, chunk_ms=cost_ms) for n in (1, 2, 3)]
    assert "long-chunks" not in found(*cuts, figures=summary(mic_chunk_ms=chunk_ms))


def test_it_is_told_how_many_barge_ins_a_median_is_of():
    cuts = [barge_in(n, chunk_ms=130) for n in (1, 2, 3)]
    untold = replace(cuts[2], chunk_ended_at=None)
    told = [
        found(*those, figures=summary(mic_chunk_ms=250.0))["long-chunks"].sentence
        for those in (cuts[:1], cuts[:2], [*cuts[:2], untold], [cuts[0], untold])
    ]
    worst = "130 ms at worst"
    for sentence, of in zip(
        told,
        (
            "130 ms of the only barge-in:",
            f"130 ms of a barge-in (median of 2 barge-ins, {worst}):",
            f"130 ms of a barge-in (median of 2 that tell it, {worst}):",
            "130 ms of the only barge-in that tells it:",
        ),
        strict=True,
    ):
        assert f"mic chunks cost {of} speech" in sentence


def test_no_part_of_a_barge_in_is_told_to_be_longer_than_the_whole():
    cuts = [replace(barge_in(n, agent_ms=700), chunk_ended_at=10.0 * n + 5) for n in (1, 2)]
    findings = found(*cuts, figures=summary(mic_chunk_ms=250.0))
    assert set(findings) == {"late"}
    assert "mic chunk" not in findings["late"].sentence


def test_what_is_half_of_the_known_parts_is_not_told_to_be_half_of_the_whole():
    """The button, or local VAD: there is no message of the agent's that divides the rest."""
    cuts = [replace(barge_in(n, chunk_ms=200, agent_ms=700), told_at=None) for n in (1, 2)]
    late = found(*cuts)["late"]
    assert "of it went to" not in late.sentence
    assert "mic chunk" not in late.advice


def test_late_barge_ins_name_the_part_that_made_them_late():
    late = [barge_in(n, agent_ms=700) for n in (1, 2)]
    findings = found(*late, barge_in(3))
    finding = findings["late"]
    assert finding.sentence.startswith("2 of 3 barge-ins came to silence late: 773 ms (median)")
    assert "700 ms of it went to the part “agent”" in finding.sentence
    assert "server" in finding.advice
    assert finding.moments == tuple(pytest.approx(cut.at) for cut in late)
    assert "agent-part" not in findings, "the same is not told twice"
    assert "late" not in found(*late, limits=Limits(mouth_to_silence_ms=900.0))


@pytest.mark.parametrize(
    ("parts", "name", "words"),
    [
        ({"agent_ms": 300}, "agent-part", "The agent and the network took 300 ms"),
        ({"sending_ms": 80}, "sending", "Sending the mic chunk with the onset took 80 ms"),
        ({"flush_ms": 60}, "flush-part", "60 ms of a barge-in (median of 3 barge-ins"),
    ],
)
def test_a_part_of_the_chain_that_costs_too_much_is_named(parts, name, words):
    cuts = [barge_in(n, **parts) for n in (1, 2, 3)]
    assert words in found(*cuts)[name].sentence
    alone = found(cuts[0])[name].sentence
    assert "the only barge-in" in alone
    assert "median" not in alone


def test_a_speaker_that_plays_on_is_told_of_whoever_interrupted():
    button = replace(barge_in(1, playout_ms=400), kind="button", source="button")
    finding = found(button, barge_in(2))["slow-silence"]
    assert "more than 150 ms after 1 of 2 interrupts, for 400 ms at worst" in finding.sentence
    assert finding.moments == (pytest.approx(button.at),)


def test_the_agent_hearing_itself_is_told_with_delay_and_level():
    echo = heard("echo", echo_delay_ms=140.0, echo_db=-31.0, correlation=0.9)
    cuts = [false(1, echo), false(2, echo), false(3, echo), barge_in(4), barge_in(5)]
    finding = found(*cuts)["false-echo"]
    assert finding.sentence == (
        "3 of 5 interruptions were the agent hearing itself, 140 ms late at −31 dB."
    )
    assert "echo cancelling" in finding.advice
    assert finding.moments == (10.0, 20.0, 30.0)
    assert finding.figures == {"seen": 3, "of": 5, "echo_delay_ms": 140.0, "echo_db": -31.0}
    assert next(iter(found(*cuts))) == "false-echo", "it is the worst of all"


def test_shares_are_of_all_that_there_are_or_say_of_which():
    button = replace(barge_in(2), kind="button", source="button", user_onset=None)
    told = found(false(1, heard("silence")), button, barge_in(3))["false-silence"]
    assert told.sentence.startswith("1 of 3 interruptions was made")
    assert (told.figures["seen"], told.figures["of"]) == (1, 3)
    spoke_before = replace(barge_in(1), mouth_to_silence_ms=None, time_to_silence_ms=None)
    findings = found(spoke_before, barge_in(2, agent_ms=700, playout_ms=200))
    assert findings["late"].sentence.startswith("The only measured barge-in came to silence late")
    assert "after the only measured interrupt, for" in findings["slow-silence"].sentence


@pytest.mark.parametrize(
    ("sound", "words"),
    [
        (heard("burst", burst_ms=120.0), "caused by a short sound of 120 ms"),
        (heard("noise"), "made over noise at −52 dBFS"),
        (heard("silence"), "made while the user track was silent"),
        (None, "made with no user speech before"),
    ],
)
def test_false_interruptions_are_told_by_what_the_user_track_held(sound, words):
    (finding,) = found(false(1, sound), barge_in(2)).values()
    assert finding.sentence.startswith(f"1 of 2 interruptions was {words}")
    (alone,) = found(false(1, sound)).values()
    assert alone.sentence.startswith(f"The only interruption was {words}")


def test_missed_interruptions_and_talking_over_are_told_and_backchannels_are_not():
    missed = Overlap(5.0, 6.8, 5.0, 6.8, "missed")
    brief = Overlap(8.0, 8.3, 8.0, 8.3, "backchannel")
    over = [Overlap(t + 0.5, t + 1.1, t, t + 1.1, "talked over") for t in (20.0, 30.0)]
    touch = Overlap(40.5, 40.6, 40.0, 40.6, "talked over")
    turns = [Turn("agent", float(n), n + 0.5) for n in range(10)]
    findings = found(overlaps=[missed, brief, *over, touch], agent_turns=turns)
    assert list(findings) == ["missed", "talked-over"]
    assert "for 1.0 s or more, and the agent spoke on, for 1.8 s" in findings["missed"].sentence
    assert findings["missed"].moments == (5.0,)
    told = findings["talked-over"].sentence
    assert told.startswith("Twice in 10 turns the agent began while the user was still speaking")
    assert "600 ms" in told
    assert findings["talked-over"].moments == (20.5, 30.5)
    patient = found(overlaps=[missed], limits=Limits(missed_s=2.0))
    assert patient == {}


@pytest.mark.parametrize(
    ("moments", "words"),
    [
        ((0.0, 1.5, 1.7), "1.5 s of that went by until the agent took the user's turn for ended"),
        ((0.0, 0.3, 1.8), "1.5 s of that went by from endpointing to the agent's first audio"),
        ((0.0, 0.3, 0.5), "1.5 s of that went by between the first audio that came"),
        ((0.0, None, 1.8), "no event tells them apart"),
        ((None, None, None), "came later than 1.5 s: after 2.0 s."),
    ],
)
def test_slow_responses_name_the_part_that_made_them_slow(moments, words):
    stop, ended, came = moments
    slow = Response(2.0, stop, ended, came, 2000.0)
    finding = found(responses=[slow, Response(10.0, 9.0, 9.4, 9.8, 1000.0)])["slow-responses"]
    assert finding.sentence.startswith("1 of 2 responses came later than 1.5 s: after 2.0 s")
    assert words in finding.sentence
    assert finding.moments == (2.0,)


def test_what_came_before_the_user_had_ended_is_no_part_of_the_latency():
    """A final transcript, or the first audio, that was there before the user's speech ended."""
    early = Response(4.0, 2.0, 1.2, 3.9, 2000.0)
    told = found(responses=[early])["slow-responses"]
    assert "after 2.0 s; 1.9 s of that went by from endpointing" in told.sentence
    assert told.figures["agent_ms"] == pytest.approx(1900.0)
    held = replace(early, endpointed_at=None, first_chunk_at=1.0)
    assert "2.0 s of that went by between the first" in (
        found(responses=[held])["slow-responses"].sentence
    )


@pytest.mark.parametrize(
    ("ended", "came", "known"),
    [
        (1.2, 3.9, {"agent", "audio"}),
        (2.5, 2.4, {"endpointing", "audio"}),
        (2.5, 4.5, {"endpointing", "agent"}),
        (None, 1.9, {"audio"}),
        (2.0, 2.0, {"endpointing", "agent", "audio"}),
    ],
)
def test_a_part_whose_end_came_before_its_start_is_not_known(ended, came, known):
    parts = response_parts(Response(4.0, 2.0, ended, came, 2000.0))
    assert set(parts) == known
    assert all(ms >= 0 for ms in parts.values())


def test_underruns_and_audio_that_comes_just_in_time_are_told_apart():
    dry = Response(5.0, underruns=2, underrun_ms=300.0, least_lead_ms=-150.0)
    good = Response(6.0, least_lead_ms=500.0)
    finding = found(responses=[dry, good])["underruns"]
    assert finding.sentence.startswith("The playout queue ran dry 2 times inside 1 of 2 turns")
    assert "300 ms in all" in finding.sentence
    assert "arrived too late" in finding.sentence
    assert "thin-lead" not in found(responses=[dry, good])
    thin = [Response(7.0, least_lead_ms=20.0), Response(8.0, least_lead_ms=-5.0)]
    told = found(responses=[*thin, good])["thin-lead"].sentence
    assert told.startswith("In 2 of 3 turns of the agent's")
    assert "nothing in hand" in told
    assert found(responses=[thin[0], good]) == {}, "one turn says nothing"


def test_refused_audio_is_told_by_its_length():
    why = "event 7 is not above the last interruption's, 7"
    refused = Refused(12.0, 13.0, 1900.0, 7, why, of_new_reply=True)
    late = replace(refused, at=11.0, of_new_reply=False)
    finding = found(refused=[late, refused])["refused"]
    assert finding.sentence.startswith(
        "1.9 s of the next reply carried the old event id and was dropped"
    )
    assert finding.moments == (12.0,)
    two = found(refused=[refused, replace(refused, at=20.0)])["refused"].sentence
    assert two.startswith("3.8 s of 2 replies carried the old event id and were dropped")
    assert found(refused=[replace(refused, ms=20.0)]) == {}
    assert found(refused=[late]) == {}, "that was interrupted, and rightly dropped"


def reply(at, heard, corrected, **more):
    return Line("agent", heard, at, heard_text=heard, corrected_text=corrected, **more)


def test_the_agents_own_account_of_what_was_heard_is_compared():
    more = reply(3.0, "one two", "one two three four five")
    right = reply(9.0, "one two three", "One two th...")
    finding = found(transcript=[more, right])["other-words"]
    assert finding.sentence.startswith(
        "Of 1 of 2 corrected replies the agent believes that more words were heard"
    )
    assert "3 words apart" in finding.sentence
    assert finding.moments == (3.0,)
    unheard = found(transcript=[reply(3.0, "", "nobody has heard any of this")])["other-words"]
    assert "more words were heard than left the speaker, 6 words apart" in unheard.sentence
    other = found(transcript=[reply(3.0, "one two three", "quite another text")])["other-words"]
    assert "other words were heard" in other.sentence
    guessed = found(transcript=[replace(more, estimated=True)])["other-words"]
    assert guessed.sentence.endswith("our own words are estimated there.")
    assert found(transcript=[right]) == {}


def test_what_makes_figures_doubtful_is_told_and_comes_last():
    figures = summary(troubles={"xrun": 12, "dropped": 1, "underrun": 3})
    estimated = barge_in(1, agent_ms=800, estimated=True)
    findings = found(estimated, figures=figures)
    told = findings["doubtful"].sentence
    assert told.endswith("the device reported 12 xruns and events were lost once.")
    assert "The times of 1 interruption are estimated" in findings["estimated"].sentence
    assert list(findings) == ["late", "doubtful", "estimated"]


def test_what_is_always_so_weighs_more_than_what_is_rare():
    rare = found(barge_in(1, agent_ms=900), *[barge_in(n) for n in range(2, 12)])["late"]
    always = found(*[barge_in(n, agent_ms=900) for n in range(1, 12)])["late"]
    assert always.weight > rare.weight


def test_words_for_shares_and_durations():
    told = [share(seen, of, "turn") for seen, of in ((1, 1), (2, 2), (5, 5), (2, 5))]
    assert told == ["the only turn", "both turns", "all 5 turns", "2 of 5 turns"]
    assert [duration(ms) for ms in (0.4, 31.4, 999.6, 1949.0, 12_300.0)] == [
        "0 ms",
        "31 ms",
        "1.0 s",
        "1.9 s",
        "12 s",
    ]


def test_hundreds_of_interruptions_are_looked_through_in_a_moment():
    text = "so this is what was heard of a reply that went on and on " * 4
    cuts = [barge_in(n, agent_ms=500) for n in range(1, 2001)]
    lines = [reply(10.0 * n, f"{text}{n}", f"{text}{n} more of it") for n in range(1, 2001)]
    responses = [Response(n * 2.0, n * 2.0 - 2, None, None, 2000.0) for n in range(1, 3001)]
    records = {"interruptions": cuts, "responses": responses, "transcript": lines}
    view = TurnsFound(**records, figures=summary(mic_chunk_ms=250.0))
    find(view, LIMITS)  # what words are apart is kept
    began = thread_time()
    findings = find(view, LIMITS)
    assert thread_time() - began < 0.1
    assert max(len(finding.moments) for finding in findings) <= 1000
    ends = {finding.id: finding.sentence.partition(" Only ")[2] for finding in findings}
    assert ends["late"] == "the latest 500 interruptions and lines were looked at."
    assert ends["slow-responses"] == "the latest 1000 turns were looked at."
    fine = TurnsFound(interruptions=[barge_in(n) for n in range(1, 2001)])
    assert nothing_found(fine).startswith("Nothing stands out in the latest 500 interruptions:")
