"""Values of options: durations, names, and the model options of the servers."""

import pytest

from ollama_magic.errors import InputError
from ollama_magic.line import value_readers
from ollama_magic.line.model_options import (
    MODEL_OPTIONS,
    OBSOLETE,
    merge_model_options,
    read_model_option,
    read_option_setting,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-1", -1),
        ("0", 0),
        ("300", 300),
        ("1.5", 1.5),
        ("+5", 5),
        ("３００", 300),
        ("5m", "5m"),
        ("1h30m", "1h30m"),
        ("-1m", "-1m"),
        ("300ms", "300ms"),
        ("1.5h", "1.5h"),
        (".5s", ".5s"),
        ("10µs", "10μs"),
    ],
)
def test_durations_as_the_server_takes_them(text, value):
    """Seconds become numbers, and Go's durations stay texts."""
    read = value_readers.duration(text)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    ["", "1d", "forever", "5 m", "m", "h5", "1h30", "--1", "1e3", "inf", "nan", "999999999h", "9e18", "99999999999999"],
)
def test_what_is_no_duration_is_refused(text):
    """What the server would refuse, or could not count, is refused here."""
    with pytest.raises(ValueError, match=r"duration|too long"):
        value_readers.duration(text)


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("num_ctx=8192", ("num_ctx", 8192)),
        ("num_ctx=8192.0", ("num_ctx", 8192)),
        ("num_ctx=1e4", ("num_ctx", 10000)),
        (" num_ctx = 8192 ", ("num_ctx", 8192)),
        ("num_ctx＝８１９２", ("num_ctx", 8192)),
        ("temperature=1", ("temperature", 1.0)),
        ("temperature=.5", ("temperature", 0.5)),
        ("presence_penalty=-1.5", ("presence_penalty", -1.5)),
        ("seed=-1", ("seed", -1)),
        ("seed=0", ("seed", 0)),
        ("num_predict=-2", ("num_predict", -2)),
        ("use_mmap=false", ("use_mmap", False)),
        ("use_mmap=1", ("use_mmap", True)),
        ("use_mmap=True", ("use_mmap", True)),
        ("stop=END", ("stop", ["END"])),
        ("stop= a=b ", ("stop", [" a=b "])),
        ("stop=：", ("stop", ["："])),
        (r'stop="\n"', ("stop", ["\n"])),
        (r'stop=["\n", "END"]', ("stop", ["\n", "END"])),
        ("stop=[INST]", ("stop", ["[INST]"])),
    ],
)
def test_values_get_the_type_of_their_option(text, pair):
    """A value becomes what the server takes: 8192 is an int for num_ctx, 1 a float for temperature, stop a list."""
    read = read_model_option(text)
    assert (read, type(read[1])) == (pair, type(pair[1]))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("num_ctx=many", ["num_ctx", "whole number", "many"]),
        ("num_ctx=", ["num_ctx", "whole number"]),
        ("num_ctx=1.5", ["num_ctx", "whole number", "1.5"]),
        ("num_ctx=8k", ["num_ctx", "whole number"]),
        ("num_ctx=0", ["num_ctx", "4 or more", "0"]),
        ("seed=1e40", ["seed", "whole number"]),
        ("temperature=hot", ["temperature", "a number", "hot"]),
        ("temperature=-1", ["temperature", "0 or more"]),
        ("temperature=nan", ["temperature", "a number"]),
        ("temperature=inf", ["temperature", "a number"]),
        ("top_p=2", ["top_p", "between 0 and 1"]),
        ("top_k=-5", ["top_k", "0 or more"]),
        ("use_mmap=maybe", ["use_mmap", "true or false", "maybe"]),
        ("stop=[1]", ["stop", "text"]),
        ("stop=", ["stop", "text"]),
        ("temprature=1", ["temprature", "temperature?"]),
        ("Temperature=1", ["Temperature", "temperature?"]),
        ("num-ctx=1", ["num-ctx", "num_ctx?"]),
        ("context_length=1", ["context_length"]),
        ("zzzz=1", ["zzzz", "temperature, top_k"]),
        ("mirostat=1", ["mirostat", "ignore"]),
        ("num_ctx", ["KEY=VALUE"]),
        ("=1", ["There is no model option ''"]),
        ("stop=", ["a JSON list of texts", "not ''."]),
        ("stop=[1]", ["not '[1]'."]),
    ],
)
def test_a_wrong_value_is_one_readable_sentence(text, parts):
    """An unknown name is refused with the nearest one, a wrong value with the type or range of its option."""
    with pytest.raises(InputError) as caught:
        read_model_option(text)
    assert [part for part in parts if part not in str(caught.value)] == []
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", sorted(OBSOLETE))
def test_what_servers_ignore_is_said(name):
    """A name that servers dropped is told apart from one that never was."""
    with pytest.raises(InputError, match=f"^{name} has no effect"):
        read_model_option(f"{name}=1")


def test_the_last_counts_and_stops_add_up():
    """A repeated option has its last value, while every stop is kept."""
    pairs = [read_model_option(text) for text in ("stop=a", "seed=1", "stop=b", "seed=2")]
    assert merge_model_options(pairs) == {"stop": ["a", "b"], "seed": 2}
    assert pairs[0][1] == ["a"]


def test_brackets_that_are_no_list_are_a_text():
    """What looks like JSON and is nested too deeply to be read stops an answer as it stands."""
    deep = "[" * 100_000 + "]" * 100_000
    assert read_model_option(f"stop={deep}") == ("stop", [deep])
    assert read_option_setting(f"stop {deep}") == ("stop", [deep])


def test_the_table_is_whole():
    """Every option that servers know is there, and none that they ignore."""
    assert len(MODEL_OPTIONS) == 20
    assert not OBSOLETE & MODEL_OPTIONS.keys()
    assert {option.kind for option in MODEL_OPTIONS.values()} == {"int", "float", "bool", "list"}
