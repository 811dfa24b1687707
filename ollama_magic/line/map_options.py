"""The options of `%%map`: those of `%%generate`, and who answers how many rows at once."""

from __future__ import annotations

from dataclasses import replace

from ollama_magic.line import value_readers
from ollama_magic.line.spec import Argument, Option, Spec
from ollama_magic.line.turn_options import GENERATE

_OWN = {
    "--out": "bind the Results to a variable, at once",
    "--into": "bind the rows with their answers to a variable, as a frame",
    "--attach": "a column that holds images or paths of files, such as {{photo}}, or what goes along with every row",
    "--background": "the cell returns at once, the map continues in its output",
}
_LEFT_OUT = ("--model", "--host", "--verbatim", "--cells", "--help")


def _all(values: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _options() -> tuple[Option, ...]:
    """Return the options of `%%generate` in the words of a map, and its own."""
    shared = [replace(one, help=_OWN.get(one.name, one.help)) for one in GENERATE.own_options]
    more = (
        Option(
            "--model",
            "the model; may be used more than once: each has its column",
            short="-m",
            metavar="NAME",
            read=value_readers.name,
            combine=_all,
            dest="models",
            kind="model",
        ),
        Option(
            "--host",
            "a server; may be used more than once: rows go to whichever has room",
            metavar="URL",
            read=value_readers.name,
            combine=_all,
            dest="hosts",
        ),
        Option("--concurrency", "so many requests at once for each server", metavar="N", read=value_readers.positive),
        Option("--timeout", "seconds after which a row fails", metavar="SECONDS", read=value_readers.seconds),
        Option("--cache", "the file of saved answers, where the notebook has no store", metavar="PATH", kind="file"),
        Option(
            "--executor",
            "the variable of an executor, such as Dask's, that runs batches of rows on other machines",
            metavar="NAME",
            read=value_readers.name,
            kind="executor",
        ),
        Option("--no-cache", "ask anew for rows whose answer is saved", const=False, dest="cache"),
    )
    help_option = [one for one in GENERATE.options if one.name == "--help"]
    return (*(one for one in shared if one.name not in _LEFT_OUT), *more, *help_option)


MAP = Spec(
    "%%map",
    "One answer for each row of a frame or list: the cell is the prompt, in which {{name}} is a column or a variable.",
    _options(),
    (
        Argument(
            "ROWS",
            "the variable that holds the rows: a frame, or a list of dicts or texts",
            read_raw=value_readers.source_expression,
            kind="rows",
        ),
    ),
    notes=(
        "Each answer is saved when it is there: running the cell again asks only for what is missing. A row that fails "
        "says why, and the rest goes on. ■ and Stop keep what is done."
    ),
    examples=(
        "%%map reviews -f Sentiment --into labelled\nIs this review positive, negative or neutral?\n\n{{text}}",
        "%%map texts -m gemma3:1b --host gpu1:11434 --host gpu2:11434 --out results\nIn one sentence: {{text}}",
        "%%map reviews --executor client --into labelled\nWhat is this review about? {{text}}",
    ),
    needs="`%%map` takes one variable that holds the rows, and options: `%%map reviews -f json`; the prompt is below.",
    fixed={**GENERATE.fixed, "verbatim": False, "cells": None},
)
