"""What leads where in the window: signals of its parts, and the entries of its menu.

Main thread only. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QAction

from ui.parts.help_dialog import HelpDialog
from ui.parts.help_texts import ABOUT, KEYS, WORDS

if TYPE_CHECKING:
    from ui.main_window import MainWindow

Pairs = list[tuple[QAction, Callable[[], object]]]


def wire_parts(window: MainWindow) -> None:
    """Connect rows, timeline and panels, and what has something to tell."""
    _wire_rows(window)
    _wire_timeline(window)
    _wire_panels(window)
    window.opening.recovered.connect(window.show_recovered)
    telling = (window.choices, window.opening, window.remarks, window.others)
    for source in (window.desk, window.playing, window.measuring, *telling):
        source.failed.connect(window.show_error)
    for source in (window.recording, *telling):
        source.told.connect(window.parts.notices.add)


def _wire_rows(window: MainWindow) -> None:
    bar, row = window.parts.transport, window.parts.devices
    bar.start_requested.connect(window.start)
    bar.end_requested.connect(window.desk.end)
    bar.interrupt_requested.connect(window.interrupt)
    bar.mute_requested.connect(window.desk.set_muted)
    row.user_meter.clip_reset_requested.connect(lambda: window.viewing.reset_clip("user"))
    row.agent_meter.clip_reset_requested.connect(lambda: window.viewing.reset_clip("agent"))


def _wire_timeline(window: MainWindow) -> None:
    timeline = window.parts.timeline
    timeline.moment_clicked.connect(window.playing.move_playhead)
    timeline.playhead_wished.connect(window.playing.move_playhead)
    timeline.following_changed.connect(window.menu.follow.setChecked)
    timeline.selection_changed.connect(window.keep_drawing)
    timeline.selection_bar.marker_requested.connect(window.remarks.mark_here)
    bar = timeline.recording_bar
    bar.replay_requested.connect(window.replay)
    bar.export_requested.connect(window.export)
    bar.folder_requested.connect(window.recording.show_folder)


def _wire_panels(window: MainWindow) -> None:
    parts, timeline = window.parts, window.parts.timeline
    parts.transcript.text_entered.connect(window.desk.send_text)
    for move in (window.playing.move_playhead, timeline.reveal):
        parts.transcript.moment_chosen.connect(move)
    parts.transcript.interruption_chosen.connect(parts.interruptions.select)
    parts.transcript.overlap_chosen.connect(parts.interruptions.select_overlap)
    _wire_limits(window)
    parts.events.moment_activated.connect(timeline.go)
    parts.events.playhead_wanted.connect(lambda: parts.events.show_moment(timeline.moment))
    parts.turns.moment_chosen.connect(timeline.go)
    parts.findings.moment_chosen.connect(timeline.show_moment)
    _wire_library(window)
    parts.markers.add_requested.connect(window.remarks.mark_here)


def _wire_limits(window: MainWindow) -> None:
    parts, limits = window.parts, window.limits
    parts.interruptions.limits.limit_changed.connect(limits.set)
    parts.turns.limit_changed.connect(lambda ms: limits.set("response_latency_ms", ms))
    # the last of them has the panels drawn anew
    for told in (parts.turns, parts.transcript, parts.findings, window.inspecting, window.viewing):
        limits.changed.connect(told.set_limits)
    window.inspecting.set_limits(limits.limits)
    parts.turns.set_limits(limits.limits)
    parts.transcript.set_limits(limits.limits)
    parts.findings.set_limits(limits.limits)


def _wire_library(window: MainWindow) -> None:
    library = window.parts.library
    library.open_requested.connect(window.open_path)
    library.replay_requested.connect(window.replay)
    library.export_requested.connect(window.export)
    library.compare_requested.connect(window.others.compare)
    library.renamed.connect(window.remarks.read_again)
    library.keeper = window.remarks.notebook
    window.remarks.is_named_elsewhere = library.is_naming
    window.remarks.notebook.written.connect(library.read_again)
    library.trashed.connect(window.tell_trashed)
    library.told.connect(window.parts.notices.add)
    library.failed.connect(window.show_error)


def wire_menu(window: MainWindow) -> None:
    """Connect every entry of the menu."""
    menu = window.menu
    menu.add_panels(window.parts.docks, window.parts.bring)
    menu.add_play(window.parts.player.actions())
    window.give_space(menu.play)
    window.keep_keys(QKeyCombination(Qt.KeyboardModifier.ControlModifier, Qt.Key.Key_E))
    menu.connect_all(_file_entries(window))
    menu.connect_all(_session_entries(window))
    menu.connect_all(_edit_entries(window))
    menu.connect_all(_view_entries(window))
    menu.connect_all(_help_entries(window))
    menu.connect_all(
        (action, lambda name=name: window.theme.choose(name))
        for name, action in menu.schemes.items()
    )


def _file_entries(window: MainWindow) -> Pairs:
    menu, recording = window.menu, window.recording
    return [
        (menu.open, window.opening.ask_folder),
        (menu.open_file, window.opening.ask_file),
        (menu.export, window.export),
        (menu.save, lambda: window.save_audio("wav")),
        (menu.save_apart, lambda: window.save_audio("tracks")),
        (menu.compare, window.compare),
        (menu.show_folder, recording.show_folder),
        (menu.recordings, window.choices.choose_folder),
        (menu.quit, window.close),
    ]


def _session_entries(window: MainWindow) -> Pairs:
    menu, desk = window.menu, window.desk
    return [
        (menu.start, window.start),
        (menu.end, desk.end),
        (menu.interrupt, window.interrupt),
        (menu.mute, lambda: desk.set_muted(menu.mute.isChecked())),
        (menu.replay, window.replay),
        (menu.agent_form, window.choices.edit_agent),
    ]


def _edit_entries(window: MainWindow) -> Pairs:
    menu, timeline = window.menu, window.parts.timeline
    return [
        (menu.marker, window.remarks.mark_here),
        (menu.previous_marker, lambda: window.remarks.go_to_next(-1)),
        (menu.next_marker, lambda: window.remarks.go_to_next(1)),
        (menu.previous_interruption, lambda: window.inspecting.step(-1)),
        (menu.next_interruption, lambda: window.inspecting.step(1)),
        (menu.select_all, timeline.select_all),
        (menu.select_none, lambda: timeline.select(None)),
        (menu.select_from, lambda: timeline.select_to_playhead(0)),
        (menu.select_to, lambda: timeline.select_to_playhead(1)),
        (menu.swap, window.swap),
        (menu.play, window.parts.player.toggle_play),
        (menu.listen, window.inspecting.listen),
        (menu.gone_on, window.inspecting.listen_gone_on),
        (menu.discarded, window.inspecting.listen_to_discarded),
    ]


def _view_entries(window: MainWindow) -> Pairs:
    menu, timeline = window.menu, window.parts.timeline
    return [
        (menu.zoom_in, lambda: timeline.zoom(1.5)),
        (menu.zoom_out, lambda: timeline.zoom(1 / 1.5)),
        (menu.fit, timeline.fit),
        (menu.zoom_selection, timeline.zoom_to_selection),
        (menu.follow, lambda: timeline.set_following(menu.follow.isChecked())),
        (menu.beginning, lambda: timeline.go(0.0)),
        (menu.last, lambda: timeline.go(timeline.scene.duration_s)),
        (menu.decibels, lambda: timeline.set_db(menu.decibels.isChecked())),
        (menu.raise_quiet, lambda: timeline.lanes.show_amplitude(steps=1)),
        (menu.lower_quiet, lambda: timeline.lanes.show_amplitude(steps=-1)),
        (menu.full_scale, timeline.lanes.reset_amplitude),
        (menu.reset_layout, window.parts.reset),
    ]


def _help_entries(window: MainWindow) -> Pairs:
    menu = window.menu
    return [
        (menu.keys, lambda: HelpDialog("Keys", KEYS, window).show()),
        (menu.words, lambda: HelpDialog("What the numbers mean", WORDS, window).show()),
        (menu.about, lambda: HelpDialog("About Turnscope", ABOUT, window).show()),
    ]
