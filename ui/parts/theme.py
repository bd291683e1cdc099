"""Colours, spacing and fonts of the window, for the light and the dark scheme.

One accent a party, chosen to be told apart by colour-blind eyes; the interruption red is used for
interruptions and for nothing else, so a fault is violet. Main thread only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

GRID = 8
"""The grid that widths, heights and gaps are multiples of, in device-independent pixels."""
CONTROL_HEIGHT = 32
FRAMED = (
    *("QPushButton", "QComboBox", "QLineEdit", "QCheckBox", "QRadioButton"),
    "QAbstractSpinBox",
)
"""Widgets with a frame, which Fusion draws in the highlight while they have the focus."""
SCHEMES = ("system", "light", "dark")


@dataclass(frozen=True, slots=True)
class Colours:
    """The colours of one scheme, as ``#rrggbb``.

    ``window`` and ``base`` are the two grounds; every colour that carries meaning stands out from
    both by 4.5:1 or more.
    """

    window: str
    base: str
    raised: str
    line: str
    text: str
    muted: str
    user: str
    agent: str
    interruption: str
    warning: str
    fault: str
    selection: str
    marker: str


LIGHT = Colours(
    window="#f3f4f6",
    base="#ffffff",
    raised="#e9ebef",
    line="#d0d5db",
    text="#1b1f24",
    muted="#56606b",
    user="#0b62b0",
    agent="#b35005",
    interruption="#bd0f35",
    warning="#7a6000",
    fault="#7b2fa8",
    selection="#cfe2f5",
    marker="#00707a",
)
DARK = Colours(
    window="#1b1e23",
    base="#14171b",
    raised="#272b32",
    line="#3a414b",
    text="#e6e9ed",
    muted="#9aa4b0",
    user="#5cb3f5",
    agent="#ffb347",
    interruption="#ff6b5e",
    warning="#e3d26f",
    fault="#cf9bf2",
    selection="#19324b",
    marker="#4fd6c4",
)


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb``, 0 to 1 (WCAG 2.2)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two ``#rrggbb`` colours, 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


class Theme(QObject):
    """Which colours hold now; ``changed`` after they have been applied to the application."""

    changed = Signal()

    def __init__(self, app: QApplication, scheme: str = "system") -> None:
        """Follow ``scheme``: one of `SCHEMES`."""
        super().__init__()
        self._app = app
        self._hints = QGuiApplication.styleHints()
        self._hints.colorSchemeChanged.connect(self._system_changed)
        self.scheme = "system"
        self.colours = LIGHT
        self.choose(scheme)

    @property
    def dark(self) -> bool:
        """Whether the dark colours hold."""
        return self.colours is DARK

    def choose(self, scheme: str) -> None:
        """Follow the system, or stay light or dark."""
        self.scheme = scheme if scheme in SCHEMES else "system"
        wish = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}
        self._hints.setColorScheme(wish.get(self.scheme, Qt.ColorScheme.Unknown))
        self._apply()

    def _system_changed(self) -> None:
        if self.scheme == "system":
            self._apply()

    def _apply(self) -> None:
        if self.scheme == "system":
            dark = self._hints.colorScheme() == Qt.ColorScheme.Dark
        else:
            dark = self.scheme == "dark"
        self.colours = DARK if dark else LIGHT
        palette = build_palette(self.colours)
        self._app.setPalette(palette)
        for name in FRAMED:
            self._app.setPalette(strong(palette, self.colours), name)
        self._app.setStyleSheet(style_sheet(self.colours))
        self.changed.emit()


def build_palette(colours: Colours) -> QPalette:
    """Return the palette that Fusion draws with."""
    role = QPalette.ColorRole
    palette = QPalette(QColor(colours.raised), QColor(colours.window))
    pairs = {
        role.Window: colours.window,
        role.WindowText: colours.text,
        role.Base: colours.base,
        role.AlternateBase: colours.window,
        role.Text: colours.text,
        role.PlaceholderText: colours.muted,
        role.Button: colours.raised,
        role.ButtonText: colours.text,
        role.ToolTipBase: colours.raised,
        role.ToolTipText: colours.text,
        role.Highlight: colours.selection,
        role.HighlightedText: colours.text,
        role.Accent: colours.user,
        role.Link: colours.user,
        role.Mid: colours.line,
    }
    for each, colour in pairs.items():
        palette.setColor(each, QColor(colour))
    disabled = QPalette.ColorGroup.Disabled
    for each in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(disabled, each, blend(colours.muted, colours.window, 0.62))
    return palette


def strong(palette: QPalette, colours: Colours) -> QPalette:
    """Return ``palette`` with frames that can be seen though they are one pixel wide.

    Fusion draws them darker than the window (by 1.4), which on a dark one is no frame at all.
    """
    result = QPalette(palette)
    result.setColor(QPalette.ColorRole.Highlight, QColor(colours.user))
    result.setColor(QPalette.ColorRole.HighlightedText, QColor(colours.base))
    if colours is DARK:
        frame = blend(colours.muted, colours.window, 0.5)
        result.setColor(QPalette.ColorRole.Window, frame.lighter(140))
    return result


def blend(colour: str, ground: str, share: float) -> QColor:
    """Return ``colour`` laid over ``ground`` with opacity ``share``."""
    a, b = QColor(colour), QColor(ground)
    mix = [
        round(x * share + y * (1 - share)) for x, y in zip(a.toTuple(), b.toTuple(), strict=True)
    ]
    return QColor(*mix[:3])


def translucent(colour: str, alpha: float) -> QColor:
    """Return ``colour`` with opacity ``alpha``, 0 to 1."""
    result = QColor(colour)
    result.setAlphaF(alpha)
    return result


def style_sheet(c: Colours) -> str:
    """Return the few rules that the palette cannot express."""
    return f"""
    QToolTip {{ padding: 4px; border: 1px solid {c.line};
        background: {c.raised}; color: {c.text}; }}
    QToolBar {{ border: none; padding: 0; spacing: 0; background: {c.window}; }}
    QMainWindow::separator {{ background: {c.window}; width: 8px; height: 8px; }}
    QMainWindow::separator:hover {{ background: {c.line}; }}
    QTableView, QTextEdit, QPlainTextEdit {{ border: 1px solid {c.line}; background: {c.base}; }}
    QTableView:focus, QTextEdit:focus, QPlainTextEdit:focus {{ border: 1px solid {c.user}; }}
    QHeaderView::section {{ background: {c.window}; color: {c.muted}; border: none;
        border-bottom: 1px solid {c.line}; padding: 4px 11px; }}
    QTableView {{ gridline-color: {c.line}; }}
    QTableView::item {{ padding: 0 8px; }}
    QToolButton:checked {{ background: {c.selection}; border: 1px solid {c.line};
        border-radius: 3px; padding: 3px; }}
    QToolButton[popupMode="2"] {{ padding-right: 16px; }}
    QToolButton::menu-indicator {{ subcontrol-origin: padding; subcontrol-position: center right;
        right: 4px; }}
    QToolButton:focus {{ border: 1px solid {c.user}; border-radius: 3px; padding: 3px; }}
    """


@cache
def tabular(points_delta: float = 0.0, bold: bool = False) -> QFont:
    """Return the application's font with figures of one width, for clocks and tables."""
    font = QFont(QGuiApplication.font())
    font.setPointSizeF(font.pointSizeF() + points_delta)
    font.setBold(bold)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


@cache
def fixed() -> QFont:
    """Return the system's fixed-width font, for payloads."""
    return QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)


def small(delta: float = -1.0) -> QFont:
    """Return the application's font a little smaller, for captions."""
    return tabular(delta)
