"""`%ollama status --check`: a line for each thing that may be wrong, with its cure; the text is a bug report."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ollama_magic.commands.command import Answer
from ollama_magic.commands.server_process import find_ollama
from ollama_magic.display.host import answers_clicks_while_busy, current_shell, in_terminal
from ollama_magic.display.tables import Shown, folded, table
from ollama_magic.errors import OllamaMagicError, ServerUnreachable
from ollama_magic.foreign import one_line
from ollama_magic.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ollama_magic.commands.command import Here
    from ollama_magic.conversation.server import Server
    from ollama_magic.conversation.session import Session

FINE, LOOK, WRONG = "✓", "!", "✗"
PROXIES = ("http_proxy", "https_proxy", "all_proxy")
PACKAGES = ("ipython", "ipykernel", "ipywidgets", "jupyterlab", "notebook", "httpx", "markdown-it-py")
_HOMES = re.compile(r"(?:[A-Za-z]:)?[\\/](?:home|Users)[\\/][^\\/\s:;,»]+")


@dataclass(frozen=True)
class Finding:
    """One line: a mark, what was looked at, what was found, and what to do about it."""

    mark: str
    name: str
    said: str
    cure: str = ""


def check(here: Here) -> Answer:
    """Look at everything between this cell and an answer; nothing that is wrong makes it fail."""
    findings = [_clean(here.session, finding) for finding in _findings(here)]
    rows = [(one.mark, one.name, f"{one.said}{f' {one.cure}' if one.cure else ''}") for one in findings]
    text = report(findings)
    found = table(("", "what", "found"), rows)
    return Answer(text, Shown(found.html + folded("As text, for a bug report", text).html, text))


def report(findings: list[Finding]) -> str:
    """The lines as text: to be read in a terminal, and pasted into a bug report."""
    wide = max(len(one.name) for one in findings)
    lines = [f"ollama_magic {__version__}, `%ollama status --check`"]
    for one in findings:
        lines.append(f"{one.mark} {one.name:{wide}}  {one.said}")
        lines += [f"  {'':{wide}}  → {one.cure}"] * bool(one.cure)
    return "\n".join(lines)


def address_source(session: Session) -> str:
    """What says where the server is."""
    settings = session.settings()
    if session.host:
        return "told here by `%ollama host` or `demo`"
    if settings.host:
        return "from %config OllamaMagic.host"
    return "from OLLAMA_HOST" if settings.environ.get("OLLAMA_HOST", "").strip() else "the default"


def _findings(here: Here) -> Iterator[Finding]:
    session = here.session
    try:
        server = session.server()
    except OllamaMagicError as error:
        yield Finding(WRONG, "address", f"{error}", f"It is {address_source(session)}.")
    else:
        facts = session.call(_look(server))
        yield _server(session, facts)
        yield _guarded("address", partial(_address, session))
        yield _guarded("proxy", partial(_proxy, session))
        if "version" in facts:
            yield _guarded("version", partial(_version, facts))
            yield _guarded("model", partial(_model, session, server, facts))
            yield _guarded("window", partial(_window, session, facts))
    yield _front_end(here)
    yield _guarded("kernel", _kernel)
    yield _guarded("store", partial(_store, session))
    yield _machine()


def _guarded(name: str, look: Callable[[], Finding]) -> Finding:
    """One finding; a look that fails itself is a finding too."""
    try:
        return look()
    except Exception as error:  # noqa: BLE001 (a doctor that falls ill helps nobody)
        return Finding(WRONG, name, f"cannot be looked at: {error!r}", "Please report this.")


async def _look(server: Server) -> dict[str, Any]:
    """What the server says, as far as it does."""
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
        here = address.loopback and isinstance(facts["problem"], ServerUnreachable)
        return Finding(WRONG, "server", str(facts["problem"]), _way_to_one(session) if here else "")
    count = len(facts.get("installed", ()))
    said = f"Ollama {facts['version']} answers at {address.url}, with {count:,} model{'s' * (count != 1)}."
    return (
        Finding(FINE, "server", said)
        if "problem" not in facts
        else Finding(LOOK, "server", f"{said} {facts['problem']}")
    )


def _way_to_one(session: Session) -> str:
    program = find_ollama(session.settings().environ)
    if program is None:
        return "No `ollama` is installed on this machine: https://ollama.com/download."
    return f"`%ollama start` starts {program}."


def _address(session: Session) -> Finding:
    source, variable = address_source(session), session.settings().environ.get("OLLAMA_HOST", "").strip()
    said = f"{session.address().url}, {source}"
    if variable and source != "from OLLAMA_HOST":
        return Finding(LOOK, "address", f"{said}.", "OLLAMA_HOST says something too, and is weaker.")
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
        return Finding(LOOK, "proxy", f"{proxy.variable} leads to the server through a proxy.", cure)
    if not named:
        return Finding(FINE, "proxy", "none is set.")
    why = "the server is on this machine" if address.loopback else "it does not cover this address"
    return Finding(FINE, "proxy", f"{', '.join(sorted(named))} is set and does not matter: {why}.")


def _version(facts: dict[str, Any]) -> Finding:
    from ollama_magic.ollama.versions import lacking

    missing = lacking(facts["version"])
    if not missing:
        return Finding(FINE, "version", f"{facts['version']} has all that is used here.")
    more = f" And {len(missing) - 1} more: `%ollama version`." if len(missing) > 1 else ""
    cure = "A newer Ollama is at https://ollama.com/download."
    return Finding(LOOK, "version", f"{facts['version']} is old. {missing[-1]}{more}", cure)


def _model(session: Session, server: Server, facts: dict[str, Any]) -> Finding:
    from ollama_magic.conversation.request import CHATS, Plan, model_asked, model_for
    from ollama_magic.ollama.names import is_cloud

    talk = session.conversation()
    plan = Plan("", default_model=session.settings().model or None)
    try:
        name = session.call(model_for(plan, talk, server, CHATS))
    except OllamaMagicError as error:
        return Finding(WRONG, "model", str(error))
    facts["model"] = name
    how = "told" if name == model_asked(plan, talk) else "it answers where none is named"
    if is_cloud(name):
        return Finding(LOOK, "model", f"{name} ({how}) is in the cloud.", "What is asked leaves this machine.")
    return Finding(FINE, "model", f"{name} ({how}).")


def _window(session: Session, facts: dict[str, Any]) -> Finding:
    from ollama_magic.ollama.names import same_model

    name = facts.get("model")
    if name is None:
        return Finding(LOOK, "window", "not known without a model.")
    options = {**session.settings().options, **(session.conversation().told("options") or {})}
    told = f"num_ctx={options['num_ctx']} is set. " if "num_ctx" in options else ""
    running = next((one for one in facts.get("loaded", ()) if same_model(one.name, name)), None)
    most = _longest(session, name)
    of = f" of {most:,}" if most else ""
    if running is None or not running.context_length:
        return Finding(
            FINE,
            "window",
            f"{told}{name} is not loaded; its first turn tells{f' (at most {most:,} tokens)' if most else ''}.",
        )
    said = f"{told}{running.context_length:,}{of} tokens."
    if most and running.context_length < min(most, 8192):
        return Finding(LOOK, "window", said, "`%ollama set num_ctx 8192` gives long conversations more room.")
    return Finding(FINE, "window", said)


def _longest(session: Session, name: str) -> int | None:
    try:
        facts = session.call(session.server().book.look_up(name))
    except OllamaMagicError:
        return None
    return facts.context_length if facts is not None else None


def _front_end(here: Here) -> Finding:
    if here.display == "widget":
        cure = "Where an answer stays blank the front end has no ipywidgets: install them where JupyterLab runs."
        return Finding(FINE, "display", f"widgets, by ipywidgets {_installed('ipywidgets')}.", cure)
    if here.display == "html":
        cure = "In JupyterLab and Notebook 7 widgets work; `%config OllamaMagic.display = 'widget'` tries them."
        return Finding(LOOK, "display", "HTML that is sent again: this front end sends no cell ids.", cure)
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
        f"{said}: buttons are heard when the cell has ended; ■ works always.",
        "ipykernel 7 hears them: `pip install -U ipykernel`.",
    )


def _store(session: Session) -> Finding:
    keeping = session.keeping
    if keeping is None:
        cure = "In a notebook: `%config OllamaMagic.notebook = 'name.ipynb'` before the first turn."
        return Finding(LOOK, "store", "conversations are not kept: switched off, or no notebook is known.", cure)
    if keeping.store.problem:
        return Finding(WRONG, "store", keeping.store.problem)
    where = f", for {keeping.path.name}" if keeping.path is not None else ""
    return Finding(FINE, "store", f"conversations are kept in {keeping.store.path}{where}.")


def _machine() -> Finding:
    found = [f"{name} {installed_version}" for name in PACKAGES if (installed_version := _installed(name))]
    return Finding(FINE, "here", f"Python {platform.python_version()} on {platform.system()}; {', '.join(found)}.")


def _installed(name: str) -> str:
    try:
        return installed(name)
    except PackageNotFoundError:
        return ""


def _clean(session: Session, finding: Finding) -> Finding:
    """No key and no name of a person: a home folder is `~`, its owner's name too."""
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
