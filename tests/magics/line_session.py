"""Runs cells in a real InteractiveShell, of whatever IPython this Python has, and tells which calls of magics came.

Alone: a JSON list of cells comes in at standard input, a list of `[raw cell kept, calls, error]` goes out at
the end of standard output.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import no_var_expand

from ollama_magic.line.hook import install, split_assigned


def new_shell(calls):
    """Make a shell whose %chat, %%chat and %ollama write down what reaches them."""

    @no_var_expand
    def line_magic(line):
        assigned, text = split_assigned(line)
        calls.append(["line", text, assigned])
        return "reply" if assigned else None

    @no_var_expand
    def chat(line, cell=None):
        if cell is None:
            return line_magic(line)
        calls.append(["cell", line, cell])
        return None

    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.register_magic_function(chat, "line_cell", "chat")
    shell.register_magic_function(line_magic, "line", "ollama")
    install(shell, lambda kind, name: name in ("chat", "ollama"))
    install(shell, lambda kind, name: name in ("chat", "ollama"))
    return shell


def run(cells):
    """Run each cell; return whether its raw text is in the history, the calls, and the error's repr or None."""
    calls = []
    shell = new_shell(calls)
    results = []
    for cell in cells:
        del calls[:]
        result = shell.run_cell(cell, store_history=True)
        error = result.error_before_exec or result.error_in_exec
        kept = shell.history_manager.input_hist_raw[-1] == cell.rstrip("\n")
        results.append([kept, list(calls), error and repr(error)])
    return results


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(run(json.load(sys.stdin))) + "\n")
