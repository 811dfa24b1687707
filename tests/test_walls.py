"""The walls of the house: which room knows of which, read from the imports themselves."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
HOUSE = ROOT / "ollama_magic"
EVERYWHERE = {"errors", "foreign", "log"}

# room: (its modules, the rooms it knows of, the libraries it may use). `errors`, `foreign` and `log` are known by all.
ROOMS = {
    "": (
        "__init__ cli enabling errors example_notebooks foreign hidden log loop_thread opening version",
        "functions magics commands line conversation ollama version",
        "IPython",
    ),
    "magics": (
        (
            "__init__ attaching caller_scope cell_columns cell_events cell_question command_line executed_cells "
            "filling free_kernel last_cells loading magic_help magics map_cell next_input output_repair page_comm "
            "page_files resume turn_cell typed_values"
        ),
        "answer_types attachments completion commands line display conversation notebook store prompt turns mapping",
        "IPython traitlets",
    ),
    "completion": (
        "__init__ completion cursor field_names offers server_models tab tool_names variable_names",
        "answer_types commands line conversation ollama",
        "IPython",
    ),
    "commands": (
        (
            "__init__ cell_questions code command command_table confirmation diff doctor export files "
            "help keep memory model_commands panel server_commands server_guard server_process server_start "
            "setting_sources settings_commands show tool_command transfer_commands watch"
        ),
        (
            "answer_types line panel display conversation notebook markdown export ollama demo loop_thread tools "
            "version turns"
        ),
        "IPython",
    ),
    "line": (
        (
            "__init__ attaching cell cell_source hook loaded map_options model_options options planning "
            "shell_words spec stray_options traits turn_options value_readers"
        ),
        "answer_types attachments display conversation notebook tools turns loop_thread",
        "IPython traitlets",
    ),
    "panel": (
        (
            "__init__ attachment_tray input notice null_view panel_actions panel_answer panel_view thumbnails toolbar "
            "transcript transcript_places turn_list turn_tabs turn_widgets"
        ),
        "attachments display conversation markdown turns",
        "IPython",
    ),
    "display": (
        (
            "__init__ answer_diff blocks columns core_widgets document earlier_answer greeting history host "
            "json_tables json_text live live_answer live_region map_progress map_status map_text mathml question_row "
            "readable safe_view settled settled_columns slot status stdout steps styles tables terminal "
            "terminal_columns thinking transfer transfer_status transfer_views transfer_widgets updating views vscode "
            "widget_factory word_diff"
        ),
        "conversation markdown turns",
        "IPython traitlets ipywidgets latex2mathml",
    ),
    "mapping": (
        (
            "__init__ asking batches embed_run executors feed frames handle hosts job_queue map_run model_lookups "
            "model_pass outcome pace questions results row_attachments rows saved_rows saving start stores tally task "
            "templates text_feed worker"
        ),
        "answer_types attachments display conversation ollama prompt store turns loop_thread",
        "pandas numpy",
    ),
    "answer_types": (
        "__init__ answer_format answer_json elements format_names problems python_types raw_schemas records type_names",
        "",
        "pydantic jsonschema referencing typing_extensions pandas",
    ),
    "tools": (
        (
            "__init__ arguments asking awaiting captured docstrings listing marks parameters results schemas tool "
            "tool_run"
        ),
        "answer_types attachments prompt turns",
        "pydantic docstring_parser typing_extensions",
    ),
    "conversation": (
        (
            "__init__ advice cell_order cell_run change_json changes choice context_window conversation fold "
            "group_handle group_record handle interfaces journal main_thread media new_turn pairing persistence "
            "question read_pace record reply reply_accumulator reply_views request running_turn sent_requests server "
            "session settings side_by_side step_summary think_tags tool_loop tool_rounds turn turn_group turn_order "
            "window_before"
        ),
        "answer_types loop_thread ollama store notebook tools turns",
        "typing_extensions",
    ),
    "notebook": (
        (
            "__init__ conversation_file conversation_markdown declared_path evidence identity messages "
            "notebook_file notebook_text text_files"
        ),
        "store turns",
        "",
    ),
    "attachments": (
        (
            "__init__ arrays cells_text content figures file_bytes image_bytes image_header libraries pdf_text pixels "
            "reading source_names sources table_bytes text_bytes word_text"
        ),
        "prompt turns",
        "PIL docx numpy pandas pyarrow pypdf",
    ),
    "turns": (
        (
            "__init__ attachment attachment_json column_text history step_json tool_steps turn_json turn_messages "
            "turn_value wording"
        ),
        "ollama",
        "",
    ),
    "store": (
        (
            "__init__ answers attachments current_file database locations problems process records store "
            "transactions writer"
        ),
        "",
        "",
    ),
    "prompt": (
        "__init__ describe fill frames line_variables outline plain_text resolve row_template traceback_text",
        "",
        "",
    ),
    "ollama": (
        (
            "__init__ address catalog client connection connection_errors decoder embeddings facts_cache listings "
            "message_json message_list messages model_names protocol proxies refusals request_bodies retry_after "
            "secrets sender server_errors stats tls tool_calls unpacking versions"
        ),
        "",
        "",
    ),
    "functions": (
        (
            "__init__ answers arguments attached caller_run calls conversation embedding many "
            "notebook_conversation public pull_stream sessions signatures stream value_stream"
        ),
        "answer_types attachments conversation line magics ollama tools turns loop_thread display mapping prompt",
        "typing_extensions",
    ),
    "export": (
        "__init__ curl java languages literals python python_tools target turns",
        "conversation ollama tools turns",
        "",
    ),
    "markdown": (
        (
            "__init__ bare_urls code data_images details emphasis fence fence_end fence_rule growing_code html "
            "incremental inline_html line_breaks link_definitions link_html links loose_bold math math_blocks "
            "paragraphs parser pipe_tables plain_tags renderer scripts"
        ),
        "",
        "markdown_it pygments",
    ),
    "demo": (
        "__init__ demo_server language_model routing server_state",
        "demo.api demo.engine demo.models demo.recordings demo.transport",
        "",
    ),
    "demo.api": (
        (
            "__init__ answer_lines answer_stream context_limit embedding generation listing model_creation model_pull "
            "progress_lines"
        ),
        "demo.server_state demo.language_model demo.models demo.transport",
        "",
    ),
    "demo.models": (
        "__init__ installed_models loaded_models model_card model_reference model_source",
        "demo.language_model demo.transport",
        "",
    ),
    "demo.recordings": (
        "__init__ recorded_model replay replay_exchanges replay_files showcase text_pieces word_vectors",
        "demo.language_model demo.models",
        "",
    ),
    "demo.engine": (
        (
            "__init__ engine_client engine_process gguf limits local_model local_models prompt_window sampling "
            "schema_check weights worker"
        ),
        "demo.language_model demo.models",
        "",
    ),
    "demo.transport": (
        "__init__ exchange go_format http_server origin_check request_body",
        "",
        "",
    ),
}
# Modules that are stricter, or freer, than their room.
MODULES = {
    "errors": ("", "IPython"),
    "foreign": ("hidden", ""),
    "hidden": ("", ""),
    "log": ("", ""),
    "loop_thread": ("", ""),
    "version": ("", ""),
    "cli": ("demo enabling ollama.address opening example_notebooks version", ""),
    "opening": ("", ""),
    "example_notebooks": ("", ""),
    "enabling": ("", "IPython"),
    "store.process": ("", "psutil"),
    "conversation.handle": ("loop_thread", ""),
    "conversation.session": ("ollama turns loop_thread", ""),
    "demo.engine.worker": ("", "xllamacpp"),
    "ollama.connection": ("", "httpx"),
    "ollama.embeddings": ("", "numpy"),
    "ollama.sender": ("", "httpx"),
    "ollama.connection_errors": ("", "httpx"),
    "ollama.tls": ("", "httpx"),
}


@cache
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


@cache
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


def test_walls() -> None:
    """Every module imports, lazily too, only what its room knows of."""
    crossings = [
        f"{module}:{line} {name}"
        for module, path in modules().items()
        for line, name in imports(path, module)
        if not allowed(name, module)
    ]
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
    assert set(modules()) == table
    assert not [name for name in modules() if any(word in name for word in ("util", "helper", "manager", "misc"))]


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


def too_much(module: str, path: Path) -> list[str]:
    """What a module lacks, or has too much of."""
    text = path.read_text(encoding="utf8")
    tree = ast.parse(text)
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    found = [f"{module}.{node.name} is long" for node in functions if (node.end_lineno or 0) - node.lineno >= 39]
    if text.strip() and not ast.get_docstring(tree):
        found.append(f"{module} does not say what lives in it")
    if text.count("\n") > 300:
        found.append(f"{module} has {text.count(chr(10))} lines")
    return found


def test_small_signed_rooms() -> None:
    """Every module says what lives in it, has at most 300 lines, and no function of 40 or more."""
    assert [one for module, path in modules().items() for one in too_much(module, path)] == []


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


LOADING = (
    "from IPython.core.interactiveshell import InteractiveShell\n"
    "shell = InteractiveShell.instance()\n"
    "shell.run_line_magic('load_ext', 'ollama_magic')\n"
    "assert shell.find_cell_magic('chat')"
)


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh interpreter holds after running the code."""
    show = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.splitlines()[-1].split())


def test_import_is_light() -> None:
    """Importing the package brings in neither httpx nor ipywidgets nor markdown-it."""
    assert not loaded_by("import ollama_magic") & {"httpx", "ipywidgets", "markdown_it"}


def test_load_ext_is_light() -> None:
    """Loading the extension brings in neither httpx nor ipywidgets nor markdown-it."""
    assert not loaded_by(LOADING) & {"httpx", "ipywidgets", "markdown_it"}


def test_load_ext_leaves_the_rest_to_the_first_use() -> None:
    """Loading the extension brings in nothing that only a turn, a command, a stored conversation or help needs."""
    later = "conversation.turn conversation.change_json ollama.protocol line.spec commands.command_table display.tables"
    assert not loaded_by(LOADING) & {f"ollama_magic.{name}" for name in later.split()}
    asked = f"{LOADING}\nassert '--model' in shell.find_cell_magic('chat').__doc__"
    assert "ollama_magic.line.spec" in loaded_by(asked)
