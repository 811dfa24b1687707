"""Chat and generate: what they check before a turn begins, and the prompt that each makes of its fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.demo.transport.go_format import go_json
from tests.double.answers.prompts import Prompt, templated
from tests.double.answers.rendered import messages_in
from tests.double.endpoints.answered_request import Turn
from tests.double.endpoints.create import check_template
from tests.double.endpoints.model_lookup import found, full
from tests.double.endpoints.old_versions import not_found, read
from tests.double.wire.go_bodies import Body, Refusal, check_image
from tests.double.wire.go_fields import CHAT, GENERATE

if TYPE_CHECKING:
    from tests.double.answers.prompts import Message
    from tests.double.faults import Fault
    from tests.double.library.scripted_models import DemoModel
    from tests.double.scripted_state import ScriptedState
    from tests.double.wire.http import Exchange

_NO_IMAGES = go_json(
    {
        "error": {
            "code": 400,
            "message": "Multimodal data provided, but model does not support multimodal requests.",
            "type": "invalid_request_error",
        }
    }
)


def chat(stage: ScriptedState, exchange: Exchange, fault: Fault | None) -> None:
    """Answer a conversation; without messages the model is loaded or unloaded (protocol.md §6.5)."""
    body = read(stage, exchange, CHAT)
    name = str(body.get("model", ""))
    if not name.strip():
        raise Refusal(400, "model is required")
    model = found(stage, name, not_found(stage.age, "chat_not_found"), exchange.path)
    if body.get("tools") and "tools" not in model.capabilities:
        raise Refusal(400, f"{full(name)} does not support tools")
    messages = body.get("messages")
    items = messages if isinstance(messages, list) else []
    images = any(item.get("images") for item in items)
    given = [_message(item) for item in items]
    Turn(stage, exchange, fault, body, model, "chat", Prompt(given), _refusal_of_images(stage, images, model)).run()


def _message(item: Body) -> Message:
    return (str(item.get("role", "")), str(item.get("content", "")))


def _refusal_of_images(stage: ScriptedState, images: bool, model: DemoModel) -> str | None:
    """Before v0.30 a model that cannot see left them out without a word (protocol.md §11)."""
    return _NO_IMAGES if images and "vision" not in model.capabilities and stage.age.has("native") else None


def generate(stage: ScriptedState, exchange: Exchange, fault: Fault | None) -> None:
    """Answer one prompt without history; an empty one loads or unloads."""
    body = read(stage, exchange, GENERATE)
    name = str(body.get("model", ""))
    if not name.strip():
        raise Refusal(404, "model '' not found")
    model = found(stage, name, not_found(stage.age, "generate_not_found"), exchange.path)
    if body.get("raw") and any(body.get(key) for key in ("template", "system", "context")):
        raise Refusal(400, "raw mode does not support template, system, or context")
    if body.get("suffix") and "insert" not in model.capabilities:
        raise Refusal(400, f"{full(name)} does not support insert")
    images = body.get("images")
    for image in images if isinstance(images, list) else ():
        check_image(image)
    prompt = _prompt(stage, body)
    refusal = _refusal_of_images(stage, bool(images), model)
    Turn(stage, exchange, fault, body, model, "generate", prompt, refusal).run()


def _prompt(stage: ScriptedState, body: Body) -> Prompt:
    """As raw text, by the request's own template, around a suffix, or behind the context of earlier answers."""
    asked, system, suffix = (str(body.get(key, "")) for key in ("prompt", "system", "suffix"))
    if not asked:
        return Prompt()
    if body.get("raw"):
        return Prompt(messages_in(asked), asked, stored=False)
    if suffix:
        text = f"<|fim_prefix|>{asked}<|fim_suffix|>{suffix}<|fim_middle|>"
        return Prompt([("user", asked)], text, stored=False, suffix=suffix)
    context = body.get("context")
    earlier = messages_in(stage.vocabulary.decode(context)) if isinstance(context, list) else []
    given = [*earlier, *([("system", system)] if system else []), ("user", asked)]
    template = body.get("template")
    if template:
        check_template(str(template))
        return Prompt(given, templated(str(template), asked, system), stored=not earlier)
    return Prompt(given, stored=not earlier)
