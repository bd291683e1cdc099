"""The app as the window sees it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from app.agents.demo.errors import ScriptError
from app.agents.demo_agent import DemoAgent
from app.agents.elevenlabs import ElevenLabsAgent
from app.live.session import State
from app.notices import AppError
from app.services import AppServices, make_agent
from tests.app.bundle_rig import make_bundle
from tests.rig.speech import tone, write_wav


@dataclass(frozen=True)
class Agent:
    kind: str = "demo"
    agent_id: str = ""
    base_url: str = ""
    use_key: bool = True
    script: str = ""


@dataclass(frozen=True)
class Request:
    folder: Path
    agent: Agent = Agent()
    microphone: str = "none"
    speaker: str = "none"
    replays: Path | None = None
    swap: bool = False


@pytest.fixture
def services() -> AppServices:
    return AppServices()


def test_a_session_is_made_of_what_was_picked(services, tmp_path):
    session = services.open_session(Request(tmp_path))
    assert session.state is State.IDLE
    assert session.agent_label == "Demo agent"
    assert (session.facts.microphone, session.facts.replays) == ("none", "")
    session.close()


def test_a_replay_says_what_it_replays(services, tmp_path):
    bundle = make_bundle(tmp_path / "2026-11-22_10-15-03_demo")
    session = services.open_session(Request(tmp_path, microphone="default", replays=bundle))
    assert session.facts.replays == bundle.name
    assert session.facts.settings["replays"]["conversation_id"] == "conv_1"
    session.close()


def test_an_audio_file_is_replayed_as_well(services, tmp_path):
    caller = write_wav(tmp_path / "caller.wav", tone(0.1))
    session = services.open_session(Request(tmp_path, replays=caller))
    assert (session.facts.microphone, session.facts.replays) == ("caller.wav", "caller.wav")
    session.close()


def test_agents_by_kind():
    assert isinstance(make_agent(Agent()), DemoAgent)
    mine = make_agent(Agent("elevenlabs", "agent_1"))
    assert isinstance(mine, ElevenLabsAgent)
    assert mine.label == "ElevenLabs agent_1"
    with pytest.raises(AppError, match="no agent of the kind"):
        make_agent(Agent("other"))


def test_the_demo_agent_plays_the_script_that_is_wanted(services, tmp_path):
    session = services.open_session(Request(tmp_path, Agent(script="stops-late")))
    assert session.agent_label == "Demo agent: stops late"
    assert session.facts.settings["demo_script"] == "stops-late"
    session.close()
    own = tmp_path / "my-own.toml"
    session = services.open_session(Request(tmp_path, Agent(script=str(own))))
    assert session.agent_label == "Demo agent: my-own.toml"
    assert session.facts.settings["demo_script"] == "my-own.toml"
    session.close()
    with pytest.raises(ScriptError, match="there are default, hears-itself"):
        services.open_session(Request(tmp_path, Agent(script="no-such-script")))


def test_a_script_given_to_the_program_takes_the_place_of_the_chosen_one(tmp_path):
    services = AppServices(tmp_path / "given.toml")
    session = services.open_session(Request(tmp_path, Agent(script="stops-late")))
    assert session.agent_label == "Demo agent: given.toml"
    assert session.facts.settings["demo_script"] == "given.toml"
    session.close()


def test_where_the_key_is(services, monkeypatch):
    assert services.key_source() == ""
    monkeypatch.setenv("ELEVENLABS_API_KEY", "sk_from_the_environment")
    assert services.key_source() == "environment"
    assert services.explain(AppError("So it is.")).sentence == "So it is."
