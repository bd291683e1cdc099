"""The inspector: one interruption in full, from the user's mouth to the agent's silence and on.

Main thread only. It shows and wishes; it decides nothing.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QScrollArea,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.analysis.chain import parts_of
from app.analysis.limits import Limits
from ui.inspection.close_up import CloseUp
from ui.inspection.inspector_words import InspectorWords
from ui.inspection.moments import (
    CLASSES,
    DISCARDED,
    TROUBLE,
    Moment,
    caption_of,
    discarded_text,
    is_mouth_over,
    is_time_over,
    mouth_text,
    sound_text,
    time_text,
    title_of,
)
from ui.inspection.waterfall import Waterfall
from ui.lanes.scene import Scene
from ui.parts.icons import Icons
from ui.parts.theme import CONTROL_HEIGHT, GRID, Theme, small, tabular

EMPTY = (
    "Choose an interruption in the table or double-click it in the timeline: here you will see "
    "where its time went, and what was heard. N goes to the next one."
)
FIGURES = (
    ("Mouth to silence", "From the onset of the user's speech to silence: what a person feels"),
    ("Time to silence", "From the interrupt() call to the last agent sample leaving the speaker"),
    ("Discarded", DISCARDED),
)

PART_LINES = 3
"""What the longest definition of a part of the chain takes, with its name."""


class Figure(QWidget):
    """A figure with its caption above it; over its limit it is coloured."""

    def __init__(self, caption: str, tip: str, theme: Theme) -> None:
        """Begin with no figure."""
        super().__init__()
        self._theme, self._is_over = theme, False
        self.value = QLabel("–")
        self.value.setTextFormat(Qt.TextFormat.PlainText)
        self.value.setFont(tabular(1.5, bold=True))
        self.value.setAccessibleName(caption)
        above = QLabel(caption)
        above.setFont(small(-1.5))
        above.setForegroundRole(above.palette().ColorRole.PlaceholderText)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(above)
        column.addWidget(self.value)
        self.setToolTip(tip)
        theme.changed.connect(self._dress)

    def show_value(self, text: str, *, is_over: bool = False) -> None:
        """Show ``text``."""
        if self.value.text() != text:
            self.value.setText(text)
        if is_over != self._is_over:
            self._is_over = is_over
            self._dress()

    def _dress(self) -> None:
        colours = self._theme.colours
        colour = colours.warning if self._is_over else colours.text
        palette = self.value.palette()
        palette.setColor(palette.ColorRole.WindowText, colour)
        self.value.setPalette(palette)


class Inspector(QWidget):
    """Shows one `Moment` of a `Scene`; says what will appear while there is none."""

    step_requested = Signal(int)
    """How many interruptions to go on, or back."""
    heard_requested = Signal()
    gone_on_requested = Signal()
    copy_requested = Signal(str)
    """``text`` or ``json``."""
    following_toggled = Signal(bool)

    def __init__(self, theme: Theme, icons: Icons) -> None:
        """Begin empty."""
        super().__init__()
        self._theme = theme
        self._limits = Limits()
        self.moment: Moment | None = None
        self.title, self.caption = QLabel(), QLabel()
        self.figures = tuple(Figure(caption, tip, theme) for caption, tip in FIGURES)
        self.sound = QLabel()
        self.waterfall = Waterfall(theme)
        self.part = QLabel()
        self.close_up = CloseUp(theme)
        self.words = InspectorWords(theme)
        self.heard = QPushButton("As it was &heard")
        self.gone_on = QPushButton("As it would have &gone on")
        self.follow = QToolButton(self)
        self.copy = QToolButton(self)
        self._pages = QStackedLayout(self)
        self._build(icons)
        theme.changed.connect(self._dress)
        self.show_moment(None, Scene())

    def title_widgets(self) -> list[QWidget]:
        """Return what belongs in the title bar: following, and copying."""
        return [self.follow, self.copy]

    def entry(self) -> QWidget:
        """Return where the keyboard goes: into the chain, else to what can be pressed."""
        if self.moment is not None and self.moment.cut is not None:
            return self.waterfall
        return self.heard if self.moment is not None and self.heard.isEnabled() else self.follow

    def set_limits(self, limits: Limits) -> None:
        """Colour figures by other limits."""
        self._limits = limits
        self._show_figures()

    def show_moment(self, moment: Moment | None, scene: Scene) -> None:
        """Show ``moment``, or what will appear here."""
        is_another = moment != self.moment
        self.moment = moment
        self._pages.setCurrentIndex(0 if moment is None else 1)
        self.copy.setEnabled(moment is not None)
        self.close_up.show_moment(moment, scene)
        if is_another and moment is not None:
            self.title.setText(title_of(moment))
            self.title.setToolTip(CLASSES.get(moment.kind, "Its class is not certain, or not yet"))
            self.caption.setText(caption_of(moment))
            self._show_figures()
            self._show_sound(moment)
            self.waterfall.setVisible(moment.cut is not None)
            self.part.setVisible(moment.cut is not None)
            if moment.cut is not None:
                self.waterfall.show_parts(parts_of(moment.cut), estimated=moment.cut.estimated)
            self.words.show_moment(moment)
            self._dress()

    def show_listening(self, *, possible: bool, has_discarded: bool) -> None:
        """Say what can be listened to: nothing while a session runs."""
        self.heard.setEnabled(possible)
        self.gone_on.setEnabled(possible and has_discarded)

    def advance(self) -> None:
        """Let the close-up follow what is heard, and what becomes known: once a frame."""
        if self.isVisible() and self.moment is not None:
            self.close_up.advance()

    # -- within --------------------------------------------------------------------------------

    def _show_figures(self) -> None:
        moment = self.moment
        if moment is None:
            return
        mouth, time, discarded = self.figures
        mouth.show_value(mouth_text(moment), is_over=is_mouth_over(moment, self._limits))
        time.show_value(time_text(moment), is_over=is_time_over(moment, self._limits))
        discarded.show_value(discarded_text(moment))
        for figure in self.figures:
            figure.setVisible(moment.cut is not None)

    def _show_sound(self, moment: Moment) -> None:
        """Say what the microphone held before a false interrupt: it is why there was one."""
        text = sound_text(moment.cut.sound) if moment.cut is not None else ""
        self.sound.setText(text)
        self.sound.setVisible(bool(text))

    def _dress(self) -> None:
        colours, moment = self._theme.colours, self.moment
        is_trouble = moment is not None and moment.kind in TROUBLE
        palette = self.title.palette()
        colour = colours.interruption if is_trouble else colours.text
        palette.setColor(palette.ColorRole.WindowText, colour)
        self.title.setPalette(palette)

    # -- building ------------------------------------------------------------------------------

    def _build(self, icons: Icons) -> None:
        empty = QLabel(EMPTY)
        empty.setWordWrap(True)
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        empty.setForegroundRole(empty.palette().ColorRole.PlaceholderText)
        empty.setContentsMargins(2 * GRID, 0, 2 * GRID, 0)
        self._pages.addWidget(empty)
        self._pages.addWidget(self._build_page(icons))
        self._tool(icons, self.follow, "follow", "Follow the newest interruption of a session")
        self.follow.setCheckable(True)
        self.follow.toggled.connect(self.following_toggled)
        self._tool(icons, self.copy, "copy", "Copy this interruption as text or as JSON")
        self.copy.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.copy)
        menu.addAction("Copy as &text", lambda: self.copy_requested.emit("text"))
        menu.addAction("Copy as &JSON", lambda: self.copy_requested.emit("json"))
        self.copy.setMenu(menu)

    def _build_page(self, icons: Icons) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, GRID // 2, GRID, 0)
        column.setSpacing(GRID)
        column.addLayout(self._build_head(icons))
        column.addLayout(self._build_figures())
        column.addWidget(self._build_sound())
        column.addWidget(self.waterfall)
        column.addWidget(self._build_part())
        column.addWidget(self.close_up)
        column.addWidget(self.words, 1)
        scrolled = QScrollArea()
        scrolled.setWidget(page)
        scrolled.setWidgetResizable(True)
        scrolled.setFrameShape(QFrame.Shape.NoFrame)
        scrolled.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        whole = QWidget()
        rows = QVBoxLayout(whole)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(GRID // 2)
        rows.addWidget(scrolled, 1)
        rows.addLayout(self._build_listening(icons))
        return whole

    def _build_sound(self) -> QLabel:
        sound = self.sound
        sound.setTextFormat(Qt.TextFormat.PlainText)
        sound.setFont(small())
        sound.setWordWrap(True)
        sound.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return sound

    def _build_part(self) -> QLabel:
        """Return the lines below the waterfall that say what its chosen part is."""
        part = self.part
        part.setTextFormat(Qt.TextFormat.PlainText)
        part.setFont(small(-1.0))
        part.setWordWrap(True)
        part.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        # room for the longest of them: what stands below is to stay where it is
        part.setMinimumHeight(PART_LINES * part.fontMetrics().lineSpacing())
        self.waterfall.part_chosen.connect(lambda: part.setText(self.waterfall.told))
        return part

    def _build_head(self, icons: Icons) -> QHBoxLayout:
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setFont(tabular(2.0, bold=True))
        self.caption.setTextFormat(Qt.TextFormat.PlainText)
        self.caption.setFont(small(-1.0))
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addWidget(self.title)
        texts.addWidget(self.caption)
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addLayout(texts, 1)
        for name, steps, tip in (
            ("previous", -1, "Previous interruption (Shift+N)"),
            ("next", 1, "Next interruption (N)"),
        ):
            button = QToolButton()
            self._tool(icons, button, name, tip)
            button.clicked.connect(lambda _=False, steps=steps: self.step_requested.emit(steps))
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        return row

    def _build_figures(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(GRID)
        for number, figure in enumerate(self.figures):
            grid.addWidget(figure, 0, number)
            grid.setColumnStretch(number, 1)
        return grid

    def _build_listening(self, icons: Icons) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, GRID, 0)
        row.setSpacing(GRID // 2)
        for button, icon, tip, wish in (
            (
                self.heard,
                "listen",
                "Play it as it was heard: both parties, from 2 s before to 1.5 s after (H)",
                self.heard_requested,
            ),
            (
                self.gone_on,
                "start",
                "Play it as if no interrupt had come: the discarded audio is played on from the "
                "cut (J). The discarded audio alone: G",
                self.gone_on_requested,
            ),
        ):
            icons.put(button, icon)
            button.setToolTip(tip)
            button.setFixedHeight(CONTROL_HEIGHT)
            button.clicked.connect(lambda _=False, wish=wish: wish.emit())
            row.addWidget(button, 1)
        return row

    @staticmethod
    def _tool(icons: Icons, button: QToolButton, icon: str, tip: str) -> None:
        button.setAutoRaise(True)
        icons.put(button, icon)
        button.setToolTip(tip)
        button.setAccessibleName(tip.split(" (", maxsplit=1)[0])
