"""What goes along with the prompt of a cell: images of its fields, the sources of `-a`, the cells of `--cells`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import InputError
from ollama_magic.magics.executed_cells import executed_cells
from ollama_magic.magics.filling import fill_limit

if TYPE_CHECKING:
    from ollama_magic.conversation.request import Plan
    from ollama_magic.line.loaded import LoadedMagics
    from ollama_magic.magics.executed_cells import DisplayedTexts
    from ollama_magic.magics.filling import Filler


def with_attachments(
    plan: Plan, options: Any, filler: Filler, magics: LoadedMagics, displayed: DisplayedTexts
) -> tuple[Plan, tuple[str, ...]]:
    """Return the plan with its attachments, and the line above the answer about them.

    Args:
        plan: The plan, whose prompt is filled.
        options: The options of the line.
        filler: What has filled the prompt.
        magics: The settings, the shell and the session.
        displayed: What the cells above displayed.
    """
    if not (filler.images or options.attach or options.cells is not None):
        return plan, ()
    from ollama_magic.attachments.reading import Limits
    from ollama_magic.line.attaching import attach, attached_line

    sources = [*filler.images, *filler.sources(options.attach)]
    if options.cells is not None:
        sources.append(_cells(plan, options, magics, displayed))
    limits = Limits(magics.image_side, magics.attach_chars, fill_limit(magics.fill_chars, plan.options))
    # The same picture in a hundred turns is in memory once.
    known = {one.sha256: one.data for turn in magics.session.journal.all_turns() for one in turn.attachments}
    read = attach(sources, limits, magics.session.mask)
    attachments = tuple(replace(one, data=known.get(one.sha256) or one.data) for one in read)
    return replace(plan, attachments=attachments), attached_line(attachments)


def _cells(plan: Plan, options: Any, magics: LoadedMagics, displayed: DisplayedTexts) -> tuple[str, object]:
    """Return the last cells as a source; without a number as many as fit a quarter of the window."""
    from ollama_magic.conversation.window_before import quarter_of_window

    session = magics.session
    asked, server = (
        session.conversation(options.conversation),
        session.server(options.hosts[0] if options.hosts else None),
    )
    room = magics.attach_chars
    room = room if options.cells else min(room, quarter_of_window(plan, asked, server))
    name, text = executed_cells(magics.shell, displayed, options.cells, room)
    if not text:
        raise InputError("--cells: no other cell has run yet; there is nothing to attach.")
    return name, text
