"""A session: one run with an agent, from start to end, with one owner.

The thread named session owns the run: it begins the recording, watches the link to the agent, and
ends everything in order. Commands come from any thread and return at once: they leave a wish, or
act through the tap. What is read of a session may be read from any thread, and never waits.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.agents.base import Agent, Endpoint
from app.bundles.notes import Change, Notes
from app.bundles.session_info import SessionInfo
from app.live.choices import end_of_input
from app.live.link import Link
from app.live.pump import Pump
from app.live.recorder import Recorder, RecorderError
from app.live.still_heap import leave_out_what_came, still_heap
from app.notices import Notice, NoticeBoard, explain
from app.states import Ending, EndReason, State
from app.tap.tap import CarriesAudio, Tap
from app.timeline.clock import SessionClock
from app.timeline.events import StateChanged, Timeline, Trouble
from app.timeline.tracks import Tracks
from audio.account import Counters
from audio.duplex import DuplexInterface
from audio.errors import AlreadyRunning
from audio.file import FileSink, FileSource
from audio.pcm import samples_to_ms
from audio.worker import Worker

__all__ = ["EndReason", "Session", "SessionFacts", "State"]

log = logging.getLogger(__name__)

_ASKED_FOR = {
    EndReason.USER: "You ended the session.",
    EndReason.INPUT_ENDED: "The caller's file has ended, and the agent has fallen silent.",
}


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What the recording is to say of a session beside the agent: never a key or a token."""

    microphone: str = ""
    speaker: str = ""
    replays: str = ""
    """The bundle whose user track is the microphone, empty where nothing is replayed."""
    settings: Mapping[str, Any] = field(default_factory=dict)


class Session:
    """One run. ``start`` once; then commands and reading, and nothing blocks but ``wait``.

    ``timeline``, ``tracks`` and ``notices`` are there from the beginning and stay when it is over.
    """

    WATCH_S = 0.1
    LEAVE_OUT_S = 60.0
    """How often what the session keeps is left out of the collection of garbage."""
    AUDIO_STOP_S = 1.0
    """How long an audio interface may take to stop before the session ends without it."""
    CLOSE_S = 5.0

    def __init__(
        self,
        agent: Agent,
        audio: CarriesAudio,
        *,
        record_to: Path | None = None,
        facts: SessionFacts | None = None,
        notices: NoticeBoard | None = None,
        connect_timeout_s: float = 10.0,
        silence_timeout_s: float = 20.0,
    ) -> None:
        """Prepare a session of ``agent`` through ``audio``, recorded in a folder of its own."""
        self.timeline = Timeline()
        self.tracks = Tracks(is_recorded=record_to is not None)
        self.notices = notices or NoticeBoard()
        self.facts = facts or SessionFacts()
        self._agent = agent
        self._audio = audio
        self._record_to = record_to
        self._connect_timeout_s = connect_timeout_s
        self._silence_timeout_s = silence_timeout_s
        self._clock = SessionClock()
        self._tap = Tap(audio, self.timeline, self._clock)
        self._pump = Pump(self._tap, self.tracks, self.timeline, self._clock)
        self._link = Link(agent, self._tap, self.timeline, self._clock, self)
        self._recorder: Recorder | None = None
        self._notes = Notes()
        self._early_changes: list[Change] = []
        self._is_recording_whole = True
        self._worker = Worker("session", self._run)
        # Guards the state and the ending: the first ending counts, and no state goes back. Guards
        # the notes as well: none changes after the recorder was told to finish.
        self._changing = threading.Lock()
        self._state = State.IDLE
        self._ending: Ending | None = None
        self._end_asked = threading.Event()
        self._over = threading.Event()
        self._began_utc: datetime | None = None
        self._conversation_id = ""
        self._watched = 0

    # -- commands ------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to connect; returns at once. Once only: raises ``AlreadyRunning`` after that."""
        with self._changing:
            if self._state is not State.IDLE:
                raise AlreadyRunning("This session has been started already.")
            self._began_utc = datetime.now(UTC)
            self._clock.begin()
            self._set_state(State.CONNECTING)
        self._worker.start()

    def end(self, reason: EndReason = EndReason.USER) -> None:
        """Ask the session to end; returns at once. Harmless when it has ended, and twice."""
        self._conclude(Ending(reason, _ASKED_FOR.get(reason, "The session was ended.")))

    def interrupt(self) -> bool:
        """Silence the agent at once, and hold back the rest of its reply.

        False where there is nothing to silence: the agent is quiet, and no reply is on its way.
        """
        return self._tap.interrupt_by("button")

    def set_muted(self, muted: bool) -> None:
        """Send the agent silence from now on, or the microphone again."""
        self._tap.set_muted(muted)

    def send_text(self, text: str) -> bool:
        """Queue a text message to the agent. False where the session does not run."""
        return self._state is State.RUNNING and self._link.send_text(text)

    def change_notes(self, change: Change) -> bool:
        """Change title, tags, notes or markers while it runs; returns at once.

        ``change`` is made to ``notes`` now, and to the bundle's own within a moment, so that it
        must have no other effect. False, and nothing changed, where the session does not run: once
        it is over its bundle's notes are changed by ``app.bundles.notes.edit_notes``.
        """
        with self._changing:
            if self._state not in (State.CONNECTING, State.RUNNING):
                return False
            self._notes = change(self._notes)
            if self._recorder is not None:
                self._recorder.note(change)
            else:
                self._early_changes.append(change)
            return True

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the session is over; say whether it is."""
        return self._over.wait(timeout_s)

    def close(self) -> None:
        """End, and wait a bounded time until it is over. For the end of the program."""
        self.end()
        if self._state is not State.IDLE:
            self.wait(self.CLOSE_S)

    # -- reading -------------------------------------------------------------------------------

    def now(self) -> float:
        """Session seconds: 0 before ``start``, frozen when the session is over."""
        return self._clock.now()

    @property
    def state(self) -> State:
        """What it is doing. ``ended`` and ``failed`` only once the recording is complete."""
        return self._state

    @property
    def reason(self) -> EndReason | None:
        """Why it ended, or is ending; None before."""
        return self._ending.reason if self._ending is not None else None

    @property
    def sentence(self) -> str:
        """Why it ended and what to do about it, for a person; empty before."""
        return self._ending.text if self._ending is not None else ""

    @property
    def began_utc(self) -> datetime | None:
        """When it was started."""
        return self._began_utc

    @property
    def input_has_ended(self) -> bool:
        """Whether the caller's file has come to its end; never where no file speaks."""
        ended = end_of_input(self._audio)
        return ended is not None and ended.is_set()

    @property
    def muted(self) -> bool:
        """Whether the agent is sent silence."""
        return self._tap.mutes.muted

    @property
    def queued_ms(self) -> float:
        """Agent audio that has arrived and is not yet played."""
        return samples_to_ms(self._tap.queued_samples)

    @property
    def agent_speaking(self) -> bool:
        """Whether agent audio is leaving the speaker."""
        return not self._state.over and self._pump.agent_speaking

    @property
    def user_speaking(self) -> bool:
        """Whether VAD hears the user."""
        return not self._state.over and self._pump.user_speaking

    @property
    def holding_back(self) -> bool:
        """Whether a manual interrupt is holding back the rest of a reply."""
        return self._tap.holding_back

    @property
    def bundle(self) -> Path | None:
        """The recording's folder, once there is one."""
        return self._recorder.folder if self._recorder is not None else None

    @property
    def notes(self) -> Notes:
        """What was marked and noted while it ran."""
        return self._notes

    @property
    def is_recording_whole(self) -> bool:
        """Whether the disk took all there was to record; known once the session is over."""
        return self._is_recording_whole

    @property
    def agent_label(self) -> str:
        """The agent's name, for a person."""
        return self._agent.label

    @property
    def conversation_id(self) -> str:
        """The agent's id of this conversation, empty until it is known."""
        return self._conversation_id

    @property
    def is_estimated(self) -> bool:
        """Whether playout times are modelled, for the audio interface keeps no account."""
        return self._tap.estimated

    def health(self) -> dict[str, int]:
        """Return the counters of the audio interface, the tap, tracks and recording, by name.

        Where silence stands for what is missing, on a track or in a file, its samples are counted.
        Underruns are not among them: which times the queue ran dry those are, the turns tell.
        """
        account = self._tap.account
        counters = asdict(account.counters if account is not None else Counters())
        del counters["underruns"]
        return {
            **counters,
            **self._tap.counters(),
            **self.tracks.counters(),
            **_file_counters(self._audio),
            **self._recording_counters(),
        }

    def _recording_counters(self) -> dict[str, int]:
        recorder = self._recorder
        if recorder is None:
            return {}
        return {
            "unrecorded_samples": recorder.lost_samples,
            "unrecorded_received_samples": self.tracks.to_recorder.dropped_samples,
            "unrecorded_events": recorder.lost_events,
            "waiting_for_disk_samples": recorder.waiting_samples,
        }

    # -- what the link tells -------------------------------------------------------------------

    def on_opened(self, endpoint: Endpoint) -> None:
        """Note the agent's id, which for some is known only now."""
        if self._recorder is not None:
            self._recorder.update(agent_id=endpoint.agent_id)
        if endpoint.shows_key:
            sentence = f"The API key is sent to {endpoint.host} unencrypted."
            self.notices.post(Notice("warning", sentence, "Use an https address if there is one."))

    def on_ready(self, conversation_id: str, formats: dict[str, str]) -> None:
        """Run: the agent has accepted the conversation, and audio flows."""
        self._conversation_id = conversation_id
        self.facts = self._facts_of_open_audio()
        if self._recorder is not None:
            self._recorder.update(
                conversation_id=conversation_id,
                formats=formats,
                microphone=self.facts.microphone,
                speaker=self.facts.speaker,
            )
        with self._changing:
            if self._state is State.CONNECTING:
                self._set_state(State.RUNNING)
        leave_out_what_came()

    def on_end(self, ending: Ending) -> None:
        """End: there is no conversation any more."""
        self._conclude(ending)

    # -- the session's thread ------------------------------------------------------------------

    def _run(self, _stopping: threading.Event) -> None:
        with still_heap():
            self._live()

    def _live(self) -> None:
        try:
            self._begin()
            left_out_at = self._clock.now()
            while not self._end_asked.wait(self.WATCH_S):
                self._watch()
                if self._clock.now() >= left_out_at + self.LEAVE_OUT_S:
                    leave_out_what_came()
                    left_out_at = self._clock.now()
        except Exception as error:
            log.exception("The session failed")
            self._conclude(_ending_by(error))
        self._finish(self._ending or Ending(EndReason.INTERNAL, "The session ended."))

    def _begin(self) -> None:
        self._pump.start()
        if self._record_to is not None and self._began_utc is not None:
            recorder = Recorder(
                self._record_to,
                self._info(),
                self.tracks,
                self.timeline,
                began_utc=self._began_utc,
                now=self._clock.now,
                notices=self.notices,
            )
            try:
                recorder.start()
            except RecorderError as error:
                # Better no session than one that is lost.
                self._conclude(_ending_by(error, EndReason.RECORDING))
                return
            with self._changing:
                self._recorder = recorder
                while self._early_changes:
                    recorder.note(self._early_changes.pop(0))
        self._link.start()

    def _info(self) -> SessionInfo:
        return SessionInfo(
            agent_kind=self._agent.kind,
            agent_label=self._agent.label,
            agent_id=self._agent.agent_id,
            microphone=self.facts.microphone,
            speaker=self.facts.speaker,
            replays=self.facts.replays,
            is_estimated=self._tap.estimated,
            settings=dict(self.facts.settings),
        )

    def _facts_of_open_audio(self) -> SessionFacts:
        """Return the facts with the names of what was opened, where those are known."""
        audio = self._audio
        if not isinstance(audio, DuplexInterface):
            return self.facts
        return replace(self.facts, microphone=audio.source.label, speaker=audio.sink.label)

    def _watch(self) -> None:
        """Look after what nobody reports: what does not come, and devices and disks that died."""
        overdue = self._link.overdue(self._connect_timeout_s, self._silence_timeout_s)
        if overdue is not None:
            self._conclude(overdue)
        if self._recorder is not None:
            self._recorder.watch()
        events, self._watched, _ = self.timeline.read(self._watched)
        for event in events:
            if isinstance(event, Trouble) and event.kind == "device":
                advice = "The session goes on without it; end it to choose another device."
                self.notices.post(Notice(event.level, event.sentence, advice))

    def _finish(self, ending: Ending) -> None:
        """End everything in order: audio, link, analysis, recording. Bounded in time.

        A step that fails is logged, and the others are taken all the same.
        """
        final = State.FAILED if ending.reason.failed else State.ENDED
        audio = Worker("audio-stop", lambda _stopping: self._tap.close())
        try:
            for step in (
                lambda: self._announce_end(ending),
                audio.start,
                self._link.close,
                lambda: self._wait_for_audio(audio),
                self._clock.freeze,
                self._pump.stop,
                lambda: self._finish_recording(final, ending),
                lambda: self._post_end(ending),
            ):
                _attempt(step)
        finally:
            self._state = final
            self._over.set()

    def _announce_end(self, ending: Ending) -> None:
        with self._changing:
            self._set_state(State.ENDING, ending.text)

    def _wait_for_audio(self, stopper: Worker) -> None:
        if not stopper.join(self.AUDIO_STOP_S):
            log.warning("The audio interface does not stop; the session ends without it")

    def _finish_recording(self, final: State, ending: Ending) -> None:
        self.timeline.append(StateChanged(self._clock.now(), final, ending.text))
        recorder = self._recorder
        if recorder is None:
            return
        self._is_recording_whole = False  # whatever goes wrong from here on
        self._is_recording_whole = recorder.finish(ending.reason, ending.text)
        if not self._is_recording_whole:
            sentence = f"The recording “{recorder.folder}” is not whole: not all could be written."
            self.notices.post(Notice("error", sentence, "What is there can be opened and played."))
            self._ending = replace(ending, sentence=f"{ending.sentence} {sentence}")

    def _post_end(self, ending: Ending) -> None:
        if ending.reason.failed:
            self.notices.post(Notice("error", ending.sentence, ending.advice))

    # -- inside --------------------------------------------------------------------------------

    def _conclude(self, ending: Ending) -> None:
        """Have the session end for this reason, unless it is ending for another one."""
        with self._changing:
            if self._ending is not None or self._state is State.IDLE:
                return
            self._ending = ending
        self._end_asked.set()

    def _set_state(self, state: State, sentence: str = "") -> None:
        self._state = state
        self.timeline.append(StateChanged(self._clock.now(), state, sentence))


def _file_counters(audio: CarriesAudio) -> dict[str, int]:
    """Return what files in place of devices could not do in time, where there are any."""
    counters: dict[str, int] = {}
    if not isinstance(audio, DuplexInterface):
        return counters
    if isinstance(audio.source, FileSource):
        counters["mic_file_late_samples"] = audio.source.late_samples
        counters["mic_file_skipped_samples"] = audio.source.skipped_samples
    if isinstance(audio.sink, FileSink):
        counters["speaker_file_lost_samples"] = audio.sink.lost_samples
        counters["speaker_file_skipped_samples"] = audio.sink.skipped_samples
    return counters


def _attempt(step: Callable[[], object]) -> None:
    try:
        step()
    except Exception:  # a session ends, whatever is wrong with a part of it
        log.exception("A step of the session's end failed")


def _ending_by(error: Exception, reason: EndReason = EndReason.INTERNAL) -> Ending:
    notice = explain(error)
    return Ending(reason, notice.sentence, notice.advice)
