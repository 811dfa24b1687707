"""What is asked of many models at once: badges, and who shares a weights file; and what old versions lack."""

from __future__ import annotations

import asyncio

import pytest

from ollama_magic.errors import ModelNotFound, ServerError, ServerUnreachable
from ollama_magic.ollama.address import parse_address
from ollama_magic.ollama.catalog import ModelCatalog
from ollama_magic.ollama.model_names import is_cloud
from ollama_magic.ollama.protocol import ModelFacts, ModelSummary, RunningModel
from ollama_magic.ollama.versions import lacking, older

CHATS, TOOLS = frozenset({"completion"}), frozenset({"completion", "tools"})


class Shelf:
    """A server's models: what tags list, what show tells, and how many were asked at once."""

    def __init__(self, *models: ModelSummary, shown=None, fault=None) -> None:
        self.address = parse_address(None)
        self.models, self.shown, self.fault = list(models), shown or {}, fault
        self.asked: list[str] = []
        self.now = self.most = 0

    async def tags(self) -> list[ModelSummary]:
        self.asked.append("tags")
        return self.models

    async def ps(self) -> list[RunningModel]:
        return []

    async def show(self, model: str) -> ModelFacts:
        self.asked.append(model)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        if self.fault:
            raise self.fault
        if model not in self.shown:
            raise ModelNotFound("no such model")
        return self.shown[model]


def _model(name: str, capabilities=None, digest: str = "", **more: str) -> ModelSummary:
    return ModelSummary(name, capabilities=capabilities, digest=digest or name, **more)


def test_badges_come_from_the_list_where_it_has_them():
    """What tags tell is not asked for again, and a list at hand is not asked for either."""
    shelf = Shelf(_model("a:1b", CHATS), _model("b:1b", TOOLS))
    catalog = ModelCatalog(shelf)
    assert asyncio.run(catalog.capabilities(shelf.models)) == {"a:1b": CHATS, "b:1b": TOOLS}
    assert shelf.asked == []
    assert asyncio.run(catalog.capabilities(["A:1B", "b:1b"])) == {"A:1B": CHATS, "b:1b": TOOLS}
    assert shelf.asked == ["tags"]


def test_badges_that_the_list_lacks_are_asked_for_once_per_digest():
    """Show is asked once for each digest; a model that was pulled anew has another one and is asked again."""
    shelf = Shelf(_model("a:1b", digest="d1"), _model("b:1b", CHATS), shown={"a:1b": ModelFacts(TOOLS)})
    catalog = ModelCatalog(shelf)
    for _ in range(3):
        assert asyncio.run(catalog.capabilities(shelf.models)) == {"a:1b": TOOLS, "b:1b": CHATS}
    assert shelf.asked == ["a:1b"]
    shelf.models[0] = _model("a:1b", digest="d2")
    shelf.shown["a:1b"] = ModelFacts(CHATS)
    assert asyncio.run(catalog.capabilities(shelf.models))["a:1b"] == CHATS
    assert shelf.asked == ["a:1b", "a:1b"]


def test_eight_models_are_asked_at_once():
    """A long list is asked eight at a time, each model once."""
    names = [f"m{n}:1b" for n in range(40)]
    shelf = Shelf(*map(_model, names), shown=dict.fromkeys(names, ModelFacts(CHATS)))
    assert asyncio.run(ModelCatalog(shelf).capabilities(shelf.models)) == dict.fromkeys(names, CHATS)
    assert shelf.most == 8
    assert sorted(shelf.asked) == sorted(names)


def test_a_model_in_the_cloud_is_not_asked():
    """Badges of a cloud model would be asked for elsewhere: what the list does not tell stays unknown."""
    shelf = Shelf(_model("a:cloud"), _model("stub", remote_host="https://ollama.com"), _model("c:120b-cloud", CHATS))
    found = asyncio.run(ModelCatalog(shelf).capabilities(shelf.models))
    assert found == {"a:cloud": None, "stub": None, "c:120b-cloud": CHATS}
    assert shelf.asked == []


@pytest.mark.parametrize("fault", [ServerError("broken", 500), None])
def test_badges_that_cannot_be_had_are_unknown(fault):
    """A model that is gone, or a show that fails, has no badges, and the others have theirs."""
    shelf = Shelf(_model("a:1b"), _model("b:1b", CHATS), fault=fault)
    assert asyncio.run(ModelCatalog(shelf).capabilities(["a:1b", "b:1b", "gone"])) == {
        "a:1b": None,
        "b:1b": CHATS,
        "gone": None,
    }


def test_a_server_that_is_gone_is_not_asked_on():
    """Once nobody answers, the rest of a list is not tried."""
    shelf = Shelf(*(_model(f"m{n}") for n in range(100)), fault=ServerUnreachable("gone"))
    assert set(asyncio.run(ModelCatalog(shelf).capabilities(shelf.models)).values()) == {None}
    assert len(shelf.asked) == 8


def test_ten_thousand_models_of_an_old_server_are_not_all_asked():
    """An old server with very many models is asked for 500 of them, the rest have no badges."""
    shelf = Shelf(*(_model(f"m{n}") for n in range(10_000)))
    found = asyncio.run(ModelCatalog(shelf).capabilities(shelf.models))
    assert len(found) == 10_000
    assert len(shelf.asked) == 500


ALIKE = {"family": "llama", "parameter_size": "1.2B", "quantization": "Q4_K_M"}


def _family() -> Shelf:
    return Shelf(
        _model("base:latest", digest="d1", **ALIKE),
        _model("copy:latest", digest="d1", **ALIKE),
        _model("pirate:latest", digest="d2", **ALIKE),
        _model("stranger:latest", digest="d3", **ALIKE),
        _model("other:latest", digest="d4", family="gemma"),
        _model("base:cloud", digest="d5", **ALIKE),
        shown={
            "base:latest": ModelFacts(weights="w1"),
            "pirate:latest": ModelFacts(weights="w1"),
            "stranger:latest": ModelFacts(weights="w2"),
        },
    )


def test_who_shares_a_weights_file():
    """A copy has the same digest, a model made from another one the same weights; both run on one runner."""
    shelf = _family()
    catalog = ModelCatalog(shelf)
    assert asyncio.run(catalog.sharing("base")) == ("copy:latest", "pirate:latest")
    assert asyncio.run(catalog.sharing("PIRATE")) == ("base:latest", "copy:latest")
    assert asyncio.run(catalog.sharing("stranger")) == asyncio.run(catalog.sharing("gone")) == ()
    assert "other:latest" not in shelf.asked
    assert "base:cloud" not in shelf.asked


def test_a_loaded_model_serves_those_of_its_weights():
    """Whether a loaded model is the one asked for is a question of weights, not of names alone."""
    catalog = ModelCatalog(_family())
    answers = {
        name: asyncio.run(catalog.same_weights("base:latest", name)) for name in ("base", "Pirate", "stranger", "x")
    }
    assert answers == {"base": True, "Pirate": True, "stranger": False, "x": False}


def test_where_nobody_tells_only_a_copy_is_known_to_share():
    """Without Modelfiles a digest still tells a copy; without digests nothing is claimed."""
    shelf = _family()
    shelf.shown = {}
    assert asyncio.run(ModelCatalog(shelf).sharing("base")) == ("copy:latest",)
    shelf.models = [ModelSummary("a", **ALIKE), ModelSummary("b", **ALIKE)]
    assert asyncio.run(ModelCatalog(shelf).sharing("a")) == ()


def test_where_no_path_tells_the_parents_do():
    """A server that hides its paths still names the model that one was made from; a circle of parents is no trap."""
    shelf = _family()
    shelf.shown = {
        "base:latest": ModelFacts(),
        "pirate:latest": ModelFacts(parent_model="Base"),
        "stranger:latest": ModelFacts(parent_model="gone:1b"),
    }
    catalog = ModelCatalog(shelf)
    assert asyncio.run(catalog.sharing("base")) == ("copy:latest", "pirate:latest")
    assert asyncio.run(catalog.sharing("copy")) == ("base:latest", "pirate:latest")
    assert asyncio.run(catalog.sharing("pirate")) == ("base:latest", "copy:latest")
    assert asyncio.run(catalog.sharing("stranger")) == ()
    shelf.shown = {"base:latest": ModelFacts(parent_model="pirate"), "pirate:latest": ModelFacts(parent_model="base")}
    asyncio.run(ModelCatalog(shelf).sharing("base"))


def test_a_loaded_cloud_model_is_known_by_its_name():
    """A running model is in the cloud if its name says so."""
    assert is_cloud(RunningModel("gpt-oss:120b-cloud"))
    assert not is_cloud(RunningModel("x-cloud:latest"))


def test_what_an_old_server_lacks():
    """The older a server, the more sentences, the newest lack first; a new one lacks nothing."""
    assert lacking("0.33.0") == ()
    (badges,) = lacking("0.24.0")
    assert "badges" in badges
    found = lacking("0.1.10")
    assert found[0] == badges
    assert "No `%%chat`" in found[-1]
    versions = ["0.1.10", "0.1.30", "0.2.0", "0.5.4", "0.8.9", "0.11.0", "0.17.1", "0.29.9", "0.30.0"]
    counts = [len(lacking(version)) for version in versions]
    assert counts == sorted(counts, reverse=True)
    assert len(set(counts)) == len(counts)
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in found)


@pytest.mark.parametrize("version", ["0.0.0", "", "dev", "unknown", "1", "9.9.9", "0.30", "x0.1.2", "9" * 400])
def test_a_development_build_and_what_is_no_version_lack_nothing(version):
    """A build without a number, and a text that is none, are not told to be old."""
    assert lacking(version) == ()


def test_which_version_is_older():
    """Numbers are compared as numbers; a leading v and a suffix do not count."""
    assert older("0.9.10", "0.10.0")
    assert older("v0.32.9-rc1", "0.32.15")
    assert not older("0.32.15", "0.32.15")
    assert not older("0.24.0", "")


def test_one_place_chooses_the_model_for_embeddings():
    """The newest model here that makes embeddings: as listed, as show tells it, or by its name where nobody does."""
    embeds, chats = frozenset({"embedding"}), frozenset({"completion"})
    listed = Shelf(_model("chat:1b", chats), _model("vec:1b", embeds), _model("far:cloud", embeds))
    assert asyncio.run(ModelCatalog(listed).choose_embedding()) == "vec:1b"
    shown = Shelf(
        _model("embed-chat:1b"),
        _model("vec:1b"),
        shown={"embed-chat:1b": ModelFacts(chats), "vec:1b": ModelFacts(embeds)},
    )
    assert asyncio.run(ModelCatalog(shown).choose_embedding()) == "vec:1b"
    silent = Shelf(
        _model("a:1b"),
        _model("nomic-embed-text:latest"),
        shown={"a:1b": ModelFacts(), "nomic-embed-text:latest": ModelFacts()},
    )
    assert asyncio.run(ModelCatalog(silent).choose_embedding()) == "nomic-embed-text:latest"
    with pytest.raises(ModelNotFound, match="pull nomic-embed-text` fetches one"):
        asyncio.run(ModelCatalog(Shelf(_model("chat:1b", chats))).choose_embedding())
