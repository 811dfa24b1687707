"""The walls of the house: which room knows of which, read from the imports themselves."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOUSE = ROOT / "ollama_magic"
EVERYWHERE = {"errors", "foreign"}

# room: (its modules, the rooms it knows of, the libraries it may use). `errors` and `foreign` are known by all.
ROOMS = {
    "": (
        "__init__ cli enabling errors foreign loop_thread opening version",
        "functions magics commands line conversation version",
        "IPython",
    ),
    "magics": (
        "__init__ cell_events cell_order keeping loading magics mending",
        "completion commands line display conversation notebook store prompt",
        "IPython traitlets",
    ),
    "completion": (
        "__init__ completion fields names offers place tab",
        "commands line conversation ollama",
        "IPython",
    ),
    "commands": (
        (
            "__init__ command doctor examples export files help memory models panel pulling server server_guard "
            "server_process server_start settings show sources table watch words"
        ),
        "line panel display conversation notebook markdown export ollama demo loop_thread version",
        "IPython",
    ),
    "line": (
        "__init__ cell cell_source hook loaded model_options options planning spec traits turn_options values words",
        "display conversation notebook",
        "IPython traitlets",
    ),
    "panel": (
        "__init__ answer bar desk input notice panel snippet style transcript turn turns unwatched",
        "display conversation markdown",
        "IPython",
    ),
    "display": (
        (
            "__init__ answer bars blocks greeting guarded history host json_text kept kit lean live "
            "live_answer live_region progress progress_html progress_words readable settled slot status style tables "
            "terminal thinking transfer updating views"
        ),
        "conversation markdown",
        "IPython comm traitlets ipywidgets",
    ),
    "conversation": (
        (
            "__init__ advice again audience cell_order cell_run changes context_window conversation fold growth handle "
            "journal keeping places record remembered reply request seams sent server session think_tags turn"
        ),
        "ollama store notebook",
        "",
    ),
    "notebook": (
        (
            "__init__ conversation_file conversation_markdown evidence files inert_markdown messages notebook "
            "notebook_file notebook_text saved_turn"
        ),
        "store",
        "",
    ),
    "store": ("__init__ current database files process store transactions trouble values writer", "", ""),
    "prompt": ("__init__ describe fill outline resolve table", "", ""),
    "ollama": (
        (
            "__init__ address badges bodies client complaints connection decoder failures listings look_ups "
            "models names protocol proxies requests secrets tls vectors versions"
        ),
        "",
        "",
    ),
    "functions": (
        "__init__ answers calls conversation given here stream where",
        "conversation line magics ollama loop_thread",
        "",
    ),
    "export": ("__init__ curl java languages literals python target turns", "conversation ollama", ""),
    "markdown": (
        "__init__ code emphasis fence growing_code html incremental links math parser renderer",
        "",
        "markdown_it pygments",
    ),
    "demo": (
        "__init__ access faults routes server slots stage",
        "demo.endpoints demo.answers demo.library demo.wire",
        "",
    ),
    "demo.endpoints": (
        (
            "__init__ account asked at_once creating embedding finding generation old progress pulling saying "
            "speaking turn"
        ),
        "demo.stage demo.faults demo.answers demo.library demo.wire",
        "",
    ),
    "demo.answers": (
        (
            "__init__ calling computed deltas figures lines prompts replay replay_files replay_recordings replies "
            "structured topics vocabulary"
        ),
        "demo.library demo.wire",
        "",
    ),
    "demo.library": (
        "__init__ ages downloads library models names runners",
        "demo.wire",
        "",
    ),
    "demo.wire": (
        "__init__ bodies fields go wire",
        "",
        "",
    ),
}
# Modules that are stricter, or freer, than their room.
MODULES = {
    "errors": ("", "IPython"),
    "foreign": ("", ""),
    "loop_thread": ("", ""),
    "version": ("", ""),
    "cli": ("demo enabling opening", ""),
    "opening": ("", ""),
    "enabling": ("", "IPython"),
    "conversation.handle": ("loop_thread", ""),
    "conversation.session": ("ollama loop_thread", ""),
    "ollama.connection": ("", "httpx"),
    "ollama.failures": ("", "httpx"),
    "ollama.tls": ("", "httpx"),
}


def modules() -> dict[str, Path]:
    """Every module by its dotted name below the package; a folder's door is named like the folder."""
    paths = sorted(HOUSE.rglob("*.py"))
    return {".".join(path.relative_to(HOUSE).with_suffix("").parts): path for path in paths}


def room_of(module: str) -> str:
    return module.rpartition(".")[0]


def may_know(module: str) -> tuple[set[str], set[str]]:
    """What the module may import of ours, and of other people's libraries."""
    _, ours, libraries = ROOMS[room_of(module)]
    ours, libraries = MODULES.get(module, (ours, libraries))
    return {*ours.split(), *EVERYWHERE, *filter(None, [room_of(module)])}, set(libraries.split())


def imports(path: Path, module: str) -> list[tuple[int, str]]:
    """Line and dotted name of all that a file imports: lazily, for types only, by name or relatively."""
    package = ["ollama_magic", *module.split(".")[:-1]]
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            names = [f"{base}.{alias.name}" for alias in node.names]
            found += [(node.lineno, name if base.split(".")[0] == "ollama_magic" else base) for name in names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            found.append((node.lineno, ast.unparse(node.args[0]).strip("'\"")))
    return found


def allowed(name: str, module: str) -> bool:
    ours, libraries = may_know(module)
    top, _, rest = name.partition(".")
    if top == "ollama_magic":
        return any(f"{rest}.".startswith(f"{room}.") for room in ours)
    return top in libraries or top in sys.stdlib_module_names


MODULE_NAMES = sorted(modules())


@pytest.mark.parametrize("module", MODULE_NAMES)
def test_walls(module: str) -> None:
    """Every module imports, lazily too, only what its room knows of."""
    path = modules()[module]
    crossings = [f"{path.name}:{line} {name}" for line, name in imports(path, module) if not allowed(name, module)]
    assert not crossings


def known_to(modules: dict[str, Path]) -> dict[str, set[str]]:
    """Which of the modules each of them imports: lazily, for types only, as a whole or a name out of it."""
    known: dict[str, set[str]] = {}
    for module, path in modules.items():
        names = [name.partition(".")[2] for _, name in imports(path, module) if name.startswith("ollama_magic")]
        found = {name if name in modules else name.rpartition(".")[0] or "__init__" for name in names}
        known[module] = found & (set(modules) - {module})
    return known


def circles(known: dict[str, set[str]]) -> set[str]:
    """The modules that import themselves through others: what is left when all that end somewhere are taken away."""
    left = dict(known)
    while ends := {module for module, others in left.items() if not others & set(left)}:
        left = {module: others for module, others in left.items() if module not in ends}
    while tops := set(left) - set[str]().union(*left.values()):
        left = {module: others for module, others in left.items() if module not in tops}
    return set(left)


def test_no_module_knows_itself_through_others() -> None:
    """No module imports itself through others, not lazily and not for types, so each can be read from below."""
    assert circles(known_to(modules())) == set()


def test_a_circle_is_seen(tmp_path: Path) -> None:
    """Two modules that name each other are told, however they do it; whoever only leads to them is not."""
    texts = {
        "prompt.a": "def f():\n    from ollama_magic.prompt.b import g\n",
        "prompt.b": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ollama_magic.prompt import a\n",
        "prompt.c": "from ollama_magic.prompt import a\nfrom ollama_magic import errors\n",
        "errors": "",
    }
    paths = {name: tmp_path / f"{name}.py" for name in texts}
    for name, text in texts.items():
        paths[name].write_text(text)
    assert circles(known_to(paths)) == {"prompt.a", "prompt.b"}


def test_every_module_has_a_place() -> None:
    """Every module of the package stands in the table and the other way round, and nothing is called utils."""
    table = {".".join(filter(None, [room, name])) for room, (names, _, _) in ROOMS.items() for name in names.split()}
    assert set(MODULE_NAMES) == table
    assert not [name for name in MODULE_NAMES if any(word in name for word in ("util", "helper", "manager", "misc"))]


def test_a_wall_stops_a_lazy_import(tmp_path: Path) -> None:
    """An import inside a function, a relative one and one for types only are seen as imports."""
    path = tmp_path / "fill.py"
    path.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from ollama_magic.display import live\n"
        "def f():\n    from ..ollama import client\n    import httpx\n    import_module('pygments.lexers')\n"
    )
    crossed = {name for _, name in imports(path, "prompt.fill") if not allowed(name, "prompt.fill")}
    assert crossed == {"ollama_magic.display.live", "ollama_magic.ollama.client", "httpx", "pygments.lexers"}


@pytest.mark.parametrize("module", MODULE_NAMES)
def test_small_signed_rooms(module: str) -> None:
    """Every module says what lives in it, has at most 300 lines, and no function of 40 or more."""
    text = modules()[module].read_text(encoding="utf8")
    tree = ast.parse(text)
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    long = [node.name for node in functions if (node.end_lineno or 0) - node.lineno >= 39]
    assert ast.get_docstring(tree) or not text.strip()
    assert text.count("\n") <= 300
    assert not long


def test_every_test_is_a_sentence() -> None:
    """Every test's docstring is one sentence that states a promise."""
    wordless = []
    for path in sorted(Path(__file__).parent.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test"):
                sentence = ast.get_docstring(node) or ""
                if not sentence.endswith((".", "?", "!", "»", "…")):
                    wordless.append(f"{path.name}:{node.lineno} {node.name}")
    assert not wordless


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after running the code."""
    show = f"import sys\n{code}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.splitlines()[-1].split())


def test_import_is_light() -> None:
    """Importing the package brings in neither httpx nor ipywidgets nor markdown-it."""
    assert not loaded_by("import ollama_magic") & {"httpx", "ipywidgets", "markdown_it"}


def test_load_ext_is_light() -> None:
    """Loading the extension brings in neither httpx nor ipywidgets nor markdown-it."""
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_line_magic('load_ext', 'ollama_magic')\n"
        "assert shell.find_cell_magic('chat')"
    )
    assert not loaded_by(code) & {"httpx", "ipywidgets", "markdown_it"}
