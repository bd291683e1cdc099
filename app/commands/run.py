"""A session without a screen: it runs to its end, shows progress, and is summed up.

The main thread enters, and stays; everything else is the session's own.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TextIO

from app.analysis.responses import underruns_in
from app.analysis.turn_records import Spread
from app.analysis.turns import TurnTracker
from app.commands.exit_codes import DEVICE_OR_FILE, FAILED, INTERRUPTED, OK
from app.live.session import EndReason, Session, State
from app.plain import one_line, printable
from app.secrets import scrub
from app.timeline.events import Interrupted, StateChanged, Trouble

UNKNOWN = "–"


@dataclass(frozen=True, slots=True)
class RunPlan:
    """When to interrupt and when to end. Times are session seconds from when the session runs."""

    seconds: float | None = None
    """End after so long; None for no limit."""
    interrupt_at: Sequence[float] = field(default_factory=tuple)
    input_ended: threading.Event | None = None
    """Set when the caller's file has ended; None where the caller goes on for ever."""
    quiet_s: float = 4.0
    """How long both must have been quiet after the caller's file has ended."""
    title: str = ""
    """What the recording is to be called."""


class Runner:
    """Runs one session to its end. ``progress`` is for a person, and may be a terminal."""

    TICK_S = 0.05
    END_S = 10.0

    def __init__(self, session: Session, plan: RunPlan, progress: TextIO) -> None:
        """Prepare; ``run`` starts the session."""
        self.tracker = TurnTracker()
        self._session = session
        self._plan = plan
        self._progress = Progress(progress)
        self._cursor = 0
        self._interrupts = 0
        self._pending = sorted(plan.interrupt_at)
        self._running_since: float | None = None
        self._last_sound = 0.0

    def run(self) -> int:
        """Run to the end and return the exit code. Ctrl+C ends the session in good order."""
        code: int | None = None
        try:
            self._session.start()
            self._give_title()
            while not self._session.wait(self.TICK_S):
                self._tick()
        except KeyboardInterrupt:
            code = INTERRUPTED
            self._end(EndReason.USER)
        self._read_events()
        self._progress.close()
        return exit_code(self._session) if code is None else code

    def _give_title(self) -> None:
        title = self._plan.title
        if title:
            self._session.change_notes(lambda notes: replace(notes, title=title))

    def _end(self, reason: EndReason) -> None:
        self._session.end(reason)
        deadline = time.monotonic() + self.END_S
        while not self._session.wait(self.TICK_S) and time.monotonic() < deadline:
            self._read_events()

    def _tick(self) -> None:
        self._read_events()
        session = self._session
        if session.state is State.RUNNING:
            self._follow_plan(session.now())
        self._progress.show(session, self._interrupts)

    def _follow_plan(self, at: float) -> None:
        if self._running_since is None:
            self._running_since = self._last_sound = at
        ran = at - self._running_since
        while self._pending and ran >= self._pending[0]:
            self._pending.pop(0)
            if not self._session.interrupt():
                self._progress.tell(at, "Nothing to interrupt: the agent is quiet.")
        if self._plan.seconds is not None and ran >= self._plan.seconds:
            self._session.end()
        elif self._caller_is_done(at):
            self._session.end(EndReason.INPUT_ENDED)

    def _caller_is_done(self, at: float) -> bool:
        """Whether the caller's file has ended, and neither has been heard for a while since."""
        ended, session = self._plan.input_ended, self._session
        if ended is None:
            return False
        is_sounding = session.agent_speaking or session.user_speaking or session.queued_ms > 0
        if not ended.is_set() or is_sounding:
            self._last_sound = at
        return at - self._last_sound >= self._plan.quiet_s

    def _read_events(self) -> None:
        events, self._cursor, _ = self._session.timeline.read(self._cursor)
        for event in events:
            self.tracker.feed(event)
            if isinstance(event, StateChanged):
                self._progress.tell(event.t, event.sentence or str(event.state).capitalize() + ".")
            elif isinstance(event, Interrupted):
                self._interrupts += 1
                said = f"Interrupt {self._interrupts}, by the {event.source}."
                self._progress.tell(event.t, said)
            elif isinstance(event, Trouble):
                self._progress.tell(event.t, event.sentence)


class Progress:
    """One line that is written over on a terminal; elsewhere only what happens, a line each."""

    PERIOD_S = 0.2
    LINES_A_SECOND = 20
    """More than that nobody reads: the rest is counted, and stands in the recording."""

    def __init__(self, stream: TextIO) -> None:
        """Write to ``stream``, normally stderr."""
        self._stream = stream
        self._is_terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._shown_at = 0.0
        self._last_told = ""
        self._second = -1
        self._lines = 0
        self._untold = 0

    def tell(self, at: float, sentence: str) -> None:
        """Write a line that stays; the same one twice in a row is written once."""
        if sentence == self._last_told:
            return
        self._last_told = sentence
        if int(at) != self._second:
            self._tell_untold()
            self._second, self._lines = int(at), 0
        self._lines += 1
        if self._lines > self.LINES_A_SECOND:
            self._untold += 1
        else:
            self._write(f"{clock(at)}  {one_line(sentence)}\n")

    def _tell_untold(self) -> None:
        if self._untold:
            self._write(f"{clock(self._second)}  … and {self._untold} more in this second.\n")
        self._untold = 0

    def show(self, session: Session, interruptions: int) -> None:
        """Write the line of the moment, where there is a terminal."""
        if not self._is_terminal or time.monotonic() - self._shown_at < self.PERIOD_S:
            return
        self._shown_at = time.monotonic()
        speaking = [
            who
            for who, is_speaking in (
                ("you", session.user_speaking),
                ("the agent", session.agent_speaking),
            )
            if is_speaking
        ]
        said = f"{' and '.join(speaking)} speaking" if speaking else "quiet"
        queued = f", {session.queued_ms / 1000:.1f} s queued" if session.queued_ms else ""
        line = f"{clock(session.now())}  {session.state}, {said}{queued}, interruptions: "
        self._write(f"{line}{interruptions}")

    def close(self) -> None:
        """Leave no half line behind, and nothing untold."""
        self._tell_untold()
        self._write("")

    def _write(self, text: str) -> None:
        # A terminal that went away, or a pipe that nobody reads, must not end the session.
        with suppress(OSError, ValueError):
            self._stream.write(f"\r\x1b[K{text}" if self._is_terminal else text)
            self._stream.flush()


def exit_code(session: Session) -> int:
    """Return the exit code that tells how the session ended."""
    if session.state is State.ENDED:
        return OK if session.is_recording_whole else DEVICE_OR_FILE
    trouble = (EndReason.DEVICE, EndReason.RECORDING)
    return DEVICE_OR_FILE if session.reason in trouble else FAILED


def clock(seconds: float) -> str:
    """Return session seconds as minutes, seconds and tenths."""
    minutes, rest = divmod(max(seconds, 0.0), 60)
    return f"{int(minutes):02d}:{rest:04.1f}"


# -- the summary -------------------------------------------------------------------------------


def report(session: Session, tracker: TurnTracker) -> dict[str, Any]:
    """Return the session in figures, for machines. What is not known is null."""
    summary = tracker.summary()
    return {
        "state": str(session.state),
        "reason": str(session.reason) if session.reason is not None else None,
        "sentence": session.sentence,
        "agent": session.agent_label,
        "conversation_id": session.conversation_id or None,
        "replays": session.facts.settings.get("replays"),
        "recording": str(session.bundle) if session.bundle is not None else None,
        "is_recording_whole": session.is_recording_whole,
        "is_estimated": session.is_estimated,
        **asdict(summary),
        "interruption_list": [asdict(item) for item in tracker.interruptions],
        "response_latencies_ms": list(tracker.response_latencies_ms),
        "health": {**session.health(), "underruns": underruns_in(tracker.responses)[0]},
    }


def write_summary(session: Session, tracker: TurnTracker, out: TextIO, *, as_json: bool) -> None:
    """Write the summary: for a person, or as one JSON object."""
    if as_json:
        # ASCII alone: no control character of a server's reaches a terminal, and any encoding does
        json.dump(scrub(report(session, tracker)), out, allow_nan=False)
        out.write("\n")
        return
    for line in summary_lines(session, tracker):
        out.write(f"{printable(line)}\n")


def summary_lines(session: Session, tracker: TurnTracker) -> list[str]:
    """Return the summary for a person."""
    summary = tracker.summary()
    replays = _replays(session)
    rows = [
        *([("replays", replays)] if replays else []),
        ("duration", f"{summary.duration_s:.1f} s"),
        ("turns", f"you {summary.user_turns}, the agent {summary.agent_turns}"),
        ("response latency", _spread(summary.response_latency_ms)),
        ("interruptions", str(summary.interruptions)),
        *_interruption_rows(tracker),
    ]
    if summary.interruptions > 1:
        rows.append(("time to silence", _spread(summary.time_to_silence_ms)))
    if session.is_estimated:
        rows.append(("", "Times of playout are estimated: the audio interface keeps no account."))
    troubles = ", ".join(f"{kind} {count}" for kind, count in sorted(summary.troubles.items()))
    rows.extend([("troubles", troubles)] if troubles else [])
    not_whole = "" if session.is_recording_whole else " (not whole: the disk did not take it all)"
    rows.append(("recording", f"{session.bundle or 'none'}{not_whole}"))
    head = f"{session.agent_label}: {session.sentence or 'the session did not begin.'}"
    return [head, *(f"  {name:<17} {value}" for name, value in rows)]


def _replays(session: Session) -> str:
    """Return what was replayed, and where it comes from as far as it says."""
    of = session.facts.settings.get("replays") or {}
    told = (("conversation", of.get("conversation_id")), ("began", of.get("began_utc")))
    known = ", ".join(f"{name} {value}" for name, value in told if value)
    return f"{session.facts.replays} ({known})" if known else session.facts.replays


def _interruption_rows(tracker: TurnTracker) -> list[tuple[str, str]]:
    return [
        (
            f"  #{item.number} at {clock(item.at)}",
            f"{item.kind or item.source}, silent in {_ms(item.time_to_silence_ms)}, "
            f"mouth to silence {_ms(item.mouth_to_silence_ms)}, "
            f"{item.discarded_ms + item.held_back_ms:.0f} ms unheard",
        )
        for item in tracker.interruptions
    ]


def _ms(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.0f} ms"


def _spread(spread: Spread) -> str:
    if not spread.count:
        return UNKNOWN
    if spread.count == 1:
        return _ms(spread.p50)
    return f"median {_ms(spread.p50)}, p95 {_ms(spread.p95)} ({spread.count} times)"


def run_session(
    session: Session,
    plan: RunPlan,
    out: TextIO,
    progress: TextIO,
    *,
    as_json: bool = False,
    make_runner: Callable[[Session, RunPlan, TextIO], Runner] = Runner,
) -> int:
    """Run a session to its end, write its summary to ``out``, and return the exit code."""
    runner = make_runner(session, plan, progress)
    code = runner.run()
    write_summary(session, runner.tracker, out, as_json=as_json)
    return code
