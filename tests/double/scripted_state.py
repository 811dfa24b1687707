"""What the endpoints of one server share: its models, its pace, its answers, and the faults that are still to come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ollama_magic.demo.models.loaded_models import LoadedModels
from ollama_magic.demo.recordings.text_pieces import Vocabulary
from tests.double.library.versions import Age
from tests.double.slots import Slots

if TYPE_CHECKING:
    from collections import deque

    from ollama_magic.demo.recordings.replay import Replay
    from tests.double.answers.deltas import Delta
    from tests.double.faults import Fault
    from tests.double.library.downloads import Download
    from tests.double.library.library import Library
    from tests.double.library.scripted_models import DemoModel

Answers = Callable[[dict[str, object]], Iterable["str | Delta"]]
_SMALL_MODEL = 40.0  # tokens/s


@dataclass
class ScriptedState:
    """One server's settings; `pace` None means a small model's pace, and recorded answers at their own."""

    library: Library
    version: str
    pace: float | None
    load_seconds: float
    answers: Answers | None
    faults: deque[Fault]
    pullable: tuple[DemoModel, ...]
    pull_seconds: float = 0.0
    loaded: LoadedModels = field(default_factory=lambda: LoadedModels(lambda _model: None))
    downloads: dict[str, Download] = field(default_factory=dict)
    late_calls: bool = False
    replay: Replay | None = None
    any_host: bool = False
    slots: Slots = field(default_factory=Slots)
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def age(self) -> Age:
        """What a server of its version can do."""
        return Age(self.version)

    @property
    def tokens_per_second(self) -> float:
        """0 is as fast as possible."""
        return _SMALL_MODEL if self.pace is None else self.pace

    @property
    def first_pause(self) -> float:
        """Seconds before the first chunk: ten tokens' time, never above a quarter of a second."""
        return min(0.25, 10 / self.tokens_per_second) if self.tokens_per_second else 0.0

    def take_fault(self, path: str) -> Fault | None:
        """The next fault that is meant for this path; it is used up."""
        with self.lock:
            fault = next((fault for fault in self.faults if fault.path == path), None)
            if fault:
                self.faults.remove(fault)
            return fault
