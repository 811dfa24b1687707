"""What the hook takes, and what it leaves alone."""

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from ollama_magic.line.hook import ASSIGNED, LineHook, install, prompt_text, split_assigned, uninstall


class Shell:
    """The part of a shell that the hook knows."""

    def __init__(self):
        self.input_transformer_manager = TransformerManager()
        self.input_transformers_cleanup = self.input_transformer_manager.cleanup_transforms


def ours(kind, name):
    return name in ("chat", "ollama")


@pytest.fixture
def shell():
    shell = Shell()
    install(shell, ours)
    return shell


@pytest.fixture
def transform(shell):
    return shell.input_transformer_manager.transform_cell


def line(name, text):
    return f"get_ipython().run_line_magic({name!r}, {text!r})\n"


def assigned(name, text):
    return line(name, ASSIGNED + text)


def cell(words, body, name="chat"):
    return f"get_ipython().run_cell_magic({name!r}, {words!r}, {body!r})\n"


@pytest.mark.parametrize(
    ("typed", "becomes"),
    [
        ("%%chat\nwhat?\n", cell("", "what?\n")),
        ("\n \n%%chat\nwhat?\n", cell("", "what?\n")),
        ("%%chat why?\n", cell("why?", "\n")),
        ("%%chat", cell("", "\n")),
        ("%%chat --once what of this?  \n\n  body\n", cell("--once what of this?  ", "\n  body\n")),
        ("%%chat\tby a tab", cell("by a tab", "\n")),
        ("%%chat　全角空格？", cell("全角空格？", "\n")),
        ("%%chat ?\n", cell("?", "\n")),
        ("    %%chat\n    pasted?\n      so", cell("", "pasted?\n  so\n")),
    ],
)
def test_cells_become_one_call(transform, typed, becomes):
    """A cell that begins with one of our cell magics is one call with the text as typed."""
    assert transform(typed) == becomes


@pytest.mark.parametrize(
    ("typed", "becomes"),
    [
        ("%chat what is a lambda?", line("chat", "what is a lambda?")),
        ("%ollama", line("ollama", "")),
        ("%chat one \\\n  two?\nx = 1", line("chat", "one    two?") + "x = 1\n"),
        ("%chat one \\", line("chat", "one \\")),
        ("%chat one # two", line("chat", "one # two")),
        ("# a comment\n%chat why?", "# a comment\n" + line("chat", "why?")),
        ("%chat what's '''\nx = 1\n%chat (b?", line("chat", "what's '''") + "x = 1\n" + line("chat", "(b?")),
        ("!echo it's (\n%chat what's up?", 'get_ipython().system("echo it\'s (")\n' + line("chat", "what's up?")),
        ("%other it's (\n%chat b?", "get_ipython().run_line_magic('other', \"it's (\")\n" + line("chat", "b?")),
        (
            "def f():\n\tfor i in x:\n\t\t%chat {i}?\n\treturn 1",
            "def f():\n\tfor i in x:\n\t\t" + line("chat", "{i}?") + "\treturn 1\n",
        ),
        ("if x: %chat a?\nelse: %chat b?", "if x: " + line("chat", "a?") + "else: " + line("chat", "b?")),
        (
            "if x: r = %chat a?\nelse: r = %chat b?",
            "if x: r = " + assigned("chat", "a?") + "else: r = " + assigned("chat", "b?"),
        ),
        ("for i in (1, 2): %chat {{i}}?", "for i in (1, 2): " + line("chat", "{{i}}?")),
        ("r = %chat it's (open?", "r = " + assigned("chat", "it's (open?")),
        ("s = %ollama", "s = " + assigned("ollama", "")),
        ('d["k"] = %chat hi?', 'd["k"] = ' + assigned("chat", "hi?")),
        ("d[\n'k'\n] = %chat hi?", "d[\n'k'\n] = " + assigned("chat", "hi?")),
        ("r: int = %chat hi?", "r: int = " + assigned("chat", "hi?")),
        ("a, *b = %ollama list", "a, *b = " + assigned("ollama", "list")),
        ("x.y = %chat = %chat?", "x.y = " + assigned("chat", "= %chat?")),
        ("a = b = %chat hi?", "a = b = " + assigned("chat", "hi?")),
        ("d[f(a=1)] = %chat hi?", "d[f(a=1)] = " + assigned("chat", "hi?")),
        ("x = \\\n  %chat hi?", "x = \\\n  " + assigned("chat", "hi?")),
        ("%chat 你好　世界？", line("chat", "你好　世界？")),
        ("r = %chat　你好？", "r = " + assigned("chat", "你好？")),
        ("%chat a\x0bb\u2028c?", line("chat", "a\x0bb\u2028c?")),
        ("%chat a\0b\ud800?", line("chat", "a\0b\ud800?")),
        ("%chat windows?\r\n%chat \\\r\n two\r\n", line("chat", "windows?") + line("chat", "two")),
    ],
)
def test_statements_become_calls(transform, typed, becomes):
    """A statement, or the right side of an assignment, becomes a call, and the assigned one is marked."""
    assert transform(typed) == becomes


@pytest.mark.parametrize(
    "typed",
    [
        's = """\n%chat what is this?\n"""\n',
        "s = '''\n%%chat\n''' # ?\n",
        "x = (100\n%chat \n)\n",
        "x = 5 \\\n %chat\n",
        "y = x %chat\n",
        "y = 2 * x %chat (3)\n",
        "f(a = %chat hi)\n",
        "x += %chat hi\n",
        "x == %chat hi\n",
        "return %chat hi\n",
        "f = lambda y = %chat hi\n",
        "x: %chat hi\n",
        "x = 1; %chat hi\n",
        "print(f'{x} %chat hi')\n",
        "d = {'a': 1,\n%chat hi\n}\n",
        "%chats hi\n",
        "text with %chat in prose\n",
        "%%time\n%chat what?\n",
        "%%writefile p.txt\n%chat what is this?\n",
        "%%chats\nhi\n",
        "%chat?\n",
        "%chat??\n",
        "r = %chat?\n",
        "%%chat?\n",
        "%%chat??\n",
        "?%chat\n",
        "\n\n",
        "",
    ],
)
def test_all_else_is_left_alone(typed):
    """Strings, brackets, operators, help, and cells of other magics pass the hook as they are."""
    lines = typed.splitlines(keepends=True)
    assert LineHook(ours)(lines) == lines


def test_only_ours_are_taken():
    """A magic of that name that belongs to someone else, or is of the other kind, is not taken."""
    hook = LineHook(lambda kind, name: (kind, name) == ("line", "chat"))
    assert hook(["%%chat hi\n"]) == ["%%chat hi\n"]
    assert hook(["%ollama hi\n", "%chat hi\n"]) == ["%ollama hi\n", line("chat", "hi")]


def test_registered_magics_are_known_by_their_module():
    """Without a predicate the hook takes what is registered from our package, and nothing else."""

    def function(line):
        return line

    shell = Shell()
    shell.magics_manager = type("Manager", (), {"magics": {"line": {"chat": function}, "cell": {}}})()
    install(shell)
    typed = ["%chat hi\n"]
    assert shell.input_transformers_cleanup[0](typed) == typed
    function.__module__ = "ollama_magic.magics.magics"
    assert shell.input_transformers_cleanup[0](typed) == [line("chat", "hi")]


def test_install_and_uninstall_are_a_pair(shell):
    """Twice loaded there is one hook, at the first place; unloaded there is none."""
    before = TransformerManager().cleanup_transforms
    install(shell, ours)
    assert [type(one) for one in shell.input_transformers_cleanup].count(LineHook) == 1
    assert isinstance(shell.input_transformers_cleanup[0], LineHook)
    uninstall(shell)
    uninstall(shell)
    assert len(shell.input_transformers_cleanup) == len(before)


@pytest.mark.parametrize(
    ("typed", "state"),
    [
        ("%%chat hi", "incomplete"),
        ("%%chat\nhello", "incomplete"),
        ("%%chat\nhello\n\n", "complete"),
        ("%chat it's (open", "complete"),
        ("r = %chat what is (this", "complete"),
    ],
)
def test_a_terminal_waits_for_the_rest_of_a_cell(shell, typed, state):
    """A terminal asks for more lines of a cell until a blank one, and sends a line at once."""
    assert shell.input_transformer_manager.check_complete(typed)[0] == state


@pytest.mark.parametrize(
    "typed", ["if x:\n    y\n  z\n%chat a?\n", "x = '''\n%chat a?", "(\n%chat a?", "\x00\n%chat a?\n"]
)
def test_what_is_no_python_raises_nothing(typed):
    """A cell that cannot be read as Python passes without an error of ours."""
    assert "".join(LineHook(ours)(typed.splitlines(keepends=True))).startswith(typed[:1])


def test_many_lines_are_many_calls():
    """A cell of two hundred magics, ours among others, is read through to its end."""
    typed = ["!echo '(\n", "%chat what's that?\n"] * 100
    assert LineHook(ours)(typed) == ["!echo '(\n", line("chat", "what's that?")] * 100


def test_the_mark_comes_off():
    """Marked and unmarked lines are told apart, and the text is the same."""
    assert split_assigned(ASSIGNED + "hi") == (True, "hi")
    assert split_assigned("hi") == (False, "hi")


@pytest.mark.parametrize(
    ("words", "body", "prompt"),
    [
        ("why?", "\n", "why?"),
        ("why? ", "a\nb\n", "why? \na\nb"),
        ("", "\n\n a \n\n", "\n\n a \n"),
        ("", "a", "a"),
        ("why?", None, "why?"),
        ("", "\n", ""),
    ],
)
def test_one_newline_comes_off(words, body, prompt):
    """Of a prompt only the newline at the end of the cell is taken off; words alone are the whole of it."""
    assert prompt_text(words, body) == prompt
