"""The docks that show one list each: turns, transcript, findings, markers, health, the session."""
