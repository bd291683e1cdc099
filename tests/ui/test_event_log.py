"""The event log: everything is in it, it can be searched, and it stays quick when it is long."""

from __future__ import annotations

import json
from collections.abc import Iterator
from time import perf_counter, thread_time

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from app.events import Event, Interrupted, MessageReceived, MicChunkSent, Timeline, Trouble
from tests.ui.conftest import Until, bury
from ui.event_log import EventLog
from ui.event_text import detail, event_kind, summary
from ui.icons import Icons
from ui.theme import Theme


@pytest.fixture
def log(theme: Theme) -> Iterator[EventLog]:
    made = EventLog(Icons(theme))
    made.resize(1200, 240)
    made.show()
    yield made
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
        began = perf_counter()
        bar.setValue(bar.maximum() * part // 59)
        QApplication.processEvents()
        slowest = max(slowest, perf_counter() - began)
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
    log.kind.setCurrentIndex(log.kind.findData("audio"))
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


def test_rows_tell_the_time_since_the_row_above(log: EventLog) -> None:
    log.append([Trouble(t, "xrun", "x") for t in (1.0, 1.0305, 1.01, 21.0)])
    model = log.model
    texts = [model.data(model.index(row, 1)) for row in range(4)]
    assert texts == ["", "30 ms", "−20 ms", "20.0 s"]


def test_the_filter_stays_and_shows_when_another_source_comes_into_view(log: EventLog) -> None:
    log.append(many(100))
    log.kind.setCurrentIndex(log.kind.findData("vad_score"))
    log.set_source(Timeline())
    assert log.kind.currentData() == "vad_score"
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
    assert log.model.row_at(20.0) == 1000


def test_the_filter_finds_by_type_and_by_text(log: EventLog, until: Until) -> None:
    log.append([*many(100), Trouble(3.0, "xrun", "The microphone lost samples.")])
    log.kind.setCurrentIndex(log.kind.findData("vad_score"))
    assert log.model.rowCount() == 50
    log.kind.setCurrentIndex(0)
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
            log.kind.setCurrentIndex(log.kind.findData("vad_score"))
        log.advance()
        if batch == 30:
            kept = timeline.slice(timeline.first, timeline.appended)
            assert log.model.rowCount() == sum(event_kind(each) == "vad_score" for each in kept)
            log.kind.setCurrentIndex(0)
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
