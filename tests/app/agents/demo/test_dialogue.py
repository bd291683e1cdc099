"""Turn-taking, against a clock that the tests turn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.agents.demo.pulse import Pinger
from app.agents.demo.user_turn import Heard
from audio.vad import SpeechEdge
from tests.app.agents.demo.room import ACKNOWLEDGEMENT, IDLE_PROMPT, Room

Write = Callable[[str], Path]


@pytest.fixture
def room(write_script: Write) -> Room:
    return Room(write_script)


def _after_greeting(room: Room) -> Room:
    room.silence(3.0)
    assert room.texts() == ["Hello you."]
    return room


def _in_a_reply(room: Room) -> Room:
    """Come 2 to 3 s into the first reply."""
    _after_greeting(room).speech(1.0)
    room.silence(3.0)
    assert room.texts()[-1] == "Reply one."
    return room


def test_it_greets_after_its_delay(room: Room) -> None:
    room.silence(1.0)
    assert room.times("agent_response") == [0.5]
    assert room.types(of_audio=True)[:2] == ["agent_response", "audio"]


def test_greetings_take_turns_from_one_conversation_to_the_next(write_script: Write) -> None:
    for greeting, text in ((0, "Hello you."), (1, "Welcome you."), (2, "Hello you.")):
        room = Room(write_script, greeting=greeting)
        room.silence(1.0)
        assert room.texts() == [text]


def test_audio_is_sent_in_chunks_faster_than_it_is_heard(room: Room) -> None:
    room.silence(3.0)
    assert room.times("audio") == [pytest.approx(0.5 + n * 0.0625, abs=0.001) for n in range(8)]
    event_ids = {event["event_id"] for event in room.events("audio")}
    assert event_ids == {room.events("agent_response")[0]["event_id"]}


def test_it_answers_when_the_turn_has_ended(room: Room) -> None:
    _after_greeting(room).speech(1.8)
    room.silence(2.0)
    assert room.events("user_transcript")[0]["user_transcript"] == "(you spoke for 1.8 s)"
    assert room.times("user_transcript") == [pytest.approx(3.0 + 1.8 + 0.6)]
    assert room.times("agent_response")[1:] == [pytest.approx(3.0 + 1.8 + 0.6 + 0.2)]


def test_a_pause_shorter_than_the_endpoint_belongs_to_the_turn(room: Room) -> None:
    _after_greeting(room).speech(1.0)
    room.silence(0.5)
    room.speech(1.0)
    room.silence(1.0)
    transcripts = [event["user_transcript"] for event in room.events("user_transcript")]
    assert transcripts == ["(you spoke for 2.5 s)"]
    assert room.texts() == ["Hello you.", "Reply one."]


def test_who_goes_on_before_the_reply_begins_is_not_talked_over(room: Room) -> None:
    _after_greeting(room).speech(1.0)
    room.silence(0.6)
    assert room.types()[-1] == "user_transcript"
    room.speech(2.0)
    assert room.texts() == ["Hello you."]
    room.silence(1.0)
    assert room.texts() == ["Hello you.", "Reply one."]


def test_replies_take_turns(room: Room) -> None:
    for _ in range(3):
        room.silence(11.0)
        room.speech(1.0)
    room.silence(2.0)
    assert room.texts() == ["Hello you.", "Reply one.", "Reply two.", "Reply one."]


def test_speaking_over_it_interrupts_it(room: Room) -> None:
    _in_a_reply(room)
    before = len(room.sent)
    began = room.now
    room.speech(2.0)
    kinds = [m["type"] for _, m in room.sent[before:] if m["type"] not in ("vad_score", "ping")]
    assert [kind for kind in kinds if kind != "audio"] == [
        "interruption",
        "agent_response_correction",
    ]
    assert "audio" not in kinds[kinds.index("interruption") :]
    assert room.times("interruption") == [pytest.approx(began - 1000 + 0.3)]


def test_the_correction_holds_the_words_that_were_heard(room: Room) -> None:
    _after_greeting(room).speech(1.0)
    room.silence(0.8 + 4.5)  # the reply began at 0.8 s; its first word lasts 5 s
    room.speech(1.0)
    room.silence(2.0 + 6.0)  # acknowledged; then the second reply
    room.speech(2.0)
    room.silence(0.8 + 5.5)
    room.speech(1.0)
    first, second = room.events("agent_response_correction")
    assert first["original_agent_response"] == "Reply one."
    assert first["corrected_agent_response"] == ""
    assert second["original_agent_response"] == "Reply two."
    assert second["corrected_agent_response"] == "Reply"


def test_no_audio_is_sent_after_the_interruption_until_the_next_reply(room: Room) -> None:
    _after_greeting(room).speech(1.0)
    room.silence(0.9)  # the reply has just begun: most of it is not even sent
    room.speech(2.0)
    cut = len(room.events("audio"))
    room.silence(0.7)
    assert len(room.events("audio")) == cut
    assert room.types()[-1] == "user_transcript"


def test_ids_grow_and_the_reply_after_an_interruption_is_above_it(room: Room) -> None:
    _in_a_reply(room).speech(2.0)
    room.silence(2.0)
    interrupted = room.events("interruption")[0]["event_id"]
    replies = [event["event_id"] for event in room.events("agent_response")]
    assert replies == sorted(set(replies))
    assert replies[1] < interrupted < replies[2]
    assert room.events("audio")[-1]["event_id"] == replies[2]
    assert room.events("agent_response_correction")[0]["event_id"] == replies[1]


def test_the_interruptions_id_is_reused_where_the_script_wants_that_fault(
    write_script: Write,
) -> None:
    room = _in_a_reply(Room(write_script, "reuse_interruption_id = true"))
    room.speech(2.0)
    room.silence(2.0)
    interrupted = room.events("interruption")[0]["event_id"]
    assert room.events("agent_response")[2]["event_id"] == interrupted
    room.silence(12.0)
    room.speech(2.0)
    room.silence(2.0)
    assert room.events("agent_response")[3]["event_id"] > interrupted


def test_a_short_interruption_is_acknowledged(room: Room) -> None:
    _in_a_reply(room).speech(1.0)
    room.silence(2.0)
    assert room.texts()[-1] == "Go ahead."
    room.speech(1.0)
    room.silence(2.0)
    assert room.texts()[-1] == "Reply two."


def test_a_short_interruption_is_answered_where_no_acknowledgement_is_scripted(
    write_script: Write,
) -> None:
    room = _in_a_reply(Room(write_script, more=""))
    room.speech(1.0)
    room.silence(2.0)
    assert room.texts()[-1] == "Reply two."


def test_a_word_in_passing_does_not_stop_it_and_gets_no_answer(room: Room) -> None:
    _in_a_reply(room).speech(0.2)
    room.silence(10.0)
    assert room.events("interruption") == []
    assert room.types()[-1] == "user_transcript"
    assert room.texts() == ["Hello you.", "Reply one."]
    assert len(room.events("audio")) == 8 + 40


def test_it_never_yields_where_the_script_says_so_and_answers_afterwards(
    write_script: Write,
) -> None:
    room = _in_a_reply(Room(write_script, "never_yields = true"))
    room.speech(3.0)
    room.silence(3.0)
    assert room.events("interruption") == []
    assert room.texts()[-1] == "Reply one."
    room.silence(3.0)
    assert room.texts()[-1] == "Reply two."


def test_it_yields_late_where_the_script_says_so(write_script: Write) -> None:
    room = _in_a_reply(Room(write_script, "yield_delay_ms = 1500"))
    began = room.now
    room.speech(3.0)
    assert room.times("interruption") == [pytest.approx(began - 1000 + 0.3 + 1.5)]
    correction = room.events("agent_response_correction")
    assert [each["corrected_agent_response"] for each in correction] == [""]


def test_it_yields_late_and_answers_who_had_ended_by_then(write_script: Write) -> None:
    room = _in_a_reply(Room(write_script, "yield_delay_ms = 2500"))
    began = room.now - 1000
    room.speech(0.8)
    room.silence(3.0)
    assert room.times("user_transcript")[-1] < began + 1.5
    assert room.times("interruption") == [pytest.approx(began + 0.3 + 2.5)]
    assert room.texts()[-1] == "Go ahead."


def test_who_yields_after_its_last_word_interrupts_nothing(write_script: Write) -> None:
    room = _in_a_reply(Room(write_script, "yield_delay_ms = 9000"))
    room.speech(2.0)
    room.silence(12.0)
    assert room.events("interruption") == []
    assert room.texts()[-1] in ("Go ahead.", "Reply two.")


def test_any_sound_makes_it_yield_where_the_script_says_so(write_script: Write) -> None:
    room = _in_a_reply(Room(write_script, "yield_to_sound_dbfs = -50.0"))
    began = room.now - 1000
    room.sound(0.2)
    assert room.events("interruption") == []
    room.sound(0.2)
    assert room.times("interruption") == [pytest.approx(began + 0.3)]


def test_a_sound_before_its_reply_is_not_held_against_the_reply(write_script: Write) -> None:
    room = Room(write_script, "yield_to_sound_dbfs = -50.0")
    room.sound(0.5)
    room.silence(2.0)
    assert room.texts() == ["Hello you."]
    assert room.events("interruption") == []


def test_no_correction_and_no_alignment_where_the_script_says_so(write_script: Write) -> None:
    room = Room(write_script, "send_correction = false\nsend_alignment = false")
    _in_a_reply(room).speech(1.0)
    assert room.types()[-1] == "interruption"
    assert all("alignment" not in event for event in room.events("audio"))


def test_speech_after_all_was_heard_is_a_turn_and_no_interruption(room: Room) -> None:
    room.silence(2.6)  # the greeting ended at 2.5 s
    room.speech(1.0)
    room.silence(1.0)
    assert room.events("interruption") == []
    assert room.texts() == ["Hello you.", "Reply one."]


def test_speech_confirmed_when_all_was_heard_interrupts_nothing_however_late_we_look(
    room: Room,
) -> None:
    room.silence(2.0)
    room.now += 1.0  # the loop was held up: the greeting ended at 2.5 s, and nobody noticed
    edges = (SpeechEdge("onset", 32_000),)
    room.dialogue.hear(room.now, Heard(48_000, 48_000, edges, 0.9))
    room.step()
    assert room.events("interruption") == []


def test_speech_while_audio_is_sent_but_still_heard_interrupts(room: Room) -> None:
    room.silence(1.5)  # all eight chunks are out by 0.94 s, and heard until 2.5 s
    assert len(room.events("audio")) == 8
    room.speech(0.6)
    assert len(room.events("interruption")) == 1
    assert room.events("agent_response_correction")[0]["corrected_agent_response"] == "Hello"


def test_typed_text_is_answered_at_once(room: Room) -> None:
    _after_greeting(room).dialogue.user_message(room.now)
    room.step()
    assert room.times("agent_response")[-1] == pytest.approx(3.0)


def test_typed_text_interrupts_it(room: Room) -> None:
    _in_a_reply(room).dialogue.user_message(room.now)
    room.step()
    assert room.types(of_audio=True)[-4:] == [
        "interruption",
        "agent_response_correction",
        "agent_response",
        "audio",
    ]


def test_it_speaks_up_when_nobody_says_anything_but_not_for_ever(write_script: Write) -> None:
    room = Room(write_script, more=IDLE_PROMPT)
    room.silence(120.0)
    assert room.texts() == ["Hello you.", "Still there?", "Still there?"]
    assert room.times("agent_response")[1:] == [pytest.approx(22.5), pytest.approx(43.5)]
    room.speech(1.0)
    room.silence(60.0)
    assert room.texts()[3:] == ["Reply one.", "Still there?", "Still there?"]


def test_it_does_not_speak_up_while_the_user_types(write_script: Write) -> None:
    room = Room(write_script, more=IDLE_PROMPT)
    for _ in range(6):
        room.silence(10.0)
        room.dialogue.user_activity(room.now)
    assert room.texts() == ["Hello you."]


def test_a_turn_ends_even_when_the_microphone_falls_silent_for_good(room: Room) -> None:
    _after_greeting(room).speech(1.0)
    room._speaking = False  # muted in mid-word: no chunk, no end of speech
    room.silence(1.5, mic=False)
    assert room.events("user_transcript") == []
    room.silence(0.5, mic=False)
    assert room.events("user_transcript")[0]["user_transcript"] == "(you spoke for 1.0 s)"


def test_scores_come_at_their_interval_and_are_the_highest_since(room: Room) -> None:
    room.silence(1.0)
    assert [event["vad_score"] for event in room.events("vad_score")] == [0.05] * 5
    room.silence(0.1)
    room.speech(0.1)
    assert room.events("vad_score")[-1] == {"vad_score": 0.9}


def test_pings_carry_the_round_trip_of_the_one_before() -> None:
    pinger = Pinger(1000.0, 5.0)
    pings = [pinger.ping(1000.0)["ping_event"]]
    pinger.pong(1000.0 + 0.042, pings[0]["event_id"])
    pinger.pong(1001.0, 999)
    for at in (1005.0, 1010.0):
        assert pinger.due_at == at
        pings.append(pinger.ping(at)["ping_event"])
    assert [ping["ping_ms"] for ping in pings] == [None, 42, 42]


def test_a_conversation_in_text_has_no_audio(write_script: Write) -> None:
    room = Room(write_script, more=ACKNOWLEDGEMENT, text_only=True)
    room.silence(1.0)
    room.dialogue.user_message(room.now)
    room.silence(1.0)
    assert room.types(of_audio=True) == ["agent_response", "agent_response"]
