"""Model names: their grammar, their one normal form, those of the cloud, and those that look alike."""

from __future__ import annotations

import pytest

from ollama_magic.ollama.catalog import newest_first
from ollama_magic.ollama.model_names import is_cloud, nearest, normal_name, same_model, valid_name
from ollama_magic.ollama.protocol import ModelSummary


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("gemma3", "gemma3:latest"),
        ("Gemma3:1B", "gemma3:1b"),
        ("library/gemma3", "gemma3:latest"),
        ("registry.ollama.ai/library/gemma3:1b", "gemma3:1b"),
        ("https://registry.ollama.ai/library/gemma3:1b", "gemma3:1b"),
        ("someone/gemma3", "someone/gemma3:latest"),
        ("hf.co/someone/x.gguf:Q4_K_M", "hf.co/someone/x.gguf:q4_k_m"),
        ("hf.co/library/x", "hf.co/library/x:latest"),
        ("127.0.0.1:9/a/b", "127.0.0.1:9/a/b:latest"),
        ("gpt-oss:20b:cloud", "gpt-oss:20b-cloud"),
        ("gpt-oss:cloud", "gpt-oss:cloud"),
        ("x:1b:local", "x:1b"),
        ("x:local", "x:latest"),
        ("x-cloud", "x-cloud:latest"),
        ("sha256:abc", "sha256:abc"),
    ],
)
def test_names_have_one_normal_form(name, normal):
    """Names are compared in one form: default parts dropped, the tag always there, case aside."""
    assert valid_name(name)
    assert normal_name(name) == normal
    assert same_model(name, normal)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a b",
        "a:",
        ":a",
        "/a",
        "a/",
        "a//b",
        "-a",
        ".a",
        "a@sha256:b",
        "a:b:c",
        "a/b/c/d",
        "ä",
        "a\n",
        "x" * 81,
        "a.b/c",
    ],
)
def test_what_cannot_be_a_name(name):
    """A name outside the grammar is known by itself."""
    assert not valid_name(name)


@pytest.mark.parametrize(
    ("name", "cloud"),
    [
        ("gpt-oss:120b-cloud", True),
        ("x:cloud", True),
        ("x:1b:cloud", True),
        ("x-cloud", False),
        ("x:cloudy", False),
        ("x:local", False),
    ],
)
def test_cloud_names(name, cloud):
    """A tag tells that a model runs elsewhere; a name alone does not."""
    assert is_cloud(name) is cloud
    assert is_cloud(ModelSummary(name)) is cloud
    assert is_cloud(ModelSummary(name, remote_host="https://ollama.com"))


def test_near_names():
    """A slip of the fingers finds the name that was meant, the likest first."""
    names = ["gemma3:1b", "gemma3:4b", "llama3.2:latest", "nomic-embed-text:latest", "qwen3:0.6b"]
    assert nearest("gema3", names) == ["gemma3:1b", "gemma3:4b"]
    assert nearest("gemma3:1b ", names)[0] == "gemma3:1b"
    assert nearest("LLAMA3", names)[0] == "llama3.2:latest"
    assert nearest("zzz", names) == []


def test_the_newest_comes_first_and_ties_are_steady():
    """Models are sorted by their time in any zone and fraction; those of one moment by name; no time is the oldest."""
    models = [
        ModelSummary("none"),
        ModelSummary("b", modified_at="2026-01-01T12:00:00+02:00"),
        ModelSummary("a", modified_at="2026-01-01T10:00:00Z"),
        ModelSummary("newest", modified_at="2026-01-01T10:00:00.5Z"),
        ModelSummary("odd", modified_at="0001-01-01T00:00:00Z"),
        ModelSummary("later", modified_at="2026-01-01T05:30:00.123456789-05:00"),
    ]
    assert [model.name for model in newest_first(models)] == ["later", "newest", "a", "b", "odd", "none"]
