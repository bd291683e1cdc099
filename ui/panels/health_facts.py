"""What the health panel says of a session: counters in words, with their units. No Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ui.feed import SessionFeed

RATE = 16_000


def health_facts(feed: SessionFeed) -> dict[str, str]:
    """Return label and value of everything worth watching, in the order to show it."""
    session = feed.session
    facts = {
        "Microphone": session.facts.microphone or "–",
        "Speaker": session.facts.speaker or "–",
        "Playout queue": f"{session.queued_ms:.0f} ms",
        "Playout times": "estimated" if session.is_estimated else "from the device",
    }
    for name, count in session.health().items():
        facts[counter_label(name)] = counter_text(name, count)
    facts["Events"] = f"{session.timeline.appended}"
    facts["Events not shown"] = f"{feed.lost}"
    return facts


def counter_label(name: str) -> str:
    """Return a counter's name for a person: ``input_xruns`` becomes ``Input xruns``."""
    return name.replace("_samples", "").replace("_", " ").capitalize()


def counter_text(name: str, count: float) -> str:
    """Return a counter with its unit: samples as seconds of audio, the rest as they are."""
    if name.endswith("_samples"):
        return f"{count / RATE:.2f} s"
    return f"{count}"
