"""The traits of `OllamaMagic`: every setting, its plain line of help, and what it refuses."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from traitlets import Bool, Dict, Enum, Float, Integer, TraitError, Unicode, Union, validate
from traitlets.config import Configurable

from ollama_magic.conversation.session import Settings
from ollama_magic.errors import InputError
from ollama_magic.line.model_options import known_name, typed_value
from ollama_magic.line.values import duration

if TYPE_CHECKING:
    from ollama_magic.conversation.session import Session

THINK_LEVELS = (None, True, False, "low", "medium", "high", "max")
DISPLAYS = ("auto", "widget", "html", "text")
LIMITS = ("connect", "connect_loopback", "first_byte", "silence", "look", "line_bytes", "answer_bytes")
RERUNS = ("replace", "reuse")
ORDERS = ("notebook", "run")
FOOTERS = ("brief", "full", "none")


class OllamaTraits(Configurable):
    """Settings of ollama_magic; an option of a turn, and what `%ollama` tells the conversation, are stronger."""

    session: Session  # made after the traits; a validator may run before

    model = Unicode(help="The model that answers; empty: a loaded one, else the newest that can chat.").tag(config=True)
    host = Unicode(help="Where the server is; empty: OLLAMA_HOST, else this machine.").tag(config=True)
    system = Unicode(help="System text of the turns that have none of their own.").tag(config=True)
    options = Dict(help="Model options of every turn, such as {'temperature': 0.2}.").tag(config=True)
    think = Enum(THINK_LEVELS, None, help="Have models that can think do so, at a level, or not.").tag(config=True)
    keep_alive = Union(
        [Integer(), Float(), Unicode()], default_value="", help="How long a model stays loaded: 300, '5m', -1 for ever."
    ).tag(config=True)
    turns = Integer(
        None, allow_none=True, min=0, help="Send at most so many of the last turns; None: all that stand above."
    ).tag(config=True)
    display = Enum(DISPLAYS, "auto", help="How an answer is shown while it streams.").tag(config=True)
    footer = Enum(FOOTERS, "brief", help="The line under an answer; 'full' has times and speeds.").tag(config=True)
    ca_file = Unicode(help="Certificate file for a server whose certificate your firm has signed.").tag(config=True)
    headers = Dict(help="Headers for the server, from the environment: {'X-Key': 'env:NAME'}.").tag(config=True)
    rerun = Enum(
        RERUNS, "replace", help="A cell that runs again: 'replace' asks anew, 'reuse' shows what is kept."
    ).tag(config=True)
    order = Enum(
        ORDERS,
        "notebook",
        help="A turn is sent what stands above it ('notebook') or ran before it ('run').",
    ).tag(config=True)
    store = Union(
        [Bool(), Unicode()], default_value=True, help="Keep conversations on disk: True, False or a path."
    ).tag(config=True)
    keep_aside = Float(30.0, help="Days for which turns that were set aside are kept.").tag(config=True)
    notebook = Unicode(help="The notebook's path, where it cannot be found out.").tag(config=True)
    limits = Dict(help="Limits in seconds (connect, first_byte, silence) and bytes (answer_bytes).").tag(config=True)

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

    def _settings(self) -> Settings:
        environ = dict(os.environ)
        given = self.host, self.ca_file, self.headers, self.limits, environ
        told = {name: getattr(self, name) for name in ("model", "system", "options", "think", "keep_alive", "turns")}
        return Settings(*given, **told)


def _typed(options: dict[str, Any]) -> dict[str, Any]:
    texts = {known_name(key): value if isinstance(value, str) else json.dumps(value) for key, value in options.items()}
    return {key: typed_value(key, text) for key, text in texts.items()}


def _checked(check: Any, value: Any) -> Any:
    try:
        return check(value)
    except (InputError, ValueError) as error:
        raise TraitError(str(error)) from None
