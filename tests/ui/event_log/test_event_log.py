"""The event log: everything is in it, it can be searched, and it stays quick when it is long."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from time import thread_time

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.recordings.recorded_events import RecordedEvents
from app.timeline.events import (
    EchoHeard,
    Event,
    Interrupted,
    MessageReceived,
    MicChunkSent,
    SoundBefore,
    Timeline,
    Trouble,
)
from tests.ui.conftest import Until, bury
from ui.event_log.event_index import ALL_KINDS, KindFilter, only
from ui.event_log.event_log import EventLog
from ui.event_log.event_text import as_json, detail, event_kind, summary
from ui.parts.icons import Icons
from ui.parts.theme import Theme


@pytest.fixture
def log(theme: Theme) -> Iterator[EventLog]:
    made = EventLog(Icons(theme))
    made.resize(1200, 240)
    made.show()
    yield made
    made.close_reading()
    made.deleteLater()
    bury()


def many(count: int) -> list[Event]:
    return [
        MessageReceived(n / 50, "vad_score", {"vad_score_event": {"vad_score": n % 100 / 100}})
        if n % 2
        else MicChunkSent(n / 50, n, n + 4000, n / 50, n / 50 + 0.25, 0.001)
        for n in range(count)
    ]


def test_fifty_thousand_events_scroll_smoothly(log: EventLog) -> None:
    log.append(many(50_000))
    bar = log.table.verticalScrollBar()
    slowest = 0.0
    for part in range(60):
        began = thread_time()
        bar.setValue(bar.maximum() * part // 59)
        QApplication.processEvents()
        slowest = max(slowest, thread_time() - began)
    assert log.model.rowCount() == 50_000
    assert slowest < 0.1


def test_events_come_in_batches_at_a_price_that_does_not_grow(log: EventLog) -> None:
    log.append(many(50_000))
    batch = many(100)
    began = thread_time()
    for _ in range(20):
        log.append(batch)
    assert (thread_time() - began) / 20 < 0.02


class TwoHours:
    """A source of 160,000 events, each of them made when it is asked for."""

    first, appended, count = 0, 160_000, 0

    def read(self, cursor: int = 0, limit: int | None = None) -> tuple[list[Event], int, int]:
        raise AssertionError("nobody reads it all")

    def slice(self, start: int, stop: int) -> list[Event]:
        numbers = range(max(start, 0), min(stop, self.appended))
        self.count += len(numbers)
        return [self.event(number) for number in numbers]

    def event(self, number: int) -> Event:
        if number % 1000 == 7:
            return Trouble(number / 22, "xrun", "The microphone lost samples.")
        return MessageReceived(number / 22, "vad_score" if number % 2 else "audio", {"n": number})


def test_two_hours_of_events_are_there_at_once_and_few_of_them_are_read(log: EventLog) -> None:
    source = TwoHours()
    began = thread_time()
    log.set_source(source)
    QApplication.processEvents()
    assert thread_time() - began < 0.3
    assert log.model.rowCount() == 160_000
    assert source.count < 10_000


def test_two_hours_of_events_are_learned_and_searched_a_few_ms_at_a_time(
    log: EventLog, until: Until
) -> None:
    log.set_source(TwoHours())
    log.text.setText("LOST sampl")
    steps: list[float] = []
    step = log.model.step

    def timed(budget_s: float) -> None:
        began = thread_time()
        step(budget_s)
        steps.append(thread_time() - began)

    log.model.step = timed
    until(lambda: log.model.rowCount() == 160 and log.model.is_done, within_s=60)
    assert sorted(steps)[-2] < log.BETWEEN_S + 0.008
    assert len(steps) > 20
    log.kind.choose(only("audio"))
    until(lambda: log.model.is_done)
    assert log.model.rowCount() == 0
    log.text.clear()
    until(lambda: log.model.rowCount() == 80_000, within_s=60)


def test_a_search_says_how_far_it_has_come_and_stops_while_nobody_looks(
    log: EventLog, until: Until
) -> None:
    log.set_source(TwoHours())
    log.text.setText("nowhere to be found")
    said = log.title_widgets()[0]
    until(lambda: "% searched" in said.text())
    log.hide()
    reached = log.model.searched
    assert reached < 1
    QApplication.processEvents()
    assert log.model.searched == reached
    log.show()
    until(lambda: log.model.searched > reached)


def test_the_event_in_full_is_the_chosen_one_and_none_while_none_is_chosen(log: EventLog) -> None:
    log.append(many(10))
    log.table.setFocus(Qt.FocusReason.TabFocusReason)
    chosen = log.table.selectionModel()
    chosen.setCurrentIndex(log.model.index(0, 0), chosen.SelectionFlag.NoUpdate)  # as by the focus
    assert log.detail.toPlainText() == ""
    log.table.selectRow(4)
    fifth = log.detail.toPlainText()
    assert fifth
    log.table.selectRow(5)
    assert log.detail.toPlainText() not in ("", fifth)
    log.table.clearSelection()
    assert log.detail.toPlainText() == ""


def test_rows_tell_the_time_since_the_row_above(log: EventLog) -> None:
    log.append([Trouble(t, "xrun", "x") for t in (1.0, 1.0305, 1.01, 21.0)])
    model = log.model
    texts = [model.data(model.index(row, 1)) for row in range(4)]
    assert texts == ["", "30 ms", "−20 ms", "20.0 s"]


def test_the_filter_stays_and_shows_when_another_source_comes_into_view(log: EventLog) -> None:
    log.append(many(100))
    log.kind.choose(only("vad_score"))
    log.set_source(Timeline())
    assert log.kind.filter == only("vad_score")
    log.append(many(10))
    assert log.model.rowCount() == 5


def test_a_session_in_progress_is_shown_without_a_copy_of_its_events(log: EventLog) -> None:
    timeline = Timeline()
    log.set_source(timeline)
    for event in many(3000):
        timeline.append(event)
    log.advance()
    assert log.model.rowCount() == 3000
    assert log.model.event_at(2999) is timeline.slice(2999, 3000)[0]
    assert len(log.model._events) <= log.model.KEPT
    log.show_moment(20.0)
    assert log.table.currentIndex().row() == 1000


def test_the_filter_finds_by_type_and_by_text(log: EventLog, until: Until) -> None:
    log.append([*many(100), Trouble(3.0, "xrun", "The microphone lost samples.")])
    log.kind.choose(only("vad_score"))
    assert log.model.rowCount() == 50
    log.kind.choose(ALL_KINDS)
    log.text.setText("LOST sampl")
    until(lambda: log.model.rowCount() == 1)
    assert event_kind(log.model.event_at(0)) == "trouble"
    log.append([Trouble(4.0, "gap", "More was lost."), Trouble(5.0, "xrun", "It lost samples.")])
    assert log.model.rowCount() == 2


def test_the_oldest_go_when_the_source_lets_go_of_them(log: EventLog) -> None:
    timeline = Timeline(capacity=1000)
    log.set_source(timeline)
    for batch in range(40):
        for event in many(100):
            timeline.append(event)
        if batch == 20:
            log.kind.choose(only("vad_score"))
        log.advance()
        if batch == 30:
            kept = timeline.slice(timeline.first, timeline.appended)
            assert log.model.rowCount() == sum(event_kind(each) == "vad_score" for each in kept)
            log.kind.choose(ALL_KINDS)
    assert log.model.total == log.model.rowCount() == timeline.appended - timeline.first <= 1000
    assert log.model.dropped == timeline.first > 2900
    assert log.model.event_at(0) == timeline.slice(timeline.first, timeline.first + 1)[0]
    assert "older ones gone" in log.title_widgets()[0].text()


def test_audio_is_shown_by_its_size_and_text_as_text() -> None:
    sound = MessageReceived(1.0, "audio", {"event_id": 7}, 7, bytes=32_000, dropped="interrupted")
    assert "32 000 bytes" in summary(sound)
    assert "dropped: interrupted" in summary(sound)
    odd = MessageReceived(1.0, "agent_typing", {"x": "<b>\n\n" + "y" * 5000})
    assert len(summary(odd)) <= 300
    assert "\n" not in summary(odd)


def test_a_message_without_a_type_and_a_huge_one_are_shown(log: EventLog) -> None:
    huge = MessageReceived(1.0, "", {"blob": "z" * 1_000_000})
    log.append([huge])
    log.table.selectRow(0)
    assert 0 < len(log.detail.toPlainText()) < 250_000


def test_the_chosen_event_is_copied_as_json(log: EventLog) -> None:
    event = Interrupted(5.61, 1, "agent", 3200, 12)
    log.append([event])
    log.table.selectRow(0)
    log.copy_selected()
    assert json.loads(QGuiApplication.clipboard().text()) == event.to_dict()
    assert log.detail.toPlainText() == detail(event)


def test_an_event_leads_to_its_moment(log: EventLog) -> None:
    moments: list[float] = []
    log.moment_activated.connect(moments.append)
    log.append(many(10))
    log.table.activated.emit(log.model.index(5, 0))
    assert moments == [pytest.approx(0.1)]


def kinds_shown(log: EventLog) -> list[str]:
    events = [log.model.event_at(row) for row in range(log.model.rowCount())]
    return [event_kind(event) for event in events]


def mixed() -> list[Event]:
    return [Trouble(float(n), "xrun", "x") if n % 3 == 0 else many(6)[n] for n in range(6)]


def test_types_are_isolated_hidden_and_brought_back_from_the_table(
    log: EventLog, until: Until
) -> None:
    log.append(mixed())
    assert kinds_shown(log) == [
        *("trouble", "vad_score", "mic_chunk", "trouble", "mic_chunk", "vad_score")
    ]
    log.activateWindow()
    log.table.setFocus()
    until(log.table.hasFocus)
    log.table.selectRow(3)
    QTest.keyClick(log.table, Qt.Key.Key_H, Qt.KeyboardModifier.ControlModifier)
    assert kinds_shown(log) == ["vad_score", "mic_chunk", "mic_chunk", "vad_score"]
    log.table.selectRow(2)
    QTest.keyClick(log.table, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    assert kinds_shown(log) == ["mic_chunk", "mic_chunk"]
    assert log.table.currentIndex().row() == 1
    log.append([*many(1), Trouble(9.0, "new", "x")])
    assert kinds_shown(log) == ["mic_chunk"] * 3
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(log.table, Qt.Key.Key_I, both)
    assert log.model.rowCount() == 8


def test_several_types_are_ticked_in_the_list_and_one_is_shown_alone_by_enter(
    log: EventLog,
) -> None:
    log.append(mixed())
    log.kind.fill()
    rows = {log.kind.list.item(row).text().split()[0]: row for row in range(log.kind.list.count())}
    assert list(rows) == ["mic_chunk", "trouble", "vad_score"]
    log.kind.list.item(rows["trouble"]).setCheckState(Qt.CheckState.Unchecked)
    log.kind.list.item(rows["mic_chunk"]).setCheckState(Qt.CheckState.Unchecked)
    assert set(kinds_shown(log)) == {"vad_score"}
    assert log.kind.filter == KindFilter(frozenset({"trouble", "mic_chunk"}))
    assert log.kind.text() == "All but 2 types"
    log.kind.list.setCurrentRow(rows["trouble"])
    QTest.keyClick(log.kind.list, Qt.Key.Key_Return)
    assert set(kinds_shown(log)) == {"trouble"}
    log.kind.list.item(rows["mic_chunk"]).setCheckState(Qt.CheckState.Checked)
    assert set(kinds_shown(log)) == {"trouble", "mic_chunk"}


def test_several_events_are_copied_as_a_list(log: EventLog) -> None:
    events = mixed()
    log.append(events)
    log.table.selectAll()
    log.copy_selected()
    copied = json.loads(QGuiApplication.clipboard().text())
    assert copied == [event.to_dict() for event in events]


def test_base64_is_told_by_its_size_wherever_it_is(log: EventLog) -> None:
    sound = b64encode(bytes(range(256)) * 8).decode()
    event = MessageReceived(1.0, "odd", {"a": [{"audio_base_64": sound}], "short": "abcd"})
    for text in (summary(event), detail(event), as_json([event])):
        assert sound[:40] not in text
        assert "2 048 bytes as base64" in text
        assert "abcd" in text


def test_audio_tells_its_length_once_the_agent_has_told_its_format(log: EventLog) -> None:
    told = {"conversation_initiation_metadata_event": {"agent_output_audio_format": "pcm_16000"}}
    log.append(
        [
            MessageReceived(0.1, "conversation_initiation_metadata", told),
            MessageReceived(1.0, "audio", {}, 7, bytes=32_000),
        ]
    )
    assert log.model.data(log.model.index(1, 4)).startswith("1000 ms of audio · 32 000 bytes")
    assert summary(MessageReceived(1.0, "audio", {}, 7, bytes=32_000)).startswith("32 000 bytes")


def test_what_the_microphone_held_is_told_in_words() -> None:
    echo = EchoHeard(4.0, 4.6, 140.0, -31.0, 0.82, 5.0)
    assert summary(echo) == (
        "the microphone held the agent's own voice for 600 ms, "
        "140 ms late at −31 dB (correlation 0.82)"
    )
    before = SoundBefore(4.0, 5.0, 4.9, "burst", -12.0, -58.0, 90.0, 0.1)
    assert "a short sound, as of a cough in the 900 ms" in summary(before)
    assert "90 ms stood out" in summary(before)


class SlowDisk:
    """A file of events that is read by nobody but threads, as one above 64 MiB is."""

    waits = True

    def __init__(self, path: Path) -> None:
        self._events = RecordedEvents(path)
        self.first, self.appended = 0, self._events.appended
        self.main = threading.get_ident()
        self.read_on_main = 0
        self.may_read = threading.Event()

    def slice(self, start: int, stop: int) -> list[Event]:
        if threading.get_ident() == self.main:
            self.read_on_main += 1
        assert self.may_read.wait(20)
        return self._events.slice(start, stop)


@pytest.fixture
def disk(tmp_path: Path) -> SlowDisk:
    path = tmp_path / "events.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for event in [*many(3000), Trouble(60.0, "xrun", "The last one.")]:
            file.write(json.dumps(event.to_dict()) + "\n")
    return SlowDisk(path)


def test_events_on_the_disk_are_read_on_a_thread_and_rows_wait_for_them(
    log: EventLog, disk: SlowDisk, until: Until
) -> None:
    log.set_source(disk)
    log.show()
    QApplication.processEvents()
    cell = log.model.index(5, 4)
    assert (log.model.rowCount(), log.model.data(cell)) == (3001, "…")
    log.table.selectRow(5)
    assert log.detail.toPlainText() == ""
    disk.may_read.set()
    until(lambda: log.model.data(cell) != "…")
    assert log.model.data(log.model.index(5, 1)) == "20 ms"
    until(lambda: "vad_score" in log.detail.toPlainText())
    log.text.setText("the last")
    until(lambda: log.model.rowCount() == 1 and log.model.is_done)
    log.text.clear()
    until(lambda: log.model.rowCount() == 3001)
    log.show_moment(40.0)
    until(lambda: log.table.currentIndex().row() == 2000)
    log.table.selectAll()
    QGuiApplication.clipboard().clear()
    log.copy_selected()
    until(lambda: QGuiApplication.clipboard().text())
    assert len(json.loads(QGuiApplication.clipboard().text())) == 3001
    assert disk.read_on_main == 0


def test_another_source_takes_the_place_of_one_that_is_being_read(
    log: EventLog, disk: SlowDisk
) -> None:
    log.set_source(disk)
    QApplication.processEvents()
    disk.may_read.set()
    log.clear()
    log.append(many(10))
    assert kinds_shown(log) == ["mic_chunk", "vad_score"] * 5


def test_a_long_file_says_that_reading_it_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(json.dumps(many(1)[0].to_dict()) + "\n")
    assert not RecordedEvents(path).waits
    monkeypatch.setattr("app.recordings.recorded_events.KEPT_BYTES", 10)
    assert RecordedEvents(path).waits


def test_a_row_of_a_huge_event_costs_what_the_row_shows(log: EventLog) -> None:
    numbers = {"list": list(range(200_000)), "last": 1}
    events = [MessageReceived(n / 10, "k" * 100_000, numbers, n) for n in range(8)]
    log.append(events)
    began = thread_time()
    log.table.grab()
    assert thread_time() - began < 0.2
    assert summary(events[0]).startswith('event 0 · {"list": [0, 1, 2, ')
    assert len(summary(events[0])) == 300
    assert event_kind(events[0]) == "k" * 80


def test_what_is_shown_of_base64_takes_no_more_room_than_it_says() -> None:
    payload = {"data": b64encode(bytes(3000)).decode(), "last": 1}
    assert summary(MessageReceived(0.0, "x", payload)).endswith('base64)", "last": 1}')


def test_an_event_that_is_nested_too_deep_is_shown_nevertheless(log: EventLog) -> None:
    deep = json.loads("[" * 900 + "]" * 900)
    log.append([MessageReceived(1.0, "x", {"a": deep}, 1)])
    assert summary(MessageReceived(1.0, "x", {"a": deep}, 1)).startswith('event 1 · {"a": [[[')
    log.table.selectRow(0)
    assert "nested too deep" in log.detail.toPlainText()


def test_a_type_that_looks_like_markup_is_a_name_in_the_tool_tip(log: EventLog) -> None:
    log.kind.choose(only("<img src='x'>"))
    assert "<img" not in log.kind.toolTip()
    assert "&lt;img" in log.kind.toolTip()
