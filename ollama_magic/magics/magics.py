"""The magics: parse, call, show. Loading puts them and the line hook in; unloading takes both out."""

from __future__ import annotations

import atexit
import json
import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand
from IPython.display import display
from traitlets import Bool, Dict, Enum, Float, Integer, TraitError, Unicode, Union, observe, validate

from ollama_magic.conversation.request import Plan
from ollama_magic.conversation.session import Session, Settings
from ollama_magic.errors import InputError, TurnStopped
from ollama_magic.magics.cell import Cell
from ollama_magic.magics.cell_events import CellEvents
from ollama_magic.magics.command import Here
from ollama_magic.magics.commands import run_command, usage
from ollama_magic.magics.line import install, prompt_text, split_assigned, uninstall
from ollama_magic.magics.model_options import known_name, typed_value
from ollama_magic.magics.options import CHAT, read_line
from ollama_magic.magics.values import duration

if TYPE_CHECKING:
    from ollama_magic.conversation.handle import TurnHandle
    from ollama_magic.conversation.reply import Reply
    from ollama_magic.magics.options import Line

NAME = "OllamaMagic"
LINE_CHAT = replace(CHAT, name="%chat", summary="One turn of the conversation on one line.", prompt="text")
THINK_LEVELS = (None, True, False, "low", "medium", "high", "max")
DISPLAYS = ("auto", "widget", "html", "text")
LIMITS = ("connect", "connect_loopback", "first_byte", "silence", "look", "line_bytes", "answer_bytes")
RERUNS = ("replace", "reuse")
FOOTERS = ("brief", "full", "none")


@magics_class
class OllamaMagic(Magics):
    """Settings of ollama_magic; an option of a turn, and what `%ollama` tells the conversation, are stronger."""

    model = Unicode(help="The model that answers; empty: a loaded one, else the newest that can chat.").tag(config=True)
    host = Unicode(help="Where the server is; empty: OLLAMA_HOST, else this machine.").tag(config=True)
    system = Unicode(help="System text of the turns that have none of their own.").tag(config=True)
    options = Dict(help="Model options of every turn, such as {'temperature': 0.2}.").tag(config=True)
    think = Enum(THINK_LEVELS, None, help="Have models that can think do so, at a level, or not.").tag(config=True)
    keep_alive = Union(
        [Integer(), Float(), Unicode()], default_value="", help="How long a model stays loaded: 300, '5m', -1 for ever."
    ).tag(config=True)
    display = Enum(DISPLAYS, "auto", help="How an answer is shown while it streams.").tag(config=True)
    footer = Enum(FOOTERS, "brief", help="The line under an answer; 'full' has times and speeds.").tag(config=True)
    ca_file = Unicode(help="Certificate file for a server whose certificate your firm has signed.").tag(config=True)
    headers = Dict(help="Headers for the server, from the environment: {'X-Key': 'env:NAME'}.").tag(config=True)
    rerun = Enum(
        RERUNS, "replace", help="A cell that runs again: 'replace' asks anew, 'reuse' shows what is kept."
    ).tag(config=True)
    store = Union(
        [Bool(), Unicode()], default_value=True, help="Keep conversations on disk: True, False or a path."
    ).tag(config=True)
    keep_aside = Float(30.0, help="Days for which turns that were set aside are kept.").tag(config=True)
    notebook = Unicode(help="The notebook's path, where it cannot be found out.").tag(config=True)
    limits = Dict(help="Limits in seconds (connect, first_byte, silence) and bytes (answer_bytes).").tag(config=True)

    def __init__(self, shell: Any, **kwargs: Any) -> None:
        super().__init__(shell, **kwargs)
        self.shell: Any = shell
        self.session = Session(self._settings)
        self.cell = Cell(shell)
        self.cell_events = CellEvents(shell, self.session, self.cell)
        self.displaced: dict[str, Any] = {}

    @no_var_expand
    @line_cell_magic
    def chat(self, line: str, cell: str | None = None) -> Reply | None:
        """One turn of the conversation."""
        spec = LINE_CHAT if cell is None else CHAT
        with self.cell_events.refusals():
            asked = read_line(spec, line)
            if asked.options.help:
                print(spec.help())
                return None
            handle = self._ask(asked, cell)
        return handle.reply if asked.assigned else None

    chat.__doc__ = CHAT.help()

    @no_var_expand
    @line_magic
    def ollama(self, line: str) -> Any:
        """Everything beside chatting."""
        assigned, line = split_assigned(line)
        try:
            answer = run_command(Here(self.session, self._mode()), line)
        except KeyboardInterrupt:
            raise TurnStopped("Stopped; the command did not come to its end.") from None
        if assigned:
            return answer.data
        if answer.shown is not None:
            display(answer.shown)  # type: ignore[no-untyped-call]
        return None

    ollama.__doc__ = usage()

    @validate("options")
    def _options_are_known(self, proposal: Any) -> Any:
        return _checked(_typed, proposal.value)

    @validate("limits")
    def _limits_are_known(self, proposal: Any) -> Any:
        unknown = [key for key in proposal.value if key not in LIMITS]
        if unknown or not all(type(value) in (int, float) for value in proposal.value.values()):
            raise TraitError(f"limits takes numbers for {', '.join(LIMITS)}.")
        return proposal.value

    @validate("keep_alive")
    def _keep_alive_is_a_time(self, proposal: Any) -> Any:
        return _checked(duration, str(proposal.value)) if proposal.value != "" else ""

    @validate("store", "notebook")
    def _kept_from_the_start(self, proposal: Any) -> Any:
        """A conversation that has begun can be kept no longer, but not elsewhere."""
        session = getattr(self, "session", None)
        if proposal.value and session is not None and session.journal.entries:
            raise TraitError(f"{proposal.trait.name} can be set before the first turn only; store = False always.")
        return proposal.value

    @observe("store", "notebook")
    def _keep_as_told(self, change: Any) -> None:
        del change
        if hasattr(self, "session"):
            self.session.stop_keeping()
            if self.store:
                self.begin_keeping()

    def begin_keeping(self) -> None:
        """Go on from what the store has of this notebook, and say in one line what that is."""
        from ollama_magic.magics.keeping import begin

        begin(self.session, self.shell, self)

    def _ask(self, asked: Line, cell: str | None) -> TurnHandle:
        """One turn, from its options to its end; a background turn to its start."""
        before = set(self.session.running())
        try:
            handle = self._start(asked, cell)
            if asked.options.out:
                self.shell.user_ns[asked.options.out] = handle.reply
            if not asked.options.background:
                handle.wait()
        except TurnStopped:
            raise
        except KeyboardInterrupt:  # ■ before the wait, or a second one within it
            started = set(self.session.running()) - before
            with suppress(KeyboardInterrupt):
                self.session.stop(started)
            kept = "what had come is kept" if started else "nothing was sent"
            raise TurnStopped(f"Stopped; {kept}.") from None
        return handle

    def _start(self, asked: Line, cell: str | None) -> TurnHandle:
        from ollama_magic.display.views import open_view

        typed = prompt_text(asked.words, cell)
        if not typed.strip():
            raise InputError("There is no prompt: write a question under `%%chat`, or behind it.")
        prompt, notes = self._filled(asked, typed)
        plan = self._plan(asked, prompt)
        labels = self._labels(asked, plan, typed, cell)
        view = open_view(self._mode(), labels, self.footer, background=asked.options.background)
        name, host, origin = asked.options.conversation, asked.options.host, self.cell.origin()
        notes = (*notes, *self._left_out(asked, origin.cell))
        return self.session.start_turn(plan, view, origin, conversation=name, host=host, before=notes)

    def _left_out(self, asked: Line, cell: str | None) -> tuple[str, ...]:
        """The note that says which turns `--turns` keeps from being sent."""
        if asked.options.turns is None or asked.options.once:
            return ()
        above = len(self.session.conversation(asked.options.conversation).above(cell))
        left = max(0, above - asked.options.turns)
        return (f"{left} earlier turn{'s' * (left != 1)} left out by --turns",) if left else ()

    def _filled(self, asked: Line, typed: str) -> tuple[str, tuple[str, ...]]:
        if asked.options.verbatim or "{{" not in typed:
            return typed, ()
        from ollama_magic.prompt.fill import fill

        filled = fill(typed, self.shell.user_ns, self.session.secrets().mask)
        return filled.text, filled.notes

    def _plan(self, asked: Line, prompt: str) -> Plan:
        options = asked.options
        told = self.session.conversation(options.conversation).told
        return Plan(
            prompt=prompt,
            model=options.model,
            default_model=self.model or None,
            system=options.system if options.system is not None else told("system") or self.system,
            options={**self.options, **(told("options") or {}), **(options.option or {})},
            think=options.think,
            think_if_able=self.think,
            keep_alive=options.keep_alive if options.keep_alive is not None else self.keep_alive or None,
            once=options.once,
            turns=options.turns,
            reuse=self.rerun == "reuse",
        )

    def _labels(self, asked: Line, plan: Plan, typed: str, cell: str | None) -> dict[str, object]:
        """What the output's metadata say of the turn, where the cell's text alone does not (design §3)."""
        labels: dict[str, object] = {"slot": self.cell.next_slot()}
        labels["conversation"] = None if plan.once else asked.options.conversation or self.session.current
        if cell is None or plan.prompt != typed:
            labels["prompt"] = plan.prompt
        if plan.system:
            labels["system"] = plan.system
        return labels

    def _mode(self) -> str:
        from ollama_magic.display.views import mode_for

        return mode_for(self.display, self.shell)

    def _settings(self) -> Settings:
        environ = dict(os.environ)
        given = self.host, self.ca_file, self.headers, self.limits, environ
        return Settings(*given, model=self.model, system=self.system, options=self.options)


def _typed(options: dict[str, Any]) -> dict[str, Any]:
    texts = {known_name(key): value if isinstance(value, str) else json.dumps(value) for key, value in options.items()}
    return {key: typed_value(key, text) for key, text in texts.items()}


def _checked(check: Any, value: Any) -> Any:
    try:
        return check(value)
    except (InputError, ValueError) as error:
        raise TraitError(str(error)) from None


def loaded_magics() -> OllamaMagic | None:
    """Return the magics of this kernel, if the extension is loaded."""
    shell = get_ipython()
    found = shell.magics_manager.registry.get(NAME) if shell is not None else None
    return found if isinstance(found, OllamaMagic) else None


def load(shell: Any) -> None:
    """Register the magics and put the hook in; a `%%chat` of another extension is replaced, and told."""
    if NAME in shell.magics_manager.registry:
        return
    magics = OllamaMagic(shell=shell)
    others = shell.magics_manager.magics
    magics.displaced = {kind: others[kind]["chat"] for kind in ("cell", "line") if "chat" in others[kind]}
    shell.register_magics(magics)
    install(shell)
    magics.cell_events.register()
    magics.begin_keeping()
    atexit.register(magics.session.close)
    if magics.displaced:
        owner = next(iter(magics.displaced.values())).__module__
        print(f"%%chat was {owner}'s; it is ollama_magic's now, and `%unload_ext ollama_magic` gives it back.")


def unload(shell: Any) -> None:
    """Stop what runs, take the magics and the hook out, and give back what was displaced."""
    magics = shell.magics_manager.registry.pop(NAME, None)
    if magics is None:
        return
    uninstall(shell)
    magics.cell_events.unregister()
    for names in shell.magics_manager.magics.values():
        for name in [name for name, function in names.items() if getattr(function, "__self__", None) is magics]:
            del names[name]
    for kind, function in magics.displaced.items():
        shell.magics_manager.magics[kind]["chat"] = function
    if magics in shell.configurables:
        shell.configurables.remove(magics)
    atexit.unregister(magics.session.close)
    magics.session.close()
