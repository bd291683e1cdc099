"""An audio interface as a user would write one, after the examples in the SDK's documentation."""

from __future__ import annotations

import queue
import threading
import time

from elevenlabs.conversational_ai.conversation import AudioInterface


class SpeakerlessPhone(AudioInterface):
    """Sends a quarter of a second of near-silence at a time, and plays into a list."""

    def __init__(self) -> None:
        self.played: list[bytes] = []
        self.interrupts = 0

    def start(self, input_callback):
        self.input_callback = input_callback
        self.output_queue: queue.Queue[bytes] = queue.Queue()
        self.should_stop = threading.Event()
        self.input_thread = threading.Thread(target=self._send, daemon=True)
        self.output_thread = threading.Thread(target=self._play, daemon=True)
        self.input_thread.start()
        self.output_thread.start()

    def stop(self):
        self.should_stop.set()
        for thread in (self.input_thread, self.output_thread):
            if thread is not threading.current_thread():
                thread.join()

    def output(self, audio):
        self.output_queue.put(audio)

    def interrupt(self):
        self.interrupts += 1
        try:
            while True:
                self.output_queue.get(block=False)
        except queue.Empty:
            pass

    def _send(self):
        while not self.should_stop.wait(0.25):
            self.input_callback(b"\x01\x00" * 4000)

    def _play(self):
        while not self.should_stop.is_set():
            try:
                audio = self.output_queue.get(timeout=0.05)
            except queue.Empty:
                continue
            self.played.append(audio)
            time.sleep(len(audio) / 32_000)
