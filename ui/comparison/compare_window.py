"""The window that lays two sessions of the same caller over each other. Main thread only."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from ui.comparison.compare_bar import CompareBar
from ui.comparison.compare_lanes import CompareLanes
from ui.comparison.compare_loader import CompareLoader
from ui.comparison.compare_table import CompareTable
from ui.comparison.compare_totals import CompareTotals
from ui.lanes.time_axis import clock_text
from ui.parts.icons import Icons
from ui.parts.keyboard import KeyboardWindow
from ui.parts.notice_bar import NoticeBar
from ui.parts.theme import GRID, Theme
from ui.services import Services

if TYPE_CHECKING:
    from app.comparison.compare import Comparison, Row
    from app.recordings.recording import Recording

OPENING = "Opening both recordings…"
NOT_OPENED = "There is nothing to compare: see the notice above."
DRAW_MS = 40


class CompareWindow(KeyboardWindow):
    """Lanes one above the other, the figures of both, and a table of the differences."""

    closed = Signal()
    """The window is gone, and has let go of the recordings."""

    def __init__(
        self, services: Services, theme: Theme, icons: Icons, first: Path, second: Path
    ) -> None:
        """Begin to open both; the window is to be shown by the caller."""
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"{first.name} and {second.name} — Turnscope")
        self.setWindowIcon(icons.icon("turnscope", "user"))
        self._services = services
        self.comparison: Comparison | None = None
        self._warned = 0
        self._is_read = self._is_closing = self._may_close = False
        self.loader = CompareLoader(services, self)
        self.notices = NoticeBar(theme, icons)
        self.bar = CompareBar(icons)
        self.lanes = CompareLanes(theme)
        self.totals = CompareTotals(theme)
        self.table = CompareTable(theme)
        self._timer = QTimer(self)
        self._timer.setObjectName("comparison")
        self._timer.setInterval(DRAW_MS)
        self._timer.timeout.connect(self._advance)
        self._build()
        self._connect()
        self.lanes.show_captions(first.name, second.name)
        self.lanes.show_empty_text(OPENING)
        self.loader.open(first, second)

    def _build(self) -> None:
        lower = QWidget()
        column = QVBoxLayout(lower)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.totals)
        column.addWidget(self.table, 1)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.lanes)
        splitter.addWidget(lower)
        splitter.setStretchFactor(0, 3)
        splitter.setStretchFactor(1, 2)
        splitter.setSizes([450, 300])
        content = QWidget()
        outer = QVBoxLayout(content)
        outer.setContentsMargins(GRID, GRID, GRID, GRID)
        outer.setSpacing(0)
        outer.addWidget(self.notices)
        outer.addWidget(self.bar)
        outer.addWidget(splitter, 1)
        self.setCentralWidget(content)
        self.resize(1280, 800)

    def _connect(self) -> None:
        bar, lanes = self.bar, self.lanes
        self.loader.opened.connect(self._opened)
        self.loader.compared.connect(self._compared)
        self.loader.failed.connect(self._failed)
        bar.swap_requested.connect(self.swap)
        bar.align_requested.connect(self._align)
        bar.offset_wished.connect(self._offset_wished)
        bar.zoom_requested.connect(lanes.zoom)
        bar.fit_requested.connect(lanes.fit)
        bar.selection_requested.connect(lanes.zoom_to_selection)
        bar.copy_requested.connect(self.copy)
        lanes.moved.connect(lambda: bar.show_span(lanes.axis.span_s))
        lanes.moment_clicked.connect(self._moment_clicked)
        lanes.interruption_activated.connect(self._interruption_activated)
        self.table.row_chosen.connect(self._row_chosen)
        close = QAction("Close", self)
        close.setShortcut(QKeySequence("Ctrl+W"))
        close.triggered.connect(self.close)
        self.addAction(close)

    # --- what comes from the recordings

    def _opened(self) -> None:
        self.lanes.show_empty_text("")
        self._show_scenes()
        self.lanes.fit()
        self.bar.set_ready(ready=True)
        self.loader.compare()
        self._timer.start()
        self._advance()

    def _show_scenes(self) -> None:
        first, second = self.loader.feeds
        self.lanes.show_scenes(first.scene, second.scene)
        titles, recordings = self.loader.titles, self.loader.recordings
        self.setWindowTitle(f"{titles[0]} and {titles[1]} — Turnscope")
        captions = [caption(*each) for each in zip(recordings, titles, strict=True)]
        self.lanes.show_captions(*captions)

    def _advance(self) -> None:
        """Take in what has become known; called while the window is there."""
        self.loader.advance()
        self.lanes.advance()
        self._show_progress(self.loader.progress)
        loaded = zip(self.loader.recordings, self.loader.titles, strict=True)
        warnings = [f"{title}: {text}" for each, title in loaded for text in each.warnings]
        if len(warnings) > self._warned:
            self._warned = len(warnings)
            self.notices.add("warning", warnings[0], "\n".join(warnings))

    def _show_progress(self, part: float) -> None:
        if part >= 1.0 and not self._is_read:
            # what was drawn while a track was read may be of a part of it
            self._is_read = True
            self.lanes.draw_anew()
        self.bar.show_progress(part)

    def _compared(self, comparison: Comparison) -> None:
        self.comparison = comparison
        is_moved = comparison.offset_s != self._offset_s
        self.lanes.set_offset(comparison.offset_s)
        self.bar.show_offset(comparison.offset_s)
        self.totals.show_totals(comparison.totals)
        is_first = not self.table.rows
        self.table.show_rows(comparison.rows)
        if is_first:
            self.table.table.setFocus()
        if is_moved and not self.lanes.selection:
            self.lanes.fit()

    @property
    def _offset_s(self) -> float:
        return self.lanes.shift_of(0) - self.lanes.shift_of(1)

    def _failed(self, error: Exception) -> None:
        notice = self._services.explain(error)
        sentence = f"{notice.sentence} {notice.advice}".strip()
        self.notices.add(notice.level, sentence, notice.details)
        if not self.loader.feeds:
            self.lanes.show_empty_text(NOT_OPENED)
            self.bar.progress.setVisible(False)

    # --- what the person does

    def swap(self) -> None:
        """Let the two change places."""
        offset_s = -self._offset_s
        self.loader.swap()
        self._show_scenes()
        self.lanes.set_offset(offset_s)
        self.loader.compare(offset_s)

    def copy(self, kind: str) -> None:
        """Put the differences on the clipboard, as ``text`` or ``csv``."""
        from app.comparison.comparison_text import lines, to_csv

        if self.comparison is None:
            return
        first, second = (str(each.path) for each in self.loader.recordings)
        text = "\n".join(lines(self.comparison, (first, second)))
        QGuiApplication.clipboard().setText(text if kind == "text" else to_csv(self.comparison))

    def _align(self) -> None:
        self.loader.compare()

    def _offset_wished(self, offset_s: float) -> None:
        self.lanes.set_offset(offset_s)
        self.loader.compare(offset_s)

    def _row_chosen(self, row: Row) -> None:
        for side, passage in enumerate((row.first, row.second)):
            if passage is not None:
                self.lanes.go(passage.start + self.lanes.shift_of(side))
                return

    def _moment_clicked(self, t: float) -> None:
        """Choose the row in which ``t`` lies."""
        rows = self.table.rows
        starts = [self._place(row) for row in rows]
        number = bisect_right(starts, t) - 1
        if number >= 0:
            self.table.choose(rows[number])
            self.lanes.go(t)

    def _place(self, row: Row) -> float:
        """Return where a row begins on the axis."""
        places = [
            passage.start + self.lanes.shift_of(side)
            for side, passage in enumerate((row.first, row.second))
            if passage is not None
        ]
        return places[0]

    def _interruption_activated(self, side: int, number: int) -> None:
        for row in self.table.rows:
            passage = (row.first, row.second)[side]
            if passage is not None and any(cut.number == number for cut in passage.cuts):
                self.table.choose(row)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Let go of both recordings, out of sight, and close when that is done."""
        if self._may_close:
            event.accept()
            self.closed.emit()
            return
        event.ignore()
        if not self._is_closing:
            self._is_closing = True
            self._timer.stop()
            self.hide()
            self.loader.close(self._finish_closing)

    def _finish_closing(self) -> None:
        self._may_close = True
        self.close()


def caption(recording: Recording, title: str) -> str:
    """Return what tells one recording from another, in a line."""
    info, began = recording.info, recording.began_utc
    told = [
        title,
        info.agent_label,
        began.astimezone().strftime("%Y-%m-%d %H:%M:%S") if began is not None else "",
        clock_text(recording.now(), 1),
        f"replays {info.replays}" if info.replays else "",
    ]
    return "  ·  ".join(text for text in told if text)
