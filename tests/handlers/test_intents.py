"""What somebody wants. The bench measures how often; here are the cases that must never fail."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from handlers.intent_labels import ANYONE, CUSTOMERS, MANAGERS, Intent, Role
from handlers.intents import classify, load_examples
from handlers.slots import SlotType, find_slots, first_slot

DEV = Path(__file__).parents[3] / "shared" / "data" / "intents" / "dev.jsonl"

URGENT = [
    ("卡掉地铁上了咋办", Intent.LOST_CARD),
    ("我钱包被人偷了，卡都在里面", Intent.LOST_CARD),
    ("快帮我把卡冻结", Intent.LOST_CARD),
    ("u盾找不着了", Intent.LOST_CARD),
    ("刚收到短信说消费了2000，不是我刷的", Intent.FRAUD_REPORT),
    ("有个自称客服的让我共享屏幕", Intent.FRAUD_REPORT),
    ("卡里的钱被人转走了", Intent.FRAUD_REPORT),
    ("我妈被骗转了五万", Intent.FRAUD_REPORT),
    ("你们服务太垃圾了", Intent.COMPLAINT),
    ("再不给我解决就找12378", Intent.COMPLAINT),
    ("凭什么多扣我钱", Intent.COMPLAINT),
    ("转人工", Intent.HUMAN_AGENT),
    ("别让机器人回我，找个活人", Intent.HUMAN_AGENT),
    ("让我的客户经理给我回个电话", Intent.HUMAN_AGENT),
    ("TD", Intent.UNSUBSCRIBE),
    ("以后别给我推送产品了", Intent.UNSUBSCRIBE),
    ("不想再收到这些消息", Intent.UNSUBSCRIBE),
    ("我账户还剩多少钱", Intent.BALANCE_QUERY),
    ("工资到账了没有", Intent.BALANCE_QUERY),
    ("帮我转三千给我老公", Intent.TRANSFER_REQUEST),
    ("你直接帮我把基金卖掉", Intent.TRANSFER_REQUEST),
    ("验证码是123456，你帮我提交", Intent.TRANSFER_REQUEST),
]


@pytest.mark.parametrize(("text", "intent"), URGENT)
def test_urgent_words_of_a_customer_are_recognised_for_sure(text: str, intent: Intent) -> None:
    match = classify(text, "customer")
    assert match.intent is intent
    assert match.confidence > 0.9


@pytest.mark.parametrize(
    "text",
    [
        "大额存单利率是多少",
        "信用卡年费怎么免",
        "怎么开通手机银行",
        "国外刷卡安全吗",
        "强制储蓄",
        "不用的卡想销掉",
        "密码挂失怎么办理",
        "公司让我用个人卡收货款可以吗",
        "工资到账时间一般是几点",
    ],
)
def test_ordinary_questions_are_no_alarm(text: str) -> None:
    assert not classify(text, "customer").decisive


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("明天上午十点给我的客户群发大额存单话术", Intent.SCHEDULE_BROADCAST),
        ("帮我看看这段话能不能发：保本保息", Intent.COMPLIANCE_CHECK),
        ("今日待办", Intent.TODAYS_TASKS),
        ("王芳的资料", Intent.CUSTOMER_PROFILE),
        ("客户嫌利息低怎么说", Intent.ASK_SCRIPT),
        ("大额存单三年利率多少", Intent.QUERY_PRODUCT_RATE),
        ("在吗", Intent.GREETING),
        ("好的", Intent.AFFIRM),
        ("算了", Intent.DENY),
    ],
)
def test_what_managers_say_every_day(text: str, intent: Intent) -> None:
    assert classify(text, "rm").intent is intent


def test_the_speaker_decides_between_equal_words() -> None:
    assert classify("查一下余额", "customer").intent is Intent.BALANCE_QUERY
    assert classify("查一下余额", "rm").intent in MANAGERS | ANYONE


def test_nothing_said_means_nothing() -> None:
    assert classify("……", "customer").confidence == 0


def test_every_intent_has_a_speaker_and_examples() -> None:
    taught = {example.intent for example in load_examples().examples}
    assert taught == set(Intent)
    assert set(Intent) == MANAGERS | CUSTOMERS | ANYONE


@pytest.mark.parametrize(
    ("text", "slot", "words"),
    [
        ("王芳的资料", SlotType.CUSTOMER, "王芳"),
        ("把刘阿姨转给李娜", SlotType.STAFF, "李娜"),
        ("稳盈90天利率多少", SlotType.PRODUCT, "稳盈90天"),
        ("给尾号6678的卡打两千", SlotType.CARD, "6678"),
        ("有20万想存", SlotType.AMOUNT, "20万"),
        ("城东支行几点开门", SlotType.BRANCH, "城东支行"),
    ],
)
def test_slots_are_found(text: str, slot: SlotType, words: str) -> None:
    assert first_slot(find_slots(text), slot) == words


@pytest.mark.skipif(not DEV.exists(), reason="the development data lie beside the repository only at the project's own")
def test_urgent_recall_on_the_development_data() -> None:
    hits: dict[str, list[bool]] = defaultdict(list)
    for line in DEV.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        role: Role = row["role"]
        if role == "customer":
            hits[row["intent"]].append(classify(row["text"], role).intent == row["intent"])
    for intent in ("lost_card", "fraud_report", "complaint", "human_agent", "unsubscribe", "balance_query"):
        assert all(hits[intent]), intent
    assert all(hits["transfer_request"])
