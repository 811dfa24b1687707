"""Chat and generate: what they check before a turn begins, and the prompt that each makes of its fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.demo.answers.prompts import Prompt, templated
from ollama_magic.demo.answers.vocabulary import messages_in
from ollama_magic.demo.endpoints.creating import check_template
from ollama_magic.demo.endpoints.finding import found, full
from ollama_magic.demo.endpoints.old import not_found, read
from ollama_magic.demo.endpoints.turn import Turn
from ollama_magic.demo.wire.bodies import Body, Refusal, check_image
from ollama_magic.demo.wire.fields import CHAT, GENERATE
from ollama_magic.demo.wire.go import go_json

if TYPE_CHECKING:
    from ollama_magic.demo.answers.prompts import Message
    from ollama_magic.demo.faults import Fault
    from ollama_magic.demo.library.models import DemoModel
    from ollama_magic.demo.stage import Stage
    from ollama_magic.demo.wire.wire import Exchange

_NO_IMAGES = go_json(
    {
        "error": {
            "code": 400,
            "message": "Multimodal data provided, but model does not support multimodal requests.",
            "type": "invalid_request_error",
        }
    }
)


def chat(stage: Stage, exchange: Exchange, fault: Fault | None) -> None:
    """Answer a conversation; without messages the model is loaded or unloaded (dossier §6.5)."""
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


def _refusal_of_images(stage: Stage, images: bool, model: DemoModel) -> str | None:
    """Before v0.30 a model that cannot see left them out without a word (dossier §11)."""
    return _NO_IMAGES if images and "vision" not in model.capabilities and stage.age.has("native") else None


def generate(stage: Stage, exchange: Exchange, fault: Fault | None) -> None:
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


def _prompt(stage: Stage, body: Body) -> Prompt:
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
