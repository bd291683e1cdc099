"""The event log: everything is in it, it can be searched, and it stays quick when it is long."""

from __future__ import annotations

import json
from collections.abc import Iterator
from time import perf_counter

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from app.events import Event, Interrupted, MessageReceived, MicChunkSent, Trouble
from tests.ui.conftest import Until, bury
from ui.event_log import EventLog
from ui.event_model import EventModel
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
    began = perf_counter()
    for _ in range(20):
        log.append(batch)
    assert (perf_counter() - began) / 20 < 0.02


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


def test_the_oldest_go_when_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EventModel, "CAPACITY", 1000)
    monkeypatch.setattr(EventModel, "ROOM", 100)
    model = EventModel()
    for _ in range(12):
        model.append(many(100))
    assert model.total <= 1000
    assert model.dropped + model.total == 1200


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
