"""A virtual screen: Xvfb on a free display, a small window manager, screenshots, mouse and keys.

Made on the test's thread; the display and the window manager are processes of its own.
"""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from tests.rig.processes import dying_with_us
from tests.rig.waiting import wait_until

_START_DEADLINE_S = 15.0
_STOP_DEADLINE_S = 5.0


class Screen:
    """An X display nobody sees. Between `start()` and `stop()`, `environment()` leads to it."""

    def __init__(
        self, width_px: int = 1600, height_px: int = 1000, *, window_manager: bool = True
    ) -> None:
        self.width_px = width_px
        self.height_px = height_px
        self.display = ""
        self._window_manager = window_manager
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Screen:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Open the display, and wait until it answers.

        Raises:
            RuntimeError: Xvfb did not come up.
        """
        read_fd, write_fd = os.pipe()
        try:
            size = f"{self.width_px}x{self.height_px}x24"
            command = ["Xvfb", "-displayfd", str(write_fd), "-screen", "0", size]
            command += ["-dpi", "96", "-nolisten", "tcp", "-noreset"]
            self._launch(command, pass_fds=(write_fd,))
            self.display = f":{self._read_display(read_fd)}"
        finally:
            os.close(read_fd)
            os.close(write_fd)
        if self._window_manager:
            self._launch(["openbox", "--sm-disable"])
            try:
                wait_until(self._is_managed, _START_DEADLINE_S, "the window manager to come up")
            except AssertionError:
                self.stop()
                raise

    def stop(self) -> None:
        """Close the display and what runs on it. A second call does nothing."""
        while self._processes:
            process = self._processes.pop()
            process.terminate()
            try:
                process.wait(_STOP_DEADLINE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.display = ""

    def environment(self) -> dict[str, str]:
        """The variables that send a Qt program to this screen."""
        return {"DISPLAY": self.display, "QT_QPA_PLATFORM": "xcb", "QT_SCALE_FACTOR": "1"}

    def screenshot(self, path: Path) -> Path:
        """Write what the screen shows as a PNG, and return its path."""
        self._run("import", "-window", "root", str(path))
        return path

    def type(self, text: str) -> None:
        """Type `text` into the window that has the keyboard."""
        self._run("xdotool", "type", "--delay", "15", "--", text)

    def keys(self, *names: str) -> None:
        """Press keys by their X names, one after the other: `Escape`, `ctrl+comma`, `m`."""
        self._run("xdotool", "key", "--delay", "30", *names)

    def click(self, x_px: int, y_px: int, button: int = 1) -> None:
        """Click at a place counted from the top left of the screen."""
        self._run("xdotool", "mousemove", "--sync", str(x_px), str(y_px))
        self._run("xdotool", "click", str(button))

    def find_window(self, title: str, deadline_s: float = 20.0) -> str:
        """The X id of the first visible window whose title holds `title` (a regular expression).

        Raises:
            AssertionError: none appeared in time.
        """
        search = ("xdotool", "search", "--onlyvisible", "--name", title)
        found = wait_until(lambda: self._output(*search), deadline_s, f"a window titled {title!r}")
        return found.split()[0]

    def place_window(self, window: str, width_px: int, height_px: int) -> None:
        """Put a window at the top left, with this size, in front and with the keyboard."""
        self._run("xdotool", "windowmove", window, "0", "0")
        self._run("xdotool", "windowsize", "--sync", window, str(width_px), str(height_px))
        self._run("xdotool", "windowactivate", "--sync", window)

    def close_window(self, window: str) -> None:
        """Close a window as a person does, with Alt+F4, so that it may refuse or tidy up."""
        self._run("xdotool", "windowactivate", "--sync", window)
        self.keys("alt+F4")

    def _launch(self, command: list[str], pass_fds: tuple[int, ...] = ()) -> None:
        process = subprocess.Popen(
            dying_with_us(command),
            env=self._environment(),
            pass_fds=pass_fds,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._processes.append(process)

    def _read_display(self, fd: int) -> int:
        # Up to the end of the line: it comes in a second write, and Xvfb dies if nobody takes it.
        number = b""
        while not number.endswith(b"\n"):
            ready, _, _ = select.select([fd], [], [], _START_DEADLINE_S)
            if not ready:
                self.stop()
                raise RuntimeError("Xvfb did not come up: no display number came from it.")
            number += os.read(fd, 16)
        return int(number)

    def _is_managed(self) -> bool:
        return bool(self._output("xdotool", "get_num_desktops"))

    def _environment(self) -> Mapping[str, str]:
        return {**os.environ, "DISPLAY": self.display}

    def _run(self, *command: str) -> None:
        subprocess.run(command, env=self._environment(), check=True, capture_output=True)

    def _output(self, *command: str) -> str:
        answer = subprocess.run(
            command, env=self._environment(), check=False, capture_output=True, text=True
        )
        return answer.stdout.strip() if answer.returncode == 0 else ""
