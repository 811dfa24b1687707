"""The life of the engine's process, seen from the server: started with a model, measured, ended."""

from __future__ import annotations

import json
import logging
import os
import secrets
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

_PACKAGES = Path(__file__).parents[3]
_WORKER = "ollama_magic.demo.engine.worker"
_PROC = Path("/proc")
_log = logging.getLogger("ollama_magic.demo")


class EngineFailed(Exception):
    """The process did not come up, or has ended; the text says what is known about it."""


def engine_installed() -> bool:
    """Whether the engine (the extra `local`) can be imported; it is not imported."""
    return find_spec("xllamacpp") is not None


@dataclass(frozen=True)
class LoadSettings:
    """What counts when a model is loaded; another value needs another process."""

    path: str
    context: int  # tokens
    threads: int
    batch: int  # tokens


class EngineProcess:
    """A running worker with one loaded model.

    Raises:
        EngineFailed: The model could not be loaded.
    """

    def __init__(self, settings: LoadSettings) -> None:
        self.settings, self.key = settings, secrets.token_urlsafe(24)
        # Threads that wait for each other must not burn the processor that the kernel and the browser need.
        environ = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
        self._process = subprocess.Popen(  # noqa: S603 — our own worker
            [sys.executable, "-m", _WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_PACKAGES,  # `-m` looks into the working folder first; nothing of the user's is imported
            env=environ,
            start_new_session=True,  # Ctrl-C in a terminal is the server's
            text=True,
        )
        try:
            self.host, self.port = self._started()
        except BaseException:
            self.stop()
            raise
        _log.info("engine %d has loaded a model of %d bytes", self._process.pid, self._file_size())

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def memory(self) -> int:
        """Bytes that the process takes; the size of the weights where the machine does not say."""
        try:
            pages = int((_PROC / str(self.pid) / "statm").read_text(encoding="ascii").split()[1])
        except (OSError, ValueError, IndexError):
            return self._file_size() if self.running else 0
        return pages * os.sysconf("SC_PAGE_SIZE")

    def stop(self) -> None:
        """End the process; it has nothing to save."""
        if self.running:
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def death(self) -> str:
        """How the process ended, for a message."""
        code = self._process.poll()
        if code is None:
            return "the engine does not answer"
        return f"the engine was ended by signal {-code}" if code < 0 else f"the engine ended with status {code}"

    def _file_size(self) -> int:
        return Path(self.settings.path).stat().st_size

    def _started(self) -> tuple[str, int]:
        """Send the settings, wait for the model, and get the address."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({**asdict(self.settings), "key": self.key}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError:
            line = ""
        if not line:
            self._process.wait()
            raise EngineFailed(self.death())
        reply = json.loads(line)
        if "error" in reply:
            raise EngineFailed(str(reply["error"]))
        address = urlsplit(reply["address"])
        return str(address.hostname), int(address.port or 0)
