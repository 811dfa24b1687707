"""The look-up before a turn, and the model that answers unasked."""

from __future__ import annotations

import asyncio

import pytest

from ollama_magic.errors import InputError, ModelNotFound, ServerError, ServerUnreachable
from ollama_magic.ollama.address import parse_address
from ollama_magic.ollama.catalog import ModelCatalog
from ollama_magic.ollama.model_names import same_model
from ollama_magic.ollama.protocol import ModelFacts, ModelSummary, RunningModel

CHAT, EMBED, THINK = frozenset({"completion"}), frozenset({"embedding"}), frozenset({"completion", "thinking"})


class Models:
    """A server's models as a ModelCatalog sees them, and what it was asked."""

    def __init__(self, *models: ModelSummary, shown=None, loaded=(), faults=None) -> None:
        self.address = parse_address(None)
        self._models, self._shown, self._loaded = models, shown or {}, loaded
        self._faults = faults or {}
        self.asked: list[str] = []

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if fault := self._faults.get(what.partition(" ")[0]):
            raise fault

    async def tags(self) -> list[ModelSummary]:
        self._ask("tags")
        return list(self._models)

    async def ps(self) -> list[RunningModel]:
        self._ask("ps")
        return [RunningModel(name) for name in self._loaded]

    async def show(self, model: str) -> ModelFacts:
        self._ask(f"show {model}")
        for name, capabilities in self._shown.items():
            if same_model(name, model):
                return ModelFacts(capabilities=capabilities)
        raise ModelNotFound("model not found")


def _model(name: str, capabilities=CHAT, at: str = "2026-01-01T00:00:00Z", **more: object) -> ModelSummary:
    return ModelSummary(name, capabilities=capabilities, modified_at=at, **more)


def _choose(models: Models) -> str:
    return asyncio.run(ModelCatalog(models).choose())


def _look_up(models: Models, name: str, needs=CHAT):
    return asyncio.run(ModelCatalog(models).look_up(name, needs))


def test_the_newest_that_can_chat_answers_unasked():
    """Nothing loaded: the newest model answers that can chat, is on this machine, and makes no embeddings."""
    models = Models(
        _model("cloud:cloud", at="2026-05-01T00:00:00Z"),
        _model("stub", at="2026-04-01T00:00:00Z", remote_host="https://ollama.com"),
        _model("embed", EMBED, at="2026-03-01T00:00:00Z"),
        _model("new", at="2026-02-01T00:00:00Z"),
        _model("old"),
    )
    assert _choose(models) == "new"
    assert models.asked == ["tags", "ps"]


def test_a_loaded_model_comes_before_a_newer_one():
    """What is in memory answers at once, so it answers unasked, unless it cannot chat."""
    models = [_model("new:1b", at="2026-02-01T00:00:00Z"), _model("old:1b"), _model("embed", EMBED)]
    assert _choose(Models(*models, loaded=["OLD:1b"])) == "old:1b"
    assert _choose(Models(*models, loaded=["embed", "gone", "x:cloud"])) == "new:1b"
    assert _choose(Models(*models, loaded=["old:1b", "new:1b"])) == "old:1b"


def test_where_tags_do_not_tell_show_is_asked_newest_first():
    """Old servers have no capabilities in tags: show is asked, one model at a time, until one can chat."""
    models = Models(
        _model("c", None, at="2026-03-01T00:00:00Z"),
        _model("b", None, at="2026-02-01T00:00:00Z"),
        _model("a", None),
        shown={"c": EMBED, "b": CHAT, "a": CHAT},
    )
    assert _choose(models) == "b"
    assert models.asked == ["tags", "ps", "show c", "show b"]


def test_very_old_servers_tell_by_the_family():
    """Where not even show has capabilities, the families of embedding models are passed over, and the rest is tried."""
    models = Models(
        _model("d", None, at="2026-03-01T00:00:00Z", family="nomic-bert"),
        _model("c", None, at="2026-02-01T00:00:00Z", family="llama", families=("bert",)),
        _model("mxbai-embed-large", None, at="2026-02-01T00:00:00Z", family="x"),
        _model("a", None, family="llama"),
        shown={"d": None, "c": None, "mxbai-embed-large": None, "a": None},
    )
    assert _choose(models) == "a"


def test_no_ps_is_no_obstacle():
    """A server that cannot say what is loaded still has a newest model."""
    assert _choose(Models(_model("a"), faults={"ps": ServerError("no", 500)})) == "a"


def test_without_any_model_the_line_says_how_to_get_one():
    """No model, or none that may answer unasked, is one line with a way on."""
    with pytest.raises(
        ModelNotFound, match=r"no model at http://127\.0\.0\.1:11434 yet; `%ollama pull .*%ollama demo`"
    ):
        _choose(Models())
    with pytest.raises(ModelNotFound, match=r"can be the default \(embed: .*\); name one with -m"):
        _choose(Models(_model("embed", EMBED)))


def test_an_unreachable_server_is_told_as_that():
    """Choosing a model on a server that is not there raises what the client says."""
    with pytest.raises(ServerUnreachable):
        _choose(Models(faults={"tags": ServerUnreachable("nobody")}))


def test_an_unknown_model_is_refused_with_the_nearest_names():
    """The line names the model, the server, the near names, and both ways to go on."""
    models = Models(_model("gemma3:1b"), _model("llama3.2:latest"), shown={"gemma3:1b": CHAT})
    with pytest.raises(ModelNotFound) as caught:
        _look_up(models, "gema3")
    assert str(caught.value) == (
        'No model "gema3" at http://127.0.0.1:11434. Similar: gemma3:1b; '
        "`%ollama list` shows all, `%ollama pull gema3` fetches it."
    )


def test_an_unknown_model_without_near_names_has_no_such_list():
    """Also without a near name, and without tags, the line is whole."""
    with pytest.raises(ModelNotFound) as caught:
        _look_up(Models(faults={"tags": ServerError("no", 500)}), "gema3")
    assert str(caught.value) == (
        'No model "gema3" at http://127.0.0.1:11434; `%ollama list` shows all, `%ollama pull gema3` fetches it.'
    )


def test_what_cannot_be_a_name_is_refused_before_anything_is_sent():
    """A name outside the grammar is an InputError, and the server is not asked."""
    models = Models()
    with pytest.raises(InputError, match="a b is not a model's name"):
        _look_up(models, "a b")
    assert models.asked == []


def test_models_in_the_cloud_are_neither_asked_nor_offered():
    """Looking for a model that can does not make the server call somebody else's machine."""
    models = Models(_model("far:cloud", THINK), _model("stub", None, remote_host="h"), shown={"a": CHAT, "stub": THINK})
    with pytest.raises(InputError, match=r"^a cannot think; leave out --think\.$"):
        _look_up(models, "a", THINK)
    assert models.asked == ["show a", "tags"]


def test_a_missing_capability_is_refused_with_models_that_have_it():
    """A model that cannot think is refused, and those that can are named, though tags do not tell."""
    models = Models(
        _model("gemma3:1b"),
        _model("qwen3:1b"),
        _model("e", EMBED),
        shown={"gemma3:1b": CHAT, "qwen3:1b": THINK, "e": EMBED},
    )
    with pytest.raises(InputError) as caught:
        _look_up(models, "gemma3:1b", THINK)
    assert str(caught.value) == "gemma3:1b cannot think; leave out --think, or pick qwen3:1b."
    with pytest.raises(
        InputError, match=r"^e cannot chat; name another model with -m, or pick gemma3:1b or qwen3:1b\.$"
    ):
        _look_up(models, "e")


def test_without_a_model_that_can_the_cure_stands_alone():
    """No other model has the capability: the line says only what to leave out."""
    with pytest.raises(InputError, match=r"^gemma3:1b cannot think; leave out --think\.$"):
        _look_up(Models(_model("gemma3:1b"), shown={"gemma3:1b": CHAT}), "gemma3:1b", THINK)


def test_servers_without_capabilities_are_never_refused():
    """Where nobody knows what a model can do, the turn is tried."""
    facts = _look_up(Models(shown={"a": None}), "a", THINK)
    assert facts is not None


def test_a_look_up_that_fails_otherwise_lets_the_turn_be_tried():
    """A look-up that the server fumbles does not stop the turn; a server that is not there does."""
    assert _look_up(Models(faults={"show": ServerError("busy", 503)}), "a") is None
    with pytest.raises(ServerUnreachable):
        _look_up(Models(faults={"show": ServerUnreachable("nobody")}), "a")


def test_what_was_looked_up_is_remembered_until_forgotten():
    """One look-up per model, however it is spelled; a failure is not remembered."""
    models = Models(shown={"gemma3:latest": CHAT})

    async def use() -> None:
        catalog = ModelCatalog(models)
        for name in ("gemma3", "Gemma3:latest", "library/gemma3"):
            assert await catalog.look_up(name)
        catalog.forget("GEMMA3")
        await catalog.look_up("gemma3")
        for _ in range(2):
            with pytest.raises(ModelNotFound):
                await catalog.look_up("new")

    asyncio.run(use())
    assert [what for what in models.asked if what != "tags"] == ["show gemma3", "show gemma3", "show new", "show new"]


@pytest.mark.parametrize("name", ["x\x1b[2J", "a\u202eb", "<b>"])
def test_hostile_names_in_lines_are_harmless(name):
    """A name from a server or a cell is neutral in every line."""
    models = Models(_model(name), _model("gemma3:1b"))
    with pytest.raises((InputError, ModelNotFound)) as caught:
        _look_up(models, name)
    assert str(caught.value).isprintable()
    assert "\u202e" not in str(caught.value)
    assert _choose(models) == "gemma3:1b"
