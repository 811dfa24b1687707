"""Examples for the pages of help: of commands whose row in the table has none, and of the magics."""

from __future__ import annotations

QUESTION = "%%chat\nWhat is a Python list?"
COMMANDS = {
    "status": ("status", "status --check"),
    "list": ("list", "list gemma", "models = %ollama list"),
    "ps": ("ps",),
    "show": ("show", "show gemma3:1b --parameters"),
    "cp": ("cp gemma3:1b my-gemma",),
    "rm": ("rm my-gemma", "rm my-gemma old-gemma --yes"),
    "load": ("load gemma3:1b --keep-alive 1h",),
    "embed": ("embed -m embeddinggemma why is the sky blue", 'vectors = %ollama embed "one text" "another"'),
    "model": ("model gemma3:1b", "model"),
    "system": ("system Answer in one sentence.", "system"),
    "set": ("set temperature 0.2", "set num_ctx 16384"),
    "unset": ("unset temperature", "unset model system"),
    "history": ("history", "turns = %ollama history"),
    "undo": ("undo",),
    "redo": ("redo",),
    "forget": ("forget 2", "forget 2 --erase"),
    "clear": ("clear", "clear --erase"),
    "switch": ("switch drafts", "switch main"),
    "save": ("save talk.md", "save talk.ipynb --force"),
    "open": ("open talk.json", "open ."),
    "prompt": ("prompt",),
    "conversations": ("conversations",),
    "panel": ("panel",),
    "stop": ("stop", "stop gemma3:1b"),
    "host": ("host", "host 192.168.1.20:11434"),
    "version": ("version",),
    "start": ("start", "start --log"),
    "demo": ("demo", "demo --replay talk.json"),
    "help": ("help", "help pull", "help chat"),
}
MAGICS = {
    "%%chat": (QUESTION, "%%chat -m gemma3:1b --think\nWhy is the sky blue?", "%%chat\nWhat stands out in {{df}}?"),
    "%%generate": (
        "%%generate -f json\nThree cities, as JSON with name and country.",
        '%%generate --suffix "    return result"\ndef fib(n):\n',
    ),
}
