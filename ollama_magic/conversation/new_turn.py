"""Makes the running turn of a plan: its empty reply with the notes before the answer, and its record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.conversation.group_record import record_for
from ollama_magic.conversation.reply import CHAT, GENERATE, Reply
from ollama_magic.conversation.running_turn import RunningTurn
from ollama_magic.conversation.window_before import note_before
from ollama_magic.errors import InputError
from ollama_magic.turns.turn_value import RequestSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.conversation.cell_run import CellRun
    from ollama_magic.conversation.conversation import Conversation
    from ollama_magic.conversation.interfaces import View
    from ollama_magic.conversation.main_thread import MainThread
    from ollama_magic.conversation.request import Plan
    from ollama_magic.conversation.sent_requests import SentRequests
    from ollama_magic.conversation.server import Server
    from ollama_magic.conversation.turn_group import Beside


def new_turn(
    plan: Plan,
    asked: Conversation,
    server: Server,
    view: View,
    run: CellRun,
    sent: SentRequests,
    main: MainThread,
    mask: Callable[[str], str],
    beside: Beside | None,
    *,
    waited_for: bool,
) -> RunningTurn:
    """Return a turn that is about to run.

    Args:
        plan: What is asked.
        asked: The conversation that it is asked in.
        server: Who is asked.
        view: What shows the answer.
        run: The execution of the cell that asks.
        sent: Where its request is remembered.
        main: Where its tools are run.
        mask: Hides keys in their results.
        beside: Its place among turns of other models to the same prompt.
        waited_for: Whether a thread waits for it that can be asked for a confirmation.

    Raises:
        InputError: A tool asks in the conversation that waits for it.
    """
    _check_for_circle(main.current_owners, asked, plan)
    reply = _new_reply(plan, asked, server)
    reply.status.before = note_before(plan, asked, server, run.origin.cell)
    record = record_for(plan, asked, run, reply, sent, beside)
    group = beside.group if beside is not None else None
    if group is not None:
        group.replies.append(reply)
    return RunningTurn(plan, asked, server, view, reply, record, main, mask, waited_for, group)


def _check_for_circle(owners: tuple[object, ...], asked: Conversation, plan: Plan) -> None:
    """Refuse a turn that would wait for a turn whose tool waits for it."""
    waiting = (owner.conversation for owner in owners if isinstance(owner, RunningTurn))
    if not plan.once and any(conversation is asked for conversation in waiting):
        raise InputError(
            "This tool cannot ask in the conversation that waits for it; ask in another one with `-c NAME`, or with "
            "`--once`."
        )


def _new_reply(plan: Plan, conversation: Conversation, server: Server) -> Reply:
    return Reply(
        prompt=plan.prompt,
        settings=RequestSettings(model=plan.model or ""),
        conversation=None if plan.once else conversation.name,
        kind=GENERATE if plan.single else CHAT,
        form=plan.form,
        format=plan.answer_format,
        host=server.client.address,
        attachments=plan.attachments,
        tools=plan.tools,
    )
