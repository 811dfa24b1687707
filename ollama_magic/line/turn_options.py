"""The options of turns, and the magics `%%chat`, `%%generate`, `%chat` and `%generate`."""

from __future__ import annotations

from dataclasses import replace

from ollama_magic.line import value_readers
from ollama_magic.line.model_options import merge_model_options, read_model_option, read_raw_model_option
from ollama_magic.line.spec import Option, Spec

HELP = Option("--help", "this text", short="-h", default=False)

ALL_CELLS = 0  # as many as fit
QUESTION = "%%chat\nWhat is a Python list?"
TYPED = "%%chat -f list[str] --into cities\nThree cities in Peru."
MODEL_OPTION = Option(
    "--option",
    "a model option, such as num_ctx=8192 or temperature=0.2; may be used more than once",
    short="-o",
    metavar="KEY=VALUE",
    read=read_model_option,
    read_raw=read_raw_model_option,
    combine=merge_model_options,
    kind="model option",
)

_SAYS = (
    Option(
        "--model",
        "model for this turn; several answer side by side, and the first is remembered",
        short="-m",
        metavar="NAME",
        read=value_readers.name,
        combine=tuple,
        dest="models",
        kind="model",
    ),
    Option("--system", "system message of this turn", short="-s", metavar="TEXT", prose=True),
    MODEL_OPTION,
    Option(
        "--think",
        "let the model think first, at this level",
        metavar="low|medium|high|max",
        choices=("low", "medium", "high", "max"),
        read=value_readers.switch,
    ),
    Option("--no-think", "answer at once", const=False, dest="think"),
    Option(
        "--format",
        "json, a type of the notebook such as list[City], or a path to a JSON Schema; say in the prompt what is wanted",
        short="-f",
        metavar="TYPE",
        read=value_readers.answer_format,
        read_raw=value_readers.type_expression,
        kind="answer format",
    ),
    Option(
        "--attach",
        "attach a variable of the notebook or a file: an image, a table, text, PDF, Word or WAV; may be repeated",
        short="-a",
        metavar="SOURCE",
        read=value_readers.source,
        read_raw=value_readers.source_expression,
        combine=tuple,
        kind="source",
    ),
    Option(
        "--cells",
        "attach the code and the text outputs of the last N cells that ran; without N as many as fit",
        metavar="N",
        optional=r"\d+",
        read=value_readers.cell_count,
        const=ALL_CELLS,
    ),
)

_HISTORY = (
    Option(
        "--tool",
        "a function of the notebook that the model may call, such as shop.prices; may be used more than once",
        short="-t",
        metavar="NAME",
        read=value_readers.tool,
        combine=list,
        kind="tool",
    ),
    Option(
        "--conversation",
        "another conversation of this notebook",
        short="-c",
        metavar="NAME",
        read=value_readers.conversation,
        kind="conversation",
    ),
    Option("--turns", "send at most the last N turns", metavar="N", read=value_readers.whole),
    Option("--once", "send without history, store nothing", default=False),
)

_SINGLE = (
    Option(
        "--suffix",
        "the text after the answer: the model fills the gap",
        metavar="TEXT",
        default="",
        prose=True,
    ),
    Option("--raw", "send the prompt unchanged, without the model's template", default=False),
    Option("--template", "a template instead of the model's own", metavar="TEXT", default="", prose=True),
)

_RUNS = (
    Option("--out", "bind the Reply to a variable", metavar="NAME", read=value_readers.variable),
    Option("--into", "bind the value of an answer with a format", metavar="NAME", read=value_readers.variable),
    Option("--background", "the cell returns at once, the answer continues in its output", short="-b", default=False),
    Option("--verbatim", "fill in no {{name}}", default=False),
    Option(
        "--keep-alive",
        "how long the model stays loaded: 300, 1h30m, 0, or -1 forever",
        metavar="D",
        read=value_readers.duration,
        kind="duration",
    ),
    Option(
        "--host",
        "another server for this turn; with several models one for each, in their order, or one for all",
        metavar="URL",
        read=value_readers.name,
        combine=tuple,
        dest="hosts",
    ),
    HELP,
)

CHAT_OPTIONS = (*_SAYS, *_HISTORY, *_RUNS)
GENERATE_OPTIONS = (*_SAYS, *_SINGLE, *_RUNS)
_NOTES = (
    "{{name}} is filled in from the notebook's variables. `--` before the words sends them unchanged. "
    "Where City is a dataclass, `%%chat -f list[City] --into cities` binds a list of them."
)

CHAT = Spec(
    "%%chat",
    "One turn of the conversation: the cell is the prompt (words on the first line come first), the answer streams in.",
    CHAT_OPTIONS,
    notes=_NOTES,
    examples=(
        QUESTION,
        "%%chat -m gemma3:1b --think\nWhy is the sky blue?",
        "%%chat\nWhat stands out in {{df}}?",
        TYPED,
        "%%chat -a fig -a ~/results.csv\nDoes the figure fit the numbers?",
    ),
    fixed={"single": False, "suffix": "", "raw": False, "template": ""},
)
GENERATE = Spec(
    "%%generate",
    "One answer to one prompt: no history is sent and nothing is stored.",
    GENERATE_OPTIONS,
    notes=_NOTES,
    examples=(
        "%%generate -f json\nThree cities, as JSON with name and country.",
        '%%generate --suffix "    return result"\ndef fib(n):\n',
    ),
    fixed={"single": True, "conversation": None, "turns": None, "once": True, "tool": None},
)
LINE_CHAT = replace(CHAT, name="%chat", summary="One turn of the conversation on one line.", prompt="text")
LINE_GENERATE = replace(GENERATE, name="%generate", summary="One answer to one prompt, on one line.", prompt="text")
MAGICS = {"chat": CHAT, "generate": GENERATE}
