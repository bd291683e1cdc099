"""``turnscope report``, as typed: text, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
import shutil
import time
from pathlib import Path

import pytest

from app.analysis.turn_records import Spread
from app.bundles.bundle_lock import BundleLock
from app.commands import cli, cli_report
from app.commands.exit_codes import DEVICE_OR_FILE, OK, USAGE
from app.recordings.recording import Recording
from app.report import documents
from app.report.figures import Figures, Statistic
from app.report.progress import Progress
from app.report.text import milliseconds, spread_cells, statistic_lines
from tests.app.report.sessions import NASTY, make_false, make_session


@pytest.fixture(autouse=True)
def no_logs(monkeypatch):
    monkeypatch.setattr(cli, "set_up_logs", lambda **_: None)


def run(*arguments: object) -> int:
    return cli.main(["report", *map(str, arguments)], lambda: pytest.fail("no window"))


def test_a_session_is_told_with_findings_figures_and_interruptions(tmp_path, capsys):
    assert run(make_session(tmp_path)) == OK
    told = capsys.readouterr()
    assert told.err == ""
    lines = told.out.splitlines()
    assert lines[0] == "slow"
    assert lines[1] == "  Demo <agent>, 2026-11-22 10:15:03 UTC, 00:24.0 long"
    assert "  1. Both barge-ins came to silence late: 735 ms (median)" in told.out
    assert "599 ms of it went to the part “agent”" in told.out
    assert "Seen at 00:05.6, 00:17.6." in told.out
    row = next(line for line in lines if line.strip().startswith("mouth to silence"))
    assert row.split() == ["mouth", "to", "silence", "2", "735", "ms", "735", "ms", "735", "ms"]
    assert "  2 late barge-ins" in lines
    assert "≈ “<script>alert(1)</script>”" in told.out, "there is no alignment"
    cut = next(line for line in lines if line.strip().startswith("1  00:05.605"))
    assert cut.split()[2:4] == ["late", "agent"]
    assert not any(ord(letter) < 32 and letter != "\n" for letter in told.out)


def test_all_there_is_comes_as_json_and_only_ascii(tmp_path, capsys):
    assert run(make_session(tmp_path), "--json") == OK
    text = capsys.readouterr().out
    assert text.isascii()
    document = json.loads(text)
    assert (document["format"], document["version"]) == ("turnscope report", 1)
    assert document["limits"]["mouth_to_silence_ms"] == 500.0
    (session,) = document["sessions"]
    assert session["name"] == "slow"
    assert session["findings"][0]["id"] == "late"
    assert len(session["findings"][0]["moments_s"]) == 2
    first = session["interruptions"][0]
    assert (first["class"], first["source"], first["number"]) == ("late", "agent", 1)
    parts = [first[f"{name}_ms"] for name in ("mic_chunk", "sending", "agent", "flush", "playout")]
    assert parts == [pytest.approx(ms, abs=0.01) for ms in (100, 5, 599, 1, 30)]
    assert first["mouth_to_silence_ms"] == pytest.approx(735)
    assert NASTY[:8] in session["lines"][1]["text"]
    assert {each["name"] for each in document["statistics"]} >= {"time to silence", "agent"}
    latency = next(e for e in document["statistics"] if e["name"] == "response latency")
    assert (latency["count"], latency["p50_ms"]) == (2, pytest.approx(800))
    assert document["counts"]["late"] == 2
    assert str(tmp_path) not in text


@pytest.mark.parametrize("table", documents.TABLES)
def test_every_table_comes_as_csv_whose_formulas_are_harmless(table, tmp_path, capsysbinary):
    first, second = make_session(tmp_path, says="=1+1"), make_session(tmp_path, "=other")
    assert run(first, second, "--csv", "--table", table) == OK
    text = capsysbinary.readouterr().out.decode()
    assert text.count("\r\n") == text.count("\n")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert tuple(rows[0] if rows else text.strip().split(",")) == documents.COLUMNS[table]
    assert not any(str(cell).startswith(tuple("=+@")) for row in rows for cell in row.values())
    if table == "interruptions":
        assert [(row["session"], row["number"]) for row in rows] == [
            *(("slow", "1"), ("slow", "2")),
            *(("'=other", "1"), ("'=other", "2")),
        ]
        assert rows[0]["unheard_text"].startswith("'=") or rows[0]["heard_text"].startswith("'=")
        assert float(rows[0]["mouth_to_silence_ms"]) == pytest.approx(735)


def test_the_tables_that_can_be_asked_for_are_those_there_are():
    assert cli_report.TABLES == documents.TABLES


@pytest.mark.parametrize(
    ("option", "user", "agent"),
    [((), True, True), (("--no-user-text",), False, True), (("--no-text",), False, False)],
)
def test_words_can_be_left_out(option, user, agent, tmp_path, capsys):
    path = make_session(tmp_path, says="the words of the agent")
    for kind in ("--json", "--csv", ""):
        assert run(path, *option, *([kind] if kind else [])) == OK
        _has_words(capsys.readouterr().out, kind, user=user, agent=agent)


def _has_words(told: str, kind: str, *, user: bool, agent: bool) -> None:
    assert ("the words" in told) == agent
    assert ("secret" in told) == (user and kind == "--json")


def test_a_folder_is_told_session_by_session_and_what_is_none_is_told_of(tmp_path, capsys):
    make_session(tmp_path, "b"), make_session(tmp_path, "a", agent_ms=100)
    (tmp_path / "notes").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "session.json").mkdir()
    (tmp_path / "loose.wav").write_bytes(b"RIFF")
    assert run(tmp_path) == DEVICE_OR_FILE
    told = capsys.readouterr()
    heads = [line for line in told.out.splitlines() if line and not line.startswith(" ")]
    assert heads == ["a", "b", "all 2 sessions together"]
    assert "turnscope: notes: It is no recording" in told.err
    assert "broken: " in told.err
    assert "loose" not in told.err
    assert str(tmp_path) not in told.err


def test_what_cannot_be_read_is_told_and_the_others_go_on(tmp_path, capsys):
    empty = tmp_path / "empty"
    empty.mkdir()
    wrong = tmp_path / "wrong.zip"
    wrong.write_bytes(b"no zip")
    good = make_session(tmp_path)
    assert run("gone", empty, wrong, good, "--json") == DEVICE_OR_FILE
    told = capsys.readouterr()
    document = json.loads(told.out)
    assert [each["name"] for each in document["sessions"]] == ["slow"]
    assert [each["name"] for each in document["unreadable"]] == ["gone", "empty", "wrong.zip"]
    assert "There is no recording in “empty”." in told.err
    assert str(tmp_path) not in told.err


def test_a_recording_that_cannot_be_worked_out_is_no_session_without_figures(
    tmp_path, monkeypatch, capsys, error_log
):
    def fail(*_: object) -> None:
        raise ValueError("broken")

    monkeypatch.setattr(Recording, "_find_turns", fail)
    assert run(make_session(tmp_path)) == DEVICE_OR_FILE
    assert "The turns of “slow” cannot be worked out." in capsys.readouterr().err
    error_log.clear()


def test_a_session_that_still_runs_is_told_to_be_one(tmp_path, capsys):
    path = make_session(tmp_path)
    lock = BundleLock(path)
    try:
        assert run(path) == OK
    finally:
        lock.release()
    assert "  note: It is still being recorded: this is what" in capsys.readouterr().out
    assert run(path) == OK
    assert "still being recorded" not in capsys.readouterr().out


def test_a_zip_of_a_session_is_one(tmp_path, capsys):
    make_session(tmp_path / "in")
    shutil.make_archive(str(tmp_path / "slow"), "zip", tmp_path / "in")
    assert run(tmp_path / "slow.zip", "--json") == OK
    (session,) = json.loads(capsys.readouterr().out)["sessions"]
    assert session["name"] == "slow.zip"
    assert len(session["interruptions"]) == 2


def test_a_session_without_findings_says_what_was_judged(tmp_path, capsys):
    from tests.app.bundle_rig import make_bundle

    make_bundle(tmp_path / "still")
    assert run(tmp_path / "still") == OK
    assert "There is nothing to judge yet" in capsys.readouterr().out


def test_a_false_interruption_is_found_in_a_recording(tmp_path, capsys):
    assert run(make_false(tmp_path), "--json") == OK
    (session,) = json.loads(capsys.readouterr().out)["sessions"]
    assert [each["class"] for each in session["interruptions"]] == ["false"]
    assert session["findings"][0]["id"].startswith("false-")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--table", "findings"), "give --csv as well"),
        (("--force",), "is for the file of --html"),
    ],
)
def test_options_that_make_no_sense_are_refused(arguments, words, tmp_path, capsys):
    assert run(tmp_path, *arguments) == USAGE
    assert words in capsys.readouterr().err


def test_findings_and_classes_go_by_limits_that_are_given(tmp_path, capsys):
    path = make_session(tmp_path)
    assert run(path, "--late-after", "0.8s", "--slow-after", "700ms", "--json") == OK
    document = json.loads(capsys.readouterr().out)
    assert document["limits"]["mouth_to_silence_ms"] == 800.0
    (session,) = document["sessions"]
    assert {cut["class"] for cut in session["interruptions"]} == {"barge-in"}
    assert session["findings"][0]["id"] == "slow-responses"
    with pytest.raises(SystemExit) as ended:
        run(path, "--missed-after", "1ms")
    assert ended.value.code == USAGE
    assert "from 100ms to 60s" in capsys.readouterr().err


def test_turns_end_after_the_pause_that_is_given(tmp_path, capsys):
    """The agent is silent for a while in the middle of what it says: one turn, or two."""
    path = make_session(tmp_path)
    lines = (path / "events.jsonl").read_text().splitlines()
    spoken = [json.loads(line) for line in lines]
    first = next(event for event in spoken if event["type"] == "heard")
    half = (first["start"] + first["stop"]) // 2
    later = first["at"] + (half - first["start"]) / 16_000 + 0.6
    halves = [{**first, "stop": half}, {**first, "start": half, "at": later}]
    # its second half came late as well: where it had waited, the device would have paused
    whole = next(each for each in spoken if each["type"] == "agent_chunk" and each["stop"] > half)
    late = {**whole, "start": half, "t": later - 0.05, "alignment": None}
    spoken[spoken.index(whole)] = {**whole, "stop": half, "alignment": None}
    spoken[spoken.index(first) : spoken.index(first) + 1] = [halves[0], late, halves[1]]
    (path / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in spoken))

    def agent_turns(*options: str) -> int:
        assert run(path, "--json", *options) == OK
        return len(json.loads(capsys.readouterr().out)["sessions"][0]["responses"])

    assert agent_turns("--turn-pause", "300ms") == agent_turns() + 1
    with pytest.raises(SystemExit):
        run(path, "--turn-pause", "11s")
    assert "from 100ms to 10s" in capsys.readouterr().err


@pytest.fixture
def elsewhere(monkeypatch):
    """Let this machine be in New York."""
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "EST+5")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("began", "told"),
    [
        ("0001-01-01T00:00:00+14:00", ""),
        ("9999-12-31T23:59:59-14:00", ""),
        ("2026-11-22T10:15:03", ", 2026-11-22 10:15:03 UTC"),
        ("2026-11-22T12:15:03+02:00", ", 2026-11-22 10:15:03 UTC"),
        (5, ""),
    ],
)
def test_whenever_a_session_says_it_began_it_is_told(began, told, elsewhere, tmp_path, capsys):
    path = make_session(tmp_path)
    facts = json.loads((path / "session.json").read_text())
    (path / "session.json").write_text(json.dumps({**facts, "began_utc": began}))
    assert run(path) == OK
    line = capsys.readouterr().out.splitlines()[1]
    assert line == f"  Demo <agent>{told}, 00:24.0 long"


def test_what_is_named_twice_counts_once(tmp_path, capsys, monkeypatch):
    path = make_session(tmp_path / "in")
    monkeypatch.chdir(path)
    assert run(path, path / "session.json", tmp_path / "in", ".", "--json") == OK
    document = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in document["sessions"]] == ["slow"]
    assert document["counts"]["late"] == 2


def test_figures_of_any_size_stand_apart_and_have_a_minus_where_they_are_below_zero():
    huge = Statistic("endpointing", Spread(12, -800.4, 9_899_983_100.0, 999_999_999_982_100.0))
    row = list(statistic_lines(Figures({"endpointing": [1.0]}, {})))
    assert len(row) == 3
    told = "".join(spread_cells(huge))
    assert told.split(" ms") == ["     12   −800", " 9899983100", " 999999999982100", ""]
    assert [milliseconds(ms) for ms in (-0.4, None)] == ["0 ms", "–"]


def test_progress_says_which_session_is_worked_out_and_takes_its_line_away(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stderr", terminal)
    with Progress(100) as progress:
        progress.tell(12, "\x1b[31m" + "x" * 300, 0.5)
        progress.tell(100, "short", 1.0)
    shown = terminal.getvalue().split("\r")
    assert shown[1].startswith("working out [31mxxx")
    assert shown[1].endswith("xx (12 of 100):  50 %")
    assert shown[2].rstrip() == "working out short (100 of 100): 100 %"
    assert shown[3].strip() == shown[4] == ""
    assert max(map(len, shown)) < 80


def test_nothing_is_written_into_the_recording_but_its_cache(tmp_path: Path, capsys):
    path = make_session(tmp_path)
    before = {each.name: each.read_bytes() for each in path.iterdir()}
    assert run(path) == OK
    after = {each.name: each.read_bytes() for each in path.iterdir() if each.is_file()}
    assert after == before
    capsys.readouterr()
