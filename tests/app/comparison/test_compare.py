"""Two sessions laid over each other: which turns are the same, and what came of them."""

from __future__ import annotations

import csv
import io
import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from app.analysis.turn_records import Interruption, Line, Turn, spread
from app.analysis.turns import TurnTracker
from app.commands import cli
from app.commands.exit_codes import DEVICE_OR_FILE, OK, USAGE
from app.comparison.compare import Change, compare, find_offset
from app.comparison.comparison_text import both, change_text, headline, lines, to_csv, to_json
from app.recordings.turns_found import TurnsFound
from app.timeline.events import SpeechEnded, SpeechStarted, StateChanged
from tests.app.bundle_rig import make_bundle
from tests.rig.speech import tone, write_wav

NOTHING = TurnsFound()


def session(
    onsets: list[float], delay_s: float = 0.0, latency_ms: float | None = 900.0, **more: object
) -> TurnsFound:
    """Return a session whose user speaks for a second at ``onsets``, and is answered each time."""
    user = [Turn("user", onset + delay_s, onset + delay_s + 1) for onset in onsets]
    latencies = [latency_ms for _ in user if latency_ms is not None]
    agent = [
        Turn("agent", turn.start + 1 + ms / 1000, turn.start + 3)
        for turn, ms in zip(user, latencies, strict=False)
    ]
    summary = replace(
        NOTHING.figures,
        duration_s=60.0,
        user_turns=len(user),
        agent_turns=len(agent),
        response_latency_ms=spread(latencies),
    )
    return TurnsFound(user, agent, latencies, figures=summary, **more)  # type: ignore[arg-type]


def cut(onset: float, silence_ms: float) -> Interruption:
    return Interruption(
        1,
        onset + 0.3,
        "agent",
        kind="barge-in",
        user_onset=onset,
        time_to_silence_ms=silence_ms,
        mouth_to_silence_ms=300 + silence_ms,
    )


def test_turns_are_paired_by_their_place_in_the_callers_audio() -> None:
    compared = compare(session([2, 8, 14]), session([2, 8, 14], 0.53, 950.0))
    assert compared.offset_s == pytest.approx(0.53)
    assert (compared.paired, compared.unpaired) == (3, (0, 0))
    assert [row.response_latency.difference for row in compared.rows] == pytest.approx([50] * 3)
    assert {row.response_latency.verdict for row in compared.rows} == {"worse"}
    assert [total.verdict for total in compared.totals if total.name.startswith("response")] == [
        "worse",
        "worse",
    ]


def test_what_only_one_of_them_has_stands_alone_in_its_place() -> None:
    compared = compare(session([2, 8, 14, 20]), session([2, 14, 17, 20], -0.2))
    places = [(row.first is not None, row.second is not None) for row in compared.rows]
    assert places == [(True, True), (True, False), (True, True), (False, True), (True, True)]
    assert (compared.paired, compared.unpaired) == (3, (1, 1))
    assert compared.rows[1].response_latency.difference is None
    assert compared.rows[1].response_latency.verdict == ""


def test_a_turn_that_is_split_in_one_of_them_pairs_with_its_beginning() -> None:
    whole = session([2, 8])
    split = session([2, 3.6, 8])
    compared = compare(whole, split)
    assert (compared.paired, compared.unpaired) == (2, (0, 1))


def test_the_nearer_of_two_onsets_is_the_one() -> None:
    compared = compare(session([5.0]), session([4.75, 5.02]), 0.0)
    assert [row.first is not None for row in compared.rows] == [False, True]


@pytest.mark.parametrize("delay_s", [-40.0, 0.0, 3.7])
def test_the_offset_is_what_most_onsets_have_in_common(delay_s: float) -> None:
    chance = random.Random(3)
    first = sorted(chance.uniform(0, 300) for _ in range(60))
    second = [t + delay_s + chance.uniform(-0.03, 0.03) for t in first if chance.random() < 0.7]
    second += [chance.uniform(0, 300) for _ in range(20)]
    assert find_offset(first, sorted(second)) == pytest.approx(delay_s, abs=0.03)


def test_of_several_offsets_the_least_is_taken_and_none_where_nobody_spoke() -> None:
    steady = [float(t) for t in range(0, 40, 4)]
    assert find_offset(steady, [t + 0.1 for t in steady]) == pytest.approx(0.1)
    assert find_offset([1.0], []) is None
    assert compare(NOTHING, session([2.0])).offset_s == 0.0


def test_an_offset_that_is_given_is_kept() -> None:
    compared = compare(session([2, 8]), session([2, 8], 0.53), 6.53)
    assert (compared.offset_s, compared.paired) == (6.53, 1)


def test_interruptions_belong_to_the_turn_that_caused_them() -> None:
    first = session([2, 8], interruptions=[cut(8.0, 30.0)])
    second = session([2, 8], 1.0, interruptions=[cut(3.0, 10.0), cut(9.0, 60.0)])
    before, after = compare(first, second).rows
    assert [len(side.cuts) for row in (before, after) for side in (row.first, row.second)] == [
        *(0, 1),
        *(1, 1),
    ]
    assert before.time_to_silence == Change(None, 10.0)
    assert before.time_to_silence.verdict == ""
    assert (after.time_to_silence.difference, after.time_to_silence.verdict) == (30.0, "worse")
    assert after.mouth_to_silence.difference == 30.0


def test_an_interrupt_without_speech_behind_it_belongs_to_no_turn() -> None:
    button = replace(cut(0.0, 10.0), source="button", user_onset=None)
    rows = compare(session([2], interruptions=[button]), session([2])).rows
    assert not rows[0].first.cuts


def test_what_was_said_belongs_to_the_turn_before_it() -> None:
    spoken = [
        Line("agent", "Hello you.", 0.5, heard_text="Hello", unheard_text="you."),
        Line("user", "(a guess)", 2.0, tentative=True),
        Line("user", "(you spoke for 1.0 s)", 2.0),
        Line("user", "typed", 5.0, typed=True),
        Line("agent", "Reply one.", 4.0, heard_text="Reply one."),
    ]
    changed = [*spoken[:4], replace(spoken[4], heard_text="Reply", unheard_text="one.")]
    greeting, answer = compare(
        session([2], transcript=spoken), session([2], transcript=changed)
    ).rows
    assert greeting.number == 0
    assert greeting.first is not None
    assert (greeting.first.heard, greeting.first.unheard) == ("Hello", "you.")
    assert not greeting.heard_differs
    assert answer.first is not None
    assert answer.first.understood == "(you spoke for 1.0 s)"
    assert answer.heard_differs
    assert not answer.words_differ


def test_a_turn_that_was_not_answered_has_no_latency() -> None:
    answered, silent = session([2]), session([2], latency_ms=None)
    late = replace(silent, agent_turns=[Turn("agent", 30.0, 31.0)], response_latencies_ms=[500.0])
    for other in (silent, late):
        change = compare(answered, other).rows[0].response_latency
        assert change.first == pytest.approx(900.0)
        assert change.second is None


def test_an_open_turn_is_no_trouble() -> None:
    tracker = TurnTracker()
    for event in (SpeechStarted(1.0, 1.1), SpeechEnded(2.0, 2.5), SpeechStarted(9.0, 9.1)):
        tracker.feed(event)
    assert compare(tracker, tracker).paired == 2
    tracker.feed(StateChanged(10.0, "ended"))
    assert compare(tracker, tracker).paired == 2


@pytest.mark.parametrize(
    ("change", "verdict", "text"),
    [
        (Change(100, 60), "better", "−40 ms, better"),
        (Change(60, 100), "worse", "+40 ms, worse"),
        (Change(60, 79), "same", "+19 ms, same"),
        (Change(60, 60.2), "same", "same"),
        (Change(None, 60), "", "–"),
        (Change(60, None), "", "–"),
    ],
)
def test_a_change_says_in_words_which_way_it_goes(change: Change, verdict: str, text: str) -> None:
    assert (change.verdict, change_text(change)) == (verdict, text)


def test_what_is_not_known_is_a_dash() -> None:
    assert both(Change(None, None)) == "–"
    assert both(Change(None, 12.4)) == "– → 12 ms"


def test_it_reads_on_a_terminal() -> None:
    compared = compare(session([2, 8]), session([2, 8, 20], 0.5, 840.0))
    told = "\n".join(lines(compared, ("one", "two\x1b[31m")))
    assert "2 user turns in both, 0 in the first alone, 1 in the second alone" in told
    assert "response latency  900 ms → 840 ms (−60 ms, better)" in told
    assert "at – and 00:20.5" in told
    assert "\x1b" not in told
    assert headline(compare(session([2]), session([2]))).startswith("1 user turn in both;")


def test_csv_is_harmless_and_complete() -> None:
    evil = [Line("agent", "=cmd()", 4.0, heard_text="=cmd()")]
    compared = compare(session([2, 8], transcript=evil), session([2], 0.5, 840.0))
    rows = list(csv.DictReader(io.StringIO(to_csv(compared))))
    assert [row["turn"] for row in rows] == ["1", "2"]
    assert rows[0]["response_latency_change_ms"] == "-60.0"
    assert rows[0]["heard_first"] == "'=cmd()"
    assert (rows[1]["at_s_first"], rows[1]["at_s_second"]) == ("8.000", "")


def test_json_has_null_for_what_is_not_known() -> None:
    told = json.loads(json.dumps(to_json(compare(session([2]), NOTHING), ("a", "b"))))
    assert told["turns"][0]["second"] is None
    assert told["turns"][0]["response_latency"] == {
        "first": 900.0,
        "second": None,
        "change": None,
        "verdict": "",
    }
    assert (told["paired"], told["only_first"], told["only_second"]) == (0, 1, 0)


def test_ten_thousand_turns_are_compared_at_once() -> None:
    many = session([6.0 * n for n in range(10_000)])
    assert compare(many, many).paired == 10_000


# The command


def run(*arguments: str) -> int:
    return cli.main(["compare", *arguments], lambda: 0)


@pytest.fixture(autouse=True)
def no_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "set_up_logs", lambda **_: None)


def test_two_bundles_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = (
        make_bundle(
            tmp_path / name,
            events=[
                *(SpeechStarted(at, at + 0.1), SpeechEnded(at + 1, at + 1.5)),
                *(SpeechStarted(at + 4, at + 4.1), SpeechEnded(at + 5, at + 5.5)),
                StateChanged(at + 9, "ended"),
            ],
        )
        for name, at in (("first", 1.0), ("second", 1.4))
    )
    assert run(str(first), str(second)) == OK
    assert "2 user turns in both; the caller is 400 ms later" in capsys.readouterr().out
    assert run(str(first), str(second), "--json", "--offset-ms", "-800") == OK
    told = json.loads(capsys.readouterr().out)
    assert (told["offset_ms"], told["paired"], told["only_first"]) == (-800.0, 0, 2)


@pytest.mark.parametrize(
    ("second", "code", "words"),
    [
        ("gone", DEVICE_OR_FILE, "no recording or audio file “gone”"),
        ("caller.wav", USAGE, "an audio file, which tells of no turns"),
        (".", DEVICE_OR_FILE, "neither session.json nor events.jsonl"),
        ("text.zip", DEVICE_OR_FILE, "not a zip"),
    ],
)
def test_what_cannot_be_compared_is_said_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], second: str, code: int, words: str
) -> None:
    first = make_bundle(tmp_path / "first")
    write_wav(tmp_path / "caller.wav", tone(0.1))
    (tmp_path / "text.zip").write_text("text")
    given = second if second == "gone" else str(tmp_path / second)
    assert run(str(first), given) == code
    assert words in capsys.readouterr().err
