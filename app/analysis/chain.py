"""The chain of an interruption, from the user's mouth to silence and on, in named parts. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from app.analysis.turn_records import Interruption

SAME_S = 0.002
"""When a block was captured is told by the device's clock, which ours follows to a ms or so: an end
this little before its start is the same moment."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the chain. ``start`` and ``stop`` are session seconds, None where not known."""

    name: str
    definition: str
    start: float | None
    stop: float | None

    @property
    def ms(self) -> float | None:
        """How long it took; None where an end of it is not known, or came well before its start."""
        if self.start is None or self.stop is None or self.stop < self.start - SAME_S:
            return None
        return max(self.stop - self.start, 0.0) * 1000


DEFINITIONS = {
    "mic chunk": "From the onset of the user's speech to the end of the mic chunk that carried it.",
    "sending": "From the end of that mic chunk until it had been handed to the network.",
    "agent": "From there to the agent's message of the interruption: the network both ways, and "
    "the time in which the agent made sure that somebody speaks.",
    "flush": "From the agent's message to the interrupt, which empties the playout queue.",
    "playout": "From the interrupt to the last agent sample leaving the speaker: "
    "the time to silence.",
    "pause": "From silence to the first sample of the agent's next turn.",
}
"""The parts by name, in their order."""


def parts_of(cut: Interruption) -> tuple[Part, ...]:
    """Return the six parts of the chain, in order; what is not known is None."""
    moments = (
        cut.user_onset,
        cut.chunk_ended_at,
        cut.chunk_sent_at,
        cut.told_at,
        cut.at,
        cut.silent_at,
        cut.agent_next_at,
    )
    return tuple(
        Part(name, definition, start, stop)
        for (name, definition), start, stop in zip(
            DEFINITIONS.items(), moments, moments[1:], strict=False
        )
    )
