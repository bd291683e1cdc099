"""The app as a window sees it: sessions, devices, recordings and the key, in one object.

What says so blocks, and is not for the main thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from app.agents.base import Agent
from app.agents.demo.script import find_script
from app.agents.demo_agent import DemoAgent
from app.agents.elevenlabs import ElevenLabsAgent
from app.bundles.bundle import BundleError
from app.live.choices import build_audio, build_speaker, replayed_by
from app.live.session import Session, SessionFacts
from app.notices import AppError, Notice, explain
from app.playing.gone_on import Continuation, gone_on
from app.playing.player import Player
from app.recordings.replayed import Replayed, find_replayed
from app.recordings.sources import Sources, open_sources
from app.secrets import ApiKey, find_api_key, forget_api_key, store_api_key
from audio.devices import Device, list_devices


class AgentWish(Protocol):
    """Which agent a person wants: ``demo``, or ``elevenlabs`` with the rest filled in."""

    @property
    def kind(self) -> str:
        """``demo`` or ``elevenlabs``."""

    @property
    def agent_id(self) -> str:
        """The id of an ElevenLabs agent."""

    @property
    def base_url(self) -> str:
        """Another region or deployment; empty for ElevenLabs' own."""

    @property
    def use_key(self) -> bool:
        """Whether the agent requires authentication."""

    @property
    def script(self) -> str:
        """The demo agent's script, by name or path; empty for the default one."""


class SessionWish(Protocol):
    """What a person wants a new session to be made of."""

    @property
    def agent(self) -> AgentWish:
        """The agent."""

    @property
    def microphone(self) -> str:
        """A choice as ``app.live.choices`` has it."""

    @property
    def speaker(self) -> str:
        """A choice as ``app.live.choices`` has it."""

    @property
    def folder(self) -> Path:
        """Where recordings go."""

    @property
    def replays(self) -> Path | None:
        """The recording or audio file whose caller is the microphone."""

    @property
    def swap(self) -> bool:
        """Whether the caller in a replayed audio file is its right channel."""


class PlayWish(Protocol):
    """What a person wants to hear: see ``Player``."""

    @property
    def path(self) -> Path:
        """A bundle's folder, or an audio file."""

    @property
    def speaker(self) -> str:
        """A choice as ``app.live.choices`` has it."""

    @property
    def from_s(self) -> float:
        """Where to begin."""

    @property
    def to_s(self) -> float | None:
        """Where to end; None for the end of the recording."""

    @property
    def loop(self) -> bool:
        """Whether to go back and play it again."""

    @property
    def speed(self) -> float:
        """Seconds of the recording to one of listening."""

    @property
    def user(self) -> bool:
        """Whether the user is heard."""

    @property
    def agent(self) -> bool:
        """Whether the agent is heard."""

    @property
    def swap(self) -> bool:
        """Whether the left channel of a file is the agent."""

    @property
    def continuations(self) -> Sequence[Continuation]:
        """Discarded audio that is heard where it would have been, in the agent's place."""


def make_agent(wish: AgentWish, script: Path | None = None) -> Agent:
    """Return the agent that is wanted; ``script`` takes the place of the demo agent's.

    Raises:
        AppError: there is no such kind.
        ScriptError: there is no such script.

    """
    if wish.kind == DemoAgent.kind:
        return DemoAgent(script or find_script(wish.script))
    if wish.kind == ElevenLabsAgent.kind:
        return ElevenLabsAgent(wish.agent_id, base_url=wish.base_url, use_key=wish.use_key)
    raise AppError(f"There is no agent of the kind “{wish.kind}”.", "Choose the demo agent.")


class AppServices:
    """What the window asks of the app."""

    def __init__(self, script: Path | None = None) -> None:
        """Let the demo agent play ``script``, whichever is wished for; None for that one."""
        self._script = script

    def list_devices(self) -> list[Device]:
        """Return microphones and speakers. Blocks."""
        return list_devices()

    def open_session(self, request: SessionWish) -> Session:
        """Return a session that is ready to start. Blocks; raises what building its parts does."""
        if request.replays is not None:
            replayed: Replayed | None = find_replayed(request.replays, swap=request.swap)
        else:
            replayed = replayed_by(request.microphone)
        facts = SessionFacts(
            microphone=replayed.name if replayed is not None else request.microphone,
            speaker=request.speaker,
            replays=replayed.name if replayed is not None else "",
            settings={
                "base_url": request.agent.base_url,
                "use_key": request.agent.use_key,
                "demo_script": self._script_name(request.agent),
                **(replayed.settings() if replayed is not None else {}),
            },
        )
        return Session(
            make_agent(request.agent, self._script),
            build_audio(replayed or request.microphone, request.speaker),
            record_to=request.folder,
            facts=facts,
        )

    def _script_name(self, wish: AgentWish) -> str:
        """Return what the recording is to say of the script: a name without a folder."""
        if self._script is not None:
            return self._script.name
        return Path(wish.script).name if wish.kind == DemoAgent.kind else ""

    def key_source(self) -> str:
        """Return ``keyring``, ``environment`` or nothing: where the API key is. Blocks."""
        key = find_api_key()
        return key.source if key is not None else ""

    def store_key(self, text: str) -> None:
        """Keep the API key in the keyring. Blocks; raises ``KeyringUnavailable``."""
        store_api_key(ApiKey(text))

    def forget_key(self) -> None:
        """Take the API key out of the keyring. Blocks; raises ``KeyringUnavailable``."""
        forget_api_key()

    def explain(self, error: BaseException) -> Notice:
        """Return what to tell a person about an error."""
        return explain(error)

    def play(self, wish: PlayWish) -> Player:
        """Begin to play a recording on a speaker. Blocks.

        Raises:
            AudioError: the file cannot be read, or the speaker not be opened.
            BundleError: the folder is no recording, or has no audio.

        """
        sink = build_speaker(wish.speaker)
        player = Player(
            _heard_sources(wish),
            sink,
            from_s=wish.from_s,
            to_s=wish.to_s,
            loop=wish.loop,
            speed=wish.speed,
            user=wish.user,
            agent=wish.agent,
        )
        player.start()
        return player


def _heard_sources(wish: PlayWish) -> Sources:
    sources = open_sources(wish.path, swap=wish.swap)
    try:
        if sources.user is None and sources.agent is None:
            raise BundleError(f"The recording “{wish.path.name}” has no audio.")
        return gone_on(sources, wish.continuations)
    except BundleError:
        sources.close()
        raise
