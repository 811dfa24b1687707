"""The command line: `demo` opens JupyterLab on the quickstart, `enable` and `disable` have IPython load the extension.

No magic and no model lives here.
"""

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
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ollama_magic.demo.answers.replay import NoReplay, read_replay
from ollama_magic.demo.server import DemoServer
from ollama_magic.enabling import disable, enable
from ollama_magic.errors import InputError
from ollama_magic.opening import open_lab

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

_FOLDER, _NOTEBOOK = "ollama-magic-demo", "quickstart.ipynb"
_LOOK = 3.0  # seconds that a look at OLLAMA_HOST may take
_REPLAYED = "so the built-in demo server answers (what is not in the file gets a scripted reply)."
_SCRIPTED = "so the built-in demo server answers (scripted replies, no language model)."


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
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="open JupyterLab on the quickstart, with your Ollama or a demo server")
    demo.add_argument("--port", type=_port, default=0, help="port of the demo server (default: a free one)")
    demo.add_argument("--pace", type=_pace, help="tokens/s of the demo server; 0 is as fast as possible")
    demo.add_argument(
        "--replay", type=_replay, metavar="FILE", help="answer from a conversation that `%%ollama save` wrote"
    )
    demo.add_argument("--no-browser", action="store_true", help="print JupyterLab's address and open no browser")
    demo.add_argument("--notebook-dir", metavar="DIR", help=f"where the notebook goes (default: {_FOLDER} here)")
    demo.add_argument("--server-only", action="store_true", help="no JupyterLab: serve, and print the address")
    demo.set_defaults(run=lambda options: _serve(options) if options.server_only else _demo(options))
    for run, does in (
        (_enable, "have IPython and every notebook load the extension"),
        (_disable, "take that back"),
    ):
        switch = commands.add_parser(run.__name__.strip("_"), help=does)
        switch.add_argument(
            "--profile", default="default", metavar="NAME", help="the IPython profile (default: default)"
        )
        switch.set_defaults(run=run)
    return parser


def _enable(options: argparse.Namespace) -> int:
    file, written = enable(options.profile)
    since = "IPython and the notebooks of this profile load ollama_magic from their next start on"
    said = f"Wrote {file}:" if written else f"{file} is there already:"
    print(f"{said} {since}; `ollama-magic disable` takes it back.")
    return 0


def _disable(options: argparse.Namespace) -> int:
    file, removed = disable(options.profile)
    print(
        f"Removed {file}: nothing loads by itself any more." if removed else f"There is nothing to remove: no {file}."
    )
    return 0


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port: it goes from 0 to 65535")
    return int(text)


def _pace(text: str) -> float:
    try:
        pace = float(text)
    except ValueError:
        pace = -1.0
    if not 0 <= pace < 1e9:
        raise argparse.ArgumentTypeError(f"{text} is no pace: give tokens per second, or 0")
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
        print("The demo server answers there (scripted replies, no language model) until Ctrl-C.", flush=True)
        while True:
            time.sleep(3600)


def _started(options: argparse.Namespace) -> DemoServer:
    try:
        return DemoServer(port=options.port, pace=options.pace, replay=options.replay).start()
    except OSError as error:
        reason = error.strerror or str(error)
        raise _Refused(f"The demo server cannot have port {options.port} ({reason}); try another --port.") from None


def _demo(options: argparse.Namespace) -> int:
    if importlib.util.find_spec("jupyterlab") is None:
        raise _Refused('JupyterLab is missing here; get it with: pip install "ollama_magic[lab]"')
    notebook = copy_of_quickstart(options.notebook_dir)
    host = os.environ.get("OLLAMA_HOST")
    url, finding = look_at(host) if options.replay is None else ("", f"{options.replay} is replayed")
    if finding is None:
        print(f"Ollama answers at {url}, so your own models answer in the notebook.", flush=True)
        return open_lab(notebook, {}, browser=not options.no_browser)
    with _started(options) as server:
        print(f"{finding}, {_SCRIPTED if options.replay is None else _REPLAYED}", flush=True)
        return open_lab(notebook, {"OLLAMA_HOST": server.url}, browser=not options.no_browser)


def look_at(host: str | None) -> tuple[str, str | None]:
    """The server's address, and None if it has a model, else what was found there."""
    scheme, name, port, path = _read_host(host)
    url = f"{scheme}://{f'[{name}]' if ':' in name else name}:{port}{path}"
    kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    connection = kind(name, port, timeout=_LOOK)
    try:
        if b"Ollama is running" not in _get(connection, path + "/"):
            return url, f"What answers at {url} is no Ollama"
        models = json.loads(_get(connection, path + "/api/tags"))["models"]
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return url, f"No Ollama answers at {url}"
    finally:
        connection.close()
    return url, None if models else f"Ollama at {url} has no model yet"


def _get(connection: http.client.HTTPConnection, path: str) -> bytes:
    key = os.environ.get("OLLAMA_API_KEY")
    connection.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
    return connection.getresponse().read(10_000_000)


def _read_host(value: str | None) -> tuple[str, str, int, str]:
    """Scheme, host, port and path of OLLAMA_HOST (dossier §23.1); what cannot be read is taken for its default."""
    given, _, rest = (value or "").strip(" \"'").rpartition("://")
    if rest.count(":") > 1 and not rest.startswith("["):
        rest = f"[{rest}]"
    scheme = "https" if given.lower() == "https" or rest == "ollama.com" else "http"
    try:
        parts = urlsplit(f"//{rest}")
        name, port, path = parts.hostname or "127.0.0.1", parts.port, parts.path.rstrip("/")
    except ValueError:
        name, port, path = "127.0.0.1", None, ""
    default = 443 if scheme == "https" else 80 if given else 11434
    return scheme, {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(name, name), port or default, path  # noqa: S104


def copy_of_quickstart(folder: str | None) -> Path:
    """A fresh copy of the quickstart; a notebook that is there already is never touched."""
    source = next((path for path in _quickstarts() if path.is_file()), None)
    if source is None:
        raise _Refused("The quickstart notebook is missing from this installation; install ollama_magic again.")
    place = _place(folder)
    number = 1
    while True:
        name = _NOTEBOOK if number == 1 else _NOTEBOOK.replace(".", f"-{number}.")
        try:
            with (place / name).open("xb") as copy:
                copy.write(_without_answers(source.read_bytes()))
            return place / name
        except FileExistsError:
            number += 1
        except OSError as error:
            raise _Refused(f"No notebook can be written to {place} ({error.strerror}).") from None


def _without_answers(notebook: bytes) -> bytes:
    """The answers that are saved in it are for those who only read it."""
    content = json.loads(notebook)
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n"


def _quickstarts() -> tuple[Path, Path]:
    """As the wheel has it, and as a checkout has it."""
    package = Path(str(files("ollama_magic")))
    return package / "demo" / _NOTEBOOK, package.parent / "examples" / _NOTEBOOK


def _place(folder: str | None) -> Path:
    place = Path(folder).expanduser() if folder else Path.cwd() / _FOLDER
    try:
        place.mkdir(parents=True, exist_ok=True)
        writable = os.access(place, os.W_OK)
    except OSError as error:
        if folder:
            raise _Refused(f"The folder {place} cannot be made ({error.strerror}).") from None
        writable = False
    if not writable and not folder:
        place = Path(tempfile.mkdtemp(prefix=f"{_FOLDER}-"))
    return place.resolve()


if __name__ == "__main__":
    sys.exit(main())
