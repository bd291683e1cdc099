"""A dock with a slim title bar of ours, so that tabs and titles do not say everything twice."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QToolButton, QWidget

from ui.parts.icons import Icons
from ui.parts.theme import GRID, small

Entry = Callable[[], QWidget]


class Dock(QDockWidget):
    """Docks, floats and closes; its state is kept under ``name``."""

    def __init__(
        self,
        name: str,
        title: str,
        panel: QWidget,
        entry: QWidget | Entry,
        icons: Icons,
        *,
        window: QWidget | None = None,
    ) -> None:
        """Hold ``panel``, whose optional ``title_widgets()`` stand in the title bar.

        ``entry`` is where the keyboard goes when the panel is brought to the front, or tells it.
        A dock that is made without its ``window`` would be one of its own until it is put there.
        """
        super().__init__(title, window)
        self._entry = entry
        self.setObjectName(name)
        self.setWidget(panel)
        self.setTitleBarWidget(self._build_title(title, panel, icons))
        self.setAllowedAreas(Qt.DockWidgetArea.AllDockWidgetAreas)

    @property
    def entry(self) -> QWidget:
        """Where the keyboard goes when the panel is brought to the front now."""
        return self._entry if isinstance(self._entry, QWidget) else self._entry()

    def show_title(self, alone: bool) -> None:
        """Say the title in the bar only where no tab says it already."""
        self._label.setVisible(alone)

    def _build_title(self, title: str, panel: QWidget, icons: Icons) -> QWidget:
        bar = QWidget()
        row = QHBoxLayout(bar)
        row.setContentsMargins(0, 2, 0, 2)
        row.setSpacing(GRID // 2)
        self._label = QLabel(title)
        self._label.setFont(small(-0.5))
        row.addWidget(self._label)
        row.addStretch(1)
        for widget in getattr(panel, "title_widgets", list)():
            row.addWidget(widget)
        row.addSpacing(GRID)
        row.addWidget(self._button(icons, "float", "Float or dock", self._toggle_floating))
        row.addWidget(
            self._button(icons, "close", f"Close {title} (View menu opens it)", self.close)
        )
        return bar

    def _toggle_floating(self) -> None:
        self.setFloating(not self.isFloating())

    @staticmethod
    def _button(icons: Icons, name: str, tip: str, slot: object) -> QToolButton:
        button = QToolButton()
        button.setAutoRaise(True)
        icons.put(button, name, "muted")
        button.setToolTip(tip)
        button.setAccessibleName(tip.split(" (", maxsplit=1)[0])
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(slot)
        return button
