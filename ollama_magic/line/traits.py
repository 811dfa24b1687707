"""The traits of `OllamaMagic`: every setting, with its help and validation."""

from __future__ import annotations

import json
import math
import os
import sys
from typing import TYPE_CHECKING, Any

from traitlets import Bool, Dict, Enum, Float, Integer, TraitError, Unicode, Union, validate
from traitlets.config import Configurable

from ollama_magic.errors import InputError
from ollama_magic.log import configure

if TYPE_CHECKING:
    from ollama_magic.conversation.session import Session
    from ollama_magic.conversation.settings import Settings

THINK_LEVELS = (None, True, False, "low", "medium", "high", "max")
DISPLAYS = ("auto", "widget", "html", "text")
LIMITS = ("connect", "connect_loopback", "first_byte", "silence", "look", "line_bytes", "answer_bytes")
OF_TURNS = (
    *("model", "system", "options", "think", "keep_alive", "turns", "tool_rounds"),
    *("image_side", "attach_chars"),
)
RERUNS = ("replace", "reuse")
ORDERS = ("notebook", "run")
FOOTERS = ("brief", "full", "none")


class OllamaTraits(Configurable):
    """Settings of ollama_magic; options of a turn and settings of the conversation override them."""

    session: Session  # made after the traits; a validator may run before

    model = Unicode(help="The model that answers; empty: a loaded one, else the newest that can chat.").tag(config=True)
    host = Unicode(help="The address of the server; empty: OLLAMA_HOST, else this machine.").tag(config=True)
    system = Unicode(help="System text of turns without their own.").tag(config=True)
    options = Dict(help="Model options of every turn, such as {'temperature': 0.2}.").tag(config=True)
    think = Enum(THINK_LEVELS, None, help="Whether models that can think do so, or at which level.").tag(config=True)
    keep_alive = Union(
        [Integer(), Float(), Unicode()], default_value="", help="How long a model stays loaded: 300, '5m', -1 forever."
    ).tag(config=True)
    turns = Integer(
        None, allow_none=True, min=0, help="Send at most this many of the last turns; None: all turns above."
    ).tag(config=True)
    tool_rounds = Integer(10, min=1, help="How often a model may call tools before it must answer.").tag(config=True)
    fill_chars = Integer(0, min=0, help="Most characters of one {{value}}; 0: what fits the window that is set.").tag(
        config=True
    )
    image_side = Integer(
        1536, min=0, help="Most pixels of the longest side of an attached image; 0 leaves it as it is."
    ).tag(config=True)
    attach_chars = Integer(32_000, min=1, help="Most characters of an attached text.").tag(config=True)
    display = Enum(DISPLAYS, "auto", help="How an answer is shown while it streams.").tag(config=True)
    footer = Enum(FOOTERS, "brief", help="The line below an answer; 'full' has times and speeds.").tag(config=True)
    ca_file = Unicode(help="Certificate file of the authority that signed the server's certificate.").tag(config=True)
    headers = Dict(help="Headers for the server, from the environment: {'X-Key': 'env:NAME'}.").tag(config=True)
    rerun = Enum(
        RERUNS, "replace", help="A cell that runs again: 'replace' asks anew, 'reuse' shows what is stored."
    ).tag(config=True)
    order = Enum(
        ORDERS,
        "notebook",
        help="A turn is sent what is above it ('notebook') or ran before it ('run').",
    ).tag(config=True)
    store = Union(
        [Bool(), Unicode()], default_value=True, help="Store conversations on disk: True, False or a path."
    ).tag(config=True)
    keep_aside = Float(30.0, min=0, help="Days after which turns that were set aside are erased.").tag(config=True)
    notebook = Unicode(help="The notebook's path, if it cannot be determined.").tag(config=True)
    log = Unicode(help="What is logged: debug, info, warning, error or off, and ':FILE'.").tag(config=True)
    limits = Dict(help="Limits in seconds (connect, first_byte, silence) and bytes (answer_bytes).").tag(config=True)

    @validate("options")
    def _options_are_known(self, proposal: Any) -> Any:
        return _checked(_typed, proposal.value)

    @validate("think")
    def _think_is_a_switch_or_a_level(self, proposal: Any) -> Any:
        """Return True for 1 and False for 0, which the trait takes for them: a server does not."""
        return bool(proposal.value) if isinstance(proposal.value, int) else proposal.value

    @validate("limits")
    def _limits_are_known(self, proposal: Any) -> Any:
        unknown = [key for key in proposal.value if key not in LIMITS]
        most = sys.float_info.max  # a whole number may be larger, and no clock takes it
        numbers = all(type(value) in (int, float) and 0 < value <= most for value in proposal.value.values())
        if unknown or not numbers:
            raise TraitError(f"limits takes numbers above 0 for {', '.join(LIMITS)}.")
        return proposal.value

    @validate("keep_aside")
    def _keep_aside_is_a_number(self, proposal: Any) -> Any:
        if math.isnan(proposal.value):
            raise TraitError("keep_aside is a number of days, such as 30; inf erases nothing.")
        return proposal.value

    @validate("log")
    def _log_can_be_written(self, proposal: Any) -> Any:
        _checked(configure, proposal.value)
        return proposal.value

    @validate("keep_alive")
    def _keep_alive_is_a_time(self, proposal: Any) -> Any:
        from ollama_magic.line.value_readers import duration

        return _checked(duration, str(proposal.value)) if proposal.value != "" else ""

    @validate("store", "notebook")
    def _set_before_the_first_turn(self, proposal: Any) -> Any:
        """Refuse to move a conversation that has begun; storing it may still be turned off."""
        session = getattr(self, "session", None)
        if proposal.value and session is not None and session.journal.entries:
            raise TraitError(f"{proposal.trait.name} can be set before the first turn only; store = False at any time.")
        return proposal.value

    def _settings(self) -> Settings:
        from ollama_magic.conversation.settings import Settings

        environ = dict(os.environ)
        of_server = self.host, self.ca_file, self.headers, self.limits, environ
        of_turns = {name: getattr(self, name) for name in OF_TURNS}
        return Settings(*of_server, **of_turns)


def _typed(options: dict[str, Any]) -> dict[str, Any]:
    from ollama_magic.line.model_options import known_name, typed_value

    texts = {
        known_name(str(key)): value if isinstance(value, str) else json.dumps(value, default=_plain)
        for key, value in options.items()
    }
    return {key: typed_value(key, text) for key, text in texts.items()}


def _plain(value: Any) -> Any:
    """Return a number of NumPy as Python's own."""
    if getattr(value, "shape", None) == ():
        return value.item()
    raise TypeError(f"{type(value).__name__} is no value of a model option.")


def _checked(check: Any, value: Any) -> Any:
    try:
        return check(value)
    except (InputError, ValueError, TypeError) as error:
        raise TraitError(str(error)) from None
