"""The turns of a recording whose events do not tell what its tracks hold. Waits for the disk."""

from __future__ import annotations

import threading
from collections.abc import Callable

from app.analysis.turns import TurnTracker
from app.recordings.recorded_events import RecordedEvents
from app.recordings.recorded_sound import SECONDS_A_SECOND, SoundFound, listen, listen_to_file
from app.recordings.sources import SampleSource
from app.recordings.turns_found import TurnsFound, find_turns
from app.timeline.events import Interrupted
from audio.errors import FileError

FROM_SOUND = (
    "It has no events: turns, overlaps and interruptions were found by sound alone, and what "
    "looks like an interruption is estimated."
)
ONE_PARTY = "It has one channel and no events: the speech of one party was found, by sound alone."
OLDER = (
    "It was recorded by an older version, and the agent's voice is on the user track: where the "
    "user speaks was worked out from the tracks anew."
)


def turns_by_sound(
    timeline: RecordedEvents,
    user: SampleSource | None,
    agent: SampleSource | None,
    stopping: threading.Event,
    note: Callable[[float], None],
    *,
    pause_s: float,
) -> TurnsFound | None:
    """Listen to the tracks, and return the turns; None where ``stopping`` is set before the end.

    ``note`` is told how many seconds of work are done, more or less; a silence of ``pause_s`` ends
    a turn. A track that cannot be read is told of among the warnings.
    """

    def heard(seconds: float) -> None:
        note(seconds / SECONDS_A_SECOND)

    try:
        if timeline.appended == 0:
            return _of_file(user, agent, stopping, heard, pause_s)
        cuts = timeline.of_type(Interrupted)
        sound = None if user is None else listen(user, agent, cuts, stopping, heard)
    except FileError as error:
        return _with_warning(_of_events(timeline, stopping, pause_s), str(error))
    if stopping.is_set():
        return None
    found = _of_events(timeline, stopping, pause_s, sound)
    return _with_warning(found, OLDER) if sound is not None and sound.has_echo else found


def _of_file(
    user: SampleSource | None,
    agent: SampleSource | None,
    stopping: threading.Event,
    heard: Callable[[float], None],
    pause_s: float,
) -> TurnsFound | None:
    events = [] if user is None else listen_to_file(user, agent, stopping, heard)
    if events is None:
        return None
    tracker = TurnTracker(pause_s)
    for event in events:
        tracker.feed(event)
        if tracker.is_full:
            break
    found = tracker.user_turns or tracker.agent_turns
    about = [ONE_PARTY if agent is None else FROM_SOUND] if found else []
    return TurnsFound.of(tracker, [*about, *tracker.warnings])


def _of_events(
    timeline: RecordedEvents,
    stopping: threading.Event,
    pause_s: float,
    sound: SoundFound | None = None,
) -> TurnsFound | None:
    return find_turns(timeline, stopping, lambda _done: None, pause_s, sound)


def _with_warning(found: TurnsFound | None, sentence: str) -> TurnsFound | None:
    if found is not None:
        found.warnings.append(sentence)
    return found
