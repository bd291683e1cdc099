"""Labels, subtitles and tables, read back by strict little readers, held against the tracker."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

from app.bundles.notes import Marker
from app.export.content import Stretch, content_of
from app.export.exporting import export
from app.export.formats import Order, Wish
from app.export.labels import labels_text
from app.export.spoken import spoken_lines
from app.export.subtitles import LONGEST_LETTERS, LONGEST_S, srt_text, vtt_text
from app.export.tables import FORMULA_BEGINNINGS, harmless, interruptions_csv
from app.recordings.recording import open_recording
from app.timeline.events import (
    AgentChunkReceived,
    AgentHeard,
    Alignment,
    MessageReceived,
    MessageSent,
    SpeechEnded,
    SpeechStarted,
    StateChanged,
)
from audio.pcm import SAMPLE_RATE
from tests.app.export.recorded import record, tracked, write_wav
from tests.app.report.sessions import make_false
from tests.ui.synthetic import REPLY

CLOCK = r"(\d\d):(\d\d):(\d\d)"
SRT_CUE = re.compile(rf"(\d+)\n{CLOCK},(\d{{3}}) --> {CLOCK},(\d{{3}})\n(.+)\n")
VTT_CUE = re.compile(rf"{CLOCK}\.(\d{{3}}) --> {CLOCK}\.(\d{{3}})\n<v (User|Agent)>(.+)\n")


@dataclass(frozen=True)
class Cue:
    start: float
    stop: float
    text: str


def seconds(hours: str, minutes: str, whole: str, ms: str) -> float:
    return int(hours) * 3600 + int(minutes) * 60 + int(whole) + int(ms) / 1000


def parse_srt(text: str) -> list[Cue]:
    """Read SubRip as strictly as can be: every block a number, a time line and one line of text."""
    cues = []
    for number, block in enumerate(text.split("\n\n") if text else [], 1):
        found = SRT_CUE.fullmatch(block if block.endswith("\n") else f"{block}\n")
        assert found, block
        assert int(found[1]) == number
        start, stop = seconds(*found.group(2, 3, 4, 5)), seconds(*found.group(6, 7, 8, 9))
        cues.append(Cue(start, stop, found[10]))
    return cues


def parse_vtt(text: str) -> list[Cue]:
    """Read WebVTT (W3C): its first line, notes without an arrow, and cues with voices."""
    first, *blocks = text.split("\n\n")
    assert first.rstrip("\n") == "WEBVTT"
    cues = []
    for block in blocks:
        if block.startswith("NOTE "):
            assert "-->" not in block
            continue
        found = VTT_CUE.fullmatch(block if block.endswith("\n") else f"{block}\n")
        assert found, block
        said = found[10]
        assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", said)
        start, stop = seconds(*found.group(1, 2, 3, 4)), seconds(*found.group(5, 6, 7, 8))
        cues.append(Cue(start, stop, f"{found[9]}: {html.unescape(said)}"))
    return cues


def parse_labels(text: str) -> list[tuple[float, float, str]]:
    rows = []
    for line in text.splitlines():
        start, stop, title = line.split("\t")
        assert 0 <= float(start) <= float(stop)
        assert title
        rows.append((float(start), float(stop), title))
    assert rows == sorted(rows, key=lambda row: row[0])
    return rows


def read_text(path):
    return path.read_bytes().decode("utf-8")


def read_csv(path) -> list[dict[str, str]]:
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    text = content.decode("utf-8-sig")
    assert text.count("\r\n") == text.count("\n")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_an_older_recording_gives_the_figures_that_the_window_shows(tmp_path):
    """Its events do not tell what its user track holds: that is listened to."""
    session = make_false(tmp_path)
    facts = json.loads((session / "session.json").read_text())
    del facts["versions"]
    (session / "session.json").write_text(json.dumps(facts))
    write_wav(session / "user.wav", np.zeros(24 * SAMPLE_RATE, np.int16))
    _, table = export(Order(session, Wish(("csv",)), tmp_path, name="out"))
    with closing(open_recording(session)) as shown:
        assert shown.wait(30)
        (cut,) = shown.turns.interruptions
    (row,) = read_csv(table)
    assert cut.sound is not None
    assert row["sound"] == cut.sound.kind
    assert row["class"] == cut.kind


# -- labels ------------------------------------------------------------------------------------


def test_labels_stand_where_turns_interruptions_and_markers_are(recorded, exports):
    (path,) = exports("labels")
    rows = parse_labels(read_text(path))
    tracker = recorded.tracker
    for name, turns in (("User", tracker.user_turns), ("Agent", tracker.agent_turns)):
        found = [row for row in rows if row[2].startswith(name)]
        assert [row[:2] for row in found] == [
            pytest.approx((turn.start, turn.stop), abs=1e-6) for turn in turns
        ]
    cuts = [row for row in rows if row[2].startswith("Interruption")]
    assert [row[:2] for row in cuts] == [
        pytest.approx((cut.at, cut.silent_at), abs=1e-6) for cut in tracker.interruptions
    ]
    assert cuts[0][2] == "Interruption 1 (barge-in), silent in 31 ms"
    assert (2.0, 2.0, "Marker: too slow here") in rows
    assert (6.0, 7.5, "Marker: =cut") in rows


def test_labels_of_a_selection_stay_inside_it(exports):
    (path,) = exports("labels", start_s=5.62, stop_s=7.0)
    rows = parse_labels(read_text(path))
    assert [(row[0], row[1]) for row in rows] == [
        pytest.approx(pair, abs=1e-6) for pair in ((0, 0.021), (0, 1.38), (0, 0.021), (0.38, 1.38))
    ]
    assert {row[2].split()[0] for row in rows} == {"Agent", "User", "Interruption", "Marker:"}


# -- subtitles ---------------------------------------------------------------------------------


def test_subtitles_show_heard_words_when_they_were_heard(recorded, exports):
    srt, vtt = exports("srt", "vtt")
    cues = parse_srt(read_text(srt))
    said = parse_vtt(read_text(vtt))
    assert [(cue.start, cue.stop) for cue in cues] == [(cue.start, cue.stop) for cue in said]
    agent = " ".join(cue.text for cue in said if cue.text.startswith("Agent"))
    heard = [line.heard_text for line in recorded.tracker.transcript if line.who == "agent"]
    assert agent.replace("Agent: ", "") == " ".join(heard)
    assert heard[0] != REPLY  # what nobody heard is left out
    first = said[0]
    assert first.start == pytest.approx(0.8, abs=0.1)
    assert first.stop == pytest.approx(5.641, abs=0.35)
    users = [cue for cue in said if cue.text.startswith("User")]
    assert [(cue.start, cue.stop) for cue in users] == [(5.0, 7.4), (19.0, 21.4)]


def test_words_stand_where_the_alignment_puts_them(recorded):
    chunks = [event for event in recorded.events if isinstance(event, AgentChunkReceived)]
    line = next(line for line in spoken_lines(recorded.tracker, chunks) if line.line.who == "agent")
    assert not line.estimated
    # twelve characters a second of audio, which was heard from 0.8 s on
    index = 0
    for word in line.words:
        index = REPLY.index(word.text, index)
        assert word.start == pytest.approx(0.8 + index // 12 + index % 12 * 0.083, abs=0.001)
        index += len(word.text)


def test_markup_and_arrows_are_harmless(exports):
    srt, vtt = exports("srt", "vtt")
    users = [cue.text for cue in parse_srt(read_text(srt)) if cue.text.startswith("User")]
    assert users[0] == "User: Hello ‹b›there‹/b› --› & (/an8)x"
    said = [cue.text for cue in parse_vtt(read_text(vtt)) if cue.text.startswith("User")]
    assert said[0] == "User: Hello <b>there</b> --> & {\\an8}x"
    assert "Hello &lt;b&gt;there&lt;/b&gt; --&gt; &amp; {" in read_text(vtt)


@pytest.mark.parametrize("word", ["token:", "bearer", "api_key=", "token:sk_0123456789abcdef"])
def test_words_about_secrets_take_nothing_from_the_file_around_them(word, tmp_path):
    """What looks like the name of a secret at the end of a text is followed by a line of times."""
    ending = record(tmp_path, [f"What is your {word}", f"Not my {word}"])
    wish = Wish(("labels", "srt", "vtt", "csv"))
    files = export(Order(ending.path, wish, tmp_path, name="out"))
    labels, srt, vtt = (read_text(path) for path in files[:3])
    plain = export(Order(record(tmp_path / "b", ["a", "b"]).path, wish, tmp_path, name="plain"))
    assert len(parse_labels(labels)) == len(parse_labels(read_text(plain[0])))
    assert len(parse_srt(srt)) == len(parse_srt(read_text(plain[1]))) == len(parse_vtt(vtt))
    assert [len(read_csv(path)) for path in files[3:]] == [len(read_csv(p)) for p in plain[3:]]
    assert not any("sk_0123" in read_text(path) for path in files)


def test_subtitles_of_a_selection_begin_at_zero_and_stay_inside(recorded, exports):
    srt, vtt = exports("srt", "vtt", start_s=4.0, stop_s=6.0)
    cues = parse_srt(read_text(srt))
    assert [cue.text for cue in cues] == ["Agent: the week, which is", "User: Hello ‹b›there‹/b›"]
    assert all(0 <= cue.start < cue.stop <= 2.0 for cue in cues)
    assert "NOTE Times count from the beginning of a selection: 4.000 s to 6.000 s" in read_text(
        vtt
    )


@pytest.mark.parametrize(("start_s", "stop_s"), [(5.5, 6.0), (4.0, 6.0), (6.8, 7.3), (0.0, 9.0)])
def test_a_remark_on_what_was_said_is_never_cut_in_two(tmp_path, exports, start_s, stop_s):
    session = record(tmp_path).path
    (srt,) = exports("srt", session=session, start_s=start_s, stop_s=stop_s)
    users = [cue for cue in parse_srt(srt.read_text()) if cue.text.startswith("User")]
    assert [cue.text for cue in users] == ["User: (you spoke for 2.4 s)"]
    assert 0 <= users[0].start < users[0].stop <= stop_s - start_s


def test_without_the_users_words(exports):
    srt, vtt, turns, _ = exports("srt", "vtt", "csv", user_text=False)
    for path in (srt, vtt, turns):
        assert "Hello" not in read_text(path)
        assert "weather" in read_text(path)


def long_reply(words: list[str], aligned: bool) -> list:
    text = " ".join(words)
    alignment = None
    if aligned:
        times = tuple(50 * n for n in range(len(text)))
        alignment = Alignment(tuple(text), times, (50,) * len(text))
    stop = 800 * len(text)
    body = {"agent_response_event": {"agent_response": text}}
    return [
        StateChanged(0.0, "running"),
        MessageReceived(0.5, "agent_response", body, 1),
        AgentChunkReceived(0.6, 0, stop, 1, alignment),
        AgentHeard(1.0 + stop / 16_000, 0, stop, 1.0),
        StateChanged(2.0 + stop / 16_000, "ended"),
    ]


@pytest.mark.parametrize("aligned", [True, False])
def test_a_long_reply_becomes_cues_that_can_be_read(aligned):
    words = [f"word{n}." if n % 9 == 0 else f"word{n}" for n in range(100)]
    events = long_reply(words, aligned)
    content = content_of(tracked(events), [events[2]], (), Stretch())
    cues = parse_srt(srt_text(content))
    assert len(cues) > 5
    assert " ".join(cue.text.removeprefix("Agent: ") for cue in cues) == " ".join(words)
    for cue in cues:
        assert len(cue.text) <= LONGEST_LETTERS + len("Agent: ")
        assert cue.stop - cue.start <= LONGEST_S
    assert all(a.stop <= b.start + 0.001 for a, b in pairwise(cues))
    assert content.lines[0].spoken.estimated is not aligned


def test_a_session_without_words_has_empty_subtitles():
    content = content_of(tracked([]), [], (), Stretch())
    assert srt_text(content) == ""
    assert parse_vtt(vtt_text(content)) == []
    assert labels_text(content) == ""


def test_what_was_typed_says_so_and_two_lines_of_one_turn_share_it():
    def said(text, t):
        body = {"user_transcription_event": {"user_transcript": text}}
        return MessageReceived(t, "user_transcript", body)

    events = [
        SpeechStarted(1.0, 1.1),
        SpeechEnded(3.0, 3.3),
        said("one two", 3.4),
        said("three four", 3.5),
        MessageSent(9.0, "user_message", {"type": "user_message", "text": "by hand"}),
        StateChanged(12.0, "ended"),
    ]
    cues = parse_srt(srt_text(content_of(tracked(events), [], (), Stretch())))
    assert [cue.text for cue in cues] == [
        "User: one two",
        "User: three four",
        "User: (typed) by hand",
    ]
    assert (cues[0].start, cues[1].stop) == (1.0, 3.0)
    assert cues[0].stop == cues[1].start
    assert cues[2].start == 9.0


# -- tables ------------------------------------------------------------------------------------


def test_the_table_of_turns(recorded, exports):
    turns, _ = exports("csv")
    rows = read_csv(turns)
    tracker = recorded.tracker
    expected = sorted([*tracker.user_turns, *tracker.agent_turns], key=lambda turn: turn.start)
    assert [row["who"] for row in rows] == [turn.who for turn in expected]
    for row, turn in zip(rows, expected, strict=True):
        assert float(row["start_s"]) == pytest.approx(turn.start, abs=1e-6)
        assert float(row["stop_s"]) == pytest.approx(turn.stop, abs=1e-6)
        assert row["clipped"] == "no"
    latencies = [float(row["response_latency_ms"]) for row in rows if row["response_latency_ms"]]
    assert latencies == pytest.approx(tracker.response_latencies_ms)
    assert [row["number"] for row in rows if row["response_latency_ms"]] == ["2", "4"]
    assert rows[2]["text"] == REPLY


def test_the_table_of_interruptions(recorded, exports):
    _, table = exports("csv")
    rows = read_csv(table)
    assert len(rows) == 2
    for row, cut in zip(rows, recorded.tracker.interruptions, strict=True):
        assert (row["source"], row["class"], row["event_id"]) == (
            "agent",
            "barge-in",
            str(cut.event_id),
        )
        for column, value in (
            ("at_s", cut.at),
            ("silent_at_s", cut.silent_at),
            ("user_onset_s", cut.user_onset),
            ("time_to_silence_ms", cut.time_to_silence_ms),
            ("mouth_to_silence_ms", cut.mouth_to_silence_ms),
            ("queued_ms", cut.queued_ms),
            ("discarded_ms", cut.discarded_ms),
            ("agent_next_at_s", cut.agent_next_at),
        ):
            assert float(row[column]) == pytest.approx(value, abs=1e-6)
        assert (row["heard_text"], row["unheard_text"]) == (cut.heard_text, cut.unheard_text)


def test_tables_of_a_selection_shift_and_clip(exports):
    turns, table = exports("csv", start_s=4.0, stop_s=7.0)
    rows = read_csv(turns)
    spans = [(row["who"], float(row["start_s"]), float(row["stop_s"])) for row in rows]
    assert spans == [("agent", 0.0, pytest.approx(1.641)), ("user", 1.0, 3.0)]
    assert [row["clipped"] for row in rows] == ["yes", "yes"]
    (cut,) = read_csv(table)
    assert float(cut["at_s"]) == pytest.approx(1.61)
    assert float(cut["time_to_silence_ms"]) == pytest.approx(31)


def test_formulas_are_defused_and_numbers_stay_numbers(exports):
    turns, _ = exports("csv")
    rows = read_csv(turns)
    assert rows[4]["text"] == '\'=HYPERLINK("http://x")'
    for row in rows:
        assert not any(cell.startswith(FORMULA_BEGINNINGS) for cell in row.values())


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'=1"),
        ("\r\n=1", "'=1"),
        ("\u200b=1", "'=1"),
        ("＝1+1", "'＝1+1"),
        ("a=1", "a=1"),
        ("two\nlines", "two lines"),
        ("", ""),
    ],
)
def test_harmless(text, cell):
    assert harmless(text) == cell


def test_a_number_below_zero_is_no_formula(recorded):
    # the agent speaks next before the selection's end, the user began before its beginning
    chunks = [event for event in recorded.events if isinstance(event, AgentChunkReceived)]
    content = content_of(recorded.tracker, chunks, (), Stretch(5.61, 6.0))
    row = interruptions_csv(content).decode("utf-8-sig").splitlines()[1]
    assert ",-0.61," in row


def test_markers_are_clipped_to_the_selection(recorded):
    content = content_of(
        recorded.tracker, [], (Marker(1.0, "a"), Marker(2.0, "b", 9.0)), Stretch(3, 5)
    )
    assert content.markers == [Marker(0.0, "b", 2.0)]
