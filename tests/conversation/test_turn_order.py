"""The order of the cells: what it does to the order of the turns, and to the turns of cells that went."""

import pytest

from ollama_magic.conversation.cell_order import CellOrder
from ollama_magic.conversation.cell_run import CellRun, Origin
from ollama_magic.conversation.changes import Ordered, Undone
from ollama_magic.conversation.fold import Fold
from ollama_magic.conversation.journal import Journal
from tests.turns import a_turn


class Notebook:
    """Cells that chat, and a page that tells their order."""

    def __init__(self, entries=()):
        self.journal = Journal()
        self.journal.adopt(entries)
        self.order = CellOrder(self.journal)

    def chat(self, cell, *prompts):
        run = CellRun(self.journal, Origin(cell, "1"))
        run.first_turn()
        for prompt in prompts or (cell,):
            self.journal.add([a_turn(prompt, "answer", model="m", cell=cell)], run.step)
        return self

    def told(self, cells, page="p"):
        self.order.set_page(page, tuple(cells))
        return self

    @property
    def prompts(self):
        prompts = [turn.prompt for turn in self.journal.turns("main")]
        assert [turn.prompt for turn in Fold(self.journal.entries).standing("main")] == prompts
        return prompts

    def above(self, cell):
        with self.journal.transaction() as fold:
            return "".join(turn.prompt for turn in fold.above("main", cell))


@pytest.mark.parametrize("order", ["abc", "cab", "cba", "xcybza"])
def test_turns_stand_as_their_cells(order):
    """Turns stand in the order of their cells, whatever other cells there are."""
    notebook = Notebook().chat("a").chat("b").chat("c").told(order)
    assert notebook.prompts == [cell for cell in order if cell in "abc"]
    assert notebook.above("a") == "".join(notebook.prompts).partition("a")[0] + "a"


def test_a_new_cell_is_sent_what_stands_above():
    """A cell that never chatted is sent what stands above it, and then stands there itself."""
    notebook = Notebook().chat("a").chat("b").told("anb")
    assert notebook.above("n") == "a"
    assert notebook.chat("n").prompts == ["a", "n", "b"]
    assert notebook.above("b") == "anb"


def test_without_an_order_cells_stand_as_they_first_ran():
    """Where no page tells the order, and for cells that it does not know, the first run counts."""
    notebook = Notebook().chat("b").chat("a").chat("b")
    assert notebook.prompts == ["b", "a"]
    assert notebook.above("n") == "ba"
    assert notebook.told("xy").prompts == ["b", "a"]
    assert notebook.chat("c").told("ca").prompts == ["b", "c", "a"]


def test_turns_without_a_cell_follow_the_one_before():
    """A turn without a cell stands behind the turn that preceded it when it was made, and goes where that goes."""
    notebook = Notebook().chat("a").chat("b").told("ab").chat(None, "p").chat(None, "q").chat("c").told("acb")
    assert notebook.prompts == ["a", "c", "b", "p", "q"]
    assert notebook.told("bac").prompts == ["b", "p", "q", "a", "c"]
    assert notebook.above("b") == "b"
    assert notebook.above("a") == "bpqa"
    assert notebook.above(None) == "bpqac"
    assert notebook.chat("b").prompts == ["b", "p", "q", "a", "c"]


def test_turns_without_a_cell_from_before_the_order():
    """That holds also for turns that were made before any order was told."""
    notebook = Notebook().chat("a").chat("b").chat("a").chat(None, "p").told("ba")
    assert notebook.prompts == ["b", "p", "a"]
    assert Notebook().chat(None, "p").chat("a").chat("b").told("ba").prompts == ["p", "b", "a"]


def test_deleted_cells_go_and_come_back():
    """The turns of a cell that is gone are set aside, and count again when it is there again; neither is a step."""
    notebook = Notebook().chat("a").chat("b").told("ab")
    with notebook.journal.transaction() as fold:
        step = fold.undoable
    assert notebook.told("b").prompts == ["b"]
    assert notebook.told("b").prompts == ["b"]
    assert notebook.told("ba").prompts == ["b", "a"]
    with notebook.journal.transaction() as fold:
        assert fold.undoable == step
    assert notebook.told("").prompts == []
    assert notebook.told("ab").prompts == ["a", "b"]


def test_undo_leaves_the_order_alone():
    """Undo takes turns back and leaves the notebook's order as it is, cells that have not chatted yet included."""
    notebook = Notebook().chat("a").chat("b").told("bna")
    notebook.journal.append("", Undone(2), 0)
    assert notebook.prompts == ["a"]
    assert notebook.above("n") == ""
    assert notebook.chat("b").above("n") == "b"


def test_the_next_kernel_goes_on_in_that_order():
    """The order is kept: a new kernel has it before a page tells anything, and sees which cells went meanwhile."""
    notebook = Notebook().chat("a").chat("b").told("bxa")
    entries = notebook.journal.entries
    assert Notebook(entries).prompts == ["b", "a"]
    assert Notebook(entries).chat("c").prompts == ["b", "a", "c"]
    assert Notebook(entries).told("xa").prompts == ["a"]
    assert Notebook(entries).told("xyz").prompts == ["b", "a"]


def test_what_is_kept_of_it_is_little():
    """The journal grows by an order only when cells that chat change places."""
    notebook = Notebook().chat("a").told("ab").told("axb").told("xayb").told("xayb")
    assert [entry.change for entry in notebook.journal.entries if isinstance(entry.change, Ordered)] == [
        Ordered(("a",))
    ]
    notebook.chat("b").told("ba")
    assert sum(isinstance(entry.change, Ordered) for entry in notebook.journal.entries) == 3  # at its turn, and then


def test_pages_of_one_kernel():
    """A page loaded anew takes the place of the old one; another notebook of this kernel stands behind it."""
    notebook = Notebook().chat("a").chat("b").chat("z").told("ab", "one").told("yz", "two")
    assert notebook.told("ba", "three").prompts == ["b", "a", "z"]
    assert notebook.told("zy", "two").prompts == ["b", "a", "z"]
    assert notebook.told("a", "three").prompts == ["a", "z"]
    assert notebook.order.living == {"a", "z", "y"}


def test_many_pages_are_forgotten():
    """Of very many pages the newest are remembered."""
    notebook = Notebook()
    for page in range(100):
        notebook.told([f"cell {page}"], str(page))
    assert len(notebook.order.cells) == 20


def test_the_order_of_runs():
    """Where the order of runs is wanted a page is heard, but not followed, until it is wanted again."""
    notebook = Notebook().chat("a").chat("b").told("ba")
    notebook.order.follow(False)
    assert notebook.prompts == ["a", "b"]
    assert notebook.told("b").prompts == ["a", "b"]
    assert not notebook.order.living
    assert notebook.chat("n").above("b") == "ab"
    notebook.order.follow(True)
    assert notebook.told("nba").prompts == ["n", "b", "a"]
    silent = Notebook(notebook.journal.entries)
    silent.order.follow(False)
    assert silent.prompts == ["a", "b", "n"]
