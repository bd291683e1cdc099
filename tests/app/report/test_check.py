"""``turnscope check``, as typed: exit codes, the offending moments, JUnit XML."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from app.analysis.limits import Limits
from app.analysis.turn_records import Interruption, Overlap, Refused, Response, Turn
from app.commands import check_command, cli
from app.commands.exit_codes import DEVICE_OR_FILE, FAILED, OK, USAGE
from app.recordings.turns_found import TurnsFound
from app.report.checking import Rule, judge
from app.report.junit import Checked, to_junit, valid
from tests.app.report.sessions import make_false, make_session
from tests.rig.speech import say, silence, write_wav


@pytest.fixture(autouse=True)
def no_logs(monkeypatch):
    monkeypatch.setattr(cli, "set_up_logs", lambda **_: None)


def run(*arguments: object) -> int:
    return cli.main(["check", *map(str, arguments)], lambda: pytest.fail("no window"))


def outcome(rule: Rule, **records: list[object]):
    return judge(TurnsFound(**records), rule, Limits())


def test_limits_that_are_kept_exit_with_0(tmp_path, capsys):
    session = make_session(tmp_path)
    limits = (
        *("--max-time-to-silence", "30ms", "--max-mouth-to-silence", "0.736s"),
        *("--p95-response-latency", "800.5 ms", "--median-mouth-to-silence", "1s"),
        *("--no-false-interruptions", "--no-missed-interruptions", "--no-talking-over"),
        *("--max-underruns", "0", "--no-refused-audio"),
    )
    assert run(session, *limits) == OK
    told = capsys.readouterr()
    assert told.err == ""
    assert "  ok      time to silence ≤ 30 ms: 30 ms at worst, of 2\n" in told.out
    assert "  ok      no false interruptions: none\n" in told.out
    assert told.out.count("  ok ") == 9
    assert told.out.endswith("1 session: no limit is broken.\n")


def test_a_limit_that_is_broken_exits_with_1_and_names_the_moments(tmp_path, capsys):
    assert run(make_session(tmp_path), "--max-mouth-to-silence", "600ms") == FAILED
    assert capsys.readouterr().out.splitlines() == [
        "slow",
        "  BROKEN  mouth to silence ≤ 600 ms: 735 ms at worst, of 2; 2 of 2 over it",
        "          00:05.605  interruption 1: 735 ms",
        "          00:17.605  interruption 2: 735 ms",
        "1 of 1 session breaks a limit.",
    ]


def test_false_interruptions_are_counted(tmp_path, capsys):
    session = make_false(tmp_path)
    assert run(session, "--no-false-interruptions") == FAILED
    assert "BROKEN  no false interruptions: 1 in this session\n" in capsys.readouterr().out
    assert run(session, "--max-false-interruptions", "1") == OK


def test_a_missing_figure_is_told_and_breaks_a_limit_only_where_it_is_required(tmp_path, capsys):
    from tests.app.bundle_rig import make_bundle

    session = make_bundle(tmp_path / "still")
    limits = ("--max-time-to-silence", "1s", "--no-missed-interruptions")
    assert run(session, *limits) == OK
    told = capsys.readouterr().out
    assert "  –       time to silence ≤ 1 s: no figure in this session\n" in told
    assert "nothing was heard of the agent" in told
    assert run(session, *limits, "--require-figures") == FAILED
    assert "  MISSING time to silence ≤ 1 s" in capsys.readouterr().out


def test_each_of_several_sessions_is_checked_and_1_goes_before_3(tmp_path, capsys):
    make_session(tmp_path, "a", agent_ms=50), make_session(tmp_path, "b")
    (tmp_path / "c").mkdir()
    assert run(tmp_path, "--max-mouth-to-silence", "600ms") == FAILED
    told = capsys.readouterr()
    assert "1 of 2 sessions breaks a limit." in told.out
    assert "turnscope: c: It is no recording" in told.err
    assert run(tmp_path, "--max-mouth-to-silence", "2s") == DEVICE_OR_FILE


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no limit to check"),
        (("--max-time-to-silence", "150"), "no duration with a unit"),
        (("--max-time-to-silence=-1ms",), "no duration with a unit"),
        (("--max-time-to-silence", "1e3ms"), "no duration with a unit"),
        (("--max-underruns", "some"), "no whole number"),
        (("--no-underruns", "--missed-after", "1ms"), "from 100ms to 60s"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, words, tmp_path, capsys):
    try:
        code = run(make_session(tmp_path), *arguments)
    except SystemExit as ended:
        code = ended.code
    assert code == USAGE
    assert words in capsys.readouterr().err


def test_nothing_to_check_is_no_success(tmp_path, capsys):
    assert run(tmp_path, "--no-underruns") == DEVICE_OR_FILE
    assert run(tmp_path / "gone", "--no-underruns") == DEVICE_OR_FILE
    capsys.readouterr()


def test_json_has_every_moment(tmp_path, capsys):
    assert run(make_session(tmp_path), "--max-time-to-silence", "20ms", "--json") == FAILED
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    (limit,) = told["sessions"][0]["limits"]
    assert (limit["state"], limit["most"], limit["statistic"]) == ("broken", 20.0, "worst")
    assert [each["at_s"] for each in limit["moments"]] == [5.605, 17.605]


# -- JUnit -------------------------------------------------------------------------------------


def test_junit_has_a_suite_a_session_and_a_case_a_limit(tmp_path, capsys):
    make_session(tmp_path / "in", "a", agent_ms=50), make_session(tmp_path / "in", "b\x07 <b>")
    (tmp_path / "in" / "c").mkdir()
    target = tmp_path / "junit.xml"
    target.write_text("of the run before")
    limits = ("--max-mouth-to-silence", "600ms", "--max-underruns", "0")
    assert run(tmp_path / "in", *limits, "--junit", target) == FAILED
    root = ElementTree.parse(target).getroot()
    assert root.attrib | {} == {
        **{"name": "turnscope check", "tests": "5", "failures": "1", "errors": "1"},
        "skipped": "0",
    }
    names = [suite.get("name") for suite in root]
    assert sorted(names) == ["a", "b <b>", "c"]
    case = root.find("testsuite[@name='b <b>']/testcase[@name='mouth to silence ≤ 600 ms']")
    failure = case.find("failure")
    assert failure.get("message").startswith("735 ms at worst")
    assert failure.text.splitlines()[0] == "00:05.605  interruption 1: 735 ms"
    assert root.find("testsuite[@name='c']/testcase/error").get("message").startswith("It is no")
    capsys.readouterr()


def test_a_missing_figure_is_skipped_in_junit_or_fails():
    unknown = outcome(Rule("time to silence", "worst", 150.0))
    skipped = ElementTree.fromstring(to_junit([Checked("a", (unknown,))]))
    assert (skipped.get("skipped"), skipped.get("failures")) == ("1", "0")
    failed = ElementTree.fromstring(to_junit([Checked("a", (unknown,))], need_figures=True))
    assert (failed.get("skipped"), failed.get("failures")) == ("0", "1")


def test_characters_that_xml_has_not_are_taken_out():
    assert valid("a\x00\x1b\ufffe\udcff<b>\n\t\u00e9\U0001f600") == "a<b>\n\t\u00e9\U0001f600"
    document = to_junit([Checked("\x00", error="a\x00b ]]> & <c>")])
    root = ElementTree.fromstring(document)
    assert root.find("testsuite").get("name") == "session"
    assert root.find(".//error").get("message") == "ab ]]> & <c>"


def test_junit_is_never_written_over_the_recording(tmp_path, capsys):
    session = make_session(tmp_path)
    before = (session / "events.jsonl").read_bytes()
    target = session / "events.jsonl"
    assert run(session, "--no-underruns", "--junit", target) == USAGE
    assert target.read_bytes() == before
    capsys.readouterr()


def test_the_verdict_comes_even_where_junit_cannot_be_written(tmp_path, capsys, monkeypatch):
    session, folder = make_session(tmp_path), tmp_path / "for-junit"
    checked_each = check_command._check_each

    def then_lose_the_folder(*arguments):
        checked = checked_each(*arguments)
        folder.rmdir()
        return checked

    monkeypatch.setattr(check_command, "_check_each", then_lose_the_folder)
    for most, code, told in (
        ("1ms", FAILED, "1 of 1 session breaks a limit."),
        ("9s", DEVICE_OR_FILE, "1 session: no limit is broken."),
    ):
        folder.mkdir()
        assert run(session, "--max-time-to-silence", most, "--junit", folder / "x.xml") == code
        said = capsys.readouterr()
        assert told in said.out
        assert "cannot be written" in said.err


@pytest.mark.parametrize(("most", "code"), [("1ms", FAILED), ("9s", OK)])
def test_whoever_stops_reading_changes_no_verdict(most, code, tmp_path):
    session = make_session(tmp_path)
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        command = [sys.executable, "-m", "app", "check", session, "--max-time-to-silence", most]
        done = subprocess.run(
            command, check=False, stdout=write_end, stderr=subprocess.PIPE, timeout=60
        )
    finally:
        os.close(write_end)
    assert (done.returncode, done.stderr) == (code, b"")


# -- what is judged ----------------------------------------------------------------------------


def cut(number: int, silence_ms: float | None, **more: object) -> Interruption:
    return Interruption(number, float(number), "agent", time_to_silence_ms=silence_ms, **more)


def test_percentiles_go_by_all_samples_and_the_worst_by_one():
    cuts = [cut(n, 30.0) for n in range(1, 41)] + [cut(41, 900.0)]
    states = {
        statistic: outcome(Rule("time to silence", statistic, 150.0), interruptions=cuts).state
        for statistic in ("worst", "p95", "median")
    }
    assert states == {"worst": "broken", "p95": "kept", "median": "kept"}


def test_what_was_not_measured_is_told_of_and_what_was_silent_needs_no_figure():
    cuts = [cut(1, 30.0), cut(2, None), cut(3, None, was_silent=True)]
    told = outcome(Rule("time to silence", "worst", 150.0), interruptions=cuts)
    assert (told.state, told.sentence) == ("kept", "30 ms at worst, of 1; 1 other not measured")
    assert not told.fails(need_figures=False)
    assert told.fails(need_figures=True), "that other one may have taken any time"
    failed = ElementTree.fromstring(to_junit([Checked("a", (told,))], need_figures=True))
    assert (failed.get("skipped"), failed.get("failures")) == ("0", "1")
    silent = replace(cuts[0], was_silent=True)
    whole = outcome(Rule("time to silence", "worst", 150.0), interruptions=[silent, cuts[2]])
    assert not whole.fails(need_figures=True)
    assert whole.sentence == "30 ms at worst, of 1"


def test_a_figure_at_its_limit_is_within_it():
    cuts = [cut(1, (17.635 - 17.605) * 1000)]
    assert cuts[0].time_to_silence_ms > 30.0, "seconds are no whole numbers"
    assert outcome(Rule("time to silence", "worst", 30.0), interruptions=cuts).state == "kept"


def test_mouth_to_silence_is_that_of_barge_ins():
    cuts = [cut(1, 30.0, kind="barge-in", mouth_to_silence_ms=400.0), cut(2, 30.0, kind="button")]
    told = outcome(Rule("mouth to silence", "worst", 300.0), interruptions=cuts)
    assert (told.state, [sample.at for sample in told.moments]) == ("broken", [1.0])


def test_a_class_that_is_not_certain_is_no_proof_that_none_was_false():
    agent = [Turn("agent", 0.0, 1.0)]
    cuts = [cut(1, 30.0, kind="barge-in"), cut(2, 30.0)]
    rule = Rule("false interruptions", "count", 0)
    assert outcome(rule, interruptions=cuts, agent_turns=agent).state == "unknown"
    assert outcome(rule, interruptions=cuts[:1], agent_turns=agent).state == "kept"
    assert outcome(rule, agent_turns=agent).state == "kept"
    assert outcome(rule).state == "unknown"


def test_every_count_has_its_moments():
    agent = [Turn("agent", 0.0, 60.0)]
    missed = Overlap(5.0, 6.5, 5.0, 6.5, "missed")
    over = Overlap(9.5, 10.0, 9.0, 10.0, "talked over")
    records = {
        "overlaps": [missed, over],
        "responses": [Response(3.0, underruns=3, underrun_ms=200.0)],
        "refused": [
            Refused(11.0, 11.5, 400.0, 1, "late"),
            Refused(12.0, 13.0, 900.0, 1, "old", of_new_reply=True),
        ],
        "agent_turns": agent,
    }
    for name, at, count in (
        ("missed interruptions", 5.0, 1),
        ("talking over the user", 9.5, 1),
        ("underruns", 3.0, 3),
        ("refused audio", 12.0, 1),
    ):
        told = outcome(Rule(name, "count", 0), **records)
        assert (told.state, [each.at for each in told.moments]) == ("broken", [at])
        assert outcome(Rule(name, "count", count), **records).state == "kept"


def test_late_audio_of_the_interrupted_reply_is_rightly_refused():
    agent = [Turn("agent", 0.0, 60.0)]
    late = Refused(11.0, 11.5, 400.0, 1, "late")
    told = outcome(Rule("refused audio", "count", 0), agent_turns=agent, refused=[late])
    assert (told.state, told.sentence) == ("kept", "none")


def test_how_long_a_missed_interruption_is_can_be_told():
    view = TurnsFound(
        overlaps=[Overlap(5.0, 6.5, 5.0, 6.5, "missed")], agent_turns=[Turn("agent", 0)]
    )
    rule = Rule("missed interruptions", "count", 0)
    assert judge(view, rule, Limits()).state == "broken"
    assert judge(view, rule, Limits(missed_s=2.0)).state == "kept"


# -- end to end --------------------------------------------------------------------------------


@pytest.mark.real_time
@pytest.mark.timeout(150)
def test_a_replay_against_the_demo_agent_is_recorded_and_then_checked(tmp_path: Path) -> None:
    said = (silence(1.2), say("Hold on, please."), silence(1.5))
    caller = write_wav(tmp_path / "caller.wav", np.concatenate(said))
    out = tmp_path / "out"

    def turnscope(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "app", *map(str, arguments)]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=100)

    replayed = turnscope("replay", caller, "--agent", "demo", "--record", out, "--seconds", "5")
    assert replayed.returncode == OK, replayed.stderr
    kept = turnscope("check", out, "--max-time-to-silence", "1s", "--require-figures", "--json")
    assert kept.returncode == OK, kept.stdout + kept.stderr
    (session,) = json.loads(kept.stdout)["sessions"]
    assert session["limits"][0]["state"] == "kept"
    broken = turnscope("check", out, "--max-mouth-to-silence", "1ms")
    assert broken.returncode == FAILED
    assert "BROKEN" in broken.stdout
