"""Signatures: one conversation each, for a while, and not too many."""

from __future__ import annotations

import urllib.parse

import pytest

from app.agents.demo.gate import SIGNATURE_LIVES_S, SIGNATURES_MAX, Address, Gate, RefusedError


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def gate(clock: _Clock) -> Gate:
    return Gate("secret", "demo", 4000, clock)


def _signature(gate: Gate) -> str:
    url = urllib.parse.urlsplit(gate.sign("demo"))
    assert url.netloc == "127.0.0.1:4000"
    return dict(urllib.parse.parse_qsl(url.query))["conversation_signature"]


def test_a_signature_admits_once(gate: Gate) -> None:
    signature = _signature(gate)
    gate.admit("demo", signature)
    with pytest.raises(RefusedError) as refused:
        gate.admit("demo", signature)
    assert refused.value.status == 401


def test_a_signature_expires(gate: Gate, clock: _Clock) -> None:
    signature = _signature(gate)
    clock.now += SIGNATURE_LIVES_S + 1
    with pytest.raises(RefusedError):
        gate.admit("demo", signature)


def test_the_oldest_signatures_go_when_there_are_too_many(gate: Gate) -> None:
    first, second = _signature(gate), _signature(gate)
    for _ in range(SIGNATURES_MAX - 1):
        _signature(gate)
    with pytest.raises(RefusedError):
        gate.admit("demo", first)
    gate.admit("demo", second)


@pytest.mark.parametrize("signature", [None, "", "made-up"])
def test_no_signature_and_a_wrong_one_do_not_admit(gate: Gate, signature: str | None) -> None:
    _signature(gate)
    with pytest.raises(RefusedError):
        gate.admit("demo", signature)


def test_a_signature_is_for_its_agent(gate: Gate) -> None:
    with pytest.raises(RefusedError) as refused:
        gate.admit("other", _signature(gate))
    assert refused.value.status == 404


def test_an_address_does_not_show_its_key() -> None:
    assert "secret" not in repr(Address("http://127.0.0.1:1", "demo", "secret"))
