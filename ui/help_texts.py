"""Texts of the Help menu."""

from __future__ import annotations

KEYS = (
    ("Ctrl+Return", "Start a session"),
    ("Ctrl+E", "End it"),
    ("Esc", "Interrupt the agent; stop listening to a recording"),
    ("M", "Mute the microphone, or open it again"),
    ("L", "Listen to the recording, or stop"),
    ("Ctrl+R", "Replay the user track to the agent"),
    ("Ctrl+S, Ctrl+Shift+S", "Save the audio; save the tracks apart"),
    ("Wheel, + and −, Ctrl++ and Ctrl+−", "Zoom the timeline"),
    ("Drag, Shift+wheel, ← and →", "Move the timeline"),
    ("F", "Show the whole session"),
    ("Ctrl+L", "Follow “now”"),
    ("Home, End", "Go to the beginning or the end (in the timeline)"),
    ("Ctrl+Home, Ctrl+End", "The same, from anywhere"),
    ("Click the timeline", "Go on listening from there"),
    ("Ctrl+1 … Ctrl+5", "Bring a panel to the front; put it away if it is there"),
    ("Ctrl+O", "Show the recording's folder"),
    ("Ctrl+G", "Set up the ElevenLabs agent"),
)

WORDS = (
    (
        "Heard, discarded",
        "Agent audio that was played; agent audio thrown away by an interrupt "
        "before it was played.",
    ),
    (
        "Interrupt",
        "The command that empties the playout queue: from the agent's server, the "
        "button, or local VAD.",
    ),
    ("Time to silence", "From the interrupt() call to the last agent sample leaving the speaker."),
    (
        "Mouth to silence",
        "From the onset of the user's speech to that same moment: what a person feels.",
    ),
    (
        "Response latency",
        "From the end of the user's speech to the first agent sample leaving the speaker.",
    ),
    ("Underrun", "The playout queue ran dry inside an agent turn."),
    ("Xrun", "Overflow or underflow that the device reports."),
    ("dBFS", "Level against full scale; 0 is clipping."),
    ("–", "Not known. What is estimated is marked ≈."),
)

ABOUT = (
    (
        "Turnscope",
        "An instrument for people who build voice agents: what the microphone heard, what "
        "the agent sent, what the speaker played, and how fast the agent went quiet, on one clock.",
    ),
    ("Licence", "MIT"),
)
