"""Commands of `%ollama` about the server: status, version, host, stop, demo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic import __version__
from ollama_magic.display.tables import card, notice
from ollama_magic.errors import InputError, OllamaMagicError
from ollama_magic.magics.command import Answer, Here, alone
from ollama_magic.magics.model_commands import unload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.conversation.server import Server
    from ollama_magic.ollama.protocol import RunningModel


def status(here: Here, rest: str) -> Answer:
    """Server, version, model, conversation and context in one card; it never fails because of the server."""
    alone("status", rest)
    session, talk = here.session, here.session.conversation()
    facts = session.call(_look(session.server()))
    began = talk.told("model") or session.settings().model or talk.told("began_with")
    rows = [
        ("server", _server_line(session.address().url, facts)),
        ("model", began or "the first turn chooses one"),
        ("loaded", ", ".join(model.name for model in facts.get("loaded", ())) or "none"),
        ("conversation", f"{talk.name}, {_count(len(talk.turns), 'turn')}"),
        ("context", _context_line(here, facts)),
        ("system", talk.told("system") or session.settings().system or "none"),
        ("options", _options_line(here)),
        ("display", here.display),
        ("ollama_magic", __version__),
    ]
    return Answer(dict(rows), card("ollama_magic", rows))


def version(here: Here, rest: str) -> Answer:
    """The versions of this extension and of the server."""
    alone("version", rest)
    server = here.session.call(here.session.server().client.version())
    return Answer(
        {"ollama_magic": __version__, "server": server},
        notice(f"ollama_magic {__version__}, Ollama {server} at {here.session.address().url}"),
    )


def host(here: Here, rest: str) -> Answer:
    """Tell this session's server, or say which it is."""
    session, url = here.session, rest.strip()
    if url:
        before, session.host = session.host, url
        try:
            session.address()
        except InputError:
            session.host = before
            raise
    facts = session.call(_look(session.server()))
    return Answer(session.address().url, notice(f"Server: {_server_line(session.address().url, facts)}"))


def stop(here: Here, rest: str) -> Answer:
    """Alone: stop this notebook's running answers. With a name: unload that model."""
    name = rest.strip()
    if not name:
        count = here.session.stop_all()
        return Answer(count, notice(f"Stopped {_count(count, 'answer')}." if count else "No answer was running."))
    return unload(here, name)


def demo(here: Here, rest: str) -> Answer:
    """Start the built-in demo server in this kernel and talk to it from now on."""
    from ollama_magic.demo.server import DemoServer

    alone("demo", rest)
    session = here.session
    running = session.kept.get("demo")
    if not isinstance(running, DemoServer):
        running = session.kept["demo"] = DemoServer().start()
    session.host = running.url
    return Answer(
        session.host,
        notice(
            f"The demo server answers at {session.host}: scripted replies, no language model. "
            "Try `%%chat` with “Hello, how are you?”."
        ),
    )


async def _look(server: Server) -> dict[str, Any]:
    """What a server says of itself, as far as it says it; `problem` is the line that explains the rest."""
    facts: dict[str, Any] = {}
    try:
        facts["version"] = await server.client.version()
        facts["loaded"] = await server.client.ps()
        facts["installed"] = len(await server.client.tags())
    except OllamaMagicError as error:
        facts["problem"] = str(error)
    return facts


def _server_line(url: str, facts: dict[str, Any]) -> str:
    if "version" not in facts:
        return f"{url}: {facts['problem']}"
    return f"{url}, Ollama {facts['version']}, {_count(facts.get('installed', 0), 'model')}"


def _context_line(here: Here, facts: dict[str, Any]) -> str:
    last = here.session.last
    if last is None or last.stats is None or last.stats.prompt_tokens is None:
        return "not used yet"
    used = last.stats.prompt_tokens + (last.stats.answer_tokens or 0)
    window = _window(last.model, facts.get("loaded", ()))
    return f"{used:,} of {window:,} tokens" if window else f"{used:,} tokens"


def _window(model: str, loaded: Sequence[RunningModel]) -> int | None:
    from ollama_magic.ollama.models import same_model

    return next((running.context_length for running in loaded if same_model(running.name, model)), None)


def _options_line(here: Here) -> str:
    options = {**here.session.settings().options, **(here.session.conversation().told("options") or {})}
    return ", ".join(f"{key}={value}" for key, value in options.items()) or "the model's own"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
