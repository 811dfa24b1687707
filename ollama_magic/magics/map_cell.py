"""`%%map`: from a cell with a template to a frame, by the same way as the function."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import InputError, TurnStopped
from ollama_magic.foreign import one_line, repaired
from ollama_magic.line.hook import prompt_text
from ollama_magic.line.map_options import MAP
from ollama_magic.line.planning import plan_of
from ollama_magic.magics.filling import Filler, fill_limit
from ollama_magic.magics.typed_values import check_names

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from ollama_magic.line.options import Line
    from ollama_magic.mapping.handle import MapHandle
    from ollama_magic.mapping.results import Results
    from ollama_magic.mapping.task import MapTask


class MapCell:
    """Runs one `%%map` cell for the magics that it belongs to."""

    def __init__(self, magics: Any) -> None:
        self._magics = magics
        self._filler = Filler(magics.shell.user_ns, magics.session.secrets().mask, magics.values.written)

    def run(self, line: str, cell: str) -> None:
        """Run the map to its end and bind its frame, or leave it running."""
        asked = self._filler.read(MAP, repaired(line))
        options = asked.options
        if options.help:
            print(MAP.help())
            return
        results = self._begin(asked, cell)
        variables = self._magics.shell.user_ns
        if options.out:
            variables[options.out] = results
        if options.background:
            return
        try:
            results.wait()
        finally:
            if options.into and results.state != "failed":
                variables[options.into] = bound(results)

    def _begin(self, asked: Line, cell: str) -> Results:
        from ollama_magic.display.views import open_map_view
        from ollama_magic.mapping.start import begin_map

        check_names(asked.options)
        if asked.options.into and asked.options.background:
            raise InputError("--into waits for the answers; leave out --background, or bind the Results by --out.")
        try:
            task, magics = self._task(asked, prompt_text("", cell)), self._magics
        except KeyboardInterrupt:  # within the user's rows or objects
            raise TurnStopped("Stopped; nothing was sent.") from None
        mode, name = magics.mode(), asked.arguments.rows
        cell_id = magics.cell.origin().cell or ""
        notes = tuple(self._filler.notes)
        return begin_map(magics.session, task, lambda: open_map_view(mode), label=name, before=notes, name=cell_id)

    def _task(self, asked: Line, prompt: str) -> MapTask:
        from ollama_magic.attachments.reading import Limits
        from ollama_magic.line.attaching import attach, attached_line
        from ollama_magic.mapping.row_attachments import split_sources
        from ollama_magic.mapping.rows import rows_of
        from ollama_magic.mapping.start import row_attachments
        from ollama_magic.mapping.stores import store_of
        from ollama_magic.mapping.task import TIMEOUT_S, MapTask
        from ollama_magic.mapping.templates import checked_template
        from ollama_magic.prompt.fill import field_names

        options, magics, session = asked.options, self._magics, self._magics.session
        if not prompt.strip():
            raise InputError("There is no prompt: write one below `%%map`, such as `Is this positive? {{text}}`.")
        rows = rows_of(self._variable(asked.arguments.rows, "rows"), field_names(prompt))
        conversation = session.conversation()
        plan = plan_of(options, "", magics, conversation, self._filler.answer_format(options.format))
        limit, mask = fill_limit(magics.fill_chars, plan.options), session.secrets().mask
        own, others = split_sources(options.attach, rows.columns)
        limits = Limits(magics.image_side, magics.attach_chars, limit)
        shared = attach(self._filler.sources(others), limits, mask)
        self._filler.notes += attached_line(shared)
        hosts = options.hosts or (None,)
        template = checked_template(prompt, rows, self._filler.variables, mask, limit, magics.values.written, own)
        return MapTask(
            rows,
            template,
            plan,
            tuple(dict.fromkeys(session.server(host) for host in hosts)),
            conversation,
            options.models,
            store_of(session, options.cache),
            options.cache is not False,
            options.concurrency,
            options.timeout or TIMEOUT_S,
            self._executor(options.executor),
            options.hosts or (),
            attachments=row_attachments(own, shared, session, rows, template),
        )

    def _executor(self, path: str | None) -> Executor | None:
        from ollama_magic.mapping.executors import executor_from

        return executor_from(self._variable(path, "executor")) if path else None

    def _variable(self, path: str, what: str) -> object:
        """Return the value of a variable, such as that with the rows; it is looked up, and nothing is called."""
        from ollama_magic.prompt.resolve import NotFilled, resolve

        try:
            found = resolve(path, self._filler.variables)
        except NotFilled as why:
            raise InputError(f"{one_line(path, 80)}: {why}; put the {what} into a variable first.") from None
        if found is None:
            raise InputError(f"{one_line(path, 80)} is no variable; put the {what} into one first.")
        return found.value


def bound(results: Results) -> Any:
    """Return what `--into` binds: a frame, or a list of dicts where pandas is not installed."""
    with suppress(InputError):
        return results.frame()
    return results.records()


def running_maps(session: Any) -> list[MapHandle]:
    """Return the maps that are running; nothing is imported for the question."""
    return [one for name, one in list(session.owned_resources.items()) if name.startswith("map ")]


def wait_for_maps(session: Any) -> None:
    """Wait for the maps in the background: an unattended notebook is saved after its last cell."""
    for handle in running_maps(session):
        with suppress(Exception, TurnStopped):
            handle.wait()
