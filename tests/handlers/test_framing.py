"""The inner question is found, and what has no frame stays as it is."""

import pytest

from handlers.framing import strip_frame


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("客户问大额存单多少起存，怎么说", "大额存单多少起存"),
        ("客户说收益太低，怎么回", "收益太低"),
        ("有客户问我零存整取怎么存，该怎么回答？", "零存整取怎么存"),
        ("客户咨询提前还款要不要违约金", "提前还款要不要违约金"),
        ("如果客户问到理财亏了怎么办，我应该怎么跟客户说比较好", "理财亏了怎么办"),
        ("大额存单起存多少", "大额存单起存多少"),
        ("客户经理怎么预约", "客户经理怎么预约"),
        ("客户问，怎么说", "客户问，怎么说"),
        ("你好", "你好"),
    ],
)
def test_the_frame_is_taken_off(said: str, asked: str) -> None:
    assert strip_frame(said) == asked
