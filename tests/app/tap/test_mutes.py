"""Which samples are silenced, by when they were captured."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from app.tap.mutes import MuteLog

ONES = np.ones(320, np.int16)


@pytest.fixture
def log(monkeypatch):
    """A log whose switches come at seconds 1, 2, 3 and so on."""
    seconds = itertools.count(1)
    monkeypatch.setattr("app.tap.mutes.now", lambda: float(next(seconds)))
    return MuteLog()


def switch(log: MuteLog, times: int) -> None:
    for _ in range(times):
        log.set(not log.muted)


def test_what_was_captured_before_between_and_after_switches(log):
    assert log.apply(ONES, 0.5).all()
    switch(log, 2)
    assert log.apply(ONES, 0.5).all()
    assert not log.apply(ONES, 1.5).any()
    assert log.apply(ONES, 2.0).all()
    half = log.apply(ONES, 1.0 - 160 / 16_000)
    assert half[:160].all()
    assert not half[161:].any()


def test_of_many_switches_the_last_ones_are_known(log):
    log.CAPACITY = 5
    switch(log, 8)
    assert log.apply(ONES, 3.5).all() == log.apply(ONES, 3.9).all()
    assert not log.apply(ONES, 7.5).any()
    assert log.apply(ONES, 8.5).all()


def test_a_block_costs_no_more_after_many_switches(log):
    switch(log, 10_000)
    began = time.thread_time()
    for _ in range(50):
        log.apply(ONES, 10_000.5)
    assert (time.thread_time() - began) / 50 < 0.0005
