"""The context window as far as it is known before a turn, without asking the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.conversation.context_window import BYTES_A_TOKEN, Window, window_note
from ollama_magic.conversation.request import model_asked
from ollama_magic.turns.turn_messages import user_message

if TYPE_CHECKING:
    from ollama_magic.conversation.conversation import Conversation
    from ollama_magic.conversation.request import Plan
    from ollama_magic.conversation.server import Server

USUAL = 4096  # tokens, of a server with little memory (protocol.md §5)


def known_window(plan: Plan, conversation: Conversation, server: Server) -> Window:
    """Return the window of the next turn: what is set, else what the model was last loaded with."""
    window = server.windows.get(str(model_asked(plan, conversation)), Window())
    num_ctx = plan.options.get("num_ctx")
    return Window(num_ctx, window.most) if isinstance(num_ctx, int) else window


def quarter_of_window(plan: Plan, conversation: Conversation, server: Server) -> int:
    """Return how many characters fit a quarter of the window."""
    return (known_window(plan, conversation, server).size or USUAL) * BYTES_A_TOKEN // 4


def note_before(plan: Plan, conversation: Conversation, server: Server, cell: str | None) -> tuple[str, ...]:
    """Return the warning that the window will not hold the next turn of this cell; empty if it will."""
    above = [] if plan.once else conversation.above(cell)
    if plan.turns is not None and plan.turns < len(above):
        return ()
    asked = user_message(plan.prompt, plan.attachments)
    return window_note(above, asked.content, known_window(plan, conversation, server), len(asked.images))
