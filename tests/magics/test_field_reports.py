"""What people met in the field: names in functions, fields in options, options behind the words, quotes, near names."""

import datetime as dt
import inspect
import re
from pathlib import Path

import pytest
from matplotlib.figure import Figure

import ollama_magic
from ollama_magic.prompt.describe import describe
from tests.answers import chats
from tests.double import ScriptedServer
from tests.shells import run

MODEL = "demo:latest"


@pytest.fixture(scope="module")
def server():
    with ScriptedServer(pace=0) as running:
        yield running


def prompt(server):
    return chats(server)[-1].json["messages"][-1]["content"]


def body(server):
    return chats(server)[-1].json


def refused(shell, server, cell):
    """The one line that refuses a cell; nothing is sent."""
    before = len(chats(server))
    _, error = run(shell, cell)
    assert type(error).__name__ == "InputError", error
    assert len(chats(server)) == before
    assert "\n" not in str(error)
    return str(error)


ASK = "    return get_ipython().run_{kind}"
LINE, CELL = "line_magic('chat', '--once about {{doc}}')", "cell_magic('chat', '--once', 'about {{doc}}')"


@pytest.mark.parametrize("call", [LINE, CELL], ids=["line", "cell"])
def test_a_function_fills_its_own_names(shell, server, call):
    """A field within a function takes the function's variable, for a line magic and for a cell magic."""
    run(shell, f"doc = 'GLOBAL'\ndef ask(doc):\n    get_ipython().run_{call}\nask('LOCAL')")
    assert prompt(server) == "about LOCAL"


@pytest.mark.parametrize(
    ("body", "filled"),
    [
        ("def outer(doc):\n    def inner():\n        MAGIC\n    inner()\nouter('LOCAL')", "about LOCAL"),
        ("def outer(doc):\n    [MAGIC for _ in 'a']\nouter('LOCAL')", "about LOCAL"),
        ("def ask():\n    MAGIC\nask()", "about GLOBAL"),
        ("class Box:\n    def ask(self, doc):\n        MAGIC\nBox().ask('LOCAL')", "about LOCAL"),
        ("for doc in ['a', 'LAST']:\n    MAGIC", "about LAST"),
        ("(lambda doc: MAGIC)('LOCAL')", "about LOCAL"),
    ],
)
def test_the_nearest_name_counts(shell, server, body, filled):
    """Names are looked up as Python does: the function, those around it, the notebook."""
    magic = "get_ipython().run_line_magic('chat', '--once about {{doc}}')"
    _, error = run(shell, f"doc = 'GLOBAL'\n{body.replace('MAGIC', magic)}")
    assert error is None
    assert prompt(server) == filled


def test_a_name_that_cannot_be_seen_is_not_taken_from_the_notebook(shell, server):
    """Where the function around has returned its variables are out of sight: the field stays, and a note says why."""
    magic = "get_ipython().run_line_magic('chat', '--once about {{doc}}')"
    made = f"doc = 'GLOBAL'\ndef make(doc):\n    def ask():\n        {magic}\n    return ask\nmake('LOCAL')()"
    text, _ = run(shell, made)
    assert prompt(server) == "about {{doc}}"
    assert "stays as typed" in text


@pytest.mark.parametrize("word", ["false", "False", "off"])
@pytest.mark.parametrize("form", ["--think {} Why", "--think={} Why", "--think={}  Why"])
def test_thinking_is_switched_off_by_a_word(shell, server, word, form):
    """A word that means off behind --think is no word of the prompt."""
    run(shell, f"%chat {form.format(word)}")
    assert body(server)["think"] is False
    assert prompt(server) == "Why"


def test_a_prompt_may_begin_with_true_or_false(shell, server):
    """`True or false: …` behind --think is a question."""
    run(shell, "%chat --think True or false: is it so?")
    assert prompt(server) == "True or false: is it so?"
    assert body(server)["think"] is True
    assert "low, medium, high, max" in refused(shell, server, "%chat --think=maybe why")


def test_fields_in_options_are_filled(shell, server):
    """A model, a system text, a model option and the name of a conversation may come from variables."""
    shell.user_ns.update(m=MODEL, style="a pirate", t=0.5, topic="drafts")
    for cell in (
        '%chat -m {{m}} -s "You are {{style}}" -o temperature={{t}} -c {{topic}} hi',
        '%%chat -m {{m}} -s "You are {{style}}" -o temperature={{t}} -c {{topic}}\nhi',
    ):
        _, error = run(shell, cell)
        assert error is None
        assert body(server)["model"] == MODEL
        assert body(server)["messages"][0] == {"role": "system", "content": "You are a pirate"}
        assert body(server)["options"] == {"temperature": 0.5}
        assert prompt(server) == "hi"
    assert "drafts" in shell.run_line_magic("ollama", "\0=conversations")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-m {{nothing}} hi", "no such variable"),
        ("-o temperature={{nothing}} hi", "no such variable"),
        ("-o temperature={{t + 1}} hi", "nothing is called or computed"),
        ("-m $m hi", "write {{m}}"),
        ("-m {m} hi", "write {{m}}"),
        ("-o temperature=$t hi", "write {{t}}"),
        ('-s "You are $style" hi', "write {{style}}"),
    ],
)
def test_what_an_option_cannot_take_is_refused(shell, server, line, said):
    """A field that leads nowhere, and a $name of a variable, are refused with what is written instead."""
    shell.user_ns.update(m=MODEL, style="a pirate", t=0.5)
    text = refused(shell, server, f"%chat {line}")
    assert said in text
    assert "chat(prompt, " in text


@pytest.mark.parametrize(
    "option", ["-m", "--host", "-o", "-t", "--think", "-f", "--keep-alive", "--turns", "--cells", "-c"]
)
def test_a_refusal_names_an_argument_that_is_there(shell, server, option):
    """It is not always called as the option is, `-m` is `model=`; and what no function has is not named."""
    text = refused(shell, server, f"%chat {option}={{{{nothing}}}} hi")
    named = re.findall(r"`chat\(prompt, (\w+)=", text)
    assert named or option in ("--turns", "--cells", "-c")
    assert set(named) <= set(inspect.signature(ollama_magic.chat).parameters)


@pytest.mark.parametrize(
    "cell",
    [
        "%chat -s {{slow}} hi",
        "%chat -m {{slow}} hi",
        "%%chat\n{{slow}}",
        "%%map rows -s {{slow}}\n{{text}}",
        "%%map rows\n{{text}} {{slow}}",
        "import ollama_magic; ollama_magic.map('{{text}} {{slow}}', rows)",
    ],
)
def test_a_stop_while_a_value_is_described_is_one_calm_line(shell, server, cell):
    """■ within the code of a user's object, wherever its field stands: nothing is sent, and it is no traceback."""

    class Slow:
        def _repr_llm_(self):
            raise KeyboardInterrupt

    shell.user_ns.update(slow=Slow(), rows=["a"])
    before = len(server.requests)
    _, error = run(shell, cell)
    assert isinstance(error, ollama_magic.TurnStopped)
    assert "nothing was sent" in str(error)
    assert len(server.requests) == before


def test_a_system_text_keeps_what_is_no_variable(shell, server):
    """A field that leads nowhere in a text stays as typed, with a note; money and `--verbatim` stay too."""
    shell.user_ns["style"] = "a pirate"
    text, _ = run(shell, '%chat -s "Use {{nobody}} and $5" hi')
    assert body(server)["messages"][0]["content"] == "Use {{nobody}} and $5"
    assert "stays as typed" in text
    run(shell, '%chat --verbatim -s "Be {{style}} $style" hi')
    assert body(server)["messages"][0]["content"] == "Be {{style}} $style"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-m {{m}} hi", "{{m}}"),
        ("-f {{m}} hi", "'{{m}}' is no format of an answer"),
        ("-o temperature={{t}} hi", "temperature is a number, not '{{t}}'"),
        ("--out {{m}} hi", "'{{m}}' is not a variable name"),
    ],
)
def test_verbatim_leaves_out_no_option(shell, server, line, said):
    """With `--verbatim` an option has the value that was typed: one that holds a field is not passed over."""
    shell.user_ns.update(m=MODEL, t=0.5)
    assert said in refused(shell, server, f"%chat --verbatim {line}")


@pytest.mark.parametrize(
    ("typed", "stop", "words"),
    [
        ('stop=["END", "###"]', ["END", "###"], "hi"),
        ('stop=["END","###"]', ["END", "###"], "hi"),
        ('\'stop=["END", "###"]\'', ["END", "###"], "hi"),
        ('stop="\\n"', ["\n"], "hi"),
        ("stop=\\n", ["\n"], "hi"),
        ("stop=[INST]", ["[INST]"], "hi"),
        ('stop="two words"', ["two words"], "hi"),
        ("stop=END -o stop=###", ["END", "###"], "hi"),
    ],
)
def test_stop_is_read_as_it_is_written(shell, server, typed, stop, words):
    """A list with blanks, escapes, quotes and brackets: `stop` of -o and of `%ollama set` mean the same."""
    _, error = run(shell, f"%chat -o {typed} {words}")
    assert error is None
    assert (body(server)["options"]["stop"], prompt(server)) == (stop, words)
    if typed.startswith("stop=") and "-o" not in typed:
        setting = shell.run_line_magic("ollama", f"\0=set stop {typed.removeprefix('stop=')}")
        assert setting["stop"] == stop


@pytest.mark.parametrize("end", ['the "end"', '["A"]', '"x"', "\\n", "back\\slash", "two words"])
@pytest.mark.parametrize("typed", ["stop={{end}}", "'stop={{end}}'", 'stop="{{end}}"'])
def test_a_stop_text_of_a_variable_is_that_text(shell, server, typed, end):
    """What a variable holds is not read as JSON, nor as a word with quotes: of -o and of `%ollama set`."""
    shell.user_ns["end"] = end
    assert run(shell, f"%chat -o {typed} hi")[1] is None
    assert body(server)["options"]["stop"] == [end]
    if typed.startswith("stop="):
        assert shell.run_line_magic("ollama", f"\0=set stop {typed.removeprefix('stop=')}")["stop"] == [end]


@pytest.mark.parametrize(
    ("typed", "stop"),
    [
        ('stop="{{end}}"', ['the "end"']),
        ('stop=["{{end}}", "###"]', ['the "end"', "###"]),
        ("'stop={{end}}'", ['the "end"']),
        ("stop={{end}}", ['the "end"']),
    ],
)
def test_a_stop_text_is_filled_within_its_quotes_too(shell, server, typed, stop):
    """However a stop text is written, its fields are filled, and one that leads nowhere is refused."""
    shell.user_ns["end"] = 'the "end"'
    _, error = run(shell, f"%chat -o {typed} hi")
    assert error is None
    assert body(server)["options"]["stop"] == stop
    assert "no such variable" in refused(shell, server, f"%chat -o {typed.replace('end', 'zzzz')} hi")


def test_a_list_that_is_not_closed_is_refused(shell, server):
    """A list without its quotes is no stop text with the rest in the prompt."""
    assert '["END", "###"]' in refused(shell, server, "%chat -o stop=[END, ###] hi")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("What is a lambda? -m other:7b", "-m other:7b"),
        ("why? --no-think", "--no-think"),
        ("why? --temperature 0.2", "--temperature 0.2"),
        ("why? -o temperature=0", "-o temperature=0"),
        ("-o num_ctx=8192 temperature=0.2 hi", "temperature=0.2"),
        ("temperature=0.2 hi", "temperature=0.2"),
    ],
)
@pytest.mark.parametrize("form", ["%chat {}", "%%chat {}\nbelow"])
def test_an_option_behind_the_words_is_noted(shell, server, line, shown, form):
    """What looks like an option and is sent as text is named above the answer."""
    text, error = run(shell, form.format(line))
    assert error is None
    assert shown in prompt(server)
    assert f"“{shown}”" in text.replace("-o num_ctx=8192 ", "")
    assert "sent as text" in text


@pytest.mark.parametrize("line", ["what does ls -l do here?", "is -5 less than 3?", "-- why -m x", "a=1 and b=2"])
def test_words_with_dashes_are_no_options(shell, line):
    """A prompt that merely has a dash in it, or comes behind `--`, gets no note."""
    text, _ = run(shell, f"%chat {line}")
    assert "sent as text" not in text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%chat --temperature 0.2 hi", "-o temperature=0.2"),
        ("%chat --num-ctx=4096 hi", "-o num_ctx=4096"),
        ("%chat --max-tokens 100 hi", "-o num_predict=100"),
        ("%chat -o keep_alive=10m hi", "--keep-alive 10m"),
        ("%chat -o think=false hi", "--no-think"),
        ("%chat -o think=high hi", "--think high"),
        ("%chat -o model=tiny hi", "-m tiny"),
        ("%chat -o max_tokens=100 hi", "num_predict"),
        ("%ollama set model tiny", "`%ollama model tiny`"),
        ("%ollama set system Be brief", "`%ollama system Be brief`"),
        ("%ollama set think false", "--no-think"),
        ("%ollama serve", "`%ollama start`"),
        ("%ollama run tiny hi", "`%chat -m "),
        ("%ollama unload tiny", "`%ollama stop"),
        ("%ollama ls", "`%ollama list`"),
        ("%ollama delete tiny", "`%ollama rm"),
        ("%ollama temperature 0.2", "`%ollama set temperature"),
    ],
)
def test_a_near_name_leads_to_the_right_place(shell, server, line, said):
    """What another tool calls it, and what stands at another place, is answered with how it is written."""
    assert said in refused(shell, server, line)


def test_quotes_mean_the_same_everywhere(shell, server):
    """Quotes around a name or a text are taken off, in each command as in an option."""
    run(shell, '%ollama switch "drafts"')
    run(shell, "%chat one")
    run(shell, '%%chat -c "drafts"\ntwo')
    assert [(m["role"], m["content"]) for m in body(server)["messages"]][::2] == [("user", "one"), ("user", "two")]
    run(shell, '%ollama system "Be brief."')
    run(shell, "%chat three")
    assert body(server)["messages"][0] == {"role": "system", "content": "Be brief."}
    run(shell, '%ollama system You\'re "brief" and kind')
    run(shell, "%chat three")
    assert body(server)["messages"][0]["content"] == 'You\'re "brief" and kind'
    assert shell.run_line_magic("ollama", '\0=set temperature "0.5"') == {"temperature": 0.5}
    assert shell.run_line_magic("ollama", f'\0=model "{MODEL}"') == MODEL


def test_an_empty_system_text_is_none(shell, server):
    """`%ollama system ""` sends none, whatever the setting says, until it is taken back."""
    shell.run_cell("%config OllamaMagic.system = 'From the setting.'")
    run(shell, '%ollama system ""')
    run(shell, "%chat hi")
    assert [m["role"] for m in body(server)["messages"]] == ["user"]
    run(shell, "%ollama unset system")
    run(shell, "%chat hi")
    assert body(server)["messages"][0]["content"] == "From the setting."
    shell.run_cell("%config OllamaMagic.system = ''")


def test_the_host_has_a_way_back(shell, server):
    """`%ollama host --unset` goes back to what says where the server is."""
    first = shell.run_line_magic("ollama", "\0=host")
    run(shell, "%ollama host 127.0.0.1:9")
    assert shell.run_line_magic("ollama", "\0=host") == "http://127.0.0.1:9"
    run(shell, "%ollama host --unset")
    assert shell.run_line_magic("ollama", "\0=host") == first == server.url


@pytest.mark.parametrize(
    "cell", ["# my question\n%%chat\nhi", "\n# one\n# two\n\n%%generate -f json\nhi", "# x\n%%chat hi"]
)
def test_a_comment_above_a_cell_magic(shell, server, cell):
    """A comment above `%%chat` is refused in one line that says where it goes."""
    assert "must begin the cell" in refused(shell, server, cell)


def test_other_cells_may_begin_with_a_comment(shell, server):
    """A comment above our line magic, or above somebody else's cell magic within a text, changes nothing."""
    run(shell, "# note\n%chat hi")
    assert prompt(server) == "hi"
    assert run(shell, "# note\nx = '''\n%%chat\n'''")[1] is None


def test_a_text_is_cut_by_the_window(shell, server):
    """A window that is set makes room for a long text; without one the note says how to send all of it."""
    shell.user_ns["doc"] = "word " * 9000
    run(shell, "%chat --once -o num_ctx=65536 Summarise: {{doc}}")
    assert len(prompt(server)) > 45_000
    text, _ = run(shell, "%chat --once Summarise: {{doc}}")
    assert len(prompt(server)) < 8_200
    assert "OllamaMagic.fill_chars = 45000" in text
    shell.run_cell("%config OllamaMagic.fill_chars = 45000")
    run(shell, "%chat --once Summarise: {{doc}}")
    assert prompt(server) == "Summarise: " + "word " * 9000
    shell.run_cell("%config OllamaMagic.fill_chars = 0")


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ("len(names)", "nothing is called"),
        ("names[0].upper()", "nothing is called"),
        ("[n for n in names]", "nothing is called"),
        ("names + names", "nothing is called"),
        ("box.method", "is a method"),
        ("names.append", "is a method"),
    ],
)
def test_what_is_not_filled_is_noted(shell, server, field, why):
    """Expressions and methods stay as typed, and a note says so."""
    shell.user_ns.update(names=["a", "b"], price=1.5, box=Path())
    text, _ = run(shell, f"%chat --once {{{{{field.replace('box.method', 'box.exists')}}}}}")
    assert prompt(server).startswith("{{")
    assert why in text


@pytest.mark.parametrize("typed", ["{{ name | upper }}", "{{ user }}", "{x} $x {len('w')} ${HOME}", "{{#if a}}"])
def test_templates_pass_in_silence(shell, server, typed):
    """What belongs to another template language is sent byte for byte."""
    shell.user_ns["x"] = 1
    run(shell, f"%chat --once {typed}")
    assert prompt(server) == typed


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (dt.date(2024, 5, 1), "2024-05-01"),
        (dt.datetime(2024, 5, 1, 12, 30), "2024-05-01 12:30:00"),  # noqa: DTZ001
        (dt.timedelta(hours=1), "1:00:00"),
        (Path("data") / "a.csv", "data/a.csv"),
        ([dt.date(2024, 5, 1), Path("a.csv")], "[2024-05-01, 'a.csv']"),
    ],
)
def test_values_are_filled_as_people_write_them(shell, server, value, text):
    """A date, a duration and a path are filled as their text, not as the call that makes them."""
    shell.user_ns["value"] = value
    run(shell, "%chat --once {{value}}")
    assert prompt(server) == text


def test_a_figure_is_described(shell, server):
    """A Matplotlib figure goes along as a picture, which this model is not sent; in words it is what it shows."""
    figure = Figure()
    plot = figure.subplots()
    plot.plot([1, 2], label="2024")
    plot.set_title("Sales")
    plot.set_xlabel("month")
    shell.user_ns.update(fig=figure, ax=plot)
    assert "cannot see images" in str(run(shell, "%chat --once {{fig}}")[1])
    assert describe(figure, str).text == "a figure of 1 plot; “Sales”, x: month, 1 line (2024)"


def test_a_reply_from_the_history_of_outputs(shell, server):
    """`{{_}}` and `{{Out[n]}}` of a reply are its text."""
    for name in ("_", "__", "___"):  # what another test bound in this shell is no result of a cell
        shell.user_ns[name] = getattr(shell.displayhook, name)
    shell.run_cell("r = %chat hi", store_history=True)
    number = shell.execution_count
    shell.run_cell("r", store_history=True)
    text = shell.user_ns["r"].text
    run(shell, f"%chat --once translate {{{{Out[{number}]}}}} and {{{{_}}}}")
    assert prompt(server) == f"translate {text} and {text}"


def test_capture_and_time_around_a_turn(shell):
    """`%%capture` keeps what a turn shows, `%%time` shows its time below."""
    text, error = run(shell, "%%capture out\n%%chat\nhi")
    assert (text, error) == ("", None)
    shown, _ = run(shell, "out.show()")
    assert ollama_magic.last.text[:20] in shown
    text, error = run(shell, "%%time\n%chat hi")
    assert error is None
    assert "Wall time" in text


def test_the_debugger_stays_out_of_our_frames(shell, monkeypatch):
    """With `%pdb on` the traceback of an error of ours ends in the user's own frame."""
    import sys

    seen = []
    monkeypatch.setattr(shell.InteractiveTB, "debugger", lambda force=False: seen.append(sys.last_traceback))
    shell.call_pdb = True
    try:
        run(shell, "def ask():\n    get_ipython().run_line_magic('chat', '-m nobody:1b hi')\nask()")
    finally:
        shell.call_pdb = False
    frames, found = [], seen[0]
    while found is not None:
        frames.append(found.tb_frame.f_globals["__name__"])
        found = found.tb_next
    assert frames[-1] == "__main__"
