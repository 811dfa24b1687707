"""Commands of `%ollama` about conversations: history, undo, redo, forget, clear, switch, conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.commands.command import CommandContext, CommandResult, command
from ollama_magic.conversation.choice import follow_choice
from ollama_magic.display.history import history_view
from ollama_magic.display.tables import notice, table
from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line
from ollama_magic.line import value_readers
from ollama_magic.line.options import Argument, Option
from ollama_magic.loop_thread import wait_for
from ollama_magic.turns.turn_value import MAIN, RUNNING
from ollama_magic.turns.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.conversation.step_summary import StepSummary
    from ollama_magic.turns.turn_value import Turn

ERASE = Option("--erase", "leave no byte of it on disk; this cannot be undone", default=False)
SETTINGS = {"model": "the model", "system": "the system text", "options": "the options", "tools": "the tools"}
BEGINNING = 60  # characters of a prompt in a line that names its turn


@command(
    "history",
    "conversation",
    "The turns of this conversation, including those set aside.",
    examples=("history", "turns = %ollama history"),
)
def history(context: CommandContext, arguments: Any) -> CommandResult:
    """Show the turns of the conversation, numbered and folded, and below them those that were set aside."""
    del arguments
    conversation = context.session.conversation()
    ordered = conversation.ordered()
    if not any(not turn.empty for turn in ordered):
        return CommandResult([], notice("No turn yet; run a cell that begins with `%%chat`."))
    aside = [turn for turn in ordered if turn.aside and not turn.empty]
    return CommandResult(list(conversation.turns), history_view(conversation.name, conversation.turns, aside))


@command("undo", "conversation", "Undo the newest step of this notebook.")
def undo(context: CommandContext, arguments: Any) -> CommandResult:
    """Undo the notebook's newest step, in any conversation; outputs stay as they are."""
    del arguments
    done = _with_content(context.session.journal.undo)
    if done is None:
        return CommandResult(None, notice("Nothing to undo."))
    _follow(context, done)
    return CommandResult(done.number, notice(f"Undone: {_described(done)}. `%ollama redo` restores it."))


@command("redo", "conversation", "Redo what was undone.")
def redo(context: CommandContext, arguments: Any) -> CommandResult:
    """Redo the step that was undone last, unless something new was done since."""
    del arguments
    done = _with_content(context.session.journal.redo)
    if done is None:
        return CommandResult(None, notice("Nothing to redo."))
    _follow(context, done)
    return CommandResult(done.number, notice(f"Redone: {_described(done)}."))


@command(
    "forget",
    "conversation",
    "Stop sending turn N of the history.",
    Argument("N", "the number of a turn in `%ollama history`", required=False),
    ERASE,
    examples=("forget 2", "forget 2 --erase"),
)
def forget(context: CommandContext, arguments: Any) -> CommandResult:
    """Set a turn aside by its number in `%ollama history`."""
    conversation = context.session.conversation()
    turn = _numbered(list(conversation.turns), arguments.n or "")
    if arguments.erase:
        return _erase(context, [turn])
    conversation.set_aside([turn], "forgotten")
    return CommandResult(turn, notice(f"No longer sent: {_named(turn)}. `%ollama undo` takes that back."))


@command("clear", "conversation", "Start the conversation anew.", ERASE, examples=("clear", "clear --erase"))
def clear(context: CommandContext, arguments: Any) -> CommandResult:
    """Start the conversation anew; model, system and options stay. `--erase` leaves no byte of it."""
    conversation = context.session.conversation()
    if arguments.erase:
        return _erase(context, conversation.ordered())
    count = conversation.set_aside(list(conversation.turns), "cleared")
    said = f"The conversation starts anew; {_turns_are(count)} no longer sent. `%ollama undo` takes that back."
    return CommandResult(count, notice(said if count else "It was empty already."))


@command(
    "switch",
    "conversation",
    "Continue in another conversation.",
    Argument("NAME", rest=True, read=value_readers.conversation, kind="conversation"),
    examples=("switch drafts", "switch main"),
    needs="`%ollama switch` needs a name; `%ollama conversations` lists them.",
)
def switch(context: CommandContext, arguments: Any) -> CommandResult:
    """Continue in another conversation of this notebook, which is created if it is new."""
    session = context.session
    session.current = session.conversation(arguments.name).name
    count = counted(len(session.conversation().turns), "turn")
    return CommandResult(session.current, notice(f"Conversation: {session.current}, {count}."))


@command("conversations", "conversation", "The conversations of this notebook.")
def conversations(context: CommandContext, arguments: Any) -> CommandResult:
    """List the conversations of this notebook."""
    del arguments
    names = list(dict.fromkeys([*context.session.journal.conversations(), context.session.current]))
    rows = [_row(context, name) for name in names]
    return CommandResult(names, table(("conversation", "turns", "model", ""), rows))


def _erase(context: CommandContext, turns: list[Turn]) -> CommandResult:
    """Erase turns, and say where else their text may be."""
    if any(one.state == RUNNING for turn in turns for one in turn.columns):
        raise InputError("One of these turns is still running; `%ollama stop` ends it, then it can be erased.")
    erased = context.session.erase(turns)
    if erased is not None:
        wait_for(erased)
    said = f"{_turns_are(len(turns))} erased from the store. The text may still be in this notebook and its "
    rest = "checkpoints, in IPython's history, and in the log and the memory of the server."
    return CommandResult(len(turns), notice(said + rest))


def _turns_are(count: int) -> str:
    return f"{counted(count, 'turn')} {'is' if count == 1 else 'are'}"


def _row(context: CommandContext, name: str) -> tuple[object, ...]:
    conversation = context.session.conversation(name)
    model = conversation.setting("model") or conversation.setting("began_with") or ""
    return name, len(conversation.turns), model, "current" if name == context.session.current else ""


def _numbered(turns: list[Turn], number: str) -> Turn:
    if number.isdecimal() and 1 <= int(number) <= len(turns):
        return turns[int(number) - 1]
    if not turns:
        raise InputError("There is no turn to forget.")
    raise InputError(f"`%ollama forget` needs a number from 1 to {len(turns)}; `%ollama history` shows them.")


def _named(turn: Turn) -> str:
    words = " ".join(turn.prompt.split())
    return f"«{words[:BEGINNING]}{'…' * (len(words) > BEGINNING)}»"


def _with_content(go: Callable[[], StepSummary | None]) -> StepSummary | None:
    """Go one step back or forward, and pass over those of which nothing is left since their turns were erased."""
    done = go()
    while done is not None and done.empty:
        done = go()
    return done


def _follow(context: CommandContext, step: StepSummary) -> None:
    if step.chosen is not None:
        follow_choice(context.session, step.chosen)


def _described(step: StepSummary) -> str:
    """Describe what a step did."""
    in_other = "" if step.conversation == MAIN else f" in {step.conversation}"
    if step.turns:
        last, prompts = _named(step.turns[-1]), len({turn.group or turn.number for turn in step.turns})
        several = f"the answers to {prompts} prompts, the last of which is {last}"
        return f"{several if prompts > 1 else f'the answer to {last}'}{in_other}"
    if step.chosen is not None:
        return f"the choice of {one_line(step.chosen.model, BEGINNING)} for {_named(step.chosen)}{in_other}"
    if step.aside:
        return f"{step.aside} turns{in_other}"
    changed = " and ".join(SETTINGS[key] for key in step.settings if key in SETTINGS)
    return f"the change of {changed}{in_other}" if changed else f"a step{in_other}"
