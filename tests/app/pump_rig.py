"""A pump on a simulated sound card, in simulated time."""

from __future__ import annotations

from app.live.pump import Pump
from app.timeline.events import Timeline
from app.timeline.tracks import Tracks
from tests.app.simulated_audio import DeafVad, FakeFeed, SimulatedCard, SteppedClock


class Rig:
    """A pump, what it reads from, and what it fills."""

    def __init__(self, vad=None, **card):
        self.feed, self.clock = FakeFeed(), SteppedClock()
        self.card = SimulatedCard(self.feed.account, **card)
        self.tracks, self.timeline = Tracks(), Timeline()
        self.pump = Pump(self.feed, self.tracks, self.timeline, self.clock, vad or DeafVad())

    def run_to(self, t, step=0.02):
        while self.clock.now() < t:
            self.clock.at += step
            self.card.run_until(self.clock.at)
            self.pump.cycle()

    def finish(self):
        assert self.pump.stop()

    def events(self, kind):
        return [event for event in self.timeline.read()[0] if type(event) is kind]
