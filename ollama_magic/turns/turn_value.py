"""The turn as one frozen value: a prompt, its request settings, and the reply."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

from ollama_magic.ollama.stats import Stats

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollama_magic.turns.attachment import Attachment
    from ollama_magic.turns.tool_steps import ToolStep

State = Literal["running", "complete", "stopped", "cut", "failed"]
Form = Literal["markdown", "json", "text"]
AsideReason = Literal["replaced", "deleted", "silent", "forgotten", "cleared", "taken back", "alternative"]

RUNNING: Final = "running"
COMPLETE: Final = "complete"
STOPPED: Final = "stopped"
CUT: Final = "cut"
FAILED: Final = "failed"
AS_MARKDOWN: Final = "markdown"
AS_JSON: Final = "json"
AS_TEXT: Final = "text"
MAIN: Final = "main"
ALTERNATIVE: Final = "alternative"


@dataclass(frozen=True)
class RequestSettings:
    """The request of a turn without its messages.

    `digest` is that of the model, `turns` how many earlier turns were sent (None: all), `host` the server's address,
    `tools` the descriptions of the functions that the model may call.
    """

    model: str = ""
    digest: str = ""
    system: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    think: bool | str | None = None
    format: object = None
    keep_alive: float | str | None = None
    host: str = ""
    turns: int | None = None
    tools: tuple[Mapping[str, object], ...] = ()

    @property
    def has_schema(self) -> bool:
        """Whether a schema says what the answer must look like."""
        return isinstance(self.format, dict)


@dataclass(frozen=True)
class Outcome:
    """How a reply ended: the error is one line, `seconds` the time from the prompt to the end."""

    state: State = RUNNING
    error: str = ""
    done_reason: str = ""
    seconds: float = 0.0
    stats: Stats = field(default_factory=Stats)


@dataclass(frozen=True)
class Turn:
    """A prompt and the reply to it.

    `number` is the turn's own in its notebook, `step` the step of the journal that made it, `cell` the cell that asked;
    `at` is in Unix seconds, 0.0 if unknown. `fingerprint` is a hash of everything that the reply depends on. `aside`
    says why the turn does not count, and is empty if it does; `aside_at` says since when. `steps` are the tool calls
    before the text, `attachments` were sent with the prompt, in this order.

    Turns that were asked side by side have a `group`, the number of the first that began, and a `column`, from 1. One
    of them counts and has the others as its `alternatives`; `since` is the number of the next turn when it was chosen.
    """

    prompt: str
    text: str = ""
    thinking: str = ""
    settings: RequestSettings = RequestSettings()
    outcome: Outcome = Outcome()
    number: int = 0
    conversation: str = MAIN
    step: int = 0
    cell: str | None = None
    at: float = 0.0
    fingerprint: str = ""
    aside: AsideReason | Literal[""] = ""
    aside_at: float = 0.0
    steps: tuple[ToolStep, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    group: int = 0
    column: int = 0
    since: int = 0
    alternatives: tuple[Turn, ...] = ()

    @property
    def columns(self) -> tuple[Turn, ...]:
        """The turn and its alternatives, in the order in which they were asked."""
        return tuple(sorted((self, *self.alternatives), key=lambda turn: turn.column))

    @property
    def newest(self) -> int:
        """The number since which later turns have seen it: its own, or that of the turn after it was chosen."""
        return self.since or self.number

    @property
    def state(self) -> State:
        """How the reply ended, or that it is running."""
        return self.outcome.state

    @property
    def model(self) -> str:
        """The model that answered."""
        return self.settings.model

    @property
    def form(self) -> Form:
        """What the text of the reply is."""
        return AS_MARKDOWN if self.settings.format is None else AS_JSON

    def changed(self, **changes: Any) -> Turn:
        """Return a copy with other values, as `dataclasses.replace` does in four times the time: journals are long."""
        made = object.__new__(Turn)
        made.__dict__.update(self.__dict__)
        made.__dict__.pop("memo", None)
        made.__dict__.update(changes)
        return made

    @cached_property
    def memo(self) -> dict[str, Any]:
        """What is made of it once: `turn_messages` has its messages in there. No part of its value."""
        return {}

    @property
    def empty(self) -> bool:
        """Whether it ended before any text or step, and not complete: nothing is stored of such a turn."""
        return not self.text and not self.steps and self.state not in (COMPLETE, RUNNING)

    @property
    def counts(self) -> bool:
        """Whether it belongs to its conversation."""
        return not self.aside and not self.empty
