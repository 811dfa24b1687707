"""A cell with several models: one plan for each, a column for each, and the values of their answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.group_handle import Asked, GroupHandle, start_group
from ollama_magic.errors import AnswerInvalid, TurnStopped
from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ollama_magic.conversation.handle import TurnHandle
    from ollama_magic.conversation.reply import Reply
    from ollama_magic.conversation.request import Plan
    from ollama_magic.line.loaded import LoadedMagics


def start_columns(
    magics: LoadedMagics,
    plan: Plan,
    columns: Sequence[tuple[str | None, str | None]],
    labels: Mapping[str, object],
    notes: Sequence[str],
    options: Any,
) -> GroupHandle:
    """Start a turn for each model and host, in one output; `notes` are the lines above all answers."""
    from ollama_magic.display.views import mode_for, open_columns

    mode, background = mode_for(magics.display, magics.shell), options.background
    views, refresh = open_columns(mode, labels, len(columns), notes, magics.footer, background=background)
    asked = [Asked(replace(plan, model=model), host, view) for (model, host), view in zip(columns, views, strict=True)]
    origin = magics.cell.origin()
    return start_group(
        magics.session, asked, origin, refresh, conversation=options.conversation, waited_for=not background
    )


def answer_of(handle: TurnHandle | GroupHandle) -> Reply | list[Reply]:
    """Return what `--out` binds: the reply, or the replies of several models in their order."""
    return handle.replies if isinstance(handle, GroupHandle) else handle.reply


def check_values(handle: GroupHandle, options: Any) -> None:
    """Validate the answers of a format; the one that is none says so in its column, and none at all fails the cell."""
    if options.format in (None, "json"):
        return
    errors = []
    try:
        complete = [reply for reply in handle.replies if reply.state == "complete"]
        for reply in complete:
            try:
                reply.value  # noqa: B018 (it is validated at first use)
            except AnswerInvalid as error:
                reply.notes = (*reply.notes, one_line(str(error)))
                errors.append(error)
    except TurnStopped:
        raise
    except KeyboardInterrupt:
        raise TurnStopped("Stopped; the answers are there, their values were not read.") from None
    if errors:
        handle.refresh()
    if len(errors) == len(complete):
        raise errors[0]
