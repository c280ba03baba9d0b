"""A console principal as the compliance package's reviewer."""

from compliance import Reviewer
from console.auth.sessions import Principal
from console.rights import Right


def reviewer_of(principal: Principal) -> Reviewer:
    """Return who acts at the review desk. The confidential queue (AML) needs a right that no role here has yet."""
    rights = frozenset({"review"}) if principal.has(Right.REVIEW_CASES) else frozenset()
    return Reviewer(id=principal.staff_id, name=principal.name, rights=rights)
