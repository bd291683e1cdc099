"""Whether there is a display that a window can open on. Main thread, before Qt starts.

Qt ends the process, with a page of its own, where there is none; so the same displays are tried
first, in the order in which Qt tries them (``QGuiApplicationPrivate::createPlatformIntegration``).
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import threading
from pathlib import Path

from PySide6.QtCore import QLibraryInfo

from audio.worker import Worker

ANSWER_S = 3.0
"""How long a display may take to answer: one across a network may never."""


def has_display() -> bool:
    """Whether a window can open, as far as that can be told without opening one."""
    if not sys.platform.startswith("linux"):
        return True
    asked = os.environ.get("QT_QPA_PLATFORM", "")
    if asked:
        return any(_answers(name.partition(":")[0]) for name in asked.split(";"))
    found = [name for name, variable in _VARIABLES.items() if os.environ.get(variable)]
    return any(_answers(name) for name in found)


_VARIABLES = {"wayland": "WAYLAND_DISPLAY", "xcb": "DISPLAY"}


def _answers(platform: str) -> bool:
    if platform.startswith("wayland"):
        return _wayland_answers()
    if platform == "xcb":
        return _x_answers()
    if os.environ.get("QT_QPA_PLATFORM_PLUGIN_PATH"):
        return True
    plugins = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath))
    return (plugins / "platforms" / f"libq{platform}.so").exists()


def _wayland_answers() -> bool:
    if os.environ.get("WAYLAND_SOCKET"):  # a connection that somebody has opened for us
        return True
    folder = os.environ.get("XDG_RUNTIME_DIR", "")
    path = Path(folder) / (os.environ.get("WAYLAND_DISPLAY") or "wayland-0")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(ANSWER_S)
        try:
            probe.connect(str(path))
        except (OSError, ValueError):
            return False
        return True


def _x_answers() -> bool:
    """Connect as Qt does, with the cookie of ``XAUTHORITY``, to the server of ``DISPLAY``."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:  # Qt will say what is missing
        return True
    xcb.xcb_connect.restype = ctypes.c_void_p
    refusals: list[int] = []

    def connect(_stopping: threading.Event) -> None:
        connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
        refusals.append(xcb.xcb_connection_has_error(connection))
        xcb.xcb_disconnect(connection)

    caller = Worker("display", connect)
    caller.start()
    return caller.join(ANSWER_S) and refusals == [0]
