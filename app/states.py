"""The states of a session and the reasons for its end, in words that a person would use."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """What a session is doing."""

    IDLE = "idle"
    CONNECTING = "connecting"
    RUNNING = "running"
    ENDING = "ending"
    ENDED = "ended"
    FAILED = "failed"

    @property
    def over(self) -> bool:
        """Whether the session has ended, one way or the other."""
        return self in (State.ENDED, State.FAILED)


class EndReason(StrEnum):
    """Why a session ended."""

    USER = "user"
    AGENT = "agent"
    INPUT_ENDED = "input_ended"
    REFUSED_KEY = "refused_key"
    UNKNOWN_AGENT = "unknown_agent"
    NO_NETWORK = "no_network"
    SERVER_CLOSED = "server_closed"
    SERVER_SILENT = "server_silent"
    SERVER_ERROR = "server_error"
    DEVICE = "device"
    RECORDING = "recording"
    INTERNAL = "internal"

    @property
    def failed(self) -> bool:
        """Whether a session that ends for this reason has failed."""
        return self not in (EndReason.USER, EndReason.AGENT, EndReason.INPUT_ENDED)


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a session ended: a whole sentence for a person, and what to do about it, if anything."""

    reason: EndReason
    sentence: str
    advice: str = ""

    def __post_init__(self) -> None:
        """Begin with a capital where the sentence begins with “the”; names of hosts stay."""
        if self.sentence.startswith("the "):
            object.__setattr__(self, "sentence", f"T{self.sentence[1:]}")

    @property
    def text(self) -> str:
        """The sentence and the advice."""
        return f"{self.sentence} {self.advice}".strip()
