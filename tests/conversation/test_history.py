"""The messages of a conversation that are kept between its requests."""

import gc

import pytest

from ollama_magic.conversation.conversation import Conversation
from ollama_magic.conversation.journal import Journal
from ollama_magic.ollama.message_list import MessageList
from ollama_magic.turns.attachment import Attachment
from ollama_magic.turns.turn_messages import messages_of
from tests.turns import a_turn

PICTURE = Attachment.of("fig.png", "image", "image/png", b"\x89PNG")


@pytest.fixture
def conversation():
    """A conversation with three turns."""
    made = Conversation("main", Journal())
    made.add([a_turn("one", "1"), a_turn("look", "a logo", attachments=(PICTURE,)), a_turn("three", "3")])
    return made


def same(conversation, system="", lacking=frozenset()):
    """Whether what is kept is what is made anew."""
    found = conversation.messages(conversation.turns, system, lacking)
    anew = MessageList(messages_of(conversation.turns, system))
    return (found, found.digests, found.json()) == (anew, anew.digests, anew.json())


def test_what_is_kept_is_what_is_made_anew(conversation):
    """After each change: a new turn, one that is taken back, another system text, undo and redo."""
    assert same(conversation)
    conversation.add([a_turn("four", "4")])
    assert same(conversation)
    conversation.set_aside(conversation.turns[:1], "deleted")
    assert same(conversation)
    assert same(conversation, "Be brief.")
    conversation.journal.undo()
    assert same(conversation, "Be brief.")
    conversation.journal.redo()
    assert same(conversation)
    conversation.add([a_turn("five", "5")])
    assert same(conversation)


def test_a_model_that_does_not_see(conversation):
    """The picture is left out for it, and is there for the next model."""
    blind = conversation.messages(conversation.turns, "", frozenset({"vision"}))
    assert (blind.images, len(blind)) == ((), 6)
    assert same(conversation)
    assert conversation.messages(conversation.turns, "", frozenset({"audio"})).images == (PICTURE.data,)


def test_an_erased_text_is_not_kept(conversation):
    """What was erased from the journal is nowhere in the memory of the conversation."""
    conversation.add([a_turn("my secret word", "noted")])
    assert b"my secret word" in conversation.messages(conversation.turns, "").json()
    conversation.journal.erase([conversation.turns[-1].number])
    gc.collect()
    kept = [one for one in gc.get_objects() if type(one) is MessageList and "my secret word" in repr(tuple(one))]
    assert kept == []
    assert same(conversation)
