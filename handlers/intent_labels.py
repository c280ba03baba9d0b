"""The intents the assistant knows, and who can have which.

Pure names; how a message is recognised is in `intents` and `cues`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

Role = Literal["rm", "customer", "any"]


class Intent(StrEnum):
    """What a message asks for; named as in the labelled data."""

    QUERY_PRODUCT_RATE = "query_product_rate"
    QUERY_PRODUCT_DETAIL = "query_product_detail"
    CUSTOMER_PROFILE = "customer_profile"
    CUSTOMER_HOLDINGS = "customer_holdings"
    CUSTOMER_LIST = "customer_list"
    TODAYS_TASKS = "todays_tasks"
    ADD_TAG = "add_tag"
    REMOVE_TAG = "remove_tag"
    LOG_NOTE = "log_note"
    LOG_OPPORTUNITY = "log_opportunity"
    SET_REMINDER = "set_reminder"
    CANCEL_REMINDER = "cancel_reminder"
    ASK_SCRIPT = "ask_script"
    COMPLIANCE_CHECK = "compliance_check"
    SCHEDULE_BROADCAST = "schedule_broadcast"
    CANCEL_BROADCAST = "cancel_broadcast"
    QUERY_BROADCAST_RESULT = "query_broadcast_result"
    QUERY_PERFORMANCE = "query_performance"
    TRANSFER_CUSTOMER = "transfer_customer"
    MATERIAL_SEARCH = "material_search"
    BALANCE_QUERY = "balance_query"
    TRANSFER_REQUEST = "transfer_request"
    INVESTMENT_ADVICE = "investment_advice"
    COMPLAINT = "complaint"
    LOST_CARD = "lost_card"
    FRAUD_REPORT = "fraud_report"
    HUMAN_AGENT = "human_agent"
    APPOINTMENT = "appointment"
    BRANCH_QUERY = "branch_query"
    FAQ_GENERAL = "faq_general"
    UNSUBSCRIBE = "unsubscribe"
    GREETING = "greeting"
    THANKS = "thanks"
    AFFIRM = "affirm"
    DENY = "deny"
    OUT_OF_SCOPE = "out_of_scope"


ANYONE = frozenset({Intent.GREETING, Intent.THANKS, Intent.AFFIRM, Intent.DENY, Intent.OUT_OF_SCOPE})
CUSTOMERS = frozenset(
    {
        Intent.BALANCE_QUERY, Intent.TRANSFER_REQUEST, Intent.INVESTMENT_ADVICE, Intent.COMPLAINT, Intent.LOST_CARD,
        Intent.FRAUD_REPORT, Intent.HUMAN_AGENT, Intent.APPOINTMENT, Intent.BRANCH_QUERY, Intent.FAQ_GENERAL,
        Intent.UNSUBSCRIBE,
    }
)  # fmt: skip
MANAGERS = frozenset(Intent) - ANYONE - CUSTOMERS
BY_ROLE: Mapping[Role, frozenset[Intent]] = {
    "rm": MANAGERS | ANYONE,
    "customer": CUSTOMERS | ANYONE,
    "any": frozenset(Intent),
}
