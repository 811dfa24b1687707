"""Begins a map: what it reports on, what runs it, and the results that are returned at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ollama_magic.attachments.reading import Limits
from ollama_magic.display.map_progress import MapProgress
from ollama_magic.mapping.handle import MapHandle
from ollama_magic.mapping.map_run import MapRun
from ollama_magic.mapping.results import Results
from ollama_magic.mapping.row_attachments import RowAttachments, first_picture, seen_first
from ollama_magic.mapping.tally import Tally

if TYPE_CHECKING:
    from ollama_magic.conversation.session import Session
    from ollama_magic.mapping.handle import OpenView
    from ollama_magic.mapping.rows import Rows
    from ollama_magic.mapping.task import MapTask
    from ollama_magic.prompt.row_template import RowTemplate
    from ollama_magic.turns.attachment import Attachment


def begin_map(
    session: Session,
    task: MapTask,
    open_view: OpenView,
    *,
    label: str = "rows",
    before: tuple[str, ...] = (),
    name: str = "",
) -> Results:
    """Start a map and return its results at once.

    Args:
        session: Whose loop it runs on.
        task: What is to be done.
        open_view: Returns what shows the progress, or None.
        label: What is mapped, in a word or two.
        before: More lines that stand above it.
        name: What the session knows it by: a running map of the same name is stopped first.
    """
    if task.attachments is not None:  # a model that cannot see is refused before anything is sent
        seen = seen_first(task.attachments, task.rows, task.template)
        task = replace(task, plan=replace(task.plan, attachments=seen))
    progress = MapProgress(task.total, label, (*task.template.notes, *before))
    tally = Tally(progress)
    run = MapRun(task, tally)
    handle = MapHandle(session, run, tally, open_view, name)
    results = Results(task, run, tally, handle)
    progress.first_rows = results.first_rows
    handle.start(range(task.total))
    return results


def row_attachments(
    names: tuple[str, ...], shared: tuple[Attachment, ...], session: Session, rows: Rows, template: RowTemplate
) -> RowAttachments | None:
    """Return what goes along with each row; None for nothing.

    Args:
        names: The columns that are attached.
        shared: What goes along with every row.
        session: Whose limits hold.
        rows: The rows, whose columns may hold images that the prompt mentions.
        template: The template.
    """
    if not (names or shared or first_picture(rows, template) is not None):
        return None
    settings = session.settings()
    limits = Limits(settings.image_side, settings.attach_chars)
    return RowAttachments(names, shared, limits, session.secrets().mask)
