"""What a map gives: the rows as they finish, and all of them in their order as values, errors, or a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from ollama_magic.conversation.reply import RUNNING
from ollama_magic.errors import InputError
from ollama_magic.loop_thread import wait_for
from ollama_magic.mapping.frames import first_rows, frame_of_map, records_of_map
from ollama_magic.mapping.outcome import FAILED, MapRow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollama_magic.display.tables import Shown
    from ollama_magic.mapping.handle import MapHandle
    from ollama_magic.mapping.map_run import MapRun
    from ollama_magic.mapping.tally import Tally
    from ollama_magic.mapping.task import MapTask


class Results:
    """The rows of one map with their answers; the map runs on while the program goes on.

    Iterating yields each row as it finishes. Whatever needs all of them waits for the end: `frame()`, `values`,
    `errors`, `wait()`. `len()` is the number of answers that there will be.
    """

    def __init__(self, task: MapTask, run: MapRun, tally: Tally, handle: MapHandle) -> None:
        self._task, self._run, self._tally, self._handle = task, run, tally, handle

    @property
    def state(self) -> str:
        """One of "running", "complete" (every row has ended, some perhaps failed), "stopped", "failed"."""
        return self._tally.progress.state

    @property
    def notes(self) -> tuple[str, ...]:
        """The lines about the map: which fields are columns and which variables, and what happened to hosts."""
        progress = self._tally.progress
        return (*progress.before, *progress.lines, *filter(None, progress.problems.values()))

    @property
    def models(self) -> list[str]:
        """The names of the models that are asked."""
        return list(self._run.models)

    def __len__(self) -> int:
        return len(self._tally.outcomes)

    def __iter__(self) -> Iterator[MapRow]:
        known = 0
        while self._handle.wait_beyond(known):
            yield self[self._tally.order[known]]
            known += 1
        if self._tally.progress.error is not None:
            raise self._tally.progress.error

    @overload
    def __getitem__(self, place: int) -> MapRow: ...
    @overload
    def __getitem__(self, place: slice) -> list[MapRow]: ...
    def __getitem__(self, place: int | slice) -> MapRow | list[MapRow]:
        """Return a row as it is now, or those of a slice; with several models, all rows of the first one come first."""
        found = range(len(self))[place]
        return self._row(found) if isinstance(found, int) else [self._row(one) for one in found]

    def _row(self, place: int) -> MapRow:
        count = len(self._task.rows)
        number, index = divmod(place, max(1, count))
        model = self._run.models[number] if number < len(self._run.models) else ""
        outcome = self._tally.outcomes[place]
        return MapRow(index, self._task.rows.row(index), outcome, model, self._task.answer_format)

    def wait(self) -> Results:
        """Wait until every row has ended.

        Raises:
            TurnStopped: ■ or Stop ended it; what is done is there.
            OllamaMagicError: Nothing could be asked: no server, no such model.
        """
        self._handle.wait()
        return self

    def stop(self) -> None:
        """Stop: what is done is kept, and what was on its way is dropped."""
        self._handle.stop()

    def retry(self) -> Results:
        """Ask once more for every row that has no answer, also after a stop; complete rows stay as they are."""
        if self._handle.running:
            raise InputError("This map is still running; what failed can be asked for again when it has ended.")
        places = self._tally.reopen()
        self._tally.progress.begin_anew()
        self._handle.start(places)
        return self

    def forget(self) -> None:
        """Erase the saved answers of this map, so that no byte of them is left in the store's folder.

        Raises:
            StoreError: They could not be erased; the line says what may still hold them.
        """
        store = self._task.store
        if store is None:
            return
        if self._handle.running:
            raise InputError("This map is still running; stop it before its answers are erased.")
        wait_for(store.erase_answers(self._run.keys()))

    @property
    def values(self) -> list[Any]:
        """The value of each row in its order, its text without a format; None where there is none."""
        self.wait()
        answer_format = self._task.answer_format
        return [outcome.value(answer_format) if outcome else None for outcome in self._tally.outcomes]

    @property
    def errors(self) -> list[MapRow]:
        """The rows that failed, in their order; each says why in `error`."""
        self.wait()
        rows = (self[place] for place, outcome in enumerate(self._tally.outcomes) if outcome is not None)
        return [row for row in rows if row.state == FAILED]

    def frame(self) -> Any:
        """Return a pandas DataFrame: the rows, then the fields of the value, state, error, tokens and seconds.

        With several models each has its column, or one for each field.

        Raises:
            InputError: pandas is not installed.
            TurnStopped: ■ or Stop ended the map while this waited; the next call returns what is done.
        """
        self.wait()
        return frame_of_map(self._task, self._tally, self._run.models)

    def records(self) -> list[dict[str, Any]]:
        """Return what `frame()` has, as a list of dicts."""
        self.wait()
        return records_of_map(self._task, self._tally, self._run.models)

    def _shown(self) -> Shown:
        from ollama_magic.display.map_status import settled, unsettled

        progress = self._tally.progress
        return unsettled(progress) if progress.state == RUNNING else settled(progress)

    def first_rows(self) -> Shown:
        """Return the first rows with their answers as a table."""
        return first_rows(self._task, self._tally, self._run.models)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        return self._shown()._repr_mimebundle_()

    def __repr__(self) -> str:
        return repr(self._shown())
