"""Playing a recording through the audio-interface contract."""
