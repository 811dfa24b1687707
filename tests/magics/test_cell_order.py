"""The line to the page: what a page says is checked, followed, and answered with what it has missed."""

from types import SimpleNamespace

import pytest

from ollama_magic.conversation.reply import Reply
from ollama_magic.display.slot import settled_of
from ollama_magic.magics.page_comm import TARGET, cells_in_order
from tests.double import ScriptedServer
from tests.magics.test_cells import notebook as _notebook

notebook = _notebook  # a shell that is told which cell runs


class Page:
    """A page with its comm, and the kernel's end of it."""

    def __init__(self, notebook):
        self.notebook, self.targets, self.published, self.got = notebook, {}, [], []
        shell = notebook.shell
        shell.kernel = SimpleNamespace(
            comm_manager=SimpleNamespace(register_target=self.targets.__setitem__),
        )
        shell.display_pub.publish = lambda *data, **more: self.published.append((*data, more))
        self.events = shell.magics_manager.registry["OllamaMagic"].cell_events
        self.events._page_line.register()

    def open(self, data):
        comm = SimpleNamespace(comm_id="page", on_msg=self._hear, send=self.got.append)
        self.targets[TARGET](comm, {"content": {"data": data}})

    def tell(self, data):
        self.told({"content": {"data": data}})

    def _hear(self, callback):
        self.told = callback


@pytest.fixture
def page(notebook):
    page = Page(notebook)
    yield page
    del notebook.shell.kernel, notebook.shell.display_pub.publish


def test_listening_is_announced(page):
    """The kernel opens nothing: it updates a display that nobody has, with no data."""
    assert page.published == [({}, {}, {"transient": {"display_id": "ollama_magic.cells"}, "update": True})]
    assert list(page.targets) == ["ollama_magic.cells"]


def test_a_turn_is_sent_what_stands_above_it(notebook, page):
    """The order that a page tells is followed from then on, and that of the runs if it is so set."""
    page.open({"order": ["a", "b"]})
    notebook.chat("a", "one")
    notebook.chat("b", "two")
    page.tell({"order": ["a", "n", "b"]})
    notebook.chat("n", "between")
    assert notebook.sent() == ["one", "between"]
    notebook.shell.run_line_magic("config", "OllamaMagic.order = 'run'")
    notebook.chat("n", "between")
    assert notebook.sent() == ["one", "two", "between"]
    notebook.shell.run_line_magic("config", "OllamaMagic.order = 'notebook'")
    notebook.chat("b", "two")
    assert notebook.sent() == ["one", "between", "two"]


def test_a_pasted_cell_is_not_deleted(notebook, page):
    """A cell that a page shows lives, though the front end may call it deleted (design.md §4)."""
    page.open({"order": ["a", "b"]})
    notebook.chat("a", "one")
    notebook.chat("b", "two", deleted=["a"])
    assert notebook.sent() == ["one", "two"]


@pytest.mark.parametrize(
    "order", [None, "abc", {"a": 1}, ["a", 1], ["a", ""], ["a", "b" * 1000], ["a"] * 30_000, [["a"]]], ids=repr
)
def test_what_is_no_order_is_not_followed(notebook, page, order):
    """Wrong types and sizes change nothing and raise nothing."""
    page.open({"order": ["b", "a"]})
    notebook.chat("a", "one")
    notebook.chat("b", "two")
    page.tell({"order": order})
    page.tell(order)
    page.told({"content": order})
    page.told(order)
    assert cells_in_order(order) is None
    assert notebook.prompts() == ["two", "one"]


def test_unloaded_it_is_deaf(notebook, page):
    """Once unloaded, what a page says is heard by nobody, and does no harm."""
    page.open({"order": ["a", "b"]})
    notebook.chat("a", "one")
    notebook.shell.run_line_magic("unload_ext", "ollama_magic")
    page.tell({"order": []})
    page.open({"order": [], "unsettled": [{"slot": "a/1", "conversation": "main"}]})
    assert notebook.prompts() == ["one"]
    assert page.got == []


def test_what_was_missed_is_told(notebook, page):
    """A page that asks for the end of an answer gets its bundle, from memory or from what is kept; else nothing."""
    notebook.chat("a", "one")
    notebook.run("b", "%chat two\n%chat three")
    settled_of(notebook.shell).clear()
    settled_of(notebook.shell)["c/1"] = {"text/plain": "known"}, {"model": "m", "state": "complete"}
    main = {"conversation": "main", "prompt": None}
    asked = [
        {"slot": "a/1", **main},
        {"slot": "b/2", "conversation": "main", "prompt": "three"},
        {"slot": "c/1", "conversation": None, "prompt": None},
    ]
    page.open({"order": ["a", "b"], "unsettled": asked})
    one, three, known = page.got[0]["settled"]
    assert one["label"] == {"slot": "a/1", "model": "demo:latest", "state": "complete"}
    assert "to one" in one["bundle"]["text/plain"]
    assert "to one" in one["bundle"]["text/html"]
    assert "to three" in three["bundle"]["text/plain"]
    assert known == {"bundle": {"text/plain": "known"}, "label": {"slot": "c/1", "model": "m", "state": "complete"}}

    page.got.clear()
    notebook.shell.run_line_magic("config", "OllamaMagic.footer = 'none'")
    page.open({"order": ["a", "b"], "unsettled": asked[:1]})
    assert "demo:latest" in one["bundle"]["text/html"]
    assert "demo:latest" not in page.got[0]["settled"][0]["bundle"]["text/html"]

    page.got.clear()
    unknown = [{"slot": "a/2", **main}, {"slot": "x/1", **main}, {"slot": "a/1", "conversation": None}, {"slot": "a"}]
    wrong = [{"slot": 7}, "a/1", None, {}, {"slot": "a/¹", **main}, {"slot": "a/-1", **main}, {"slot": "/1", **main}]
    for asked in (unknown, wrong, "a/1", {"slot": "a/1"}, 7):
        page.open({"order": ["a", "b"], "unsettled": asked})
    assert page.got == []


def test_the_newest_bundles_are_remembered(notebook, page):
    """What is remembered for pages is bounded, and a slot that opens anew is forgotten."""
    from ollama_magic.display.slot import SETTLED_TURNS, Slot

    for number in range(SETTLED_TURNS + 30):
        slot = Slot({"slot": f"s/{number}"})
        slot.opened = True
        slot.settle({"text/plain": "x"}, Reply(state="complete"))
    assert len(settled_of(notebook.shell)) == SETTLED_TURNS
    assert f"s/{number}" in settled_of(notebook.shell)
    slot.open({"text/plain": "…"}, Reply())
    assert f"s/{number}" not in settled_of(notebook.shell)


def test_a_page_chooses_a_column(notebook, page):
    """The button under an answer beside the remembered one chooses it; what names none changes nothing."""
    with ScriptedServer(pace=0, answers=lambda _: ["From afar."]) as other:
        notebook.chat("a", "one", options=f"-m demo --host {notebook.server.url} --host {other.url}")
    page.open({"order": ["a"]})
    label = {"slot": "a/1", "conversation": "main", "prompt": None}
    for wrong in ({**label, "slot": "b/1", "column": 2}, {**label, "slot": 7}, 7, {**label, "conversation": None}):
        page.tell({"keep": wrong})
    assert page.got == []
    page.tell({"keep": {**label, "column": 2}})
    (kept,) = [one["kept"] for one in page.got]
    assert (kept["label"]["slot"], kept["label"]["column"]) == ("a/1", 2)
    assert [one["state"] for one in kept["label"]["columns"]] == ["complete", "complete"]
    assert "From afar." in kept["bundle"]["text/plain"]
    assert [turn.text for turn in notebook.session.conversation().turns] == ["From afar."]
    page.tell({"keep": {**label, "column": 9}})  # there is none: the remembered one stays
    assert [turn.text for turn in notebook.session.conversation().turns] == ["From afar."]
    notebook.chat("b", "two")
    notebook.shell.run_line_magic("ollama", "forget 1")
    page.got.clear()
    page.tell({"keep": {**label, "column": 1}})  # it is not remembered any more
    assert (len(notebook.session.conversation().turns), page.got) == (1, [])
