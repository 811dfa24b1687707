"""What is asked of a model, as it was found and checked; how it is answered is not known here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tests.double.answers.prompts import Prompt
    from tests.double.faults import Fault
    from tests.double.library.scripted_models import DemoModel
    from tests.double.scripted_state import ScriptedState
    from tests.double.wire.go_bodies import Body
    from tests.double.wire.http import Exchange


@dataclass
class Asked:
    """A request's fields, the model it found, the prompt, and why the runner will refuse it.

    `options` are those of the model and of the request, once they are checked.
    """

    stage: ScriptedState
    exchange: Exchange
    fault: Fault | None
    body: Body
    model: DemoModel
    shape: Literal["chat", "generate"]
    prompt: Prompt
    refusal: str | None = None
    options: Body = field(default_factory=dict)
