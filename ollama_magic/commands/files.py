"""Commands of `%ollama` about files and requests: save, open, prompt."""

from __future__ import annotations

from contextlib import suppress
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ollama_magic.commands.command import CommandContext, CommandResult, command
from ollama_magic.display.readable import bytes_text
from ollama_magic.display.tables import Shown, notice
from ollama_magic.errors import InputError, OllamaMagicError
from ollama_magic.foreign import printable, visible
from ollama_magic.line.options import Argument, Option
from ollama_magic.turns.tool_steps import call_text
from ollama_magic.turns.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ollama_magic.ollama.messages import Message
    from ollama_magic.ollama.protocol import Request


@command(
    "save",
    "conversation",
    "Write the conversation to a .md, .json or .ipynb file.",
    Argument("FILE", kind="file"),
    Option("--force", "replace a file that exists", default=False),
    examples=("save chat.md", "save chat.ipynb --force"),
    needs="`%ollama save` needs one file, such as chat.md, chat.json or chat.ipynb.",
)
def save(context: CommandContext, arguments: Any) -> CommandResult:
    """Save the conversation as JSON, Markdown or a notebook; `--force` overwrites."""
    from ollama_magic.notebook.conversation_file import save_conversation

    turns = context.session.conversation().turns
    path = save_conversation(arguments.file, turns, force=arguments.force)
    return CommandResult(path, notice(f"{counted(len(turns), 'turn')} saved to {_from_here(path)}."))


@command(
    "open",
    "conversation",
    "Add the turns of a file; `.` is this notebook.",
    Argument("FILE", kind="file"),
    examples=("open chat.json", "open ."),
    needs="`%ollama open` needs one file; `.` is this notebook.",
)
def open_file(context: CommandContext, arguments: Any) -> CommandResult:
    """Append the turns of a file to this conversation; `.` is this notebook's own file."""
    from ollama_magic.line.cell_source import read_cell
    from ollama_magic.notebook.conversation_file import open_conversation

    name = arguments.file
    opened = open_conversation(_this_notebook(context) if name == "." else name, read_cell)
    conversation = context.session.conversation()
    known = {(turn.prompt, turn.text) for turn in conversation.turns}
    new = [turn for turn in opened.turns if (turn.prompt, turn.text) not in known]
    conversation.add(new)
    said = f"{counted(len(new), 'turn')} added; the next turn is sent after them. `%ollama undo` takes that back."
    return CommandResult(
        len(new), notice("; ".join([said if new else "All its turns are known already.", *opened.notes]))
    )


@command("prompt", "conversation", "Show exactly what was sent with the newest turn.")
def prompt(context: CommandContext, arguments: Any) -> CommandResult:
    """Show what was sent with the newest turn, rendered by the server if it can."""
    del arguments
    from ollama_magic.conversation.request import messages_in

    request = context.session.sent.newest
    if request is None:
        raise InputError("Nothing was sent from this kernel yet; run a cell that begins with `%%chat`.")
    messages = messages_in(request)
    text = _rendered(context, request) or "\n\n".join(map(_written, messages))
    text += "".join(f"\n\n[{line}]" for line in _beside(messages))
    return CommandResult(text, Shown(f"<pre>{escape(visible(text))}</pre>", printable(text)))


def _from_here(path: Path) -> Path:
    """Return a path as it is seen from the kernel's folder; whole if it is not in there, or that folder is gone."""
    with suppress(OSError, ValueError):
        return path.relative_to(Path.cwd())
    return path


def _written(message: Message) -> str:
    calls = " ".join(call_text(call) for call in message.tool_calls)
    return f"{message.role}: {' '.join(filter(None, (message.content, calls)))}"


def _beside(messages: Sequence[Message]) -> Iterator[str]:
    """Yield a line for each message with images or sound, which are sent beside the text."""
    for place, message in enumerate(messages, 1):
        sizes = ", ".join(bytes_text(len(data)) for data in message.images)
        if sizes:
            yield f"beside the text of message {place}: {counted(len(message.images), 'image')}, {sizes}"


def _rendered(context: CommandContext, request: Request) -> str:
    from ollama_magic.ollama.protocol import ChatRequest

    if not isinstance(request, ChatRequest):
        return ""  # only chats can be rendered
    try:
        return context.session.call(
            context.session.server().client.render(ChatRequest(request.model, request.messages, tools=request.tools))
        )
    except OllamaMagicError:
        return ""


def _this_notebook(context: CommandContext) -> str:
    persistence = context.session.persistence
    path = persistence.path_now() if persistence is not None else None
    if path is None:
        raise InputError("The path of this notebook's file is unknown; name it with `%ollama open FILE`.")
    return str(path)
