"""Listening to a recording, and saving its audio."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.bundle import BundleError
from app.export import save_audio
from app.listen import Listener, listen_to, listen_to_bundle
from app.mixing import TrackReader
from audio.account import Heard, Interrupted
from audio.clock import now
from audio.errors import DeviceError, FileUnreadable, FileUnwritable
from audio.file import FileSink
from audio.wavfile import StreamingWav
from tests.app.agents.fake_agent import eventually


def write(path: Path, samples: np.ndarray) -> Path:
    with StreamingWav(path) as wav:
        wav.write(samples.astype(np.int16))
    return path


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "2026-11-22_10-15-03_demo"
    folder.mkdir()
    (folder / "session.json").write_text(json.dumps({"schema": 1}))
    (folder / "events.jsonl").write_text("")
    write(folder / "user.wav", np.full(16_000, 1000))
    write(folder / "agent.wav", np.full(16_000, 200))
    return folder


def heard(path: Path) -> np.ndarray:
    samples, _ = soundfile.read(path, dtype="int16")
    return samples


def test_both_tracks_are_heard_together_and_whole(bundle, tmp_path):
    out = tmp_path / "heard.wav"
    listener = listen_to_bundle(bundle, FileSink(out))
    assert listener.wait(5)
    assert listener.over
    assert listener.error is None
    assert listener.position_s == 1.0
    listener.close()
    played = heard(out)
    assert np.count_nonzero(played == 1200) == 16_000


def test_it_begins_where_it_is_told_and_its_position_follows_the_clock(bundle):
    listener = listen_to_bundle(bundle, FileSink(None), from_s=0.4)
    began = now()
    assert eventually(lambda: listener.position_s > 0.6)
    assert listener.position_s - 0.4 == pytest.approx(now() - began, abs=0.08)
    assert listener.wait(5)
    assert now() - began == pytest.approx(0.6, abs=0.25)
    listener.close()


def test_stop_is_silent_at_once_and_keeps_the_position(tmp_path):
    track = write(tmp_path / "long.wav", np.full(60 * 16_000, 500))
    out = tmp_path / "heard.wav"
    listener = listen_to([track], FileSink(out))
    assert eventually(lambda: listener.position_s > 0.2)
    began = now()
    listener.stop()
    assert now() - began < 0.05
    at = listener.position_s
    assert at < 1
    assert listener.wait(2)
    assert listener.position_s == at
    listener.close()
    assert listener._audio.account.counters.interrupts >= 1
    assert np.count_nonzero(heard(out)) < (at + 0.1) * 16_000


def test_only_a_bounded_stretch_is_queued(tmp_path):
    track = write(tmp_path / "long.wav", np.full(60 * 16_000, 500))
    listener = listen_to([track], FileSink(None))
    account = listener._audio.account
    assert eventually(lambda: account.counters.received_samples >= 16_000)
    assert account.queued_samples <= Listener.AHEAD_SAMPLES + Listener.CHUNK_SAMPLES
    listener.close()
    assert account.counters.received_samples < 5 * 16_000


def test_a_speaker_that_does_not_open_says_so(bundle):
    class NoSpeaker(FileSink):
        def open(self, pull, on_fault, on_xrun):
            raise DeviceError("speaker", "Box", "is gone")

    with pytest.raises(DeviceError, match="Box"):
        listen_to_bundle(bundle, NoSpeaker(None))


def test_a_speaker_that_dies_ends_it_with_its_sentence(bundle, caplog):
    class Dying(FileSink):
        def open(self, pull, on_fault, on_xrun):
            opened = super().open(pull, on_fault, on_xrun)
            on_fault("The speaker “Box” has stopped.")
            return opened

    listener = listen_to_bundle(bundle, Dying(None))
    assert listener.wait(5)
    listener.close()
    assert str(listener.error) == "The speaker “Box” has stopped."


def test_what_is_no_recording_says_so(tmp_path):
    with pytest.raises(BundleError):
        listen_to_bundle(tmp_path / "nowhere", FileSink(None))
    text = tmp_path / "notes.wav"
    text.write_text("hello")
    with pytest.raises(FileUnreadable, match=r"notes\.wav"):
        listen_to([text], FileSink(None))
    stereo = tmp_path / "stereo.wav"
    soundfile.write(stereo, np.zeros((100, 2)), 16_000)
    with pytest.raises(FileUnreadable, match="not 16 kHz mono"):
        TrackReader([stereo])


def test_a_recording_is_saved_as_stereo(bundle, tmp_path):
    target = tmp_path / "saved.wav"
    target.write_text("something else")
    assert save_audio(bundle, target) == [target]
    samples, rate = soundfile.read(target, dtype="int16")
    assert (rate, samples.shape) == (16_000, (16_000, 2))
    assert samples[0].tolist() == [1000, 200]
    assert sorted(path.name for path in tmp_path.iterdir()) == [bundle.name, "saved.wav"]


def test_a_recording_is_saved_apart(bundle, tmp_path):
    written = save_audio(bundle, tmp_path / "talk.wav", apart=True)
    assert [path.name for path in written] == ["talk-user.wav", "talk-agent.wav"]
    assert heard(written[1])[0] == 200


def test_saving_never_harms_the_recording(bundle):
    with pytest.raises(FileUnwritable, match="is the recording itself"):
        save_audio(bundle, bundle / "user.wav")
    assert len(heard(bundle / "user.wav")) == 16_000


def test_what_cannot_be_saved_says_so(bundle, tmp_path):
    with pytest.raises(FileUnwritable, match="nowhere"):
        save_audio(bundle, tmp_path / "nowhere" / "x.wav")
    (bundle / "agent.wav").unlink()
    with pytest.raises(BundleError, match="no agent track"):
        save_audio(bundle, tmp_path / "x.wav")


def test_longer_tracks_are_not_cut_to_the_shorter(tmp_path):
    with TrackReader(
        [
            write(tmp_path / "a.wav", np.full(10, 30_000)),
            write(tmp_path / "b.wav", np.full(4, 30_000)),
        ]
    ) as reader:
        assert reader.read_mixed(100).tolist() == [32767] * 4 + [30_000] * 6
        assert len(reader.read_mixed(100)) == 0
        reader.seek(3)
        assert [len(track) for track in reader.read(2)] == [2, 2]


def test_whoever_waits_for_the_end_finds_the_error(bundle, caplog):
    for _ in range(10):
        reader = TrackReader([bundle / "user.wav"])
        listener = Listener(reader, FileSink(None))

        def fail(count):
            raise OSError("gone")

        reader.read_mixed = fail
        listener.start()
        assert listener.wait(5)
        assert isinstance(listener.error, OSError)
        listener.close()


def test_nothing_is_heard_after_a_stop_that_comes_while_it_reads(tmp_path):
    reader = TrackReader([write(tmp_path / "long.wav", np.full(10 * 16_000, 500))])
    listener = Listener(reader, FileSink(None))
    read, reads = reader.read_mixed, []

    def stop_in_between(count):
        reads.append(count)
        if len(reads) == 3:
            listener.stop()
        return read(count)

    reader.read_mixed = stop_in_between
    listener.start()
    assert listener.wait(5)
    records = listener._audio.account.journal.read()[0]
    stopped_at = next(record.at for record in records if isinstance(record, Interrupted))
    late = [r for r in records if isinstance(r, Heard) and r.at > stopped_at + 0.05]
    assert len(reads) == 3
    assert not late
    listener.close()
