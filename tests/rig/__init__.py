"""The test rig: a virtual sound card, a virtual screen, a voice, and waiting with a deadline.

Everything runs in daemons of its own, in folders of its own: no test meets a person's sound
server, screen, settings or keyring.
"""
