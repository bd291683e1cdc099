"""Turns, notices, meters, health: each says what is known, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from time import thread_time

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtWidgets import QPushButton

from app.agents.base import Endpoint
from app.analysis.turn_records import Interruption
from app.live.choices import build_audio
from app.live.session import Session
from app.timeline.events import Trouble
from audio.meter import MeterReading
from tests.app.agents.fake_agent import FakeAgent
from tests.app.session_rig import run
from tests.app.told_events import TWO_REPLIES
from tests.ui.bundles import write_audio, write_bundle
from tests.ui.conftest import Until, bury, frames, wait_until
from tests.ui.synthetic import SyntheticSession
from ui.feed import SessionFeed, mark_of
from ui.inspection.interruption_panel import InterruptionPanel
from ui.main_window import MainWindow
from ui.panels.health_facts import health_facts
from ui.panels.health_panel import TIP_CHARS
from ui.panels.health_tips import TIPS
from ui.panels.recorded_health import OF_A_FILE, count_text
from ui.panels.turns_panel import TurnsPanel
from ui.parts.icons import FOLDER, Icons
from ui.parts.meter_bar import MeterBar, level_text
from ui.parts.notice_bar import NoticeBar
from ui.parts.tables import milliseconds
from ui.parts.theme import Theme


@pytest.fixture
def notices(theme: Theme) -> Iterator[NoticeBar]:
    made = NoticeBar(theme, Icons(theme))
    made.resize(800, 40)
    made.show()
    yield made
    made.deleteLater()
    bury()


def test_health_of_a_recording_is_what_its_files_tell(
    window: MainWindow, tmp_path: Path, until: Until
) -> None:
    health = window.parts.health
    window.open_path(write_bundle(tmp_path / "2026-11-22_10-15-03_demo", gap=(3.0, 4.5)))
    until(lambda: "Not recorded" in health.facts())
    facts = health.facts()
    assert (facts["Microphone"], facts["Speaker"]) == ("Headset Microphone", "Headset")
    assert facts["User audio"] == "pcm_16000"
    assert (facts["Recorder troubles"], facts["Not recorded"]) == ("1", "1.50 s")
    assert facts["Input xruns"] == "0"
    window.open_path(write_audio(tmp_path / "call.wav", 2.0))
    until(lambda: health.facts() == {})
    assert health.sentence == OF_A_FILE


def test_what_a_recording_tells_of_audio_is_summed_up_and_nonsense_in_it_is_not() -> None:
    dropped = [Trouble(t, "dropped", "x", "input", data={"samples": 8000}) for t in (1.0, 2.0)]
    assert count_text("dropped", dropped) == "2 (1.00 s)"
    broken = [Trouble(1.0, "gap", "x", data={"ms": float("nan")})]
    assert count_text("gap", broken) == "1"
    assert count_text("xrun", []) == "0"
    # a hundred in a second are two events, of which one says how many it stands for
    many = [Trouble(t, "xrun", "x", data={"count": count}) for t, count in ((1.0, 1), (2.0, 99))]
    assert count_text("xrun", many) == "100"
    for nonsense in (-3, 0, True, 1.5, "7", 10**40, None):
        assert count_text("xrun", [Trouble(1.0, "xrun", "x", data={"count": nonsense})]) == "1"


def test_the_pause_between_two_replies_is_no_underrun_of_a_session() -> None:
    session = SyntheticSession()
    feed = SessionFeed(session)
    *before, dry = TWO_REPLIES
    for event in before:
        session.timeline.append(event)
    feed.advance()
    assert len(feed.tracker.responses) == 1  # both replies are one turn, with a pause in it
    assert health_facts(feed)["Underruns"] == "0"
    session.timeline.append(dry)
    feed.advance()
    assert health_facts(feed)["Underruns"] == "1 (0.30 s)"


def test_underruns_of_a_recording_are_those_of_its_turns(
    window: MainWindow, tmp_path: Path, until: Until
) -> None:
    bundle = write_bundle(tmp_path / "2026-11-22_10-15-03_demo")
    events = bundle / "events.jsonl"
    # one told of inside a turn, one outside any, as only a stranger's recording has it
    told = [Trouble(t, "underrun", "x", data={"count": 2, "ms": 150.0}) for t in (3.0, 7.5)]
    lines = [*events.read_text("utf-8").splitlines(), *(json.dumps(e.to_dict()) for e in told)]
    lines.sort(key=lambda line: json.loads(line)["t"])
    events.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    health = window.parts.health
    window.open_path(bundle)
    until(lambda: health.facts().get("Underruns", "–") != "–")
    assert health.value("Underruns") == "2 (0.15 s)"


@pytest.mark.usefixtures("caplog")  # the session's agent cannot be reached, which is logged
def test_every_line_of_health_says_what_it_counts(
    window: MainWindow, tmp_path: Path, until: Until
) -> None:
    audio = build_audio("none", str(tmp_path / "heard.wav"))
    agent = FakeAgent(Endpoint("http://127.0.0.1:1", "a"))
    feed = SessionFeed(SyntheticSession())
    feed.session = run(Session(agent, audio, record_to=tmp_path))
    told = health_facts(feed)
    assert "Waiting for disk" in told
    health = window.parts.health
    window.open_path(write_bundle(tmp_path / "2026-11-22_10-15-03_demo"))
    until(lambda: "Not recorded" in health.facts())
    for name in (*told, *health.facts()):
        assert TIPS.get(name), name
    shown = health._values["Underruns"].toolTip().splitlines()
    assert " ".join(shown) == TIPS["Underruns"]
    assert max(map(len, shown)) <= TIP_CHARS


def test_turns_and_health_are_filled_while_a_session_runs(
    window: MainWindow, running: SyntheticSession
) -> None:
    running.advance_to(13.0)
    frames(window)
    model = window.parts.turns.model
    who = [model.data(model.index(row, 1)) for row in range(model.rowCount())]
    assert who == ["Agent", "You", "Agent"]
    assert model.data(model.index(2, 3)) == "1000 ms"
    assert window.parts.health.value("Microphone") == "caller.wav"
    assert window.parts.health.value("Underruns") == "0"


def test_what_is_not_known_is_a_dash_and_what_is_estimated_says_so() -> None:
    assert milliseconds(None) == "–"
    assert milliseconds(31.4) == "31 ms"
    assert milliseconds(31.4, estimated=True) == "≈ 31 ms"


def test_an_interruption_fills_in_as_more_becomes_known(theme: Theme) -> None:
    panel = InterruptionPanel()
    model = panel.model
    panel.show_interruptions([Interruption(1, 5.0, "button")])
    assert model.data(model.index(0, 5)) == "–"
    panel.show_interruptions([Interruption(1, 5.0, "button", time_to_silence_ms=28.0)])
    assert model.rowCount() == 1
    assert model.data(model.index(0, 5)) == "28 ms"
    panel.show_interruptions([Interruption(1, 5.0, "button", was_silent=True)])
    assert model.data(model.index(0, 5)) == "already silent"
    assert mark_of(Interruption(1, 5.0, "button", was_silent=True)).text == "already silent"
    assert mark_of(Interruption(1, 5.0, "button")).text == "silent in –"
    panel.deleteLater()


def test_long_tables_open_at_once_and_a_change_is_cheap(theme: Theme) -> None:
    cuts = [
        Interruption(n, n * 15.0, "agent", time_to_silence_ms=30.0 + n % 9, heard_text="word " * 40)
        for n in range(1, 501)
    ]
    user = [(n * 10.0, n * 10.0 + 3) for n in range(1000)]
    agent = [(n * 10.0 + 4, n * 10.0 + 9) for n in range(1000)]
    panel, turns = InterruptionPanel(), TurnsPanel(theme)
    for each in (panel, turns):
        each.resize(900, 300)
        each.show()
    began = thread_time()
    panel.show_interruptions(cuts)
    turns.show_turns(user, agent, [])
    QCoreApplication.processEvents()
    assert thread_time() - began < 0.3
    assert (panel.model.rowCount(), turns.model.rowCount()) == (500, 2000)
    began = thread_time()
    for number in range(20):
        cuts[-1] = Interruption(500, 7500.0, "agent", time_to_silence_ms=float(number))
        agent.append((10_010.0 + 10 * number, 10_015.0 + 10 * number))
        panel.show_interruptions(cuts)
        turns.show_turns(user, agent, [])
    assert (thread_time() - began) / 20 < 0.01
    assert panel.model.record(499).record is cuts[-1]
    for each in (panel, turns):
        each.deleteLater()


def test_the_newest_interruption_is_in_sight_until_the_person_scrolls_away(theme: Theme) -> None:
    panel = InterruptionPanel()
    panel.resize(800, 160)
    panel.show()
    cuts = [Interruption(number, float(number), "button") for number in range(1, 61)]
    bar = panel.table.verticalScrollBar()
    for count in (30, 40):
        panel.show_interruptions(cuts[:count])
        wait_until(lambda: bar.maximum() > 0 and bar.value() == bar.maximum())
    bar.setValue(3)
    panel.show_interruptions(cuts)
    QCoreApplication.processEvents()
    assert bar.value() == 3
    panel.deleteLater()


def test_notices_are_bounded_plain_and_can_be_dismissed(notices: NoticeBar) -> None:
    for number in range(5):
        notices.add("warning", f"<b>Trouble</b> {number}.", "Traceback")
    assert [line.sentence[-2] for line in notices.lines] == ["2", "3", "4"]
    notices.add("warning", "<b>Trouble</b> 3.", "Traceback")
    assert len(notices.lines) == 3
    button = notices.findChildren(QPushButton)[-1]
    button.click()
    assert QGuiApplication.clipboard().text() == "<b>Trouble</b> 3.\n\nTraceback"
    shown: list[bool] = []
    notices.shown_changed.connect(shown.append)
    notices.clear()
    assert notices.lines == []
    assert not shown[-1]


def test_a_long_notice_is_readable_in_full(notices: NoticeBar) -> None:
    notices.add("info", "Short.")
    bury()
    one_line = notices.height()
    notices.add("info", "A sentence that goes on for a long time. " * 8)
    bury()
    assert notices.height() > 2.5 * one_line


def test_a_meter_holds_its_clip_light_and_writes_its_level(theme: Theme) -> None:
    meter = MeterBar(theme, "user", "Microphone level")
    meter.show_reading(MeterReading(-6.0, -18.2, -6.0, True))
    assert meter.number == "−6 dBFS"
    assert meter.clipped
    meter.show_reading(None)
    assert meter.number == "–"
    assert not meter.clipped
    assert level_text(-90.0) == "< −90 dBFS"
    meter.deleteLater()


def test_clicking_a_meter_puts_its_clip_light_out(
    window: MainWindow, running: SyntheticSession
) -> None:
    running.tracks.user.meter.feed((running.script.user[:100] * 0 + 32767).astype("int16"), 0.0)
    frames(window, 1)
    meter = window.parts.devices.user_meter
    assert meter.clipped
    meter.clip_reset_requested.emit()
    frames(window, 1)
    assert not meter.clipped


def test_every_icon_is_drawn_in_the_colour_it_is_given(theme: Theme) -> None:
    icons = Icons(theme)
    for path in sorted(FOLDER.glob("*.svg")):
        image = icons.pixmap(path.stem, "agent", 24, 1.0).toImage()
        shown = [image.pixelColor(x, y) for x in range(24) for y in range(24)]
        solid = [colour for colour in shown if colour.alpha() > 200]
        assert solid, path.name
        assert all(near(colour, QColor(theme.colours.agent)) for colour in solid), path.name


def near(one: QColor, other: QColor) -> bool:
    pairs = zip(one.getRgb()[:3], other.getRgb()[:3], strict=True)
    return all(abs(a - b) <= 3 for a, b in pairs)
