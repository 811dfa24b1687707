"""The commands of `%ollama`: their type, and the look-up by name. `command_table` lists them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal

from ollama_magic.display.tables import Shown
from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line
from ollama_magic.line.options import HELP, Argument, Option, Spec, read_line
from ollama_magic.ollama.model_names import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ollama_magic.conversation.session import Session
    from ollama_magic.line.spec import Fill

Family = Literal["models", "server", "settings", "conversation", "work"]
# Commands of the command-line tool and similar programs, and what to use instead. The words in capitals are replaced
# by the arguments that were typed.
ALTERNATIVES = {
    "serve": "`%ollama start` starts the server on this machine.",
    "run": "`%chat -m MODEL TEXT` asks a model.",
    "chat": "`%chat TEXT` asks, `%%chat` begins a cell.",
    "generate": "`%generate TEXT` asks once, `%%generate` begins a cell.",
    "unload": "`%ollama stop MODEL` unloads a model.",
    **dict.fromkeys(("delete", "remove", "uninstall", "del"), "`%ollama rm MODEL` removes a model."),
    **dict.fromkeys(("ls", "models", "tags"), "`%ollama list` lists the models."),
    **dict.fromkeys(
        ("copy", "rename", "mv"), "`%ollama cp SOURCE DESTINATION` copies a model, `%ollama rm` removes it."
    ),
    **dict.fromkeys(("info", "inspect", "modelfile"), "`%ollama show MODEL` describes a model."),
    **dict.fromkeys(
        ("download", "install", "add", "get", "update", "upgrade"), "`%ollama pull MODEL` downloads a model."
    ),
    **dict.fromkeys(("search", "library", "browse"), "https://ollama.com/search has the models to pull."),
    "use": "`%ollama model MODEL` sets the model of this conversation.",
    **dict.fromkeys(("warm", "preload", "warmup"), "`%ollama load MODEL` loads a model."),
    **dict.fromkeys(("options", "option", "params", "parameter"), "`%ollama set KEY VALUE` sets a model option."),
    **dict.fromkeys(("config", "settings"), "`%config OllamaMagic` shows the settings."),
    **dict.fromkeys(("temperature", "temp"), "`%ollama set temperature VALUE` sets it."),
    **dict.fromkeys(("num_ctx", "ctx", "context"), "`%ollama set num_ctx VALUE` sets the context window."),
    "think": "`%chat --think TEXT` turns thinking on for a turn, `%config OllamaMagic.think = True` for all.",
    **dict.fromkeys(
        ("keep-alive", "keep_alive"), "`%chat --keep-alive 10m TEXT`, or `%config OllamaMagic.keep_alive = '10m'`."
    ),
    **dict.fromkeys(("url", "address", "server", "port", "connect"), "`%ollama host URL` sets the server."),
    **dict.fromkeys(("log", "logs"), "`%ollama status --check` says where the log goes."),
    **dict.fromkeys(("--version", "-v"), "`%ollama version` shows the versions."),
    **dict.fromkeys(("import", "restore"), "`%ollama open FILE` opens a conversation that was saved."),
    **dict.fromkeys(("debug", "error", "why"), "`%ollama fix` asks about the last exception."),
    **dict.fromkeys(("insert", "paste"), "`%ollama code` inserts the code of the newest answer as a new cell."),
    **dict.fromkeys(("choose", "pick", "prefer"), "`%ollama keep MODEL` remembers another model's answer."),
    **dict.fromkeys(("compare", "changes"), "`%ollama diff` compares an answer with the one it replaced."),
    "reset": "`%ollama clear` starts the conversation anew.",
    "new": "`%ollama switch NAME` starts another conversation.",
    **dict.fromkeys(("retry", "again", "regenerate"), "a cell that runs again asks again."),
    "ask": "`%chat TEXT` asks.",
    **dict.fromkeys(
        ("quit", "bye", "exit"), "`%ollama stop` stops the running answers; the kernel ends with the notebook."
    ),
    **dict.fromkeys(
        ("kill", "shutdown", "restart"),
        "`%ollama stop` stops the running answers, `%ollama start --end` a server that was started from here.",
    ),
    "launch": "launch programs with the command-line tool: `!ollama launch`.",
    "push": "push models with the command-line tool: `!ollama push MODEL`.",
    **dict.fromkeys(("signin", "login"), "sign in with the command-line tool: `!ollama signin`."),
    **dict.fromkeys(("signout", "logout"), "sign out with the command-line tool: `!ollama signout`."),
}
_BLANK = re.compile(r"\b(?:MODEL|SOURCE|DESTINATION|NAME|KEY|VALUE|URL|FILE|(TEXT))\b")


@dataclass(frozen=True)
class CommandContext:
    """The context of a command: the session, how the notebook displays answers, and what fills `{{name}}` fields.

    `insert` inserts a new cell and returns why the front end would ignore it, empty if it does not; it is None where
    the command is assigned. `ask` asks about the last cell, as a turn, with these words; its first argument says how.
    """

    session: Session
    display: str = ""
    fill: Fill | None = None
    insert: Callable[[str], str] | None = None
    ask: Callable[[str, str], object] | None = None

    @property
    def assigned(self) -> bool:
        """Whether the data of the command is assigned, and nothing is shown."""
        return self.insert is None


@dataclass(frozen=True)
class CommandResult:
    """The result of a command: data if it is assigned, else something to display (None: nothing)."""

    data: Any
    shown: Any = None


@dataclass(frozen=True)
class Command:
    """One command: its name, its family, its arguments and options, and its function."""

    name: str
    family: Family
    spec: Spec
    run: Callable[[CommandContext, Any], CommandResult]

    @property
    def summary(self) -> str:
        """Its description, one sentence."""
        return self.spec.summary

    def __call__(self, context: CommandContext, line: str = "") -> CommandResult:
        """Parse the arguments and run the command, or show its help for `--help`."""
        fields = "{" in line or "$" in line
        read = read_line(self.spec, line, context.fill if fields else None)
        if read.options.help:
            text = self.spec.help()
            return CommandResult(text, Shown(f"<pre>{escape(text)}</pre>", text))
        return self.run(context, SimpleNamespace(**vars(read.arguments), **vars(read.options)))


def command(
    name: str,
    family: Family,
    summary: str,
    *words: Argument | Option,
    notes: str = "",
    examples: tuple[str, ...] = (),
    needs: str = "",
) -> Callable[[Callable[[CommandContext, Any], CommandResult]], Command]:
    """Make a function a command; `words` are its arguments, in order, and its options.

    The function gets the context, and one object with an attribute for each argument and option. `examples` are lines
    after `%ollama`, by default the name alone.
    """
    options = tuple(word for word in words if isinstance(word, Option))
    arguments = tuple(word for word in words if isinstance(word, Argument))
    typed = tuple(one if "%ollama" in one else f"%ollama {one}" for one in examples or (name,))
    spec = Spec(f"%ollama {name}", summary, (*options, HELP), arguments, notes=notes, examples=typed, needs=needs)
    return lambda run: Command(name, family, spec, run)


def find(name: str, commands: Mapping[str, Command], rest: str = "") -> Command:
    """Return the command of that name; raise InputError with the alternative, or the nearest names.

    Args:
        name: The name as typed.
        commands: The known commands.
        rest: The text after the name.
    """
    if name in commands:
        return commands[name]
    if name.lower() in ALTERNATIVES:
        raise InputError(f"There is no command `%ollama {name}`; {_with_words(ALTERNATIVES[name.lower()], rest)}")
    near = nearest(name, list(commands))
    nearby = " or ".join(f"`%ollama {other}`" for other in near)
    hint = f"did you mean {nearby}?" if near else "`%ollama help` lists all commands."
    raise InputError(f"There is no command `%ollama {name}`; {hint}")


def _with_words(hint: str, rest: str) -> str:
    """Put what was typed behind a command into the places of a hint that it belongs to, as far as it reaches."""
    words = one_line(rest, 120)
    if not words or words.startswith("-"):
        return hint

    def word(blank: re.Match[str]) -> str:
        nonlocal words
        found, _, words = (words, "", "") if blank[1] else words.partition(" ")
        return found or blank[0]

    return _BLANK.sub(word, hint)
