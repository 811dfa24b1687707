"""The options of a turn, and the magics that have them: `%%chat`, `%%generate` and their line forms."""

from __future__ import annotations

from dataclasses import replace

from ollama_magic.line import values
from ollama_magic.line.model_options import merge_model_options, read_model_option
from ollama_magic.line.spec import Option, Spec

HELP = Option("--help", "this text", short="-h", absent=False)

_SAYS = (
    Option("--model", "model for this turn", short="-m", metavar="NAME", read=values.name),
    Option("--system", "system message of this turn", short="-s", metavar="TEXT"),
    Option(
        "--option",
        "a model option, such as num_ctx=8192 or temperature=0.2; may be given more than once",
        short="-o",
        metavar="KEY=VALUE",
        read=read_model_option,
        gather=merge_model_options,
    ),
    Option(
        "--think",
        "let the model think first, at this level",
        metavar="low|medium|high|max",
        levels=("low", "medium", "high", "max"),
    ),
    Option("--no-think", "answer at once", const=False, dest="think"),
    Option(
        "--format",
        "have the answer in JSON; say in the prompt what is to stand in it",
        short="-f",
        metavar="json",
        read=values.answer_format,
    ),
)

_HISTORY = (
    Option(
        "--conversation", "another conversation of this notebook", short="-c", metavar="NAME", read=values.conversation
    ),
    Option("--turns", "send at most the last N turns", metavar="N", read=values.whole),
    Option("--once", "send without history, remember nothing", absent=False),
)

_SINGLE = (
    Option("--suffix", "what comes behind the answer: the model fills in what is between", metavar="TEXT", absent=""),
    Option("--raw", "send the prompt as it stands, without the model's template", absent=False),
    Option("--template", "a template in place of the model's own", metavar="TEXT", absent=""),
)

_RUNS = (
    Option("--out", "bind the Reply to a variable", metavar="NAME", read=values.variable),
    Option("--background", "the cell returns at once, the answer goes on in its place", short="-b", absent=False),
    Option("--verbatim", "fill in no {{name}}", absent=False),
    Option(
        "--keep-alive",
        "how long the model stays loaded: 300, 1h30m, 0, or -1 for ever",
        metavar="D",
        read=values.duration,
    ),
    Option("--host", "another server for this turn", metavar="URL", read=values.name),
    HELP,
)

CHAT_OPTIONS = (*_SAYS, *_HISTORY, *_RUNS)
GENERATE_OPTIONS = (*_SAYS, *_SINGLE, *_RUNS)
_NOTES = "{{name}} is filled in from the notebook's variables. `--` before the words sends them as they stand."

CHAT = Spec(
    "%%chat",
    "One turn of the conversation: the cell is the prompt (words on the first line come first), the answer streams in.",
    CHAT_OPTIONS,
    notes=_NOTES,
    fixed={"single": False, "suffix": "", "raw": False, "template": ""},
)
GENERATE = Spec(
    "%%generate",
    "One answer to one prompt: no history is sent and nothing is remembered.",
    GENERATE_OPTIONS,
    notes=_NOTES,
    fixed={"single": True, "conversation": None, "turns": None, "once": True},
)
LINE_CHAT = replace(CHAT, name="%chat", summary="One turn of the conversation on one line.", prompt="text")
LINE_GENERATE = replace(GENERATE, name="%generate", summary="One answer to one prompt, on one line.", prompt="text")
