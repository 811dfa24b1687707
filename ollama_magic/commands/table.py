"""The one table of `%ollama` commands: choice, dispatch and help all come from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.commands import export, files, memory, models, panel, pulling, server, server_start, settings, show
from ollama_magic.commands.command import Answer, Command, Here, find
from ollama_magic.commands.help import docstring, help_page

if TYPE_CHECKING:
    from collections.abc import Iterable

HELP_FLAGS = frozenset({"-h", "--help"})


def run_command(here: Here, line: str) -> Answer:
    """Run what stands behind `%ollama`; alone it is the status card. Raises InputError with the nearest command."""
    name, _, rest = line.strip().partition(" ")
    if not name:
        return server.status(here, "")
    if name in HELP_FLAGS:
        return help_page(COMMANDS, rest)
    command = find(name, COMMANDS)
    if rest.strip() in HELP_FLAGS:
        return help_page(COMMANDS, name)
    return command.run(here, rest)


def usage() -> str:
    """The docstring of `%ollama`, for `%ollama?`."""
    return docstring(COMMANDS)


def _help(here: Here, rest: str) -> Answer:
    del here
    return help_page(COMMANDS, rest)


def _table(commands: Iterable[Command]) -> dict[str, Command]:
    return {command.name: command for command in commands}


COMMANDS = _table(
    (
        Command(
            "status",
            "[--check]",
            "server, model, conversation and context at a glance; --check is a doctor",
            "server",
            server.status,
        ),
        Command("list", "[PREFIX]", "the installed models", "models", models.list_models),
        Command("ps", "", "the loaded models, and where they are computed", "models", models.ps),
        Command("show", "[MODEL] [OPTIONS]", "what a model is, or one of its texts", "models", show.show),
        Command(
            "pull",
            "NAME [--insecure]",
            "download a model; run again, it goes on",
            "models",
            pulling.pull,
            examples=("pull gemma3:1b",),
        ),
        Command(
            "create",
            "NAME --from MODEL [OPTIONS]",
            "make a model from another one",
            "models",
            pulling.create,
            examples=('create pirate --from gemma3:1b --system "You are a pirate." -o temperature=1.2',),
        ),
        Command("cp", "SOURCE DESTINATION", "give a model a second name", "models", models.cp, "model"),
        Command("rm", "MODEL … [--yes]", "remove models from the server's disk", "models", models.rm),
        Command("load", "MODEL [--keep-alive D]", "bring a model into memory", "models", pulling.load),
        Command("embed", "[-m MODEL] TEXT", "a vector for a text, or for several in quotes", "models", models.embed),
        Command(
            "model", "[NAME]", "tell this conversation's model, or say which it is", "settings", settings.model, "model"
        ),
        Command("system", "[TEXT]", "tell this conversation's system text, or show it", "settings", settings.system),
        Command("set", "KEY VALUE", "tell a model option, such as `temperature 0.2`", "settings", settings.set_option),
        Command("unset", "KEY …", "take back options, `model` or `system`", "settings", settings.unset_option, "told"),
        Command("history", "", "the turns of this conversation, those set aside too", "conversation", memory.history),
        Command("undo", "", "take back the newest step of this notebook", "conversation", memory.undo),
        Command("redo", "", "give back what was taken back", "conversation", memory.redo),
        Command("forget", "N [--erase]", "send turn N of the history no longer", "conversation", memory.forget),
        Command("clear", "[--erase]", "begin the conversation anew", "conversation", memory.clear),
        Command("switch", "NAME", "go on in another conversation", "conversation", memory.switch, "conversation"),
        Command(
            "save", "FILE [--force]", "write the conversation to a .md, .json or .ipynb", "conversation", files.save
        ),
        Command("open", "FILE", "add a file's turns; `.` is this notebook", "conversation", files.open_file),
        Command("prompt", "", "what exactly was sent with the newest turn", "conversation", files.prompt),
        Command("conversations", "", "the conversations of this notebook", "conversation", memory.conversations),
        Command("panel", "", "a panel to chat in; the conversation is that of the cells", "conversation", panel.panel),
        Command("stop", "[MODEL]", "stop the running answers; with a name, unload that model", "server", server.stop),
        Command("host", "[URL]", "tell this session's server, or say which it is", "server", server.host),
        Command("version", "", "the versions of this extension and of the server", "server", server.version),
        Command(
            "start",
            "[--log] [--end]",
            "start the Ollama of this machine; it ends with this kernel",
            "server",
            server_start.start,
        ),
        Command("demo", "[--replay FILE]", "start the built-in demo server and talk to it", "server", server.demo),
        Command(
            "export",
            "curl|python|java [--turn N]",
            "the request of a turn as a program",
            "work",
            export.export,
            examples=("export curl", "export python --turn 2"),
        ),
        Command("help", "[COMMAND]", "what can be typed, and examples", "work", _help),
    )
)
