"""`%ollama status --check`: one line for each possible problem, with its fix; the text is a bug report."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ollama_magic.commands.command import CommandResult
from ollama_magic.commands.server_process import find_ollama
from ollama_magic.commands.setting_sources import address_source, model_now
from ollama_magic.display.host import answers_clicks_while_busy, current_shell, in_terminal
from ollama_magic.display.tables import Shown, folded, table
from ollama_magic.errors import OllamaMagicError, ServerUnreachable
from ollama_magic.foreign import one_line
from ollama_magic.log import describe
from ollama_magic.turns.wording import counted
from ollama_magic.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ollama_magic.commands.command import CommandContext
    from ollama_magic.conversation.server import Server
    from ollama_magic.conversation.session import Session

FINE, LOOK, WRONG = "✓", "!", "✗"
PROXIES = ("http_proxy", "https_proxy", "all_proxy")
PACKAGES = ("ipython", "ipykernel", "ipywidgets", "jupyterlab", "notebook", "httpx", "markdown-it-py")
_HOMES = re.compile(r"(?:[A-Za-z]:)?[\\/](?:home|Users)[\\/][^\\/\s:;,»]+")


@dataclass(frozen=True)
class Finding:
    """One line: a mark, what was checked, what was found, and how to fix it."""

    mark: str
    name: str
    said: str
    cure: str = ""


def check(context: CommandContext) -> CommandResult:
    """Check everything between this cell and an answer; a problem never makes the check fail."""
    findings = [_clean(context.session, finding) for finding in _findings(context)]
    rows = [(one.mark, one.name, f"{one.said}{f' {one.cure}' if one.cure else ''}") for one in findings]
    text = report(findings)
    found = table(("", "what", "found"), rows)
    return CommandResult(text, Shown(found.html + folded("As text, for a bug report", text).html, text))


def report(findings: list[Finding]) -> str:
    """Return the findings as text, for a terminal or a bug report."""
    wide = max(len(one.name) for one in findings)
    lines = [f"ollama_magic {__version__}, `%ollama status --check`"]
    for one in findings:
        lines.append(f"{one.mark} {one.name:{wide}}  {one.said}")
        lines += [f"  {'':{wide}}  → {one.cure}"] * bool(one.cure)
    return "\n".join(lines)


def _findings(context: CommandContext) -> Iterator[Finding]:
    session = context.session
    try:
        server = session.server()
    except OllamaMagicError as error:
        yield _unusable(session, error)
    else:
        facts = session.call(_look(server))
        yield _server(session, facts)
        yield _guarded("address", partial(_address, session))
        yield _guarded("proxy", partial(_proxy, session))
        if "version" in facts:
            yield _guarded("version", partial(_version, facts))
            yield _guarded("model", partial(_model, session, server, facts))
            yield _guarded("window", partial(_window, session, facts))
    yield _front_end(context)
    yield _guarded("kernel", _kernel)
    yield _guarded("store", partial(_store, session))
    yield _machine()


def _unusable(session: Session, error: OllamaMagicError) -> Finding:
    """Return what is wrong with the address, else with a key, a header or a certificate."""
    try:
        session.address()
    except OllamaMagicError:
        return Finding(WRONG, "address", f"{error}", f"It is {address_source(session)}.")
    return Finding(WRONG, "server", f"{error}")


def _guarded(name: str, look: Callable[[], Finding]) -> Finding:
    """Return a finding; a check that fails is a finding too."""
    try:
        return look()
    except Exception as error:  # noqa: BLE001 (a failed check must not hide the others)
        return Finding(WRONG, name, f"cannot be checked: {error!r}", "Please report this.")


async def _look(server: Server) -> dict[str, Any]:
    """Return what the server reports, as far as it answers."""
    facts: dict[str, Any] = {}
    for name, ask in (
        ("version", server.client.version),
        ("installed", server.client.tags),
        ("loaded", server.client.ps),
    ):
        try:
            facts[name] = await ask()
        except OllamaMagicError as error:
            facts.setdefault("problem", error)
            if isinstance(error, ServerUnreachable):
                break
    return facts


def _server(session: Session, facts: dict[str, Any]) -> Finding:
    address = session.address()
    if "version" not in facts:
        local = address.loopback and isinstance(facts["problem"], ServerUnreachable)
        return Finding(WRONG, "server", str(facts["problem"]), _how_to_start(session) if local else "")
    models = counted(len(facts.get("installed", ())), "model")
    said = f"Ollama {facts['version']} answers at {address.url}, with {models}."
    if "problem" in facts:
        return Finding(LOOK, "server", f"{said} {facts['problem']}")
    return Finding(FINE, "server", said)


def _how_to_start(session: Session) -> str:
    program = find_ollama(session.settings().environ)
    if program is None:
        return "No `ollama` is installed on this machine: https://ollama.com/download."
    return f"`%ollama start` starts {program}."


def _address(session: Session) -> Finding:
    said = f"{session.address().url}, {address_source(session)}"
    stronger = session.configured_address().source in ("session", "config")
    if stronger and session.settings().environ.get("OLLAMA_HOST", "").strip():
        return Finding(LOOK, "address", f"{said}.", "It overrides OLLAMA_HOST.")
    return Finding(FINE, "address", f"{said}.")


def _proxy(session: Session) -> Finding:
    from ollama_magic.ollama.proxies import proxy_for

    environ, address = session.settings().environ, session.address()
    named = [name for name in environ if name.lower() in PROXIES and environ[name].strip()]
    try:
        proxy = proxy_for(address, environ)
    except OllamaMagicError as error:
        return Finding(WRONG, "proxy", str(error))
    if proxy is not None:
        cure = f"If {address.host} is in your own network, add it to NO_PROXY."
        return Finding(LOOK, "proxy", f"{proxy.variable} sends requests through a proxy.", cure)
    if not named:
        return Finding(FINE, "proxy", "no proxy is set.")
    why = "the server is on this machine" if address.loopback else "it does not cover this address"
    return Finding(FINE, "proxy", f"{', '.join(sorted(named))} is set and does not apply: {why}.")


def _version(facts: dict[str, Any]) -> Finding:
    from ollama_magic.ollama.versions import lacking

    missing = lacking(facts["version"])
    if not missing:
        return Finding(FINE, "version", f"{facts['version']} has all features that this extension uses.")
    more = f" And {len(missing) - 1} more: `%ollama version`." if len(missing) > 1 else ""
    cure = "A newer Ollama is at https://ollama.com/download."
    return Finding(LOOK, "version", f"{facts['version']} is old. {missing[-1]}{more}", cure)


def _model(session: Session, server: Server, facts: dict[str, Any]) -> Finding:
    from ollama_magic.conversation.request import CHATS, Plan, model_for
    from ollama_magic.ollama.model_names import is_cloud

    conversation = session.conversation()
    plan = Plan("", default_model=session.settings().model or None)
    try:
        name = session.call(model_for(plan, conversation, server, CHATS))
    except OllamaMagicError as error:
        return Finding(WRONG, "model", str(error))
    facts["model"] = name
    asked, source = model_now(session)
    how = source if asked and name == asked else "the default"
    if is_cloud(name):
        return Finding(LOOK, "model", f"{name} ({how}) is in the cloud.", "Prompts leave this machine.")
    return Finding(FINE, "model", f"{name} ({how}).")


def _window(session: Session, facts: dict[str, Any]) -> Finding:
    from ollama_magic.ollama.model_names import same_model

    name = facts.get("model")
    if name is None:
        return Finding(LOOK, "window", "unknown without a model.")
    options = {**session.settings().options, **(session.conversation().setting("options") or {})}
    window_set = f"num_ctx={options['num_ctx']} is set. " if "num_ctx" in options else ""
    running = next((one for one in facts.get("loaded", ()) if same_model(one.name, name)), None)
    most = _longest(session, name)
    if running is None or not running.context_length:
        largest = f" (at most {most:,} tokens)" if most else ""
        return Finding(FINE, "window", f"{window_set}unknown until {name} is loaded{largest}.")
    of_most = f" of {most:,}" if most else ""
    said = f"{window_set}{running.context_length:,}{of_most} tokens."
    if most and running.context_length < min(most, 8192):
        return Finding(LOOK, "window", said, "`%ollama set num_ctx 8192` gives long conversations more room.")
    return Finding(FINE, "window", said)


def _longest(session: Session, name: str) -> int | None:
    try:
        facts = session.call(session.server().catalog.look_up(name))
    except OllamaMagicError:
        return None
    return facts.context_length if facts is not None else None


def _front_end(context: CommandContext) -> Finding:
    if context.display == "widget":
        cure = "If answers stay blank, the front end has no ipywidgets: install them where JupyterLab runs."
        return Finding(FINE, "display", f"widgets, by ipywidgets {_installed('ipywidgets')}.", cure)
    if context.display == "html":
        cure = "Widgets work in JupyterLab and Notebook 7; `%config OllamaMagic.display = 'widget'` tries them."
        return Finding(LOOK, "display", "repeated HTML: this front end sends no cell ids.", cure)
    return Finding(FINE, "display", "text.")


def _kernel() -> Finding:
    shell = current_shell()
    if in_terminal(shell) or getattr(shell, "kernel", None) is None:
        return Finding(FINE, "kernel", "IPython without a kernel: ■ is Ctrl-C.")
    said = f"ipykernel {_installed('ipykernel')}"
    if answers_clicks_while_busy(shell):
        return Finding(FINE, "kernel", f"{said}: the Stop button works while a cell runs.")
    return Finding(
        LOOK,
        "kernel",
        f"{said}: buttons work only after the cell has ended; ■ always works.",
        "With ipykernel 7 they work: `pip install -U ipykernel`.",
    )


def _store(session: Session) -> Finding:
    persistence = session.persistence
    if persistence is None:
        cure = "In a notebook: `%config OllamaMagic.notebook = 'name.ipynb'` before the first turn."
        return Finding(LOOK, "store", "conversations are not saved: saving is off, or the notebook is unknown.", cure)
    if persistence.store.problem:
        return Finding(WRONG, "store", persistence.store.problem)
    notebook = f", for {persistence.path.name}" if persistence.path is not None else ""
    return Finding(FINE, "store", f"conversations are saved in {persistence.store.path}{notebook}.")


def _machine() -> Finding:
    found = [f"{name} {installed_version}" for name in PACKAGES if (installed_version := _installed(name))]
    said = f"Python {platform.python_version()} on {platform.system()}; {', '.join(found)}."
    return Finding(FINE, "here", f"{said} Log: {describe()}.")


def _installed(name: str) -> str:
    try:
        return installed(name)
    except PackageNotFoundError:
        return ""


def _clean(session: Session, finding: Finding) -> Finding:
    """Return a finding without keys and names of users: a home folder is `~`."""
    mask = _mask(session)
    said, cure = (one_line(_homeless(mask(text)), 600) for text in (finding.said, finding.cure))
    return Finding(finding.mark, finding.name, said, cure)


def _mask(session: Session) -> Callable[[str], str]:
    try:
        return session.secrets().mask
    except OllamaMagicError:
        key = session.settings().environ.get("OLLAMA_API_KEY", "").strip()
        return lambda text: text.replace(key, "•••") if key else text


def _homeless(text: str) -> str:
    for home in {str(Path.home()), os.path.realpath(Path.home())}:
        text = text.replace(home, "~") if len(home) > 3 else text
    return _HOMES.sub("~", text)
