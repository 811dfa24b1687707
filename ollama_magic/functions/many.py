"""Many prompts from one template: `map`, published as `ollama_magic.map`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.request import Plan, Single
from ollama_magic.errors import InputError, TurnStopped
from ollama_magic.foreign import one_line
from ollama_magic.functions.arguments import (
    format_from,
    keep_alive_from,
    model_from,
    optional_text,
    options_from,
    switch_from,
    text_from,
    think_from,
)
from ollama_magic.functions.calls import generate
from ollama_magic.functions.sessions import loaded_magics, session
from ollama_magic.functions.signatures import checked_call, with_arguments_of
from ollama_magic.mapping.executors import executor_from
from ollama_magic.mapping.task import TIMEOUT_S, MapTask
from ollama_magic.ollama.message_json import plain_number

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from concurrent.futures import Executor

    from typing_extensions import TypedDict, Unpack

    from ollama_magic.conversation.server import Server
    from ollama_magic.functions.arguments import AnyOptions, ModelName
    from ollama_magic.mapping.handle import OpenView
    from ollama_magic.mapping.results import Results
    from ollama_magic.mapping.rows import Rows
    from ollama_magic.ollama.protocol import KeepAlive, Think
    from ollama_magic.prompt.row_template import RowTemplate
    from ollama_magic.turns.attachment import Attachment

    class MapSettings(TypedDict, total=False):
        """The arguments that a map has in common with `generate`."""

        suffix: str
        system: str
        template: str
        raw: bool
        options: AnyOptions
        think: Think
        format: object
        keep_alive: KeepAlive
        host: str | None
        attach: object


@checked_call
@with_arguments_of(generate)
def map_rows(
    prompt: str,
    rows: Any,
    *,
    model: ModelName | Iterable[ModelName] = None,
    hosts: Iterable[str] | None = None,
    concurrency: int | None = None,
    timeout: float = TIMEOUT_S,
    cache: bool | str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    **settings: Unpack[MapSettings],
) -> Results:
    """Ask one prompt for each row; return at once, while the answers come in.

    A `{{name}}` in the prompt is a column of the row, else a variable of the caller. Answers are saved as they come, so
    that the same call asks only for what is missing. A row that fails says why, and the rest goes on.

    Args:
        prompt: The template, such as "Is this review positive? {{text}}".
        rows: A frame, or any iterable of dicts, records or texts; a text is the template's only field.
        model: A name; a list of names gives a frame with a column for each.
        hosts: Several servers, such as ["gpu1:11434", "gpu2:11434"]; rows go to whichever has room.
        concurrency: Requests at once for each server; None to find out what serves the throughput.
        timeout: Seconds after which a row fails.
        cache: False asks anew; a path names the file of answers, where the notebook has no store.
        executor: Runs batches of rows elsewhere: any `concurrent.futures.Executor`, such as Dask's.
        settings: The other arguments are those of `generate`.

    Example:
        >>> from ollama_magic import map
        >>> [row.state for row in map("Say {{word}}.", ["red", "green"])]
        ['complete', 'complete']
    """
    limits = limits_from(concurrency, timeout)
    try:
        return _begun(text_from(prompt, "prompt"), rows, _models(model), hosts, cache, executor, limits, settings)
    except KeyboardInterrupt:  # within the caller's rows or objects
        raise TurnStopped("Stopped; nothing was sent.") from None


def _begun(
    prompt: str,
    rows: object,
    models: tuple[str, ...],
    hosts: Iterable[str] | None,
    cache: object,
    executor: Executor | None,
    limits: dict[str, Any],
    settings: Any,
) -> Results:
    from ollama_magic.mapping.start import begin_map, row_attachments
    from ollama_magic.mapping.stores import store_of

    hosts = hosts_from(hosts)
    ours, plan, read = session(), _plan(**settings), _rows_of(rows, prompt)
    own, shared = _attached(settings.get("attach"), read)
    template = _template(prompt, read, plan.options, own)
    task = MapTask(
        read,
        template,
        plan,
        servers_of(settings.get("host"), hosts),
        ours.conversation(),
        models,
        store_of(ours, cache),
        cache is not False,
        executor=executor_from(executor),
        hosts=named_hosts(settings.get("host"), hosts),
        attachments=row_attachments(own, shared, ours, read, template),
        **limits,
    )
    return begin_map(ours, task, map_view())


def _plan(
    *,
    suffix: str = "",
    system: str = "",
    template: str = "",
    raw: bool = False,
    options: AnyOptions = None,
    think: Think = None,
    format: object = None,  # noqa: A002
    keep_alive: KeepAlive = None,
    host: str | None = None,
    attach: object = None,
) -> Plan:
    del host, attach
    asked = format_from(format)
    return Plan(
        prompt="",
        default_model=session().settings().model or None,
        system=optional_text(system, "system"),
        options=options_from(options),
        think=think_from(think),
        format=asked.schema if asked is not None else None,
        answer_format=asked,
        keep_alive=keep_alive_from(keep_alive),
        once=True,
        single=Single(
            optional_text(suffix, "suffix"), optional_text(template, "template"), bool(switch_from(raw, "raw"))
        ),
    )


def hosts_from(hosts: object) -> list[str] | None:
    """Return the addresses of `hosts=`, of which a text is one; None for None.

    Raises:
        InputError: They are no addresses.
    """
    if hosts is None:
        return None
    named = [hosts] if isinstance(hosts, str) else list(hosts) if isinstance(hosts, Iterable) else []
    if not named or not all(isinstance(one, str) and one.strip() for one in named):
        raise InputError("hosts is a list of addresses, such as ['gpu1:11434', 'gpu2:11434'].")
    return named


def named_hosts(host: str | None, hosts: list[str] | None) -> tuple[str, ...]:
    """Return the addresses that a call names."""
    return tuple(hosts or ([host] if host else []))


def servers_of(host: str | None, hosts: list[str] | None) -> tuple[Server, ...]:
    """Return the servers of a call; raise InputError for addresses that are none, or twice the same."""
    ours = session()
    if hosts is None:
        return (ours.server(host),)
    if host is not None:
        raise InputError("A map takes host or hosts, not both.")
    return tuple(dict.fromkeys(ours.server(one) for one in hosts))


def limits_from(concurrency: object, timeout: object) -> dict[str, Any]:
    """Return the limits of a map by their names; a timeout of None is the usual one."""
    return {"concurrency": positive(concurrency, "concurrency"), "timeout": positive(timeout, "timeout") or TIMEOUT_S}


def positive(value: Any, name: str) -> Any:
    """Return a number above 0, also one of NumPy's, or None; raise InputError for anything else."""
    if value is None:
        return None
    number: int | float = 0
    with suppress(TypeError):
        number = plain_number(value)
    if isinstance(number, bool) or not number > 0:
        raise InputError(f"{name} is a number above 0, not {one_line(repr(value), 40)}.")
    if name != "concurrency":
        return float(min(number, sys.float_info.max))
    if number % 1:
        raise InputError(f"{name} is a whole number, not {number}.")
    return int(number)


def _rows_of(rows: object, prompt: str) -> Rows:
    from ollama_magic.mapping.rows import rows_of
    from ollama_magic.prompt.fill import field_names

    return rows_of(rows, field_names(prompt))


def _attached(sources: object, rows: Rows) -> tuple[tuple[str, ...], tuple[Attachment, ...]]:
    """Return the columns in `attach=["{{photo}}", …]`, and what goes along with every row."""
    from ollama_magic.functions.attached import attachments_from
    from ollama_magic.line.attaching import SEVERAL
    from ollama_magic.mapping.row_attachments import split_sources

    listed = list(sources) if isinstance(sources, SEVERAL) else [] if sources is None else [sources]
    fields = [one for one in listed if isinstance(one, str) and one.strip().startswith("{{")]
    own, others = split_sources(fields, rows.columns)
    if others:
        raise InputError(f"attach: {{{{{one_line(others[0], 60)}}}}} is no column; pass what every row has as it is.")
    return own, attachments_from([one for one in listed if one not in fields] or None, session())


def _template(prompt: str, rows: Rows, options: Mapping[str, object], sources: tuple[str, ...] = ()) -> RowTemplate:
    """Return the template, filled from the variables of whoever calls."""
    from ollama_magic.magics.caller_scope import caller_scope
    from ollama_magic.magics.filling import fill_limit
    from ollama_magic.mapping.templates import checked_template

    magics: Any = loaded_magics()
    notebook = magics.shell.user_ns if magics is not None else {}
    written = magics.values.written if magics is not None else (lambda _: None)
    limit = fill_limit(magics.fill_chars if magics is not None else 0, options)
    return checked_template(prompt, rows, caller_scope(notebook), session().secrets().mask, limit, written, sources)


def _models(model: object) -> tuple[str, ...]:
    several = isinstance(model, (list, tuple))
    asked: list[object] = list(model) if isinstance(model, (list, tuple)) else [model]
    named = tuple(dict.fromkeys(map(model_from, asked)))
    if several and not (named and all(named)):
        raise InputError("model is a name, or a list of names, such as ['gemma3:1b', 'qwen3:4b'].")
    return named if all(named) else ()


def map_view() -> OpenView:
    """Return what opens the view of a map: none in a plain script."""
    magics: Any = loaded_magics()
    if magics is None:
        return lambda: None
    from ollama_magic.display.views import mode_for, open_map_view

    return lambda: open_map_view(mode_for(magics.display, magics.shell))
