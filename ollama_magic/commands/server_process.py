"""A local server that this kernel starts: finds the program, runs it under a guard, keeps its log."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

END_S = 8.0  # how long the guard may take to end the server
TAIL_BYTES = 65_536
# Where installers put it, even if it is not on a kernel's PATH.
PLACES = (
    "/usr/local/bin/ollama",
    "/usr/bin/ollama",
    "/opt/homebrew/bin/ollama",
    "/snap/bin/ollama",
    "/Applications/Ollama.app/Contents/Resources/ollama",
    "~/Applications/Ollama.app/Contents/Resources/ollama",
    "~/.local/bin/ollama",
    "~/AppData/Local/Programs/Ollama/ollama.exe",
)


def find_ollama(environ: Mapping[str, str]) -> str | None:
    """Return the path of an installed `ollama`, from PATH or the usual folders."""
    found = shutil.which("ollama", path=environ.get("PATH"))
    places = (Path(place).expanduser() for place in PLACES)
    return found or next((str(place) for place in places if os.access(place, os.X_OK) and place.is_file()), None)


class ServerProcess:
    """An `ollama serve` process, which ends with this process at the latest."""

    def __init__(self, program: str, host: str, environ: Mapping[str, str]) -> None:
        self.program, self.host = program, host
        number, name = tempfile.mkstemp(prefix="ollama-serve-", suffix=".log")
        os.close(number)
        self.log = Path(name)
        guard = Path(__file__).with_name("server_guard.py")
        self._guard = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", str(guard), name, program, "serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**environ, "OLLAMA_HOST": host},
            start_new_session=True,  # ■ and Ctrl-C must not reach it
        )

    @property
    def status(self) -> int | None:
        """Its exit status, None while it runs."""
        return self._guard.poll()

    def tail(self, lines: int) -> list[str]:
        """Return the last lines of its log."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - TAIL_BYTES))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return []
        return text.splitlines()[-lines:]

    def stop(self) -> None:
        """End the server and delete its log."""
        if self._guard.stdin is not None:
            with suppress(OSError):
                self._guard.stdin.close()
        try:
            self._guard.wait(END_S)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        with suppress(OSError):
            self.log.unlink()
