"""Every error becomes a sentence, advice, and details without secrets."""

from __future__ import annotations

import errno
import os
import socket
import ssl

import pytest

from app.bundles.bundle import BundleError
from app.live.recorder import RecorderError
from app.notices import AppError, Notice, NoticeBoard, explain
from app.secrets import ApiKey, KeyringUnavailable
from audio import errors


def subclasses(kind):
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


def make(kind):
    if kind is errors.SoundSystemSilent:
        return kind()
    if issubclass(kind, errors.DeviceError):
        return kind("speaker", "Headset", "is gone")
    if issubclass(kind, errors.FileError):
        return kind("/tmp/call.wav", "“call.wav” cannot be used.")
    return kind("What happened is a sentence.")


AUDIO_ERRORS = sorted(
    {kind for kind in subclasses(errors.AudioError) if kind.__module__ == "audio.errors"},
    key=lambda kind: kind.__name__,
)


@pytest.mark.parametrize("kind", AUDIO_ERRORS, ids=lambda kind: kind.__name__)
def test_every_audio_error_keeps_its_sentence_and_gets_advice(kind):
    error = make(kind)
    notice = explain(error)
    assert notice.sentence == str(error)
    assert notice.advice.endswith(".")
    assert kind.__name__ in notice.details
    assert notice.level == "error"


SYSTEM_ERRORS = [
    FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "/tmp/gone.wav"),
    PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/tmp/closed"),
    OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE)),
    OSError("strange"),
    ConnectionRefusedError(errno.ECONNREFUSED, "refused"),
    ConnectionResetError(),
    TimeoutError(),
    socket.gaierror(-2, "Name or service not known"),
    ssl.SSLCertVerificationError("bad"),
    MemoryError(),
    BundleError("“x” is not a recording.", "Choose another."),
    RecorderError("Nothing can be recorded.", "Choose another folder."),
    KeyringUnavailable("NoKeyringError"),
    RuntimeError("a fault of ours"),
    KeyError("x"),
]


@pytest.mark.parametrize("error", SYSTEM_ERRORS, ids=lambda error: type(error).__name__)
def test_every_other_error_becomes_a_sentence_with_advice_and_details(error):
    notice = explain(error)
    assert notice.sentence[-1] == "."
    assert "Errno" not in notice.sentence
    assert notice.advice[-1] == "."
    assert type(error).__name__ in notice.details


def test_a_file_is_named_and_a_fault_of_ours_does_not_blame_the_person():
    assert "/tmp/gone.wav" in explain(SYSTEM_ERRORS[0]).sentence
    assert "inside the program" in explain(RuntimeError("x")).sentence


def test_a_missing_device_can_be_done_without():
    microphone = explain(errors.DeviceError("microphone", "Headset", "is gone"))
    speaker = explain(errors.DeviceError("speaker", "Headset", "is gone"))
    assert "a file as the microphone" in microphone.advice
    assert "no speaker" in speaker.advice


def test_details_hold_no_key():
    key = ApiKey("a-key-that-nobody-sees")
    try:
        raise RuntimeError(f"sent {key.reveal()}")
    except RuntimeError as error:
        notice = explain(error)
    assert "Traceback" in notice.details
    assert key.reveal() not in repr(notice)


def test_the_board_is_bounded_and_does_not_repeat_itself():
    board = NoticeBoard(capacity=10)
    for _ in range(5):
        board.post(Notice("warning", "The same."))
    notices, cursor, _ = board.read()
    assert len(notices) == 1
    for number in range(100):
        board.post(Notice("info", f"{number}"))
    notices, _, lost = board.read(cursor)
    assert lost > 0
    assert notices[-1].sentence == "99"
    assert len(notices) <= 20


def test_advice_of_an_own_error_is_its_own():
    assert explain(AppError("It failed.", "Do this.")).advice == "Do this."
    assert explain(AppError("It failed.")).advice == ""
