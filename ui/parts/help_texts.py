"""Texts of the Help menu."""

from __future__ import annotations

KEYS = (
    ("Ctrl+Return", "Start a session"),
    ("Ctrl+E", "End it"),
    ("Esc", "Interrupt the agent; stop playing a recording; end the selection"),
    ("M", "Mute the microphone, or open it again"),
    ("Ctrl+O, Ctrl+Shift+O", "Open a recording; open an audio file or a zip (or drop one)"),
    ("Ctrl+R", "Replay the user track to the agent"),
    ("Space", "Play, pause, go on"),
    ("P, L", "Play the selection; play it, or all, in a loop"),
    (", and .", "Play slower, faster"),
    ("U, A, with Shift", "Mute user or agent; hear one alone"),
    ("Click, Alt+← and Alt+→", "Set the playhead; with Ctrl by the least step"),
    ("Drag, Shift+← and Shift+→", "Select; with Ctrl by the least step, Shift+Home and End"),
    ("[ and ]", "Let the selection begin, or end, at the playhead"),
    ("Ctrl+A, Ctrl+Shift+A", "Select all, select nothing"),
    ("K", "Set a marker: at “now”, at the playhead, or on the selection"),
    ("Ctrl+Page up, Ctrl+Page down", "Go to the marker before, to the next"),
    ("Wheel, + and −, Ctrl++ and Ctrl+−", "Zoom the timeline"),
    ("Z, F", "Show just the selection; show the whole session"),
    ("Shift+drag, middle button, Shift+wheel", "Move the timeline; or drag its ruler"),
    ("← and →, Page up and Page down", "The same by keys; with Ctrl by half a width"),
    ("Home, End", "Go to the beginning or the end (with Ctrl from anywhere)"),
    (
        "Alt+wheel, Ctrl+Shift+↑ and ↓",
        "Raise what is quiet, lower it again; so do Ctrl+Shift+wheel and the wheel on the scale",
    ),
    ("Ctrl+0", "Full scale at the lanes' edges again"),
    ("D", "Levels in dB"),
    ("Ctrl+L", "Follow “now”, or the playhead"),
    ("N, Shift+N", "Open the next interruption in the inspector, the one before"),
    ("Double click, or Enter in the table", "Open an interruption in the inspector"),
    ("↑ and ↓ in the chain", "Read what each part of an interruption is"),
    ("H, J, G", "Hear it as it was; as it would have gone on; the discarded audio alone"),
    ("Click on discarded audio", "Listen to it"),
    ("Ctrl+Shift+E", "Export the recording, or the selection"),
    ("Ctrl+S, Ctrl+Shift+S", "Save the audio; save the tracks apart"),
    ("Ctrl+Shift+F", "Show the recording's folder"),
    ("Enter in events, Ctrl+J", "Go to the event's moment; back to the events at the playhead"),
    ("Ctrl+I, Ctrl+H, Ctrl+Shift+I", "Show only events of this type, hide them, show all"),
    ("Ctrl+F", "Search the recordings; filter events, or interruptions"),
    ("Enter in the transcript", "Set the playhead to the word"),
    ("Ctrl+1 … Ctrl+9, Ctrl+Shift+1", "Go to a panel; from there back to the timeline"),
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
    (
        "Late, false, missed",
        "A barge-in whose mouth to silence is over the limit; an interrupt with no user speech "
        "behind it; user speech of 1 s or more over the agent's that no interrupt follows.",
    ),
    (
        "Backchannel, talked over",
        "Short user speech over the agent's that rightly did not interrupt; the agent began "
        "while the user spoke.",
    ),
    ("Underrun", "The playout queue ran dry inside an agent turn."),
    ("Xrun", "Overflow or underflow that the device reports."),
    ("dBFS", "Level against full scale; 0 is clipping."),
    ("Peak, RMS", "The sample farthest from zero; the root of the mean square of all samples."),
    ("Playhead", "Session time of what leaves the speaker while a recording is played."),
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
