"""What the platform allows in each channel, as the page 渠道边界 and the hints beside other pages say it.

Source: ../shared/wecom/10-platform-boundaries.md, 10.1; docs/explanation/platform.md says the same to architects.
"""

from dataclasses import dataclass
from typing import Final

from console.i18n import N_
from console.words import Tone


@dataclass(frozen=True, slots=True)
class Ability:
    """Yes, no or under a condition, in words; the tone only repeats it."""

    text: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Channel:
    """One way people talk, what the assistant may read and answer there, how fast, and what we do instead."""

    key: str
    name: str
    can_read: Ability
    can_answer: Ability
    speed: str
    our_way: str


_AT_ONCE = N_("即时")
_DELAYED = N_("15 秒到几分钟")
CHANNELS: Final = (
    Channel(
        "app",
        N_("客户经理 → 助手（应用消息）"),
        Ability(N_("能读"), "good"),
        Ability(N_("能自动回复"), "good"),
        _AT_ONCE,
        N_("直接提问：话术、利率、客户、待办、草稿检查都在这里。每人每分钟最多收 30 条，助手会自己放慢。"),
    ),
    Channel(
        "aibot",
        N_("智能机器人（单聊，或内部群里 @ 它）"),
        Ability(N_("只读发给它的话"), "good"),
        Ability(N_("能自动回复"), "good"),
        _AT_ONCE,
        N_("边查边答，六分钟内答完；超时的改用一次性的补充回复，一小时内有效。"),
    ),
    Channel(
        "kf",
        N_("客户 → 微信客服"),
        Ability(N_("能读"), "good"),
        Ability(N_("客户每次来话后 48 小时内最多 5 条"), "warn"),
        _AT_ONCE,
        N_("用审批过的话术自动回答；额度快用完或答不了时转人工，人工接待期间助手不插话。"),
    ),
    Channel(
        "single",
        N_("客户经理 ↔ 客户（单聊）"),
        Ability(N_("只能事后从会话存档读，且客户要先同意"), "warn"),
        Ability(N_("不能自动回复"), "bad"),
        _DELAYED,
        N_("助手把建议回复推给客户经理，由本人在侧边栏点发送；加好友后 20 秒内可发一条欢迎语。"),
    ),
    Channel(
        "group",
        N_("客户群"),
        Ability(N_("只能事后从会话存档读；进群退群有通知"), "warn"),
        Ability(N_("不能自动回复，也不能替成员发言"), "bad"),
        _DELAYED,
        N_("群发要群主在企业微信里确认后才发出；群友的问题做成回复卡片给群主。机器人能不能进群，逐群试探。"),
    ),
    Channel(
        "internal",
        N_("内部群（应用建的群、群消息推送）"),
        Ability(N_("不能读"), "bad"),
        Ability(N_("只发不收，每分钟最多 20 条"), "warn"),
        _AT_ONCE,
        N_("晨报、提醒等单向通知。"),
    ),
)

# What a page says about its own channel, in one line; the link beside it leads to the whole table.
GROUP_HINT: Final = N_(
    "客户群：助手读不到实时消息，也不能在群里自动发言；群发要群主确认后才发出，每个客户每月有次数上限。"
)
BROADCAST_HINT: Final = N_(
    "企业微信规定：群发只是给成员的待办，本人确认前客户什么都收不到；每位客户每月能收的次数等于当月天数。"
)
REVIEW_HINT: Final = N_(
    "会话存档是事后的：消息发出后 15 秒到几分钟才到这里。要在发出前拦住，靠草稿检查和企业微信自带的敏感词。"
)
