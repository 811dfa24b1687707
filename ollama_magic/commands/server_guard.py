"""A script that runs a server while its standard input is open, then ends it.

The kernel holds the other end of the pipe, so the server ends with the kernel in any case. The script imports nothing
from this package.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

PATIENCE_S = 5.0  # between asking the server to end and ending it


def guard(command: list[str], log: str) -> int:
    """Run the command until it ends or the pipe is closed, writing its output to the log."""
    with open(log, "ab") as words:  # noqa: PTH123 (a script with few imports starts at once)
        server = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=words, stderr=subprocess.STDOUT, start_new_session=True
        )
    threading.Thread(target=_wait_for_the_end, args=(server,), daemon=True).start()
    return server.wait()


def _wait_for_the_end(server: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        while sys.stdin.buffer.read(1):
            pass
    server.terminate()
    with suppress(subprocess.TimeoutExpired):
        server.wait(PATIENCE_S)
    with suppress(OSError):
        if os.name == "nt":
            server.kill()
        else:
            os.killpg(server.pid, signal.SIGKILL)  # the runners of its models may still run


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # not SIG_IGN, which the server would inherit
    sys.exit(guard(sys.argv[2:], sys.argv[1]))
