"""The command line: `demo` opens JupyterLab with the quickstart, `enable` and `disable` control automatic loading."""

from __future__ import annotations

import argparse
import http.client
import importlib.util
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ollama_magic.demo.demo_server import DemoServer
from ollama_magic.demo.engine.engine_process import engine_installed
from ollama_magic.demo.engine.local_models import SMALL_MODEL, LocalModels, fetch_small_model, local_models
from ollama_magic.demo.engine.weights import WeightsError
from ollama_magic.demo.recordings.replay import NoReplay, read_replay
from ollama_magic.enabling import disable, enable
from ollama_magic.errors import InputError
from ollama_magic.example_notebooks import copy_examples
from ollama_magic.ollama.address import Address, configured_address
from ollama_magic.opening import open_lab
from ollama_magic.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

_FOLDER = "ollama-magic-demo"
_LOOK_S = 3.0  # timeout of the look at OLLAMA_HOST
_MEGABYTE = 1_000_000


class _Refused(Exception):
    """One line for the user; nothing was started."""


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    options = _parser().parse_args(args)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return int(options.run(options))
    except (_Refused, InputError) as refused:
        print(refused, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ollama-magic", description="Chat with local models in a notebook.")
    parser.add_argument("--version", action="version", version=f"ollama_magic {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="open JupyterLab on the examples, with your Ollama or a demo server")
    demo.add_argument("--port", type=_port, default=0, help="port of the demo server (default: a free one)")
    demo.add_argument("--pace", type=_pace, help="tokens/s of the demo server; 0 is as fast as possible")
    demo.add_argument(
        "--replay", type=_replay, metavar="FILE", help="answer from a conversation that `%%ollama save` wrote"
    )
    demo.add_argument(
        "--gguf", action="append", default=[], metavar="FILE[=NAME]", help="serve a GGUF file of your own, as NAME"
    )
    demo.add_argument(
        "--fetch", action="store_true", help="fetch the small real model first if it is not here (93 MB, once)"
    )
    demo.add_argument("--no-browser", action="store_true", help="print JupyterLab's address and open no browser")
    demo.add_argument("--notebook-dir", metavar="DIR", help=f"where the notebooks go (default: {_FOLDER} here)")
    demo.add_argument("--server-only", action="store_true", help="no JupyterLab: serve, and print the address")
    demo.set_defaults(run=lambda options: _serve(options) if options.server_only else _demo(options))
    for run, does in (
        (_enable, "have IPython and every notebook load the extension"),
        (_disable, "undo that"),
    ):
        switch = commands.add_parser(run.__name__.strip("_"), help=does)
        switch.add_argument(
            "--profile", default="default", metavar="NAME", help="the IPython profile (default: default)"
        )
        switch.set_defaults(run=run)
    return parser


def _enable(options: argparse.Namespace) -> int:
    file, written = enable(options.profile)
    since = "IPython and the notebooks of this profile load ollama_magic from their next start"
    said = f"Wrote {file}:" if written else f"{file} already exists:"
    print(f"{said} {since}; `ollama-magic disable` undoes that.")
    return 0


def _disable(options: argparse.Namespace) -> int:
    file, removed = disable(options.profile)
    done = f"Removed {file}: the extension is no longer loaded automatically."
    print(done if removed else f"There is nothing to remove: no {file}.")
    return 0


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port: use a number from 0 to 65535")
    return int(text)


def _pace(text: str) -> float:
    try:
        pace = float(text)
    except ValueError:
        pace = -1.0
    if not 0 <= pace < 1e9:
        raise argparse.ArgumentTypeError(f"{text} is not a pace: use tokens per second, or 0")
    return pace


def _replay(text: str) -> str:
    try:
        read_replay(text)
    except NoReplay as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _serve(options: argparse.Namespace) -> int:
    with _started(options) as server:
        print(server.url, flush=True)
        print(f"The demo server answers there until Ctrl-C: {server.described}.", flush=True)
        while True:
            time.sleep(3600)


def _local(options: argparse.Namespace) -> LocalModels:
    """The real models of this machine; the small one is fetched first if that is wanted and it is missing."""
    failed = _fetch() if options.fetch and engine_installed() else ""
    local = local_models(options.gguf)
    local.missing = failed or local.missing
    return local


def _fetch() -> str:
    """Fetch the small model and show the progress; why it could not be had, or nothing."""
    shown = 0
    try:
        for done in fetch_small_model():
            if done // (10 * _MEGABYTE) > shown:
                shown = done // (10 * _MEGABYTE)
                print(f"Fetching {SMALL_MODEL}: {done // _MEGABYTE} of 93 MB.", flush=True)
    except WeightsError as error:
        return str(error).rstrip(".")
    return ""


def _started(options: argparse.Namespace) -> DemoServer:
    local = _local(options)
    try:
        return DemoServer(port=options.port, pace=options.pace, replay=options.replay, local=local).start()
    except OSError as error:
        reason = error.strerror or str(error)
        raise _Refused(f"The demo server cannot have port {options.port} ({reason}); try another --port.") from None


def _demo(options: argparse.Namespace) -> int:
    if importlib.util.find_spec("jupyterlab") is None:
        raise _Refused('JupyterLab is missing here; get it with: pip install "ollama_magic[lab]"')
    notebook = copy_examples(_place(options.notebook_dir))
    host = os.environ.get("OLLAMA_HOST")
    url, finding = look_at(host) if options.replay is None else ("", f"{options.replay} is replayed")
    if options.gguf:
        finding = finding or f"{options.gguf[0]} is served"
    if finding is None:
        print(f"Ollama at {url} answers in the notebook, with your own models.", flush=True)
        return open_lab(notebook, {}, browser=not options.no_browser)
    with _started(options) as server:
        print(f"{finding}, so the built-in demo server answers: {server.described}.", flush=True)
        return open_lab(notebook, {"OLLAMA_HOST": server.url}, browser=not options.no_browser)


def look_at(host: str | None) -> tuple[str, str | None]:
    """The server's address, and None if it has a model, else what was found there."""
    try:
        address = configured_address({"OLLAMA_HOST": host or ""}).parsed()
    except InputError as error:
        return Address().origin, str(error).rstrip(".")
    url = address.origin + address.path
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.target, address.port, timeout=_LOOK_S)
    try:
        if b"Ollama is running" not in _get(connection, address.path + "/"):
            return url, f"The server at {url} is not Ollama"
        models = json.loads(_get(connection, address.path + "/api/tags"))["models"]
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError, RecursionError):
        return url, f"No Ollama answers at {url}"
    finally:
        connection.close()
    return url, None if models else f"Ollama at {url} has no model yet"


def _get(connection: http.client.HTTPConnection, path: str) -> bytes:
    key = os.environ.get("OLLAMA_API_KEY")
    connection.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
    return connection.getresponse().read(10_000_000)


def _place(folder: str | None) -> Path:
    try:
        place = Path(folder).expanduser() if folder else Path.cwd() / _FOLDER
        place.mkdir(parents=True, exist_ok=True)
        writable = os.access(place, os.W_OK)
    except (OSError, RuntimeError) as error:
        if folder:
            reason = error.strerror if isinstance(error, OSError) else "there is no such home folder"
            raise _Refused(f"The folder {folder} cannot be created ({reason}).") from None
        writable = False
    if not writable and not folder:
        place = Path(tempfile.mkdtemp(prefix=f"{_FOLDER}-"))
    return place.resolve()


if __name__ == "__main__":
    sys.exit(main())
