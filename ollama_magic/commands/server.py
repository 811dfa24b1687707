"""Commands of `%ollama` about the server: status, version, host, stop, demo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ollama_magic.commands.command import Answer, Here, alone
from ollama_magic.commands.models import unload
from ollama_magic.commands.sources import host_source, model_now, settings_rows
from ollama_magic.commands.words import command, reads
from ollama_magic.display.tables import Shown, card, notice
from ollama_magic.errors import InputError, ModelNotFound, OllamaMagicError
from ollama_magic.foreign import one_line
from ollama_magic.line.options import Option
from ollama_magic.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.conversation.server import Server
    from ollama_magic.conversation.session import Session
    from ollama_magic.demo.server import DemoServer
    from ollama_magic.ollama.protocol import RunningModel


def status(here: Here, rest: str) -> Answer:
    """Server, version, model, conversation and context in one card; it never fails because of the server."""
    if rest.strip() == "--check":
        from ollama_magic.commands.doctor import check

        return check(here)
    alone("status", rest)
    session, talk = here.session, here.session.conversation()
    facts = session.call(_look(session.server(), model_now(session)[0]))
    rows = [
        ("server", f"{_server_line(session.address().url, facts)} ({host_source(session)})"),
        ("loaded", ", ".join(model.name for model in facts.get("loaded", ())) or "none"),
        ("conversation", f"{talk.name}, {_count(len(talk.turns), 'turn')}"),
        ("context", _context_line(here, facts)),
        *settings_rows(session, facts.get("own")),
        ("display", here.display),
        ("ollama_magic", __version__),
    ]
    return Answer(dict(rows), card("ollama_magic", rows))


def version(here: Here, rest: str) -> Answer:
    """The versions of this extension and of the server, and what an old server lacks."""
    from ollama_magic.ollama.versions import lacking

    alone("version", rest)
    server = here.session.call(here.session.server().client.version())
    missing = lacking(server)
    said = f"ollama_magic {__version__}, Ollama {server} at {here.session.address().url}"
    shown = [notice(said), *(notice(f"! {sentence}") for sentence in missing)]
    shown += [notice("A newer Ollama has all this: https://ollama.com/download.")] * bool(missing)
    together = Shown("".join(one.html for one in shown), "\n".join(one.text for one in shown))
    return Answer({"ollama_magic": __version__, "server": server, "lacking": list(missing)}, together)


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


@reads(
    command(
        "demo",
        "Start the built-in demo server in this kernel and talk to it from now on: scripted replies, no model.",
        Option("--replay", "answer as in this file, which `%ollama save` wrote", metavar="FILE", absent=""),
    )
)
def demo(here: Here, asked: Any) -> Answer:
    """Start the built-in demo server in this kernel and talk to it from now on."""
    from ollama_magic.demo.server import DemoServer

    session = here.session
    running = session.kept.get("demo")
    if not isinstance(running, DemoServer) or asked.replay:
        fresh = _demo_server(asked.replay)
        if running is not None:
            running.stop()
        running = session.kept["demo"] = fresh
    session.host = running.url
    what = f"replays {Path(asked.replay).name}" if asked.replay else "scripted replies"
    hint = "" if asked.replay else " Try `%%chat` with “Hello, how are you?”."
    said = f"The demo server answers at {session.host}: {what}, no language model.{_goes_on(session) or hint}"
    return Answer(session.host, notice(said))


def _goes_on(session: Session) -> str:
    """What becomes of a conversation with a model that the demo server does not have."""
    (name, _), talk, server = model_now(session), session.conversation(), session.server()
    try:
        session.call(server.model_for(name or None, frozenset()))
    except ModelNotFound:
        own, shown = session.call(server.book.choose()), one_line(name, 80)
        if talk.told("model") or session.settings().model:
            return f" It has no {shown}, which was told: `%ollama model {own}` goes on with what it has."
        return f" This conversation began with {shown}; here {own} goes on with it."
    return ""


def _demo_server(replay: str) -> DemoServer:
    """A demo server that has begun; InputError for a file that cannot be replayed."""
    from ollama_magic.demo.server import DemoServer

    if not replay:
        return DemoServer().start()
    try:
        return DemoServer(replay=Path(replay).expanduser()).start()
    except ValueError as error:  # its text is a line for the user
        raise InputError(one_line(str(error))) from None


async def _look(server: Server, model: str = "") -> dict[str, Any]:
    """What a server says of itself, as far as it says it; `problem` is the line that explains the rest."""
    facts: dict[str, Any] = {}
    try:
        facts["version"] = await server.client.version()
        facts["loaded"] = await server.client.ps()
        facts["installed"] = len(await server.client.tags())
        facts["own"] = await server.book.look_up(model, frozenset()) if model else None
    except OllamaMagicError as error:
        facts["problem"] = str(error)
    return facts


def _server_line(url: str, facts: dict[str, Any]) -> str:
    if "version" not in facts:
        return f"{url}: {facts['problem']}"
    return f"{url}, Ollama {facts['version']}, {_count(facts.get('installed', 0), 'model')}"


def _context_line(here: Here, facts: dict[str, Any]) -> str:
    """What the last turn took, by its counts, of the window that is loaded, of the largest that the model can have."""
    last, own = here.session.last, facts.get("own")
    if last is None or last.stats is None or last.stats.prompt_tokens is None:
        return "not used yet"
    used = last.stats.prompt_tokens + (last.stats.answer_tokens or 0)
    window = _window(last.model, facts.get("loaded", ()))
    most = own.context_length if own and last.model == model_now(here.session)[0] else None
    of_most = f"; the model's largest window is {most:,}" if window and most else ""
    return f"{used:,} of {window:,} tokens{of_most}" if window else f"{used:,} tokens"


def _window(model: str, loaded: Sequence[RunningModel]) -> int | None:
    from ollama_magic.ollama.models import same_model

    return next((running.context_length for running in loaded if same_model(running.name, model)), None)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
