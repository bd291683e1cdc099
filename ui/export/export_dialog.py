"""The export window: formats, what of the session, where to; sizes before, progress while.

Never modal. Main thread only: files are read and written on a thread of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.export.formats import FORMAT_OF, FORMATS, Order, Wish
from app.library.library_entry import size_text
from app.plain import printable
from ui.export.export_formats import FormatList
from ui.export.export_options import ExportOptions, Stretch
from ui.export.replace_question import ReplaceQuestion
from ui.parts.background import Background
from ui.parts.theme import GRID
from ui.parts.tips import plain_tip
from ui.services import Services

if TYPE_CHECKING:
    from app.export.survey import Survey

KEPT = "export"
"""What the window remembers is under this name in the settings of the screen."""
FIRST_TIME = ("wav",)
LOOKING = "Looking at the session…"
NOT_IN_VIEW = "The session is not in view: open it to draw a picture of it."


class ExportDialog(QDialog):
    """Exports one session; gone when it is closed, which calls off what is being written."""

    told = Signal(str, str)
    """A level and a sentence for the person."""
    failed = Signal(object)

    def __init__(
        self,
        services: Services,
        session: Path,
        selection: Stretch | None = None,
        view_picture: Callable[[str], bytes | None] | None = None,
        parent: QWidget | None = None,
        *,
        swap: bool = False,
        formats: tuple[str, ...] = (),
    ) -> None:
        """Look at ``session`` (a bundle, a zip of one, an audio file), and offer ``selection``.

        ``view_picture`` returns the view as the bytes of a ``png`` or ``svg``, None once the
        session is not in view; without it there is no picture. ``formats`` are ticked in place of
        those of the last time, which are remembered all the same.
        """
        super().__init__(parent)
        self._services, self._session, self._swap = services, session, swap
        self._view_picture, self._preset = view_picture, formats
        self._survey: Survey | None = None
        self._share = 0.0
        self._cancelled = threading.Event()
        self._folder_of_result: Path | None = None
        self.formats = FormatList()
        self.options = ExportOptions(selection)
        self.summary, self.result = QLabel(LOOKING), QLabel()
        self.bar = QProgressBar()
        self.show_folder = QPushButton("&Show in folder")
        self.export_button = QPushButton("&Export")
        self.close_button = QPushButton("Close")
        self._job = Background("export", self)
        self._poll = QTimer(self)
        self._build()
        self._restore()
        self._connect()
        self._refresh()
        self._job.run(
            lambda: services.survey_export(session, swap), self._surveyed, self._not_surveyed
        )

    @property
    def exporting(self) -> bool:
        """Whether files are being written."""
        return self._poll.isActive()

    # --- what can be had, and how large it gets

    def _surveyed(self, survey: Survey) -> None:
        self._survey = survey
        self._name_window(survey.title)
        if not self.options.name.text():  # what was typed meanwhile stays
            self.options.name.setText(survey.name)
        self.options.show_facts(survey.duration_s, survey.has.received)
        self._refresh()

    def _name_window(self, title: str = "") -> None:
        """Call the window by the session's title, and by its folder or file where it has none."""
        self.setWindowTitle(f"Export {title or printable(self._session.name)}")

    def _not_surveyed(self, error: Exception) -> None:
        notice = self._services.explain(error)
        self.summary.setText(f"{notice.sentence} {notice.advice}".strip())
        self.failed.emit(error)

    @property
    def _wish(self) -> Wish:
        return self.options.wish(self.formats.ticked, self._swap)

    def _refresh(self) -> None:
        survey = self._survey
        refusals = {each.id: self._refusal(each.id) for each in FORMATS}
        sizes = {} if survey is None else {each.id: self._size(each.id) for each in FORMATS}
        self.formats.show_facts(refusals, sizes)
        self.export_button.setText("Can&cel" if self.exporting else "&Export")
        complaint = self._complaint
        self.export_button.setEnabled(self.exporting or (survey is not None and not complaint))
        if survey is not None and not self.exporting:
            self.summary.setText(complaint or self._preview)

    def _refusal(self, kind: str) -> str:
        if kind in {"png", "svg"} and self._view_picture is None:
            return NOT_IN_VIEW
        return "" if self._survey is None else self._survey.refusal(kind, self._wish)

    def _size(self, kind: str) -> str:
        size = None if self._survey is None else self._survey.size_bytes(kind, self._wish)
        return "" if size is None or self._survey is None else self._about(kind) + size_text(size)

    def _about(self, kind: str) -> str:
        is_exact = self._survey is not None and self._survey.is_exact(kind, self._wish)
        return "" if is_exact else "≈ "

    @property
    def _complaint(self) -> str:
        if not self.formats.ticked:
            return "Tick at least one format."
        return self.options.complaint

    @property
    def _preview(self) -> str:
        """Return how much will be written."""
        ticked = self.formats.ticked
        if self._survey is None:
            return LOOKING
        sizes = [self._survey.size_bytes(kind, self._wish) or 0 for kind in ticked]
        about = "≈ " if any(self._about(kind) for kind in ticked) else ""
        names = ", ".join(FORMAT_OF[kind].name for kind in ticked)
        return f"{names}: {about}{size_text(sum(sizes))}"

    # --- exporting

    def _press(self) -> None:
        if self.exporting:
            self._cancelled.set()
            self.summary.setText("Cancelling…")
        else:
            self.start()

    def start(self) -> None:
        """Export what is chosen; asks about files that are there."""
        self._keep()
        folder = self._target_folder()
        pictures = self._pictures()
        if folder is None or pictures is None:
            return
        name = self.options.name.text().strip()
        self._run(Order(self._session, self._wish, folder, name, pictures=pictures))

    def _target_folder(self) -> Path | None:
        text = self.options.folder.text().strip()
        try:
            return Path(text).expanduser()
        except RuntimeError:  # "~somebody", whom the system does not know
            self._say(f"There is no folder “{printable(text)}”.", None)
            return None

    def _pictures(self) -> dict[str, bytes] | None:
        """Return the pictures that are wanted; None, and say so, where they cannot be drawn."""
        pictures = {}
        for kind in self.formats.ticked:
            if kind in {"png", "svg"} and self._view_picture is not None:
                picture = self._view_picture(kind)
                if picture is None:
                    self._say(NOT_IN_VIEW, None)
                    return None
                pictures[kind] = picture
        return pictures

    def _run(self, order: Order) -> None:
        self._cancelled.clear()
        self._share = 0.0
        self._set_running(True)
        self._job.run(
            lambda: self._services.export(order, self._note_share, self._cancelled.is_set),
            self._written,
            lambda error: self._not_written(order, error),
        )

    def _note_share(self, share: float) -> None:
        """Note how far it is: called on the thread that writes, read by the timer."""
        self._share = share

    def _show_share(self) -> None:
        self.bar.setValue(round(self._share * 1000))

    def _written(self, written: Sequence[Path]) -> None:
        self._set_running(False)
        if not written:
            self._say("Nothing was written.", None)
            return
        folder = written[0].parent
        names = [printable(path.name) for path in written]
        what = f"“{names[0]}”" if len(names) == 1 else f"{len(names)} files"
        self._say(f"Exported {what} to “{printable(str(folder))}”.", folder)
        self.result.setToolTip(plain_tip("\n".join(names)))
        self.told.emit("info", self.result.text())

    def _not_written(self, order: Order, error: Exception) -> None:
        from app.export.errors import Cancelled, TargetsExist

        self._set_running(False)
        if isinstance(error, TargetsExist):
            question = ReplaceQuestion(order, error.paths, self)
            question.answered.connect(self._run)
            question.given_up.connect(lambda: self._say("Nothing was written.", None))
            question.ask()
            return
        notice = self._services.explain(error)
        self._say(f"{notice.sentence} {notice.advice}".strip(), None)
        if not isinstance(error, Cancelled):
            self.failed.emit(error)

    def _set_running(self, running: bool) -> None:
        if running:
            self._poll.start()
            self.summary.setText("Exporting…")
            self._say("", None)
        else:
            self._poll.stop()
        self.bar.setVisible(running)
        self.bar.setValue(0)
        for widget in (self.formats, self.options):
            widget.setEnabled(not running)
        self._refresh()

    def _say(self, text: str, folder: Path | None) -> None:
        self.result.setText(text)
        self.result.setToolTip("")
        self._folder_of_result = folder
        self.show_folder.setVisible(folder is not None)

    def _show_folder(self) -> None:
        folder = self._folder_of_result
        if folder is None:
            return
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self.result.setText(f"The files are in “{folder}”.")

    # --- the window

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Esc call off what is being written, and close the window only where nothing is."""
        if event.key() == Qt.Key.Key_Escape and self.exporting:
            self._press()
        else:
            super().keyPressEvent(event)

    def done(self, result: int) -> None:
        """Close; what is being written is called off, and leaves nothing behind."""
        self._cancelled.set()
        self._poll.stop()
        self._job.close(timeout_s=3.0)
        super().done(result)

    def _keep(self) -> None:
        kept = {**self.options.keep(), "formats": list(self.formats.ticked)}
        if self._preset:
            kept["formats"] = self._kept().get("formats")
        self._services.settings.screen[KEPT] = kept

    def _kept(self) -> dict[str, Any]:
        kept = self._services.settings.screen.get(KEPT)
        return kept if isinstance(kept, dict) else {}

    def _restore(self) -> None:
        kept = self._kept()
        formats = kept.get("formats")
        known = [each for each in formats if each in FORMAT_OF] if isinstance(formats, list) else []
        self.formats.tick(self._preset or known or FIRST_TIME)
        self.options.restore(kept)

    def _connect(self) -> None:
        self.formats.changed.connect(self._refresh)
        self.options.changed.connect(self._refresh)
        self.export_button.clicked.connect(self._press)
        self.close_button.clicked.connect(self.reject)
        self.show_folder.clicked.connect(self._show_folder)
        self._poll.timeout.connect(self._show_share)

    def _build(self) -> None:
        self._name_window()
        self.setModal(False)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._poll.setObjectName("export progress")
        self._poll.setInterval(100)
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress")
        for widget in (self.bar, self.show_folder):
            policy = widget.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            widget.setSizePolicy(policy)
            widget.hide()
        for label in (self.summary, self.result):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
        halves = QHBoxLayout()
        halves.setSpacing(3 * GRID)
        halves.addWidget(self.formats, 2)
        halves.addWidget(self._line(QFrame.Shape.VLine))
        halves.addWidget(self.options, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, 2 * GRID)
        column.setSpacing(2 * GRID)
        column.addLayout(halves, 1)
        column.addWidget(self._line(QFrame.Shape.HLine))
        column.addLayout(self._foot())
        self.resize(138 * GRID, 66 * GRID)

    def _foot(self) -> QVBoxLayout:
        foot = QVBoxLayout()
        foot.setSpacing(GRID)
        for left, right in (
            (self.summary, (self.export_button, self.close_button)),
            (self.result, (self.show_folder,)),
        ):
            row = QHBoxLayout()
            row.setSpacing(GRID)
            row.addWidget(left, 1)
            for button in right:
                row.addWidget(button)
            foot.addLayout(row)
            if left is self.summary:
                foot.addWidget(self.bar)
        self.export_button.setDefault(True)
        for button in (self.close_button, self.show_folder):
            button.setAutoDefault(False)
        return foot

    @staticmethod
    def _line(shape: QFrame.Shape) -> QFrame:
        line = QFrame()
        line.setFrameShape(shape)
        line.setFrameShadow(QFrame.Shadow.Plain)
        line.setForegroundRole(line.foregroundRole().Mid)
        return line
