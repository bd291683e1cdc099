"""All the sessions of the set, by name."""

from __future__ import annotations

from tests.truth import sounds
from tests.truth.scenario import Echo, Scenario, Story
from tests.truth.voice import Voice

# What the agent says: enough to be cut in, and in plain words of different lengths.
TOUR = (
    "Welcome to the museum. The tour begins in the great hall, where the oldest paintings hang,"
    " and it ends an hour later in the garden behind the house."
)
ORDER = (
    "Your order has left our warehouse this morning. It should reach you on Thursday between"
    " nine and twelve, unless the roads are closed because of the snow."
)
BANK = (
    "I can see three payments on your account since Monday. The largest went to a furniture"
    " shop in Berlin, and the other two were taken out in cash near the station."
)
WEATHER = (
    "Tomorrow will be cloudy at first, with some rain along the coast. In the afternoon the sun"
    " comes out, and temperatures rise to about nineteen degrees."
)
RECIPE = (
    "First, cut the onions and the garlic very finely. Then warm some oil in a heavy pan, add"
    " everything at once, and stir until it begins to turn golden."
)
BRIEF = "All right, I have made a note of that."
SURE = "Sure, go ahead, I am listening."
PLACES = "Paris London Madrid Vienna Lisbon Athens Dublin Warsaw"
NUMBERS = "seven twenty forty ninety hundred thousand million billion"

# What the user says.
WAIT = "Wait, I wanted to ask about something else."
STOP = "Stop, that is not what I meant."
NO = "No, no, the other one please."
WHEN = "When exactly will it be delivered to my house?"
LONG = "Excuse me, but I have already told you twice that this is not my account."
HELLO = "Hello, can you tell me what happens next?"
HOLD = "Hold on a second please."

VOICES = {
    "m3": Voice("en-us+m3", 165),
    "m1-fast": Voice("en-us+m1", 215),
    "f2": Voice("en-us+f2", 170),
    "f4-fast": Voice("en-gb+f4", 220),
    "m7-slow": Voice("en-gb+m7", 125),
    "f3-slow": Voice("en-gb+f3", 130),
    "scot": Voice("en-gb-scotland+m5", 170),
    "f5": Voice("en-us+f5", 185),
}


def _voices() -> list[Scenario]:
    """Return barge-ins by every voice, some of them over noise."""
    noises: dict[str, sounds.Noise] = {
        "f4-fast": "white",
        "f3-slow": "pink",
        "scot": "pink",
        "f5": "white",
    }
    return [
        Story(
            f"barge-in-{name}-{noises[name]}-20-db" if name in noises else f"barge-in-{name}",
            user=voice,
            noise=noises.get(name),
        )
        .barge_in(TOUR, 2.0, 420, WAIT)
        .barge_in(ORDER, 3.4, 380, STOP)
        .end()
        for name, voice in VOICES.items()
    ]


def _reactions() -> list[Scenario]:
    """Return barge-ins at other moments, and agents that take less time to stop, or more."""
    return [
        Story("barge-in-early-and-late", user=VOICES["f2"])
        .barge_in(TOUR, 0.6, 400, NO)
        .barge_in(WEATHER, 6.6, 400, WAIT)
        .heard_out(SURE)
        .end(),
        Story("barge-in-quick-agent", mic_ms=40, user=VOICES["m3"])
        .barge_in(TOUR, 2.2, 200, STOP)
        .barge_in(BANK, 2.9, 240, WAIT)
        .end(),
        Story("barge-in-slow-agent", user=VOICES["f5"])
        .barge_in(TOUR, 1.8, 800, LONG)
        .barge_in(ORDER, 2.5, 1000, LONG)
        .end(),
        Story("late-1500-ms", user=VOICES["m3"])
        .barge_in(TOUR, 2.0, 1500, LONG)
        .barge_in(RECIPE, 1.5, 1500, WHEN)
        .end(),
        Story("late-after-the-user-ended", user=VOICES["f2"])
        .barge_in(TOUR, 1.5, 2300, HOLD)
        .barge_in(BANK, 2.0, 1800, NO)
        .end(),
        Story("two-turns-then-barge-in", user=VOICES["scot"])
        .turn(HELLO)
        .heard_out(BRIEF)
        .turn(WHEN)
        .barge_in(ORDER, 2.4, 450, STOP)
        .end(),
    ]


def _chunk_lengths() -> list[Scenario]:
    """Return barge-ins with agent chunks, and mic chunks, of other lengths."""
    return [
        Story("chunks-100-ms", chunk_ms=100, user=VOICES["m3"])
        .barge_in(TOUR, 2.5, 400, STOP)
        .heard_out(BRIEF)
        .barge_in(BANK, 1.2, 400, WAIT)
        .end(),
        Story("chunks-1-s", chunk_ms=1000, user=VOICES["f2"])
        .barge_in(TOUR, 2.5, 400, STOP)
        .barge_in(WEATHER, 3.3, 500, WAIT)
        .end(),
        Story("chunks-3-s", chunk_ms=3000, user=VOICES["m1-fast"])
        .barge_in(TOUR, 2.5, 400, STOP)
        .barge_in(RECIPE, 3.3, 500, WAIT)
        .end(),
        Story("mic-chunks-40-ms", mic_ms=40, user=VOICES["f4-fast"])
        .barge_in(ORDER, 2.5, 300, NO)
        .barge_in(RECIPE, 3.3, 500, WAIT)
        .end(),
    ]


def _noisy() -> list[Scenario]:
    made = []
    for noise, voice in (("white", "m3"), ("pink", "f2"), ("babble", "m1-fast")):
        made += [
            Story(f"{noise}-{snr_db}-db", noise=noise, snr_db=snr_db, user=VOICES[voice])
            .turn(HELLO)
            .barge_in(TOUR, 2.0, 450, WAIT)
            .barge_in(ORDER, 3.0, 400, STOP)
            .heard_out(BRIEF)
            .end()
            for snr_db in (20, 10)
        ]
    made += [
        Story("white-20-db-false", noise="white", user=VOICES["f5"])
        .turn(HELLO)
        .cut_by_nothing(TOUR, 3.2)
        .barge_in(BANK, 2.0, 420, NO)
        .end(),
        Story("pink-20-db-backchannels", noise="pink", user=VOICES["f3-slow"])
        .backchannel(TOUR, 2.0, "Yes.", "Right.")
        .barge_in(BANK, 2.0, 420, NO)
        .end(),
        Story("pink-10-db-missed", noise="pink", snr_db=10, user=VOICES["m3"])
        .missed(TOUR, 2.0, LONG)
        .turn(WHEN)
        .heard_out(BRIEF)
        .end(),
    ]
    return made


def _echoes() -> list[Scenario]:
    # the path that one gets is a few tens of milliseconds shorter than what is asked for
    paths = ((80, -15, "m3"), (140, -25, "f2"), (210, -20, "m1-fast"), (290, -35, "f5"))
    made = [
        Story(f"echo-hears-itself-{delay}-ms-{-gain}-db", echo=Echo(delay, gain))
        .cut_by_echo(TOUR, 1.6)
        .cut_by_echo(ORDER, 2.8)
        .heard_out(BRIEF)
        .end()
        for delay, gain, _ in paths
    ]
    made += [
        Story(f"echo-barge-in-{delay}-ms-{-gain}-db", echo=Echo(delay, gain), user=VOICES[voice])
        .barge_in(TOUR, 2.2, 420, WAIT)
        .barge_in(BANK, 3.0, 400, STOP)
        .end()
        for delay, gain, voice in paths
    ]
    made += [
        Story("echo-both-kinds", echo=Echo(100, -22), user=VOICES["f2"])
        .cut_by_echo(TOUR, 2.4)
        .barge_in(BANK, 2.5, 420, STOP)
        .cut_by_echo(RECIPE, 1.5)
        .end(),
        Story("echo-no-interrupt", echo=Echo(150, -18), user=VOICES["m3"])
        .heard_out(TOUR)
        .turn(WHEN)
        .heard_out(BRIEF)
        .end(),
    ]
    return made


def _false_ones() -> list[Scenario]:
    return [
        Story("nothing", user=VOICES["m3"])
        .cut_by_nothing(TOUR, 2.0)
        .turn(WHEN)
        .cut_by_nothing(BANK, 3.5)
        .end(),
        Story("nothing-soon-after-a-turn", user=VOICES["f2"])
        .turn(HELLO)
        .cut_by_nothing(TOUR, 0.8)
        .turn(WHEN)
        .cut_by_nothing(ORDER, 1.4)
        .end(),
        Story("coughs-that-interrupt", user=VOICES["m3"])
        .cut_by_cough(TOUR, 2.0, 160, 450)
        .cut_by_cough(BANK, 2.6, 240, 600)
        .heard_out(BRIEF)
        .end(),
        Story("coughs-that-do-not", user=VOICES["m3"])
        .cough(TOUR, 2.5, 120)
        .cough(BRIEF, 1.0, 220)
        .end(),
        Story("cough-and-barge-in", user=VOICES["f5"])
        .cut_by_cough(TOUR, 2.0, 200, 400)
        .barge_in(BANK, 2.0, 400, NO)
        .end(),
    ]


def _overlaps() -> list[Scenario]:
    return [
        Story("backchannels", user=VOICES["f2"])
        .backchannel(TOUR, 1.6, "Yes.", "Right.", "Okay.")
        .turn(WHEN)
        .end(),
        Story("backchannels-mm-hm", user=VOICES["m3"])
        .backchannel(BANK, 1.6, "Mm-hmm.", "Uh-huh.")
        .barge_in(RECIPE, 2.0, 400, STOP)
        .end(),
        Story("missed", user=VOICES["m3"]).missed(TOUR, 2.0, WAIT).missed(BANK, 1.5, LONG).end(),
        Story("never-stops", user=VOICES["f4-fast"])
        .missed(TOUR, 2.0, LONG)
        .missed(RECIPE, 1.0, WHEN)
        .end(),
        Story("missed-then-barge-in", user=VOICES["f3-slow"])
        .missed(ORDER, 1.5, HOLD)
        .barge_in(BANK, 2.0, 420, STOP)
        .end(),
        Story("agent-talks-over", user=VOICES["m3"])
        .talked_over(LONG, 1.3, SURE)
        .talked_over(WHEN, 0.6, BRIEF)
        .end(),
    ]


def _words_and_wires() -> list[Scenario]:
    return [
        Story("between-words", user=VOICES["m3"])
        .between_words(PLACES, 3, 400, STOP)
        .between_words(NUMBERS, 4, 400, NO)
        .end(),
        Story("between-words-chunks-1-s", chunk_ms=1000, user=VOICES["f2"])
        .between_words(NUMBERS, 2, 400, STOP)
        .between_words(PLACES, 5, 450, NO)
        .end(),
        Story("between-words-chunks-3-s", chunk_ms=3000, user=VOICES["f5"])
        .between_words(PLACES, 4, 400, STOP)
        .between_words(NUMBERS, 3, 450, NO)
        .end(),
        Story("no-alignment", alignment=False, user=VOICES["m3"])
        .barge_in(TOUR, 2.5, 400, STOP)
        .barge_in(ORDER, 4.5, 400, NO)
        .end(),
        Story("no-alignment-no-correction", alignment=False, correction=False, user=VOICES["f2"])
        .barge_in(BANK, 3.5, 400, STOP)
        .barge_in(WEATHER, 2.2, 400, NO)
        .end(),
        Story("shared-id", user=VOICES["m3"])
        .barge_in(TOUR, 2.0, 400, STOP)
        .heard_out(BRIEF, shares_id=True)
        .turn(HELLO)
        .heard_out(SURE)
        .end(),
        Story("shared-id-no-alignment", alignment=False, chunk_ms=1000, user=VOICES["f2"])
        .barge_in(BANK, 2.0, 400, WAIT)
        .heard_out(WEATHER, shares_id=True)
        .turn(WHEN)
        .end(),
        Story("button", user=VOICES["m3"])
        .button(TOUR, 2.0)
        .button(BANK, 3.0)
        .heard_out(BRIEF)
        .end(),
        Story("button-and-barge-in", mic_ms=40, chunk_ms=1000, user=VOICES["f5"])
        .button(TOUR, 2.5)
        .barge_in(RECIPE, 2.0, 300, STOP)
        .end(),
    ]


SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        *_voices(),
        *_reactions(),
        *_chunk_lengths(),
        *_noisy(),
        *_echoes(),
        *_false_ones(),
        *_overlaps(),
        *_words_and_wires(),
    )
}
