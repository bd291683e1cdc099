"""What the health panel says of a session: counters in words, with their units. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.analysis.turn_records import Response
    from ui.feed import SessionFeed

RATE = 16_000
UNDERRUNS = "Underruns"


def health_facts(feed: SessionFeed) -> dict[str, str]:
    """Return label and value of everything worth watching, in the order to show it."""
    session = feed.session
    facts = {
        "Microphone": session.facts.microphone or "–",
        "Speaker": session.facts.speaker or "–",
        "Playout queue": f"{session.queued_ms:.0f} ms",
        "Playout times": "estimated" if session.is_estimated else "from the device",
        UNDERRUNS: underruns_text(feed.tracker.responses),
    }
    for name, count in session.health().items():
        facts[counter_label(name)] = counter_text(name, count)
    facts["Events"] = f"{session.timeline.appended}"
    facts["Events not shown"] = f"{feed.lost}"
    return facts


def underruns_text(responses: Sequence[Response]) -> str:
    """Return how often the playout queue ran dry inside the agent's turns, and for how long."""
    from app.analysis.responses import underruns_in

    count, ms = underruns_in(responses)
    return f"{count} ({ms / 1000:.2f} s)" if count else "0"


def counter_label(name: str) -> str:
    """Return a counter's name for a person: ``input_xruns`` becomes ``Input xruns``."""
    return name.replace("_samples", "").replace("_", " ").capitalize()


def counter_text(name: str, count: float) -> str:
    """Return a counter with its unit: samples as seconds of audio, the rest as they are."""
    if name.endswith("_samples"):
        return f"{count / RATE:.2f} s"
    return f"{count}"
