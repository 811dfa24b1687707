"""Further reports of the kinds that came in: other names, other options, other proxies, other complaints."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import os
import re
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

import pytest

import ollama_magic
from tests.field.field_server import Scripted, failure, page, says
from tests.field.scripts import GOOD
from tests.field.test_field_cases import program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.field.conftest import Person

MAGIC = "get_ipython().run_line_magic('chat', '--once about {{doc}}')"


def test_names_are_those_that_python_would_see(person: Person) -> None:
    """Comprehensions, lambdas, generators, coroutines, classes and nested functions fill what Python sees there."""
    cells = {
        f"[{MAGIC} for doc in ['LOCAL']];": "LOCAL",
        f"[[{MAGIC} for _ in 'a'] for doc in ['LOCAL']];": "LOCAL",
        f"(lambda doc: {MAGIC})('LOCAL');": "LOCAL",
        f"def ask(doc):\n    {MAGIC}\n    yield\nlist(ask('LOCAL'));": "LOCAL",
        f"async def ask(doc):\n    {MAGIC}\nawait ask('LOCAL')": "LOCAL",
        f"class Box:\n    doc = 'LOCAL'\n    {MAGIC}": "LOCAL",
        f"class Box:\n    doc = 'CLASS'\n    asked = [{MAGIC} for _ in 'a']": "GLOBAL",
        f"class Box:\n    doc = 'CLASS'\n    def ask(self):\n        {MAGIC}\nBox().ask()": "GLOBAL",
        f"def make(doc):\n  class Box:\n    def ask(self):\n      {MAGIC}\n  Box().ask()\nmake('LOCAL')": "LOCAL",
        f"def make(doc):\n    def ask():\n        doc\n        {MAGIC}\n    return ask\nmake('LOCAL')()": "LOCAL",
        f"def ask(doc):\n    list(map(lambda _: {MAGIC}, 'a'))\nask('LOCAL')": "LOCAL",
    }
    person.types("doc = 'GLOBAL'")
    for cell, name in cells.items():
        assert person.asked(cell) == [f"about {name}"], cell


@pytest.mark.parametrize(
    "cell",
    [
        f"def ask():\n    if 0:\n        doc = 1\n    {MAGIC}\nask()",
        f"def ask(doc):\n    del doc\n    {MAGIC}\nask('LOCAL')",
        f"def make(doc):\n    def ask():\n        {MAGIC}\n    return ask\nmake('LOCAL')()",
    ],
)
def test_a_name_without_a_value_is_not_taken_from_elsewhere(person: Person, cell: str) -> None:
    """Where Python would find no value the field stays, and one line says why."""
    seen = person.types("doc = 'GLOBAL'", cell)
    assert person.server.prompts == ["about {{doc}}"]
    assert "{{doc}} stays as typed" in seen.text


def test_fields_in_every_option(person: Person) -> None:
    """Each option takes a variable; a list of stop texts is a list, and a level of thinking is one."""
    person.names.update(level="high", ends=["A", "B"], time="10m", n=4, kind="json", word="hello")
    lines = {
        "--think {{level}} hi": ("think", "high"),
        "--think={{level}} hi": ("think", "high"),
        "-o stop={{ends}} hi": ("options", {"stop": ["A", "B"]}),
        "--keep-alive {{time}} hi": ("keep_alive", "10m"),
        "-o top_k={{n}} hi": ("options", {"top_k": 4}),
        "-f {{kind}} hi": ("format", "json"),
    }
    for line, (key, value) in lines.items():
        assert person.asked(f"%chat --once {line}") == ["hi"], line
        assert person.body[key] == value
    assert person.asked("%chat --once --think {{word}} you") == ["hello you"]


def test_fields_in_commands(person: Person) -> None:
    """Commands of `%ollama` take variables as the magics do, and refuse what leads nowhere."""
    person.names.update(m="tiny", t=0.5, ends=["A", "B"], style="a pirate")
    for cell in ("%ollama model {{m}}", "%ollama set temperature {{t}}", "%ollama set stop {{ends}}"):
        assert person.types(cell).error is None
    seen = person.types("%ollama system You are {{style}}, {{nobody}}")
    assert "{{nobody}} stays as typed" in seen.text
    assert person.asked("%chat hi") == ["hi"]
    assert person.body["options"] == {"temperature": 0.5, "stop": ["A", "B"]}
    assert person.body["messages"][0]["content"] == "You are a pirate, {{nobody}}"
    assert "write {{m}}" in person.refused("%ollama model $m")
    assert "write {{t}}" in person.refused("%ollama set temperature $t")
    assert "no such variable" in person.refused("%ollama model {{nobody}}")


@pytest.mark.parametrize("word", ["FALSE", "Off", "OFF"])
def test_other_spellings_of_off(person: Person, word: str) -> None:
    """A word that can hardly begin a prompt switches thinking off in any spelling."""
    assert person.asked(f"%chat --think {word} Why?") == ["Why?"]
    assert person.body["think"] is False


@pytest.mark.parametrize("word", ["0", "no", "none", "None"])
def test_an_unclear_word_behind_think(person: Person, word: str) -> None:
    """What may be a value or the prompt is neither guessed nor sent."""
    assert "--no-think" in person.refused(f"%chat --think {word} Why")


@pytest.mark.parametrize("given", ["'off'", "'no'", "'True'", "''", "0", "1", "[]"])
def test_think_of_the_functions(person: Person, given: str) -> None:
    """Neither a text that means on or off nor a number is a level."""
    person.names["chat"] = ollama_magic.chat
    assert "True, False, or a level" in person.refused(f"chat('x', think={given})")


@pytest.mark.parametrize(
    "given", ["[1, 'a']", "['a', b'b']", "('a' if n else None for n in (0, 1))", "None", "{'a': 'b'}", "[['a']]"]
)
def test_only_texts_are_embedded(person: Person, given: str) -> None:
    """Whatever else stands among the texts is an error: no vector is missing, none is of something else."""
    person.names["embed"] = ollama_magic.embed
    assert "Only texts can be embedded" in person.refused(f"embed({given}, model='tiny')")


def test_frames_are_no_texts(person: Person) -> None:
    """A data frame would give the names of its columns; a column with a gap in it has no text there."""
    pandas = pytest.importorskip("pandas")
    person.names.update(embed=ollama_magic.embed, df=pandas.DataFrame({"c": ["x", None]}))
    assert "one column" in person.refused("embed(df, model='tiny')")
    assert "text 2" in person.refused("embed(df['c'], model='tiny')")


def test_surrogates_wherever_they_come_from(person: Person) -> None:
    """A lone surrogate in a name, an option, a command or a value is replaced, and nothing after it fails."""
    person.names.update(bad="\ud83d", holds=["x\udc00"], chat=ollama_magic.chat, run=person.shell.run_line_magic)
    for cell in (
        "run('chat', '-c half\\ud83d -s \\udcff -o stop=\\ud800 direct \\ud83d')",
        "%chat -c {{bad}} -s {{bad}} {{holds}}",
        "run('ollama', 'switch y\\ud83d')",
        "run('ollama', 'system \\ud83d')",
        "chat('\\ud83d', system='\\udc00')",
        "%chat hi",
        "%ollama history",
        "%ollama conversations",
        "%ollama prompt",
    ):
        seen = person.types(cell)
        assert seen.error is None, cell
        seen.text.encode()
    json.dumps(person.server.bodies, ensure_ascii=False).encode()
    assert person.server.prompts[0] == "direct �"
    assert person.types("run('ollama', '\\ud83d')").text.encode()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_other_users_of_fork(person: Person) -> None:
    """Executors with the fork method and a bare os.fork get their answers."""
    import multiprocessing

    assert person.asked("%chat hi") == ["hi"]
    with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
        assert list(pool.map(_asked, ["p0", "p1"], timeout=20)) == ["A good answer."] * 2
    child = os.fork()
    if not child:
        os._exit(0 if _asked("p2") == "A good answer." else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert sorted(person.server.prompts) == ["hi", "p0", "p1", "p2"]
    assert person.asked("%chat --once again") == ["again"]


def _asked(prompt: str) -> str:
    return ollama_magic.chat(prompt).text


@pytest.mark.parametrize("line", ["?", "??", "why ?", "why?  ", "\\\n  why?"])
def test_question_marks(person: Person, line: str) -> None:
    """A prompt may be a question mark, or end in one however it is written."""
    assert (
        person.asked(f"%chat --once {line}", f"if True:\n    r = %chat --once {line}")
        == [line.replace("\\\n", "").lstrip().rstrip("\n")] * 2
    )


@pytest.mark.parametrize(
    ("cell", "cure"),
    [
        ('"""Notes."""\n%%chat\nhi', "a cell of its own"),
        ("import os\n%%chat -m tiny\nIt's so", "a cell of its own"),
        ("#%%\n%%generate\nhi", "put the comment below it"),
        ("# one\n\n  %%chat\nhi", "put the comment below it"),
        ("%chat --once first\n%%chat\nsecond", "a cell of its own"),
    ],
)
def test_what_stands_above_a_cell_magic(person: Person, cell: str, cure: str) -> None:
    """Whatever stands above `%%chat` is told in one line, and nothing of the cell is run."""
    text = person.refused(cell)
    assert "must begin the cell" in text
    assert cure in text


def test_blank_lines_and_texts_are_no_hindrance(person: Person) -> None:
    """Blank lines above a cell magic are nothing, and one within a text is none."""
    assert person.asked("\n  \n%%chat\nhi", "note = '''\n%%chat\n'''") == ["hi"]


def test_a_cell_magic_behind_the_line_that_loads(person: Person) -> None:
    """IPython reads `%%chat` before the extension is there; one line says where it belongs."""
    person.shell.run_line_magic("unload_ext", "ollama_magic")
    assert "`%%chat` must begin its cell" in person.types("%load_ext ollama_magic\n%%chat\nhi").text


PROXIES = [
    (page(503, "Service Unavailable"), "not available"),
    (page(413, "Request Entity Too Large"), "shorten the prompt"),
    (page(429, "Too Many Requests"), "wait a while"),
    (page(403, "Forbidden"), "OllamaMagic.headers"),
    (page(407, "Proxy Authentication Required"), "http://NAME:PASSWORD@HOST:PORT"),
    (page(408, "Request Time-out"), "run this again"),
    (page(431, "Request Header Or Cookie Too Large"), "refused this request"),
    (page(500, "Internal Server Error"), "check its log"),
    (page(522, "Connection timed out", by="cloudflare"), "does not reach Ollama"),
    (page(524, "A timeout occurred", by="cloudflare"), "gave up waiting"),
    (Scripted("error code: 524", 524, "text/plain"), "gave up waiting"),
    (Scripted("error code: 1015", 429, "text/plain"), "wait a while"),
    (Scripted("no available server\n", 503, "text/plain"), "no available server"),
    (Scripted("Forbidden", 403, "text/plain"), "OllamaMagic.headers"),
    (
        Scripted("401 Unauthorized\n", 401, "text/plain", {"WWW_Authenticate": 'Basic realm="traefik"'}),
        "OllamaMagic.headers",
    ),
    (Scripted('{"message":"Request size limit exceeded"}', 413), "shorten the prompt"),
    (Scripted('{"message":"Unauthorized"}', 401), "OllamaMagic.headers"),
    (Scripted("", 504, ""), "gave up waiting"),
    (Scripted("<!DOCTYPE html><html>x</html>", 502, ""), "does not reach Ollama"),
]


def test_other_proxies(open_shell: Callable[..., Person]) -> None:
    """Pages and texts of nginx, traefik, Cloudflare and gateways say that a proxy answered, and what helps."""
    person = open_shell(chat=[reply for reply, _ in PROXIES])
    for reply, cure in PROXIES:
        text = person.failed("%chat --once hi")
        assert text.startswith("The proxy before http://"), text
        assert str(reply.status) in text
        assert cure in text
        assert "<" not in text.replace("<NAME>", "")


NOT_PROXIES = [
    (failure("unauthorized", 401), "OLLAMA_API_KEY"),
    (failure("server busy, please try again", 503), "is busy"),
    (page(200, "Welcome"), "is not Ollama"),
    (page(404, "Not Found"), "is not Ollama"),
    (Scripted("", 403, ""), "Host or Origin"),
]


def test_ollamas_own_words_are_no_proxys(open_shell: Callable[..., Person]) -> None:
    """What Ollama itself refuses, and a foreign web page, is no proxy's answer."""
    person = open_shell(chat=[reply for reply, _ in NOT_PROXIES])
    for _, words in NOT_PROXIES:
        text = person.failed("%chat --once hi")
        assert words in text
        assert "proxy" not in text


COMPLAINTS = {
    "CUDA error: out of memory": "smaller model",
    "Metal error: kIOGPUCommandBufferCallbackErrorOutOfMemory": "smaller model",
    "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 4000 MiB failed": "smaller model",
    "failed to create context: not enough space": "smaller model",
    "timed out waiting for llama runner to start: context canceled": "OLLAMA_LOAD_TIMEOUT",
    "llama runner process has terminated: signal: killed": "server's log",
    "model failed to load, this may be due to resource limitations or an internal error": "server's log",
    "unknown model architecture: 'gemma9'": "update Ollama",
    "error loading model: unable to load model: /blobs/sha256-aa": "update Ollama",
    "this model is not supported by your version of Ollama. You may need to upgrade": "update Ollama",
    "server busy, please try again.  maximum pending requests exceeded": "wait a moment",
}


@pytest.mark.parametrize(("words", "cure"), COMPLAINTS.items(), ids=range(len(COMPLAINTS)))
def test_complaints_have_cures_wherever_they_come(open_shell: Callable[..., Person], words: str, cure: str) -> None:
    """The same cure stands behind a status, a first line and a line behind words; nobody is told to run it again."""
    begun = {"model": "tiny:latest", "message": {"role": "assistant", "content": "Half"}, "done": False}
    line = {"error": words}
    person = open_shell(chat=[failure(words), Scripted([line]), Scripted([begun, line])])
    for _ in range(3):
        text = person.failed("%chat --once hi")
        assert cure in text
        assert "run the cell again" not in text
    assert "the text so far is kept" in text


def test_the_text_before_a_closing_tag_is_folded_wherever_it_is_cut(open_shell: Callable[..., Person]) -> None:
    """A lone closing tag is found in every cut of its stream, and with the line ends of Windows."""
    texts = ["Hmm.\n</think>\n\nThe answer", "Hmm.</think>\r\n\r\nThe answer"]
    cuts = [says(text[:at], text[at:]) for text in texts for at in range(4, 16)]
    cuts += [says(*texts[0])]
    person = open_shell(chat=[*cuts, GOOD])
    for _ in cuts:
        person.types("%chat --once hi")
        assert (ollama_magic.last.text, ollama_magic.last.thinking) == ("The answer", "Hmm.")


def test_tags_that_are_talked_about_stay(open_shell: Callable[..., Person]) -> None:
    """A closing tag in code or within a sentence is text."""
    texts = ["Use `</think>` here", "```\nx\n</think>\n```\nA", "text </think> more text"]
    person = open_shell(chat=[says(text) for text in texts])
    for text in texts:
        person.types("%chat --once hi")
        assert ollama_magic.last.text == text


def test_answers_that_nobody_can_see(open_shell: Callable[..., Person]) -> None:
    """Nothing, white space and characters without width are told; a length that cut the answer says that."""
    blank = ["", " ", "\n\n", "\u200b", "\u00a0"]
    thought = [says(thinking="Hmm"), says("<think>x</think>"), says("<think>x")]
    person = open_shell(chat=[*(says(text) for text in blank), *thought, says(thinking="Hmm", reason="length")])
    for _ in blank:
        assert "empty answer" in person.types("%chat --once hi").text
    for _ in thought:
        assert "thought and ended without an answer" in person.types("%chat --once hi").text
    assert "num_predict" in person.types("%chat --once hi").text


WORDS = {
    "run tiny why is it so?": "`%chat -m tiny why is it so?`",
    "run tiny": "`%chat -m tiny TEXT`",
    "delete tiny": "`%ollama rm tiny`",
    "uninstall tiny": "`%ollama rm tiny`",
    "install tiny": "`%ollama pull tiny`",
    "download tiny": "`%ollama pull tiny`",
    "ls": "`%ollama list`",
    "info tiny": "`%ollama show tiny`",
    "generate hi there": "`%generate hi there`",
    "copy a b": "`%ollama cp a b`",
    "rename a b": "`%ollama cp a b`",
    "temp 0.2": "`%ollama set temperature 0.2`",
    "preload tiny": "`%ollama load tiny`",
    "url gpu:11434": "`%ollama host gpu:11434`",
    "--version": "`%ollama version`",
    "exit": "`%ollama stop`",
    "login": "!ollama signin",
    "SERVE": "`%ollama start`",
}


def test_other_words_of_commands(person: Person) -> None:
    """Words of other programs lead to the command that does it here, with what was typed behind them."""
    for typed, place in WORDS.items():
        assert place in person.refused(f"%ollama {typed}"), typed


OPTIONS = {
    "--top-p 0.9 hi": "-o top_p=0.9",
    "--num_ctx=4096 hi": "-o num_ctx=4096",
    "--temp 0.2 hi": "-o temperature=0.2",
    "--max-new-tokens 9 hi": "-o num_predict=9",
    "--stop END hi": "-o stop=END",
    "--keep_alive 10m hi": "--keep-alive",
    "--json hi": "-f json",
    "--verbose hi": "OllamaMagic.footer",
    "--stream hi": "always streams",
    "--prompt hi": "without a name",
    "-o stream=false hi": "always streams",
    "-o system=x hi": '-s "x"',
    "-o host=gpu hi": "--host gpu",
    "-o format=json hi": "-f json",
    "-o once=true hi": "--once",
    "-o suffix=x hi": "`%generate --suffix x`",
    "-o stop=['A', 'B'] hi": '["END", "###"]',
}


def test_other_options_at_other_places(person: Person) -> None:
    """An option that stands elsewhere, or is called otherwise, is answered with how it is written."""
    for typed, place in OPTIONS.items():
        assert place in person.refused(f"%chat {typed}"), typed


@pytest.mark.parametrize(
    "cell",
    [
        "%chat hi -m tiny:1b and more",
        "%chat hi -o seed=1 and more",
        "%chat hi --once",
        "%%chat\n-m tiny\nhi",
        "%%chat hi --think high\nmore",
        "%chat -o seed=1 top_k=2 hi",
    ],
)
def test_other_options_behind_the_words(person: Person, cell: str) -> None:
    """An option in the midst of the words, or below the first line, is noted above the answer."""
    seen = person.types(cell)
    assert "was sent as text" in seen.text
    assert len(person.server.prompts) == 1


VALUES = {
    "2024-05-01": dt.date(2024, 5, 1),
    "09:05:00": dt.time(9, 5),
    "UTC": dt.timezone.utc,
    "10.0.0.1": ipaddress.ip_address("10.0.0.1"),
    "{'day': 2024-05-01}": {"day": dt.date(2024, 5, 1)},
}
FROM_LIBRARIES = {
    "0.5": "np.float64(0.5)",
    "[1, 2.5]": "[np.int64(1), np.float64(2.5)]",
    "2024-05-02": "np.datetime64('2024-05-02')",
    "2024-05": "pd.Period('2024-05')",
    "(0, 1]": "pd.Interval(0, 1)",
    "2024-05-01 12:30:00": "pd.Timestamp('2024-05-01 12:30')",
    "| d |\n| --- |\n| 2024-05-01 |\n\n(1 row × 1 column)": "pd.DataFrame({'d': [pd.Timestamp(2024, 5, 1)]})",
    "| d |\n| --- |\n| 2024-05-01 01:00:00 |\n\n(1 row × 1 column)": (
        "pd.DataFrame({'d': [pd.Timestamp(2024, 5, 1, 1)]})"
    ),
}


def test_values_read_as_people_write_them(person: Person) -> None:
    """Dates, times, zones, addresses, numbers of numpy and values of pandas are filled as text."""
    for text, value in VALUES.items():
        person.names["value"] = value
        assert person.asked("%chat --once {{value}}") == [text]
    person.names.update(np=pytest.importorskip("numpy"), pd=pytest.importorskip("pandas"))
    for text, source in FROM_LIBRARIES.items():
        assert person.asked(f"value = {source}\n%chat --once {{{{value}}}}") == [text]


def test_a_terminal_of_ascii(open_shell: Callable[..., Person], tmp_path: Path) -> None:
    """A terminal that lacks letters shows the answer with others in their place."""
    person = open_shell(chat=[says("cafe — ✓ 😀 done")])
    words = ("-m", "IPython", "--colors=nocolor", "--no-banner", "--simple-prompt")
    typed = b"%load_ext ollama_magic\n%chat hi\n"
    shown = program(person, *words, input=typed, env={"PYTHONIOENCODING": "ascii"}, cwd=tmp_path)
    assert re.search("cafe .* done", shown), shown
    assert not re.search("DisplayFailed|Traceback|Error", shown), shown


LISTINGS = ['{"error": {"message": "no such route"}}', '{"error": "no such route"}', '{"errors": ["no such route"]}']


@pytest.mark.parametrize("body", LISTINGS)
def test_other_errors_with_status_200(open_shell: Callable[..., Person], body: str) -> None:
    """An error in any shape gives the server's words, for every listing."""
    person = open_shell(every=Scripted(body))
    for cell in ("%ollama list", "%ollama ps", "%ollama version", "%ollama status", "%chat hi"):
        text = person.types(cell).text
        assert "no such route" in text
        assert "No model" not in text
        assert "0 models" not in text


@pytest.mark.parametrize("end", ["/v1", "/v1/", "/api", "/api/chat", "/v1/chat/completions", "//"])
def test_other_ends_of_an_address(person: Person, end: str) -> None:
    """The path of an API at the end of an address is told, and slashes do no harm."""
    seen = person.types(f"%chat --host HOST{end} hi")
    assert person.server.prompts == ["hi"] or f"leave out {end.rstrip('/')}" in seen.text


@pytest.mark.parametrize("body", ['{"object": "list", "data": []}', '{"status": "ok"}'])
def test_a_listing_of_something_else(open_shell: Callable[..., Person], body: str) -> None:
    """What has no models and no version is not Ollama; it is not a server without models."""
    person = open_shell(every=Scripted(body))
    for cell in ("%ollama list", "%ollama ps", "%ollama version", "%ollama status", "%chat hi"):
        text = person.types(cell).text
        assert "is not Ollama" in text
        assert "No model" not in text
        assert "0 models" not in text
