"""What each line of the health panel counts, with its unit: its tooltips. No Qt."""

from __future__ import annotations

from collections.abc import Mapping

NOT_SENT = "Audio of the microphone's that the agent was not sent, in seconds: "

TIPS: Mapping[str, str] = {
    "Microphone": "What the user's audio came from",
    "Speaker": "What the agent's audio went to",
    "Playout queue": "Agent audio that has arrived and is not yet played, in ms",
    "Playout times": (
        "Whether the device tells when each agent sample leaves the speaker; where it does not, "
        "the times are modelled, and figures drawn from them are marked ≈"
    ),
    "User audio": "The format in which the agent was sent audio",
    "Agent audio": "The format in which the agent sent audio",
    "Underruns": (
        "Times the playout queue ran dry inside an agent turn, because the rest of the reply came "
        "too late, and how long it was dry in all. The pause between two replies is none."
    ),
    "Captured": "Audio from the microphone, in seconds",
    "Mic chunks": "Chunks of the microphone's audio that were handed over for the agent",
    "Dropped input": f"{NOT_SENT}it was too slow to take what came before",
    "Callback errors": "Mic chunks that could not be handed over: the hand-over failed",
    "Chunks not handed over": "Mic chunks that could not be handed over: the hand-over failed",
    "Input xruns": "Times the microphone's device reported that it lost audio (an overflow)",
    "Output xruns": "Times the speaker's device reported that it ran out of audio (an underflow)",
    "Agent chunks": "Chunks of agent audio that were given to the playout queue",
    "Received": "Agent audio that was given to the playout queue, in seconds",
    "Heard": "Agent audio that was played, in seconds",
    "Discarded": (
        "Agent audio that was thrown away before it was played, in seconds: by interrupts, at the "
        "session's end, and where the playout queue was full"
    ),
    "Dropped output": (
        "Agent audio that was thrown away because the playout queue was full, in seconds"
    ),
    "Interrupts": "Times the playout queue was emptied, by whomever",
    "Held back": (
        "Agent audio that was not played, in seconds: it was the rest of a reply that you had "
        "interrupted with the button"
    ),
    "Unsent mic": f"{NOT_SENT}it began the conversation too late",
    "Unanalysed agent": (
        "Agent audio that is missing in what was received, in seconds: the analysis was too late"
    ),
    "User gap": "Silence that stands on the user track for audio that never came, in seconds",
    "User trimmed": (
        "Audio that was cut from the user track, in seconds, because it came before the place it "
        "belongs at"
    ),
    "Agent gap": (
        "Silence that stands on the agent track where the device gave no account, in seconds"
    ),
    "Agent trimmed": (
        "Audio that was cut from the agent track, in seconds, because it came before the place it "
        "belongs at"
    ),
    "Mic file late": "Silence in place of the caller's file, in seconds: the disk was late",
    "Mic file skipped": "Time let go of, in seconds: the machine was suspended",
    "Speaker file lost": "Silence in the listener's file, in seconds: the disk was late",
    "Speaker file skipped": (
        "Silence in the listener's file, in seconds: the machine was suspended"
    ),
    "Unrecorded": "Silence in the recorded tracks, in seconds: the disk did not take the audio",
    "Unrecorded received": (
        "Agent audio that is missing in the recording of all that was received, in seconds"
    ),
    "Unrecorded events": "Events that the disk did not take in time",
    "Waiting for disk": "Audio that is not in the recording's files yet, in seconds",
    "Gaps": "Stretches of a track that are silent because the audio was lost",
    "Device faults": "Times a device stopped working",
    "Recorder troubles": "Times the recording could not be written as it should",
    "Protocol troubles": "Messages of the agent that made no sense, or came when they should not",
    "Not recorded": "How much of the session is missing in the recording, in seconds",
    "Events": "Everything that was noted of the session: messages, audio, states, troubles",
    "Events not shown": "Events that were let go of before this window had read them",
}
"""By label. A line that is not among them has no tooltip."""
