"""Which fields the body of each request has, and of what type; names of types as Go's decoder says them."""

from __future__ import annotations

Fields = dict[str, tuple[str, str]]  # field: its kind of JSON value ("" is any), its Go type
Kind = tuple[str, Fields]

_TEXT, _FLAG = ("string", "string"), ("bool", "bool")
_COMMON: Fields = {
    "model": _TEXT,
    "stream": _FLAG,
    "options": ("object", "map[string]interface {}"),
    "truncate": _FLAG,
    "shift": _FLAG,
    "_debug_render_only": _FLAG,
    "logprobs": _FLAG,
    "top_logprobs": ("number", "int"),
    "format": ("", ""),
    "keep_alive": ("", ""),
    "think": ("", ""),
}
CHAT: Kind = ("ChatRequest", {**_COMMON, "messages": ("array", "[]api.Message"), "tools": ("array", "api.Tools")})
GENERATE: Kind = (
    "GenerateRequest",
    {
        **_COMMON,
        **dict.fromkeys(("prompt", "suffix", "system", "template"), _TEXT),
        "raw": _FLAG,
        "images": ("array", "[]api.ImageData"),
        "context": ("array", "[]int"),
    },
)
SHOW: Kind = (
    "ShowRequest",
    {**dict.fromkeys(("model", "name", "system", "template"), _TEXT), "verbose": _FLAG, "options": _COMMON["options"]},
)
MESSAGE: Fields = {
    **dict.fromkeys(("role", "content", "thinking", "tool_name", "tool_call_id"), _TEXT),
    "images": ("array", "[]api.ImageData"),
    "tool_calls": ("array", "[]api.ToolCall"),
}
_NAMED: Fields = {"model": _TEXT, "name": _TEXT, "stream": _FLAG, "insecure": _FLAG}
PULL: Kind = ("PullRequest", _NAMED)
PUSH: Kind = ("PushRequest", _NAMED)
COPY: Kind = ("CopyRequest", {"source": _TEXT, "destination": _TEXT})
DELETE: Kind = ("DeleteRequest", {"model": _TEXT, "name": _TEXT})
CREATE: Kind = (
    "CreateRequest",
    {
        **dict.fromkeys(("model", "name", "from", "template", "system", "quantize", "quantization"), _TEXT),
        **dict.fromkeys(("modelfile", "path"), _TEXT),
        **dict.fromkeys(("files", "adapters"), ("object", "map[string]string")),
        "stream": _FLAG,
        "license": ("", ""),
        "parameters": ("object", "map[string]interface {}"),
        "messages": ("array", "[]api.Message"),
    },
)
EMBED: Kind = (
    "EmbedRequest",
    {
        "model": _TEXT,
        "input": ("", ""),
        "truncate": _FLAG,
        "dimensions": ("number", "int"),
        "options": _COMMON["options"],
        "keep_alive": ("", ""),
    },
)
EMBEDDINGS: Kind = (
    "EmbeddingRequest",
    {"prompt": _TEXT, **{key: EMBED[1][key] for key in ("model", "options", "keep_alive")}},
)
_INTEGERS = ("top_k", "seed", "num_predict", "num_keep", "repeat_last_n", "num_ctx", "num_batch", "num_gpu", "main_gpu")
OPTIONS = {
    **dict.fromkeys((*_INTEGERS, "num_thread", "draft_num_predict"), "integer"),
    **dict.fromkeys(("temperature", "top_p", "min_p", "typical_p"), "float32"),
    **dict.fromkeys(("repeat_penalty", "presence_penalty", "frequency_penalty"), "float32"),
    "use_mmap": "boolean",
    "stop": "array",
}
