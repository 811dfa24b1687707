"""A running turn: what it needs, and the reply that it writes; `new_turn` makes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ollama_magic.conversation.context_window import NOTHING_ASKED
from ollama_magic.conversation.main_thread import MainThread
from ollama_magic.conversation.reply_accumulator import ReplyAccumulator
from ollama_magic.conversation.reply_views import ReplyViews
from ollama_magic.conversation.tool_loop import ToolLoop

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.conversation.context_window import Demand
    from ollama_magic.conversation.conversation import Conversation
    from ollama_magic.conversation.interfaces import ChatServer, View
    from ollama_magic.conversation.record import Record
    from ollama_magic.conversation.reply import Reply
    from ollama_magic.conversation.request import Plan
    from ollama_magic.conversation.turn_group import TurnGroup


@dataclass(eq=False)
class RunningTurn:
    """A running turn: what it needs and the reply that it writes."""

    plan: Plan
    conversation: Conversation
    server: ChatServer
    view: View
    reply: Reply
    record: Record
    main: MainThread = field(default_factory=MainThread)
    mask: Callable[[str], str] = str  # hides keys in the results of tools
    waited_for: bool = False  # by a thread that may be asked for a confirmation
    group: TurnGroup | None = None  # the turns that were asked side by side with it
    demand: Demand = NOTHING_ASKED
    views: ReplyViews = field(init=False)
    accumulator: ReplyAccumulator = field(init=False)
    loop: ToolLoop = field(init=False)

    def __post_init__(self) -> None:
        self.accumulator = ReplyAccumulator(self.reply, "run the cell again", saves=True)
        self.views = ReplyViews(self.reply, self.view)
        self.loop = ToolLoop(self.reply, self.plan.tools, self.mask, self.plan.tool_rounds)
        self.notify: Callable[[], object] = self.views.notify  # safe from any thread once the turn runs
