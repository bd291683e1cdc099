"""One suite over every implementation of the audio-interface contract."""
