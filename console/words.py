"""The words for states and kinds, with the tone they are shown in. A state is a word plus a colour, never a colour."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from console.i18n import N_
from console.rights import Role

Tone = Literal["", "good", "bad", "warn", "info"]


@dataclass(frozen=True, slots=True)
class Word:
    """A catalogue text and its tone."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class ErrorWords:
    """What an error page says: what happened, and what to do."""

    title: str
    text: str


ROLES: Mapping[str, str] = {Role.RM: N_("客户经理"), Role.OFFICER: N_("合规专员"), Role.ADMIN: N_("系统管理员")}
ROLE_PURPOSES: Mapping[str, str] = {
    Role.RM: N_("看今天的待办，回复客户，发群发"),
    Role.OFFICER: N_("复核命中的会话，给出结论"),
    Role.ADMIN: N_("看系统是否健康，出了问题怎么办"),
}

ERRORS: Mapping[int, ErrorWords] = {
    400: ErrorWords(N_("这个请求读不懂"), N_("地址或表单里有不对的内容。请回到上一页再试一次。")),
    401: ErrorWords(N_("请先登录"), N_("登录后即可继续。")),
    403: ErrorWords(
        N_("您没有这个权限"), N_("这一页或这个操作不在您的职责范围内。如果工作需要，请联系系统管理员开通。")
    ),
    404: ErrorWords(N_("没有找到"), N_("地址可能写错了，或者这条记录已不存在、不归您查看。")),
    405: ErrorWords(N_("不能这样打开"), N_("请从页面上的按钮进入。")),
    409: ErrorWords(N_("刚刚有人改过"), N_("在您操作之前，这条记录的状态已经变了。请刷新看最新的状态，再决定怎么做。")),
    500: ErrorWords(
        N_("系统出错了"), N_("问题已经记入日志，您的操作没有生效。请稍后再试；一直不行，请联系系统管理员。")
    ),
    502: ErrorWords(
        N_("企业微信没有答应"), N_("请求发到企业微信后被拒绝或没有回音。请稍后再试，或请系统管理员看运行状况页。")
    ),
}

OUTBOX_STATES: Mapping[str, Word] = {
    "queued": Word(N_("排队中"), "info"),
    "sending": Word(N_("发送中"), "info"),
    "sent": Word(N_("已送达企业微信"), "good"),
    "uncertain": Word(N_("结果不明，正在核对"), "warn"),
    "failed": Word(N_("发送失败"), "bad"),
    "blocked": Word(N_("已拦截，没有发出"), "bad"),
}
INBOX_STATES: Mapping[str, Word] = {
    "received": Word(N_("已收到，等待处理"), "info"),
    "processing": Word(N_("处理中"), "info"),
    "done": Word(N_("已处理"), "good"),
    "failed": Word(N_("处理失败"), "bad"),
}
SEVERITIES: Mapping[str, Word] = {
    "critical": Word(N_("严重"), "bad"),
    "high": Word(N_("高"), "bad"),
    "medium": Word(N_("中"), "warn"),
    "low": Word(N_("低")),
    "none": Word(N_("无")),
}
ACTIONS: Mapping[str, Word] = {
    "block": Word(N_("拦截"), "bad"),
    "escalate": Word(N_("升级"), "bad"),
    "review": Word(N_("复核"), "warn"),
    "flag": Word(N_("提示"), "warn"),
    "mask": Word(N_("打码"), "warn"),
    "allow": Word(N_("放行"), "good"),
}
CATEGORIES: Mapping[str, str] = {
    "absolute_terms": N_("绝对化用语"),
    "aml_redflag": N_("洗钱可疑信号"),
    "competitor_disparage": N_("贬低同业"),
    "complaint_signal": N_("投诉苗头"),
    "improper_sales": N_("不当销售"),
    "insider_info": N_("内幕信息"),
    "insult": N_("辱骂攻击"),
    "loan_fraud": N_("贷款造假"),
    "privacy_leak": N_("泄露隐私"),
    "private_dealing": N_("私下交易、飞单"),
    "promise_return": N_("承诺保本或收益"),
    "urgent_signal": N_("紧急风险信号"),
    "pii_id_card": N_("身份证号"),
    "pii_mobile": N_("手机号"),
    "pii_bank_card": N_("银行卡号"),
    "pii_email": N_("邮箱地址"),
}
LEVELS: Mapping[str, Word] = {
    "ok": Word(N_("正常"), "good"),
    "warn": Word(N_("留意"), "warn"),
    "bad": Word(N_("需要处理"), "bad"),
}


def word(words: Mapping[str, Word], key: str) -> Word:
    """Return the word for a key; one we do not know is shown as it is, without a tone."""
    return words.get(str(key), Word(str(key)))


BROADCAST_STATES: Mapping[str, Word] = {
    "draft": Word(N_("草稿，等创建人确认")),
    "confirmed": Word(N_("已确认，等排期"), "info"),
    "scheduled": Word(N_("已排期"), "info"),
    "creating": Word(N_("正在生成群发任务"), "info"),
    "awaiting_members": Word(N_("等群主确认"), "warn"),
    "cancelling": Word(N_("正在撤回"), "warn"),
    "finished": Word(N_("已完成"), "good"),
    "cancelled": Word(N_("已取消")),
    "failed": Word(N_("失败"), "bad"),
}
TASK_STATES: Mapping[str, Word] = {
    "queued": Word(N_("排队中"), "info"),
    "uncertain": Word(N_("结果不明，正在核对"), "warn"),
    "awaiting_member": Word(N_("等群主确认"), "warn"),
    "confirmed": Word(N_("群主已确认，结果陆续返回"), "info"),
    "done": Word(N_("已完成"), "good"),
    "expired": Word(N_("超时未确认"), "bad"),
    "cancelled": Word(N_("已取消")),
    "failed": Word(N_("失败"), "bad"),
}
DELIVERY_STATES: Mapping[str, Word] = {
    "planned": Word(N_("待发送"), "info"),
    "excluded": Word(N_("不发送")),
    "sending": Word(N_("发送中"), "info"),
    "uncertain": Word(N_("结果不明，正在核对"), "warn"),
    "awaiting_member": Word(N_("等群主确认"), "warn"),
    "delivered": Word(N_("已送达"), "good"),
    "not_friend": Word(N_("已不是好友"), "bad"),
    "quota_used": Word(N_("对方今天已收到过群发"), "warn"),
    "unsent": Word(N_("没有发出"), "bad"),
    "cancelled": Word(N_("已取消")),
    "failed": Word(N_("失败"), "bad"),
}
PLAN_STATES: Mapping[str, Word] = {
    "draft": Word(N_("草稿")),
    "active": Word(N_("运行中"), "good"),
    "paused": Word(N_("已暂停"), "warn"),
    "ended": Word(N_("已结束")),
}
TODO_KINDS: Mapping[str, Word] = {
    "follow_up": Word(N_("跟进"), "info"),
    "copy_and_send": Word(N_("复制发送"), "info"),
    "confirm_broadcast": Word(N_("确认群发"), "warn"),
    "broadcast_problem": Word(N_("群发异常"), "bad"),
    "answer_customer": Word(N_("回复客户"), "warn"),
}
PROBE_STATES: Mapping[str, Word] = {
    "unknown": Word(N_("没有试过")),
    "waiting": Word(N_("等待群里 @ 机器人"), "info"),
    "admitted": Word(N_("可用"), "good"),
    "silent": Word(N_("没有反应，用回复卡片"), "warn"),
}
STEP_ACTIONS: Mapping[str, Word] = {
    "todo": Word(N_("给客户经理一条待办")),
    "group_broadcast": Word(N_("向客户群群发")),
}
CASE_STATES: Mapping[str, Word] = {
    "open": Word(N_("待复核"), "info"),
    "assigned": Word(N_("已分派"), "info"),
    "in_review": Word(N_("复核中"), "info"),
    "reopened": Word(N_("重新复核"), "info"),
    "dismissed": Word(N_("已排除"), "good"),
    "confirmed": Word(N_("已确认违规"), "bad"),
    "escalated": Word(N_("已上报"), "warn"),
    "closed": Word(N_("已结案")),
}
CHAT_KINDS: Mapping[str, str] = {
    "single": N_("单聊"),
    "group": N_("客户群"),
    "bot": N_("与助手对话"),
    "kf": N_("微信客服"),
    "aibot": N_("群机器人"),
}
DISMISS_REASONS: Mapping[str, str] = {
    "negation": N_("否定或禁止的说法"),
    "quotation": N_("引用他人原话"),
    "term": N_("业务术语"),
    "wrong_segmentation": N_("断词误伤"),
    "customer_question": N_("客户提问"),
    "test": N_("测试消息"),
    "other": N_("其他（请说明）"),
}
CONDUCTS: Mapping[str, str] = {
    "misselling": N_("销售误导"),
    "promise": N_("承诺收益"),
    "off_book": N_("飞单或私下交易"),
    "data_leak": N_("泄露客户信息"),
    "abuse": N_("不文明用语"),
    "market_abuse": N_("内幕信息或荐股"),
    "fraud": N_("违规贷款或欺诈"),
    "complaint": N_("投诉处理不当"),
    "other": N_("其他"),
}
FOLLOW_UPS: Mapping[str, str] = {
    "coach": N_("提醒辅导"),
    "warn": N_("书面警示"),
    "correct_with_customer": N_("向客户更正说明"),
    "suspend": N_("暂停权限"),
    "report": N_("上报处理"),
}
TARGETS: Mapping[str, str] = {
    "compliance_lead": N_("合规负责人"),
    "aml": N_("反洗钱岗"),
    "legal": N_("法务"),
    "security": N_("信息安全"),
}
VERDICTS: Mapping[str, Word] = {
    "dismissed": Word(N_("误报"), "good"),
    "confirmed": Word(N_("确认违规"), "bad"),
    "escalated": Word(N_("升级上报"), "warn"),
    "undone": Word(N_("撤销结论")),
    "closed": Word(N_("结案")),
    "reopened": Word(N_("重新复核"), "info"),
}
TECHNIQUES: Mapping[str, str] = {
    "plain": N_("原文命中"),
    "fullwidth": N_("全角变形"),
    "traditional": N_("繁体变形"),
    "zero-width": N_("夹了不可见字符"),
    "inserted": N_("夹了其他字符"),
    "emoji": N_("夹了表情"),
    "repeat": N_("叠字变形"),
    "format": N_("按格式识别"),
}
AUDIENCES: Mapping[str, str] = {
    "rm": N_("仅客户经理可见"),
    "customer": N_("可直接回答客户"),
    "both": N_("客户经理和客户"),
}
SCRIPT_STATES: Mapping[str, Word] = {
    "draft": Word(N_("草稿")),
    "approved": Word(N_("已审批"), "good"),
    "superseded": Word(N_("已被新版取代")),
    "withdrawn": Word(N_("已停用"), "bad"),
}
# An audit entry's action as a sentence; the actor stands before it and the subject behind it.
AUDIT_SENTENCES: Mapping[str, str] = {
    "console.login": N_("登录了管理台"),
    "console.logout": N_("退出了管理台"),
    "console.login_locked": N_("连续输错密码，账号被锁定"),
    "console.account_put": N_("建立或修改了账号"),
    "console.demo_sidebar_opened": N_("在演示中打开了侧边栏"),
    "lexicon.published": N_("发布了敏感词库"),
    "case.viewed": N_("查看了复核单"),
    "case.claimed": N_("认领了复核单"),
    "case.assigned": N_("分派了复核单"),
    "case.dismissed": N_("判为误报"),
    "case.confirmed": N_("确认了违规"),
    "case.escalated": N_("升级上报了复核单"),
    "case.undone": N_("撤销了复核结论"),
    "case.closed": N_("结了复核单"),
    "case.reopened": N_("重新打开了复核单"),
    "broadcast.confirm": N_("确认了群发"),
    "broadcast.cancel": N_("取消了群发"),
    "script.draft": N_("起草了话术"),
    "script.approve": N_("审批了话术"),
    "script.withdraw": N_("停用了话术"),
    "product.put": N_("更新了产品货架"),
    "outbox.quarantine_lifted": N_("恢复了对一位收件人的发送"),
    "alert.resolved": N_("关闭了一项告警"),
    "suggestion.send": N_("发送了建议回复"),
    "group.probed": N_("试探了一个客户群能否使用 AI 机器人"),
}
INTENTS: Mapping[str, str] = {
    "query_product_rate": N_("问产品利率"),
    "query_product_detail": N_("问产品详情"),
    "customer_profile": N_("看客户资料"),
    "customer_holdings": N_("看客户持仓"),
    "customer_list": N_("列客户名单"),
    "todays_tasks": N_("看今天的待办"),
    "add_tag": N_("加标签"),
    "remove_tag": N_("去标签"),
    "log_note": N_("记一笔沟通"),
    "log_opportunity": N_("记商机"),
    "set_reminder": N_("设提醒"),
    "cancel_reminder": N_("取消提醒"),
    "ask_script": N_("要话术"),
    "compliance_check": N_("检查能不能发"),
    "schedule_broadcast": N_("安排群发"),
    "cancel_broadcast": N_("取消群发"),
    "query_broadcast_result": N_("看群发结果"),
    "query_performance": N_("看业绩"),
    "transfer_customer": N_("移交客户"),
    "material_search": N_("找素材"),
    "balance_query": N_("查余额"),
    "transfer_request": N_("要转账"),
    "investment_advice": N_("要投资建议"),
    "complaint": N_("投诉"),
    "lost_card": N_("挂失"),
    "fraud_report": N_("疑似诈骗"),
    "human_agent": N_("找人工"),
    "appointment": N_("预约"),
    "branch_query": N_("问网点"),
    "faq_general": N_("问业务"),
    "unsubscribe": N_("退订"),
    "greeting": N_("打招呼"),
    "thanks": N_("道谢"),
    "affirm": N_("同意"),
    "deny": N_("不同意"),
    "out_of_scope": N_("与银行无关"),
}
OUTCOMES: Mapping[str, Word] = {
    "answer": Word(N_("有把握，直接回答"), "good"),
    "choices": Word(N_("拿不准，给出选择"), "warn"),
    "none": Word(N_("没有合适的话术"), "warn"),
}
