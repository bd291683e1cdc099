"""Text of others in tooltips: shown as it is, and nowhere put together without that."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from PySide6.QtGui import Qt, QTextDocument

from tests.ui.fakes import FakeDevice
from ui.parts.device_picker import DevicePicker
from ui.parts.tips import plain_tip

UI = Path(__file__).parents[3] / "ui"
EVIL = "<h1>Evil</h1><font color=red>head</font>set"
SHOWN = ("QToolTip.showText", "setToolTip")


def as_shown(tip: str) -> str:
    """What a person reads in a tooltip."""
    if not Qt.mightBeRichText(tip):
        return tip
    document = QTextDocument()
    document.setHtml(tip)
    return document.toPlainText()


@pytest.mark.parametrize("text", [EVIL, "a < b & c", "<b>one</b>\ntwo", "&lt;b>", "plain", ""])
def test_a_tip_shows_a_text_as_it_is(text):
    assert as_shown(plain_tip(text)) == text


def test_a_device_and_a_file_may_be_called_anything(application):
    picker = DevicePicker("microphone")
    picker.offer([FakeDevice("pulse:x", EVIL, "microphone")])
    picker.choose("pulse:x")
    assert as_shown(picker.toolTip()) == f"Microphone: {EVIL}"
    picker.choose("/tmp/<img src=x>.wav")
    assert as_shown(picker.toolTip()) == "Microphone: File: <img src=x>.wav"
    picker.offer([], "<i>nothing</i>")
    assert as_shown(picker.toolTip()) == "<i>nothing</i>"
    picker.deleteLater()


def is_safe(node: ast.expr) -> bool:
    """Whether a tip is a text of our own, is made plain, or was put together elsewhere."""
    if isinstance(node, ast.IfExp):
        return is_safe(node.body) and is_safe(node.orelse)
    if isinstance(node, ast.JoinedStr):
        return all(
            is_safe(part.value) for part in node.values if isinstance(part, ast.FormattedValue)
        )
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) in OURS
    name = ast.unparse(node).lower()
    return isinstance(node, ast.Constant) or name in OWN_TEXTS or name.startswith("style_tips[")


OURS = {"plain_tip", "in_lines", "self.tip_at", "self.tip_of", "classes.get", "CLASSES.get"} | {
    "self.agent.currentData"  # one of AGENTS
}
OWN_TEXTS = {
    *("tip", "key", "table_tip", "offset_tip", "name"),
    *("each.sentence", "info.name", "info.definition"),
}


def test_no_tip_is_put_together_from_what_others_wrote():
    unsafe = []
    for path in sorted(UI.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(SHOWN):
                tip = node.args[1 if ast.unparse(node.func) == SHOWN[0] else 0]
                if not is_safe(tip):
                    unsafe.append(f"{path.relative_to(UI)}:{node.lineno}: {ast.unparse(tip)}")
    assert unsafe == []
