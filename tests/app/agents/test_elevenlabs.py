"""An ElevenLabs agent: what a person typed is checked, and the key shows nowhere."""

from __future__ import annotations

import pytest

from app.agents.base import AgentError, Endpoint
from app.agents.elevenlabs import ElevenLabsAgent, check_base_url
from app.secrets import ApiKey
from app.states import EndReason

KEY = "sk_0123456789abcdef0123456789abcdef"


def test_with_a_key_a_signed_url_is_wanted():
    endpoint = ElevenLabsAgent(" agent_1 ", find_key=lambda: ApiKey(KEY)).open()
    assert (endpoint.agent_id, endpoint.base_url, endpoint.requires_auth) == ("agent_1", None, True)
    assert endpoint.host == "api.elevenlabs.io"
    assert KEY not in repr(endpoint)


def test_without_a_key_none_is_looked_for():
    agent = ElevenLabsAgent("a", use_key=False, find_key=lambda: pytest.fail("looked for a key"))
    endpoint = agent.open()
    assert (endpoint.api_key, endpoint.requires_auth) == (None, False)
    agent.close()


def test_no_key_and_no_agent_id_have_their_sentences():
    with pytest.raises(AgentError, match="There is no API key") as error:
        ElevenLabsAgent("a", find_key=lambda: None).open()
    assert error.value.reason is EndReason.REFUSED_KEY
    assert "turnscope key set" in error.value.advice
    with pytest.raises(AgentError, match="No agent id") as error:
        ElevenLabsAgent("  ").open()
    assert error.value.reason is EndReason.UNKNOWN_AGENT


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", None),
        (" https://api.eu.residency.elevenlabs.io/ ", "https://api.eu.residency.elevenlabs.io"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000/base/", "http://[::1]:8000/base"),
    ],
)
def test_base_urls_that_are_taken(text, url):
    assert check_base_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "elevenlabs.io",
        "ftp://x",
        "wss://x",
        "http://",
        "http://x:port",
        "http://x:99999",
        "http://[::1",
        "http://user:password@x",
        "https://x?key=1",
        "file:///etc/passwd",
    ],
)
def test_base_urls_that_are_refused(text):
    with pytest.raises(AgentError) as error:
        check_base_url(text)
    assert "password@" not in str(error.value)
    assert str(error.value).endswith(".")


@pytest.mark.parametrize(
    ("url", "shows"),
    [
        (None, False),
        ("https://example.org", False),
        ("http://127.0.0.1:1", False),
        ("http://localhost:1", False),
        ("http://example.org", True),
    ],
)
def test_a_key_that_would_cross_a_network_unencrypted_is_noticed(url, shows):
    assert Endpoint(url, "a", ApiKey(KEY), requires_auth=True).shows_key is shows
    assert not Endpoint(url, "a").shows_key
