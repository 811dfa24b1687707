"""Words that choose one of the texts in `replies/`."""

from __future__ import annotations

import re

# The first that fits is taken: name of the text, English words, Chinese words.
_TOPICS = (
    (
        "story",
        r"\b(story|stories|tale|essay|novel|at length|in detail|long answer|very long)\b",
        "故事|长文|小说|详细|很长",
    ),
    ("table", r"\b(tables?|compare|comparison|versus|vs)\b", "表格|比较|对比|区别"),
    ("fibonacci", r"\bfibonacci\b", "斐波那契"),
    ("sky", r"\b(sky|rayleigh)\b", "天空|天为什么"),
    ("think", r"\b(think|thinking|reason|reasoning|puzzle|riddle|logic)\b", "思考|推理|谜题|谜语|鸡兔"),
    (
        "math",
        r"\b(maths?|mathematics|equations?|formulas?|integral|theorem|quadratic|latex)\b",
        "数学|方程|公式|积分|定理",
    ),
    ("emoji", r"\b(emojis?|smileys?|smile)\b", "表情|笑脸|emoji"),
    ("joke", r"\b(joke|funny|laugh)\b", "笑话|好笑"),
    ("poem", r"\b(poem|poetry|haiku|verse)\b", "诗"),
    (
        "code",
        r"\b(python|code|functions?|program|lambda|recursion|comprehensions?|decorators?|regex|sql|loops?)\b",
        "代码|函数|程序|脚本|编程|递归|正则|python",
    ),
    ("list", r"\b(lists?|steps?|plan|recipe|checklist|to-?do|outline)\b", "列表|步骤|计划|清单|食谱|提纲"),
    ("markdown", r"\b(markdown|what can you|help|features?|abilities)\b", "markdown|你能做|你会什么|帮助|功能"),
    (
        "models",
        r"\b(which|what|other|more|list) models\b|\b(pull|download)\b.{0,30}\bmodels?\b",
        "(哪些|什么|其他|别的|下载|拉取).{0,6}模型",
    ),
    (
        "who",
        r"\b(who are you|what are you|introduce yourself|your name|about yourself)\b",
        "你是谁|介绍.{0,4}自己|你叫什么|自我介绍",
    ),
    ("thanks", r"\b(thanks|thank you|bye|goodbye|see you)\b", "谢谢|多谢|再见"),
    ("hello", r"^\W*(hello|hi|hey|good (morning|afternoon|evening))\b.{0,30}$", "^(你好|您好|嗨|早上好|下午好|晚上好)"),
)


def topic_of(prompt: str, language: str) -> str | None:
    """The name of the text for a prompt, or None."""
    for topic, english, chinese in _TOPICS:
        if re.search(chinese if language == "zh" else english, prompt, re.IGNORECASE):
            return topic
    return None
