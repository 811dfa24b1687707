"""Reading a line of %%chat, and the help that follows from the same declaration."""

import pytest

from ollama_magic.errors import InputError
from ollama_magic.line.hook import ASSIGNED
from ollama_magic.line.options import CHAT, CHAT_OPTIONS, HELP, Argument, Spec, read_line


def given(line):
    """What a line says that is not said by an empty one."""
    absent = vars(read_line(CHAT, "").options)
    return {
        key: value
        for key, value in vars(read_line(CHAT, line).options).items()
        if value != absent[key] or (value is not absent[key] and key == "think")
    }


@pytest.mark.parametrize(
    ("line", "options", "words"),
    [
        ("-m gemma3:1b why is -x odd?", {"models": ("gemma3:1b",)}, "why is -x odd?"),
        ("--model gemma3:1b hi", {"models": ("gemma3:1b",)}, "hi"),
        ("--model=gemma3:1b hi", {"models": ("gemma3:1b",)}, "hi"),
        ("-mgemma3:1b hi", {"models": ("gemma3:1b",)}, "hi"),
        ("-m=gemma3:1b hi", {"models": ("gemma3:1b",)}, "hi"),
        ("-m a -m b hi", {"models": ("a", "b")}, "hi"),
        ("-m 'a b' hi", {"models": ("a b",)}, "hi"),
        ('-s "You are \\"nice\\"" it\'s "raw" \\n', {"system": 'You are "nice"'}, 'it\'s "raw" \\n'),
        ("-s 'it''s' x", {"system": "its"}, "x"),
        ("-s You\\ are x", {"system": "You are"}, "x"),
        ("--system=-x hi", {"system": "-x"}, "hi"),
        ("-s '-x' hi", {"system": "-x"}, "hi"),
        ("-s '' hi", {"system": ""}, "hi"),
        ("-s 你好：１ hi", {"system": "你好：１"}, "hi"),
        ("-o temperature=0.2 -onum_ctx=8192 hi", {"option": {"temperature": 0.2, "num_ctx": 8192}}, "hi"),
        ("-o stop=END -o 'stop=[\"a b\"]' hi", {"option": {"stop": ["END", "a b"]}}, "hi"),
        ("--think hi", {"think": True}, "hi"),
        ("--think low tide", {"think": "low"}, "tide"),
        ("--think lower tide", {"think": True}, "lower tide"),
        ("--think=high", {"think": "high"}, ""),
        ("--think --once low", {"think": True, "once": True}, "low"),
        ("--think max", {"think": "max"}, ""),
        ("--no-think hi", {"think": False}, "hi"),
        ("--once -b --verbatim hi", {"once": True, "background": True, "verbatim": True}, "hi"),
        ("--out answer hi", {"out": "answer"}, "hi"),
        ("--host http://x:1 hi", {"hosts": ("http://x:1",)}, "hi"),
        ("--keep-alive -1 hi", {"keep_alive": -1}, "hi"),
        ("--keep-alive 5m hi", {"keep_alive": "5m"}, "hi"),
        ("－－once 你好：好", {"once": True}, "你好：好"),
        ("－ｍ gemma３：１b hi", {"models": ("gemma3:1b",)}, "hi"),
        ("--model＝gemma３：１b ｈｉ", {"models": ("gemma3:1b",)}, "ｈｉ"),
        ("-o temperature＝０.２ hi", {"option": {"temperature": 0.2}}, "hi"),
        ("", {}, ""),
        ("   ", {}, ""),
        ("  hi  there  ", {}, "hi  there  "),
        ("--once\r", {"once": True}, ""),
        ("--once　全角空格", {"once": True}, "全角空格"),
        ("why --once?", {}, "why --once?"),
        ("- a list", {}, "- a list"),
        ("-5 degrees", {}, "-5 degrees"),
        ("－５ degrees", {}, "－５ degrees"),
        ("-- --once is an option", {}, "--once is an option"),
        ("--once -- -m", {"once": True}, "-m"),
        ("-- -- x", {}, "-- x"),
        ("--", {}, ""),
        ('"-m" is an option', {}, '"-m" is an option'),
        ("'unbalanced", {}, "'unbalanced"),
        ("—Hola —dijo", {}, "—Hola —dijo"),
        ("– model", {}, "– model"),
        ("\\frac{a}{b}", {}, "\\frac{a}{b}"),
    ],
)
def test_options_are_read_from_the_left(line, options, words):
    """Options come first, with their quotes off; from the first other word on it is the prompt as typed."""
    assert given(line) == options
    assert read_line(CHAT, line).words == words


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("--modle x y", ["--modle", "--model?"]),
        ("--mod x y", ["--mod", "--model?"]),
        ("--Once y", ["--Once", "--once?"]),
        ("--keep_alive 5m", ["--keep_alive", "--keep-alive?"]),
        ("-model x", ["-model", "--model?"]),
        ("-once x", ["-once", "--once?"]),
        ("-k 5m", ["-k", "--keep-alive?"]),
        ("-bx hi", ["-bx", "-b?"]),
        ("-b=1 hi", ["-b", "no value"]),
        ("-z hi", ["-z", "--model", "--help"]),
        ("-> hi", ["->", "`--` before a prompt"]),
        ("--- hi", ["---"]),
        ("–model x", ["–model", "--model?"]),
        ("—once x", ["—once", "--once?"]),
        ("−m x", ["−m", "-m?"]),
        ("--once=yes hi", ["--once", "no value"]),
        ("-m", ["-m", "needs a value"]),
        ("-m --once hi", ["-m", "needs a value"]),
        ("-s -x hi", ["-s", "quotes"]),
        ("-m ''", ["-m", "name"]),
        ('-s "a b', ["quote", "never closed"]),
        ("-s “You are” x", ["“", "straight"]),
        ("--think=nope x", ["low, medium, high, max", "nope"]),
        ("--think --no-think x", ["--think", "--no-think", "exclude"]),
        ("--no-think --think low x", ["--think", "--no-think", "exclude"]),
        ("--out 2x hi", ["--out", "2x"]),
        ("--out class hi", ["--out", "class"]),
        ("--out a.b hi", ["--out", "a.b"]),
        ("--keep-alive 1d hi", ["--keep-alive", "1d", "1h30m"]),
        ("-o num_ctx 8192", ["num_ctx", "KEY=VALUE"]),
        ("-o nun_ctx=1 x", ["nun_ctx", "num_ctx?"]),
        ("-f xml x", ["-f", "json"]),
        ("--suffix end x", ["--suffix"]),
        ("--turns two x", ["--turns"]),
        ("--tools weather x", ["--tools", "-t NAME"]),
        ("--image fig x", ["--image", "-a NAME"]),
    ],
)
def test_a_wrong_line_is_one_readable_sentence(line, parts):
    """What cannot be read is refused in one line that names it and what to do, with the nearest option."""
    with pytest.raises(InputError) as caught:
        read_line(CHAT, line)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith((".", "?"))
    assert [part for part in parts if part not in message] == []


def test_help_stops_the_reading():
    """What follows --help is not judged."""
    assert read_line(CHAT, "--once -h --nonsense").options.help is True


def test_the_call_knows_that_it_is_assigned():
    """The hook's mark comes off the line, and is told."""
    line = read_line(CHAT, ASSIGNED + "--once hi")
    assert (line.assigned, line.options.once, line.words) == (True, True, "hi")
    assert read_line(CHAT, "hi").assigned is False


def test_the_help_tells_every_option_and_no_other():
    """Help is written from the declaration: each option with its short name, its value, and what it does."""
    text = CHAT.help()
    assert text.startswith("%%chat [options] [words]\n")
    for option in CHAT_OPTIONS:
        assert option.usage in text
        assert option.help.split()[0] in text
    assert "--suffix" not in text
    assert max(map(len, text.splitlines())) <= 100


SET = Spec("%ollama set", "Set model options.", (HELP,), (Argument("KEY=VALUE", many=True),))
SYSTEM = Spec("%ollama system", "The system message.", (HELP,), (Argument("TEXT", required=False, rest=True),))
HOST = Spec("%ollama host", "The server.", CHAT_OPTIONS, (Argument("URL", "its address", required=False),))


def test_commands_have_arguments():
    """A command's words are split as a shell does, options stand anywhere, a text is kept as typed."""
    assert vars(read_line(SET, "a=1 'stop=x y'").arguments) == {"key=value": ["a=1", "stop=x y"]}
    assert read_line(SYSTEM, "You're   nice ").arguments.text == "You're   nice "
    assert read_line(HOST, "").arguments.url is None
    line = read_line(HOST, "http://x --once")
    assert (line.arguments.url, line.options.once, line.words) == ("http://x", True, "")
    assert read_line(HOST, "-- -x").arguments.url == "-x"
    assert read_line(SET, "-h").options.help is True


@pytest.mark.parametrize(
    ("spec", "line", "part"),
    [
        (SET, "", "needs KEY=VALUE"),
        (HOST, "a b", "does not take 'b'"),
        (HOST, "it's", "never closed"),
        (SET, "-x", "no option -x"),
    ],
)
def test_a_wrong_command_is_one_readable_sentence(spec, line, part):
    """A missing or a superfluous word of a command is refused with the way the command is written."""
    with pytest.raises(InputError, match=part):
        read_line(spec, line)


def test_the_help_of_a_command_tells_its_arguments():
    """Arguments stand in the usage, and above the options if there is something to say of them."""
    assert HOST.help().startswith("%ollama host [options] [URL]\n\nThe server.\n\n  [URL] ")
    assert "KEY=VALUE …" in SET.help()


BOOK = "long " * 2_000


@pytest.mark.parametrize(
    "option",
    [
        "--turns",
        "--cells=",
        "--keep-alive",
        "-o",
        "-o temperature=",
        "-o stop=[",
        "-o ",
        "--out",
        "-t",
        "--think=",
    ],
)
def test_a_message_holds_no_book(option):
    """A variable may have filled a value with a whole text: the line that refuses it has its beginning."""
    quoted = f"{option.strip()}'{BOOK}'" if option.endswith(("=", "[")) else f"{option} '{BOOK}'"
    with pytest.raises(InputError) as caught:
        read_line(CHAT, quoted)
    assert len(str(caught.value)) < 500
