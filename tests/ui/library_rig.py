"""The library on screen, worked by mouse and keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QItemSelectionModel
from PySide6.QtTest import QTest

from tests.rig.bundles import make_bundle, summary
from tests.ui.conftest import bury, wait_until
from tests.ui.fakes import FakeServices
from ui.library.library_model import TITLE
from ui.library.library_panel import LibraryPanel
from ui.parts.icons import Icons
from ui.parts.theme import Theme

FIRST, SECOND, THIRD = (f"2026-11-22_09-1{minute}-03_demo" for minute in (5, 6, 7))


def make_recordings(path: Path, services: FakeServices) -> Path:
    """Make three recordings, a broken one and a folder of somebody else's the library."""
    make_bundle(path, summary=summary(0, 900.0), user_says="a refund", notes={"title": "Zebra"})
    make_bundle(path, 1, summary=summary(2, None), recovered={"utc": "x"})
    make_bundle(path, 2, exchanges=2, notes={"title": "alpha"})
    (make_bundle(path, name="broken") / "session.json").write_text("{")
    (path / "<b>holidays").mkdir()
    services.settings.recordings = str(path)
    return path


@contextmanager
def panel_on_screen(services: FakeServices, theme: Theme, folder: Path) -> Iterator[LibraryPanel]:
    made = LibraryPanel(services, theme, Icons(theme))
    # what belongs into the title bar of a dock
    for widget in made.title_widgets():
        widget.setParent(made)
    made.resize(1200, 400)
    made.show()
    made.activateWindow()
    settle(made)
    yield made
    made.close_jobs()
    QCoreApplication.processEvents()
    made.deleteLater()
    bury()


def settle(panel: LibraryPanel) -> None:
    """Wait until the list is up to date."""
    wait_until(lambda: panel.listing is not None and panel.listing.progress is None)


def names(panel: LibraryPanel) -> list[str]:
    return [panel.model.entry(row).name for row in range(panel.model.rowCount())]


def cells(panel: LibraryPanel, column: int) -> list[str]:
    model = panel.model
    return [model.index(row, column).data() for row in range(model.rowCount())]


def choose(panel: LibraryPanel, *chosen: str) -> None:
    flags = QItemSelectionModel.SelectionFlag
    panel.table.selectionModel().clear()
    for name in chosen:
        index = panel.model.index(panel.model.row_of(name), TITLE)
        panel.table.selectionModel().setCurrentIndex(index, flags.Select | flags.Rows)
    panel.table.setFocus()


def key(panel: LibraryPanel, *keys: object) -> None:
    QTest.keyClick(panel.table, *keys)
