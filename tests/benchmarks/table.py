"""Figures, the bars they are held to, and how both are shown."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Figure:
    """One measured value; ``bar`` is the most it may be, ``rival`` what another tool did."""

    name: str
    value: float
    unit: str
    bar: float | None = None
    rival: float | None = None
    rival_name: str = ""
    detail: str = ""

    @property
    def holds(self) -> bool:
        return self.bar is None or self.value <= self.bar


def percentile(values: Sequence[float], which: float) -> float:
    """Return a percentile; NaN of nothing, so that a benchmark that measured nothing shows it."""
    return float(np.percentile(values, which)) if len(values) else float("nan")


def spread(values: Sequence[float]) -> str:
    """Return median, p95 and worst in words."""
    return (
        f"median {percentile(values, 50):.3g}, p95 {percentile(values, 95):.3g}, "
        f"worst {percentile(values, 100):.3g}, n = {len(values)}"
    )


def to_markdown(figures: Sequence[Figure]) -> str:
    """Return the table as Markdown, which is also fit for a terminal."""
    rows = [("figure", "measured", "bar", "rival", "detail")]
    rows += [
        (
            figure.name,
            f"{figure.value:.3g} {figure.unit}" + ("" if figure.holds else " (misses)"),
            "–" if figure.bar is None else f"{figure.bar:.3g} {figure.unit}",
            "–"
            if figure.rival is None
            else f"{figure.rival:.3g} {figure.unit} ({figure.rival_name})",
            figure.detail,
        )
        for figure in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def write_json(figures: Sequence[Figure], path: Path) -> None:
    """Write the figures with the date and the machine they were measured on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "figures": [asdict(figure) | {"holds": figure.holds} for figure in figures],
    }
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
