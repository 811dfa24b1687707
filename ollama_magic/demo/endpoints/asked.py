"""What is asked of a model, as it was found and checked; how it is answered is not known here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ollama_magic.demo.answers.prompts import Prompt
    from ollama_magic.demo.faults import Fault
    from ollama_magic.demo.library.models import DemoModel
    from ollama_magic.demo.stage import Stage
    from ollama_magic.demo.wire.bodies import Body
    from ollama_magic.demo.wire.wire import Exchange


@dataclass
class Asked:
    """A request's fields, the model it found, the prompt, and why the runner will refuse it.

    `options` are those of the model and of the request, once they are checked.
    """

    stage: Stage
    exchange: Exchange
    fault: Fault | None
    body: Body
    model: DemoModel
    shape: Literal["chat", "generate"]
    prompt: Prompt
    refusal: str | None = None
    options: Body = field(default_factory=dict)
