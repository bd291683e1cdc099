"""Tooltips that show what others wrote as they wrote it. Main thread only.

A tooltip guesses whether its text is rich: a sound device called ``<h1>Evil</h1>`` would be a
heading, and a picture in a file's name would be looked for.
"""

from __future__ import annotations

from html import escape

from PySide6.QtGui import Qt


def plain_tip(text: str) -> str:
    """Return the tooltip that shows ``text`` as it is, markup and line breaks among it."""
    if not Qt.mightBeRichText(text):
        return text
    return f"<span>{escape(text).replace(chr(10), '<br>')}</span>"
