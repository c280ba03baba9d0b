"""Content filter, outbound gate, archive and supervision. These names are what other packages may use."""

from compliance import review
from compliance.access import AML, REVIEW, CaseSummary, CaseView, Gap, Reviewer, WindowMessage, access_case
from compliance.archive import do_archive
from compliance.cases import (
    CaseState,
    Conduct,
    DismissReason,
    EscalationTarget,
    FollowUp,
    VerdictKind,
)
from compliance.drafts import Advice, DraftReport, check_draft
from compliance.errors import LexiconMissing, LexiconRefused
from compliance.explanations import load_catalogue
from compliance.findings import Action, Category, Direction, Finding, Severity, Technique
from compliance.gate import QUOTING_PURPOSES, ComplianceGate, ShelfLookup
from compliance.lexicon import Lexicon, build_lexicon, default_terms_csv, parse_terms
from compliance.messages import (
    ArchivedMessageIn,
    ArchiveOrigin,
    ChatKind,
    SenderKind,
    app_conversation,
    bot_conversation,
    group_conversation,
    kf_conversation,
    single_conversation,
)
from compliance.personal_data import mask_text
from compliance.policy import is_blocking
from compliance.puller import ArchivePuller, PullReport, load_keys
from compliance.screening import counting, screen
from compliance.settings import ComplianceSettings
from compliance.store import LexiconStore, do_import_lexicon

__all__ = [
    "AML",
    "QUOTING_PURPOSES",
    "REVIEW",
    "Action",
    "Advice",
    "ArchiveOrigin",
    "ArchivePuller",
    "ArchivedMessageIn",
    "CaseState",
    "CaseSummary",
    "CaseView",
    "Category",
    "ChatKind",
    "ComplianceGate",
    "ComplianceSettings",
    "Conduct",
    "Direction",
    "DismissReason",
    "DraftReport",
    "EscalationTarget",
    "Finding",
    "FollowUp",
    "Gap",
    "Lexicon",
    "LexiconMissing",
    "LexiconRefused",
    "LexiconStore",
    "PullReport",
    "Reviewer",
    "SenderKind",
    "Severity",
    "ShelfLookup",
    "Technique",
    "VerdictKind",
    "WindowMessage",
    "access_case",
    "app_conversation",
    "bot_conversation",
    "build_lexicon",
    "check_draft",
    "counting",
    "default_terms_csv",
    "do_archive",
    "do_import_lexicon",
    "group_conversation",
    "is_blocking",
    "kf_conversation",
    "load_catalogue",
    "load_keys",
    "mask_text",
    "parse_terms",
    "review",
    "screen",
    "single_conversation",
]
