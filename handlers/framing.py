"""What a manager asks, without the frame around it: 「客户问大额存单多少起存，怎么说」 asks 「大额存单多少起存」.

Pure. The library holds customers' questions; the frame only tells that somebody else asked.
"""

import re

_HEAD = re.compile(
    r"^(?:请问|帮我|麻烦|想问一下|问一下)*(?:有|如果|要是|假如)?(?:个|位|些)?(?:老)?客户(?:们)?"
    r"(?:刚才|刚刚|总是|老是|经常|一直)?(?:来)?(?:问到|问起|问我|问说|问|说到|说是|说|觉得|想知道|想了解|咨询)"
    r"(?:了|起)?(?:一下|我)?[，,：:]?"
)
_TAIL = re.compile(
    r"[，,。；;]?(?:我|咱们|我们)?(?:该|应该|要|可以)?(?:怎么|如何|咋|怎样)(?:跟|和|给|对|向)?(?:他|她|客户|人家)?"
    r"(?:说|讲|回|回答|回复|答|答复|解释|应对|处理好)(?:比较好|合适|好|呢|啊)?[？?。！!]*$"
)
_MIN_LENGTH = 3


def strip_frame(text: str) -> str:
    """Return the inner question; the text itself when there is no frame, or too little would be left."""
    inner = _TAIL.sub("", _HEAD.sub("", text.strip())).strip("，,。：:；; 「」“”\"'")
    return inner if len(inner) >= _MIN_LENGTH else text
