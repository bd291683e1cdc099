"""Exports: a session, or a stretch of it, in the formats that other tools read.

``exporting`` carries an order out, ``formats`` says what there is to choose from. Importing this
brings no audio library along: a window may ask what the formats are before anything is read.
"""

from __future__ import annotations

from pathlib import Path


def save_audio(bundle: Path, target: Path, *, apart: bool = False) -> list[Path]:
    """Write a recording's audio as WAV: see ``app.export.saving``. Blocks on the disk."""
    from app.export.saving import save_audio as save

    return save(bundle, target, apart=apart)
