"""The demo agent: a server on loopback that speaks the ElevenLabs Agents WebSocket protocol.

It hears when the user speaks, but not what; its lines are recorded. See ``resources/demo/`` for
the script and the speech, ``server`` for running it here, ``launcher`` for a process of its own.
"""
