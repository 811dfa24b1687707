"""The demo server on loopback only, and gone with its process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from ollama_magic.demo.demo_server import DemoServer
from tests.demo.asking import ask

SERVE = "from ollama_magic.demo.demo_server import DemoServer\nprint(DemoServer().start().url, flush=True)\n"
ENDLESS = SERVE + "import time\ntime.sleep(600)"
FORKED = SERVE + "import os, time\nif os.fork() == 0:\n    time.sleep(4)\n    os._exit(0)\nos._exit(0)"


def _gone(url: str, seconds: float = 2.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            ask(url)
        except ConnectionError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("ending", ["kill", "terminate", "interrupt"])
def test_gone_with_its_process(ending: str) -> None:
    """Two seconds after the end of its process, in whichever way, nobody answers at the address."""
    with subprocess.Popen(
        [sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        url = process.stdout.readline().strip()
        assert ask(url).body == b"Ollama is running"
        process.send_signal({"kill": signal.SIGKILL, "terminate": signal.SIGTERM, "interrupt": signal.SIGINT}[ending])
        process.wait(30)
        assert _gone(url)


def test_a_program_that_ends_is_not_held_up() -> None:
    """A running server does not keep its program from ending."""
    done = subprocess.run([sys.executable, "-c", SERVE], capture_output=True, text=True, timeout=20, check=True)
    assert _gone(done.stdout.strip())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_does_not_keep_it_alive() -> None:
    """A child of the kernel's process, which outlives it, does not hold the server's port."""
    with subprocess.Popen([sys.executable, "-W", "ignore", "-c", FORKED], stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().strip()
        process.wait(30)
        assert _gone(url)
        process.stdout.close()


def test_loopback_only() -> None:
    """The server listens on 127.0.0.1 and at no other address of this machine."""
    with DemoServer() as server:
        assert server.url.startswith("http://127.0.0.1:")
        port = int(server.url.rpartition(":")[2])
        with socket.socket() as other, pytest.raises(OSError):
            other.connect(("127.0.0.2", port))


def test_a_taken_port_is_told() -> None:
    """Starting on a port that is taken raises OSError, and leaves the first server alone."""
    with DemoServer() as first:
        port = int(first.url.rpartition(":")[2])
        with pytest.raises(OSError):
            DemoServer(port=port).start()
        assert ask(first.url).status == 200


def test_the_same_port_again() -> None:
    """A port can be used again at once after the server has stopped."""
    with DemoServer() as first:
        port = int(first.url.rpartition(":")[2])
        ask(first.url)
    with DemoServer(port=port) as second:
        assert ask(second.url).status == 200
