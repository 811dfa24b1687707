"""Commands of `%ollama` about the server: status, version, host, stop, demo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ollama_magic.commands.command import CommandContext, CommandResult, command
from ollama_magic.commands.model_commands import unload
from ollama_magic.commands.setting_sources import address_source, model_now, settings_rows
from ollama_magic.display.tables import Shown, card, notice
from ollama_magic.errors import InputError, ModelNotFound, OllamaMagicError
from ollama_magic.foreign import one_line
from ollama_magic.line import value_readers
from ollama_magic.line.options import Argument, Option
from ollama_magic.turns.wording import counted
from ollama_magic.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.conversation.server import Server
    from ollama_magic.conversation.session import Session
    from ollama_magic.demo.demo_server import DemoServer
    from ollama_magic.ollama.protocol import RunningModel


@command(
    "status",
    "server",
    "Server, model, conversation and context at a glance.",
    Option("--check", "check everything that may be wrong, and say how to fix it", default=False),
    examples=("status", "status --check"),
)
def status(context: CommandContext, arguments: Any) -> CommandResult:
    """Show server, version, model, conversation and context in one card, even without a server."""
    if arguments.check:
        from ollama_magic.commands.doctor import check

        return check(context)
    session, conversation = context.session, context.session.conversation()
    facts = session.call(_look(session.server(), model_now(session)[0]))
    rows = [
        ("server", f"{_server_line(session.address().url, facts)} ({address_source(session)})"),
        ("loaded", ", ".join(model.name for model in facts.get("loaded", ())) or "none"),
        ("conversation", f"{conversation.name}, {counted(len(conversation.turns), 'turn')}"),
        ("context", _context_line(context, facts)),
        *settings_rows(session, facts.get("own")),
        ("display", context.display),
        ("ollama_magic", __version__),
    ]
    return CommandResult(dict(rows), card("ollama_magic", rows))


@command("version", "server", "The versions of this extension and of the server.")
def version(context: CommandContext, arguments: Any) -> CommandResult:
    """Show the versions of this extension and of the server, and what an old server lacks."""
    from ollama_magic.ollama.versions import lacking

    del arguments
    server = context.session.call(context.session.server().client.version())
    missing = lacking(server)
    said = f"ollama_magic {__version__}, Ollama {server} at {context.session.address().url}"
    shown = [notice(said), *(notice(f"! {sentence}") for sentence in missing)]
    shown += [notice("A newer Ollama has all this: https://ollama.com/download.")] * bool(missing)
    together = Shown("".join(one.html for one in shown), "\n".join(one.text for one in shown))
    return CommandResult({"ollama_magic": __version__, "server": server, "lacking": list(missing)}, together)


@command(
    "host",
    "server",
    "Set or show the server of this session.",
    Argument("URL", required=False, read=value_readers.name),
    Option("--unset", "go back to %config, OLLAMA_HOST or this machine", default=False),
    examples=("host", "host 192.168.1.20:11434", "host --unset"),
)
def host(context: CommandContext, arguments: Any) -> CommandResult:
    """Set, unset or show this session's server."""
    session, url = context.session, arguments.url
    if url and arguments.unset:
        raise InputError("`%ollama host` takes an address or --unset, not both.")
    if arguments.unset:
        session.host = ""
    if url:
        before, session.host = session.host, url
        try:
            session.address()
        except InputError:
            session.host = before
            raise
    facts = session.call(_look(session.server()))
    return CommandResult(session.address().url, notice(f"Server: {_server_line(session.address().url, facts)}"))


@command(
    "stop",
    "server",
    "Stop the running answers; with a name, unload that model.",
    Argument("MODEL", required=False, read=value_readers.name, kind="model"),
    examples=("stop", "stop gemma3:1b"),
)
def stop(context: CommandContext, arguments: Any) -> CommandResult:
    """Stop this notebook's running answers, or unload a model."""
    name = arguments.model
    if not name:
        count = context.session.stop_all()
        return CommandResult(
            count, notice(f"Stopped {counted(count, 'answer')}." if count else "No answer was running.")
        )
    return unload(context, name)


@command(
    "demo",
    "server",
    "Start the built-in demo server in this kernel and use it from now on: a very small real model, and recordings.",
    Option("--replay", "answer as in this file, which `%ollama save` wrote", metavar="FILE", default="", kind="file"),
    Option("--gguf", "serve a GGUF file of your own, as NAME", metavar="FILE[=NAME]", default=""),
    notes="`%ollama host --unset` goes back to the server before.",
    examples=("demo", "demo --replay chat.json", "demo --gguf mine.gguf=mine"),
)
def demo(context: CommandContext, arguments: Any) -> CommandResult:
    """Start the built-in demo server in this kernel and use it from now on."""
    from ollama_magic.demo.demo_server import DemoServer

    session = context.session
    running = session.owned_resources.get("demo")
    if not isinstance(running, DemoServer) or arguments.replay or arguments.gguf:
        fresh = _demo_server(arguments.replay, arguments.gguf)
        if running is not None:
            running.stop()
        running = session.owned_resources["demo"] = fresh
    session.host = running.url
    what = f"it replays {Path(arguments.replay).name}; else " if arguments.replay else ""
    hint = "" if arguments.replay else " Try `%%chat` with “Hello, how are you?”."
    said = f"The demo server answers at {session.host}: {what}{running.described}.{_continuation(session) or hint}"
    return CommandResult(session.host, notice(said))


def _continuation(session: Session) -> str:
    """Say which model continues a conversation whose model the demo server does not have."""
    (name, _), conversation, server = model_now(session), session.conversation(), session.server()
    try:
        session.call(server.model_for(name or None, frozenset()))
    except ModelNotFound:
        own, shown = session.call(server.catalog.choose()), one_line(name, 80)
        if conversation.setting("model") or session.settings().model:
            return f" It has no {shown}, which is set: `%ollama model {own}` sets one that it has."
        return f" This conversation began with {shown}; {own} continues it."
    return ""


def _demo_server(replay: str, gguf: str) -> DemoServer:
    """Start a demo server; raise InputError for a file that cannot be replayed or served."""
    from ollama_magic.demo.demo_server import DemoServer
    from ollama_magic.demo.engine.local_models import local_models

    local = local_models([gguf] if gguf else [])
    try:
        return DemoServer(replay=replay or None, local=local).start()
    except ValueError as error:  # its text is a line for the user
        raise InputError(one_line(str(error))) from None


async def _look(server: Server, model: str = "") -> dict[str, Any]:
    """Return what a server reports; `problem` is the line that says why the rest is missing."""
    facts: dict[str, Any] = {}
    try:
        facts["version"] = await server.client.version()
        facts["loaded"] = await server.client.ps()
        facts["installed"] = len(await server.client.tags())
        facts["own"] = await server.catalog.look_up(model, frozenset()) if model else None
    except OllamaMagicError as error:
        facts["problem"] = str(error)
    return facts


def _server_line(url: str, facts: dict[str, Any]) -> str:
    if "version" not in facts:
        return f"{url}: {facts['problem']}"
    return f"{url}, Ollama {facts['version']}, {counted(facts.get('installed', 0), 'model')}"


def _context_line(context: CommandContext, facts: dict[str, Any]) -> str:
    """Return the tokens of the last turn, the loaded window, and the largest window of the model."""
    last, own = context.session.last, facts.get("own")
    if last is None or last.stats is None or last.stats.prompt_tokens is None:
        return "not used yet"
    used = last.stats.prompt_tokens + (last.stats.answer_tokens or 0)
    window = _window(last.model, facts.get("loaded", ()))
    most = own.context_length if own and last.model == model_now(context.session)[0] else None
    of_most = f"; the model's largest window is {most:,}" if window and most else ""
    return f"{used:,} of {window:,} tokens{of_most}" if window else f"{used:,} tokens"


def _window(model: str, loaded: Sequence[RunningModel]) -> int | None:
    from ollama_magic.ollama.model_names import same_model

    return next((running.context_length for running in loaded if same_model(running.name, model)), None)
