"""The controls of a playback, and where its playhead stands."""
