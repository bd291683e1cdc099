"""The demo agent as an agent of a session."""

from __future__ import annotations

import pytest

from app.agents.base import AgentError
from app.agents.demo_agent import DemoAgent
from app.states import EndReason


def test_it_opens_on_loopback_with_a_key_of_its_own_and_ends():
    agent = DemoAgent()
    endpoint = agent.open()
    assert endpoint.base_url.startswith("http://127.0.0.1:")
    assert endpoint.api_key
    assert endpoint.requires_auth
    assert endpoint.host == "the demo agent"
    assert agent.agent_id == endpoint.agent_id
    agent.close()
    agent.close()
    assert not agent._process.alive


def test_an_end_before_the_start_leaves_no_process():
    agent = DemoAgent()
    agent.close()
    agent.open()
    assert not agent._process.alive


def test_a_faulty_script_is_refused_with_its_line(tmp_path):
    script = tmp_path / "script.toml"
    script.write_text("[agent\n")
    agent = DemoAgent(script)
    with pytest.raises(AgentError, match=r"script\.toml, line 1") as error:
        agent.open()
    assert error.value.reason is EndReason.SERVER_ERROR
    agent.close()
