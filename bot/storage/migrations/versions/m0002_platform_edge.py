"""What the whole platform edge needs: tokens, pace, alerts, sessions of 微信客服, streams of the AI bot, syncs.

To be run: before the new code starts.
"""

import sqlalchemy as sa
from alembic import op

from bot.storage.types import JsonColumn, UtcDateTime

revision: str = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """Add the tables and columns."""

    op.create_table(
        "alert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("api", sa.String(), nullable=False),
        sa.Column("errcode", sa.Integer(), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.Column("resolved_by", sa.String(), nullable=True),
        sa.Column("told_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_alert_last", "alert", ["last_at"], unique=False)
    op.create_index(
        "uq_alert_open",
        "alert",
        ["kind", "subject"],
        unique=True,
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_table(
        "bot_card",
        sa.Column("task_id", sa.String(), nullable=False),
        sa.Column("card", JsonColumn, nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("task_id"),
    )
    op.create_table(
        "bot_feedback",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("msg_id", sa.String(), nullable=False),
        sa.Column("feedback_id", sa.String(), nullable=False),
        sa.Column("outbox_id", sa.Integer(), nullable=True),
        sa.Column("chat_id", sa.String(), nullable=True),
        sa.Column("speaker", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("reasons", JsonColumn, nullable=False),
        sa.Column("said_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("msg_id"),
    )
    op.create_index("ix_bot_feedback_outbox", "bot_feedback", ["outbox_id"], unique=False)
    op.create_table(
        "bot_lease",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("until_at", UtcDateTime(), nullable=False),
        sa.Column("resting_until", UtcDateTime(), nullable=True),
        sa.Column("kicks", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "bot_stream",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("msg_id", sa.String(), nullable=False),
        sa.Column("chat_id", sa.String(), nullable=True),
        sa.Column("speaker", sa.String(), nullable=False),
        sa.Column("response_url", sa.String(), nullable=False),
        sa.Column("req_id", sa.String(), nullable=True),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("card", JsonColumn, nullable=True),
        sa.Column("answer_key", sa.String(), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("deadline_at", UtcDateTime(), nullable=False),
        sa.Column("fetched_at", UtcDateTime(), nullable=True),
        sa.Column("claimed_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("msg_id"),
    )
    op.create_index(
        "ix_bot_stream_unfetched",
        "bot_stream",
        ["deadline_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('answered', 'by_url')"),
        postgresql_where=sa.text("state IN ('answered', 'by_url')"),
    )
    op.create_table(
        "departure",
        sa.Column("staff_id", sa.String(), nullable=False),
        sa.Column("branch_id", sa.Integer(), nullable=True),
        sa.Column("customers", sa.Integer(), nullable=False),
        sa.Column("groups", sa.Integer(), nullable=False),
        sa.Column("noticed_at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("staff_id"),
    )
    op.create_index(op.f("ix_departure_branch_id"), "departure", ["branch_id"], unique=False)
    op.create_table(
        "kf_ledger",
        sa.Column("outbox_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("open_kfid", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("spent_at", UtcDateTime(), nullable=False),
        sa.Column("fail_type", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("outbox_id"),
    )
    op.create_index("ix_kf_ledger_session", "kf_ledger", ["open_kfid", "customer_id", "spent_at"], unique=False)
    op.create_table(
        "kf_session",
        sa.Column("open_kfid", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("servicer", sa.String(), nullable=True),
        sa.Column("state_seen_at", UtcDateTime(), nullable=False),
        sa.Column("last_customer_at", UtcDateTime(), nullable=True),
        sa.Column("closed", sa.String(length=40), nullable=True),
        sa.Column("rejects", sa.Boolean(), nullable=False),
        sa.Column("scene", sa.String(), nullable=False),
        sa.Column("scene_param", sa.String(), nullable=False),
        sa.Column("entered_at", UtcDateTime(), nullable=True),
        sa.Column("quiet_until", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("open_kfid", "customer_id"),
    )
    op.create_index(op.f("ix_kf_session_customer_id"), "kf_session", ["customer_id"], unique=False)
    op.create_table(
        "outbox_attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_outbox_attempt_recipient", "outbox_attempt", ["recipient", "at"], unique=False)
    op.create_table(
        "outbox_unreachable",
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("errcode", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("recipient"),
    )
    op.create_table(
        "sync_part",
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("cursor", sa.String(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("stage", "part"),
    )
    op.create_table(
        "sync_seen",
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("stage", "part", "object_id"),
    )
    op.create_table(
        "wecom_credential",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sealed", sa.String(), nullable=True),
        sa.Column("secret_print", sa.String(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("refreshed_at", UtcDateTime(), nullable=True),
        sa.Column("refreshing_by", sa.String(), nullable=True),
        sa.Column("refreshing_until", UtcDateTime(), nullable=True),
        sa.Column("same_until", UtcDateTime(), nullable=True),
        sa.Column("refused_errcode", sa.Integer(), nullable=True),
        sa.Column("refused_reason", sa.String(), nullable=True),
        sa.Column("refused_at", UtcDateTime(), nullable=True),
        sa.Column("refused_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "wecom_pace_state",
        sa.Column("api", sa.String(), nullable=False),
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("closed_until", UtcDateTime(), nullable=True),
        sa.Column("strikes", sa.Integer(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=True),
        sa.Column("slots_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("api", "app"),
    )
    op.create_table(
        "wecom_pace_window",
        sa.Column("budget", sa.String(), nullable=False),
        sa.Column("seconds", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("before", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("budget", "seconds"),
    )
    op.create_table(
        "wecom_turn",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_index(op.f("ix_wecom_turn_until"), "wecom_turn", ["until"], unique=False)
    op.add_column("archive_quarantine", sa.Column("tried_at", UtcDateTime(), nullable=True))
    op.add_column(
        "kf_cursor", sa.Column("known_at", UtcDateTime(), server_default="1970-01-01 00:00:00", nullable=False)
    )
    op.add_column("kf_cursor", sa.Column("lease", sa.String(), nullable=True))
    op.add_column("kf_cursor", sa.Column("leased_until", UtcDateTime(), nullable=True))
    op.add_column("kf_cursor", sa.Column("again", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("kf_cursor", sa.Column("due_at", UtcDateTime(), nullable=True))
    op.add_column("kf_cursor", sa.Column("token", sa.String(), nullable=True))
    op.add_column("kf_cursor", sa.Column("token_until", UtcDateTime(), nullable=True))
    op.add_column("kf_cursor", sa.Column("failures", sa.Integer(), server_default="0", nullable=False))
    op.add_column("kf_cursor", sa.Column("error", sa.String(), nullable=True))
    with op.batch_alter_table("kf_cursor") as batch:
        batch.alter_column("pulled_at", nullable=True)
    op.create_index(op.f("ix_kf_cursor_due_at"), "kf_cursor", ["due_at"], unique=False)
    op.add_column("outbox", sa.Column("due_at", UtcDateTime(), nullable=True))
    op.add_column("outbox", sa.Column("expires_at", UtcDateTime(), nullable=True))
    op.add_column("outbox", sa.Column("part_of", sa.Integer(), nullable=True))
    op.add_column("outbox", sa.Column("delays", JsonColumn, nullable=True))
    op.add_column("staff", sa.Column("leads", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("sync_cursor", sa.Column("done", sa.Integer(), server_default="0", nullable=False))
    op.add_column("sync_cursor", sa.Column("total", sa.Integer(), server_default="0", nullable=False))
    op.add_column("sync_cursor", sa.Column("counts", JsonColumn, server_default="{}", nullable=False))
    op.add_column("sync_cursor", sa.Column("owner", sa.String(), server_default="", nullable=False))
    op.add_column("sync_cursor", sa.Column("lease_until", UtcDateTime(), nullable=True))
    op.add_column("sync_cursor", sa.Column("last_error", sa.String(), nullable=True))
    op.add_column("sync_cursor", sa.Column("last_error_at", UtcDateTime(), nullable=True))
    op.drop_column("sync_cursor", "done_through")
