"""What a person writes about what is in view, in all places where it is shown.

The flags in the timeline, the list of markers and the session's page show one `Notebook`. Main
thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.bundles.notes import Marker
from ui.lanes.timeline_view import TimelineView
from ui.notebook import Notebook
from ui.panels.markers_panel import MarkersPanel
from ui.panels.session_page import SessionPage
from ui.parts.background import Background
from ui.services import Services

if TYPE_CHECKING:
    from app.analysis.viewed import Viewed

NEAR_S = 0.0005
"""A marker so near to the playhead is the one it stands at."""
Facts = Sequence[tuple[str, str]]


class Remarks(QObject):
    """Connects the notebook with timeline, list and page."""

    told = Signal(str, str)
    failed = Signal(object)
    title_changed = Signal()

    def __init__(
        self,
        services: Services,
        timeline: TimelineView,
        panel: MarkersPanel,
        page: SessionPage,
        parent: QObject,
    ) -> None:
        """Begin with nothing in view."""
        super().__init__(parent)
        self._services = services
        self._timeline, self._panel, self._page = timeline, panel, page
        self._viewed: Viewed | None = None
        self._described: tuple[object, ...] = ()
        self._typed: Marker | None = None
        self._title = ""
        self.notebook = Notebook(services, self)
        self.is_named_elsewhere: Callable[[Path], bool] = lambda _bundle: False
        """Whether a title is on its way into a bundle that the notebook does not know of."""
        self._job = Background("facts", self)
        self._connect()

    def _connect(self) -> None:
        self.notebook.changed.connect(self._show_notes)
        self.notebook.ready.connect(self._let_write)
        self.notebook.told.connect(self.told)
        self.notebook.failed.connect(self.failed)
        self._page.written.connect(self.notebook.describe)
        field = self._timeline.marker_field
        field.finished.connect(self._text_typed)
        field.cancelled.connect(self._typing_cancelled)
        panel = self._panel
        panel.text_changed.connect(self.notebook.rename)
        panel.delete_requested.connect(self.notebook.unmark)
        panel.marker_chosen.connect(self._go_to)

    @property
    def title(self) -> str:
        """What the person calls what is in view; empty where it has no title."""
        return self.notebook.notes.title

    def show(self, viewed: Viewed) -> None:
        """Turn to another recording or session."""
        self._viewed = viewed
        self._described = ()
        self._typed = None
        self._page.forget()
        self._page.show_facts([])
        is_kept = not getattr(viewed, "is_copy", False) and not _is_file(viewed)
        session = viewed if hasattr(viewed, "change_notes") else None
        self.notebook.show(viewed.bundle if session is None else None, session, is_kept)
        self._let_write()
        self.advance()

    def _let_write(self) -> None:
        """Let the page be written in, once it is known what was written before.

        What is typed before the notes are read would be taken for all there is; and a title on its
        way from elsewhere would come after the one that is typed, though it was typed before it.
        """
        bundle = self._viewed.bundle if self._viewed is not None else None
        is_named = bundle is not None and self.is_named_elsewhere(bundle)
        self._page.set_enabled(self.notebook.is_ready and not is_named)

    def advance(self) -> None:
        """Look whether there is more to know than was told: a few times a second."""
        viewed = self._viewed
        if viewed is None:
            return
        progress = getattr(viewed, "progress", 1.0)
        state = (viewed.bundle, str(viewed.state), progress >= 1, len(warnings_of(viewed)))
        path = viewed.bundle or getattr(viewed, "path", None)
        if state != self._described and path is not None:
            self._described = state
            self._describe(viewed, path)

    def read_again(self, bundle: Path) -> None:
        """Take in what was written about ``bundle`` elsewhere, if that is in view."""
        if self._viewed is not None and self._viewed.bundle == bundle:
            self.notebook.read_again()
            self._let_write()

    def mark(self, t: float, stop: float | None = None) -> None:
        """Set a marker at ``t``, and let its text be typed."""
        self._timeline.marker_field.finish()
        self._typed = Marker(t, "", stop)
        self.notebook.mark(self._typed)
        self._timeline.advance()
        self._timeline.type_marker(t)

    def mark_here(self) -> None:
        """Set a marker: on the selection, at "now" of a session, or at the playhead."""
        scene, viewed = self._timeline.scene, self._viewed
        if viewed is None:
            return
        if scene.selection is not None:
            self.mark(*scene.selection)
        elif scene.live or scene.playhead_s is None:
            self.mark(viewed.now())
        else:
            self.mark(scene.playhead_s)

    def go_to_next(self, direction: int) -> None:
        """Go to the next marker after the playhead, or with -1 to the one before it."""
        scene, axis = self._timeline.scene, self._timeline.axis
        here = scene.playhead_s
        if here is None:
            here = (axis.start_s + axis.stop_s) / 2
        there = [marker for marker in scene.markers if (marker.t - here) * direction > NEAR_S]
        if there:
            self._go_to(there[0] if direction > 0 else there[-1])

    def close(self) -> None:
        """Write what is not written yet, and wait a bounded time for it."""
        self._timeline.marker_field.finish()
        self.notebook.close()
        self._job.close()

    # --- typing a marker's text

    def _text_typed(self, text: str) -> None:
        marker, self._typed = self._typed, None
        if marker is not None:
            self.notebook.rename(marker, text)

    def _typing_cancelled(self) -> None:
        marker, self._typed = self._typed, None
        if marker is not None:
            self.notebook.unmark(marker)

    def _go_to(self, marker: Marker) -> None:
        if marker.stop is not None:
            self._timeline.select((marker.t, marker.stop))
        self._timeline.reveal(marker.t)
        self._timeline.moment_clicked.emit(marker.t)

    # --- showing it

    def _show_notes(self) -> None:
        notes = self.notebook.notes
        scene = self._timeline.scene
        scene.markers = notes.markers
        self._timeline.lanes.update()
        self._timeline.overview.update()
        self._panel.show_markers(notes.markers)
        self._page.show_notes(notes)
        if notes.title != self._title:
            self._title = notes.title
            self.title_changed.emit()

    def _describe(self, viewed: Viewed, path: Path) -> None:
        warnings = [("Warning", sentence) for sentence in warnings_of(viewed)]

        def show(facts: Facts) -> None:
            if viewed is self._viewed:
                self._page.show_facts([*warnings, *facts])

        self._job.run(lambda: self._services.describe(path), show, lambda _error: show([]))


def warnings_of(viewed: Viewed) -> Sequence[str]:
    """Return what is wrong with a recording; nothing for a session that runs."""
    return getattr(viewed, "warnings", ())


def _is_file(viewed: Viewed) -> bool:
    return getattr(viewed, "kind", "bundle") == "file"
