"""The section `sop` of the settings."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from sop.quota import QuotaMode


class QuotaSettings(BaseModel):
    """How many corp broadcasts a group or customer may get; the corp chooses the mode in the platform's console."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: QuotaMode = Field(
        QuotaMode.MONTHLY, description="monthly: as many as the month has days; weekly: 7 a week; daily: 1 a day."
    )
    reserve: int = Field(
        2, ge=0, description="How many of them to keep back for urgent notices; never takes the last one."
    )


class SopSettings(BaseModel):
    """Timing and limits of plans and broadcasts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    quota: QuotaSettings = Field(default_factory=QuotaSettings, description="Broadcast quota.")
    lookback: timedelta = Field(
        timedelta(days=2),
        description="How far back a tick looks for firings not yet recorded, to record what was missed while down.",
    )
    broadcast_grace: timedelta = Field(
        timedelta(hours=2), description="A broadcast that could not start within this time is not started any more."
    )
    confirm_within: timedelta = Field(
        timedelta(hours=24), description="Unconfirmed tasks are withdrawn from the member after this time."
    )
    settle_after: timedelta = Field(
        timedelta(minutes=10),
        description="How long after the member's confirmation a recipient without a result counts as not sent.",
    )
    poll_fast: timedelta = Field(timedelta(seconds=5), description="Time between looks at results, at first.")
    poll_slow: timedelta = Field(timedelta(minutes=10), description="The longest time between looks at results.")
    notify_todos: bool = Field(
        True, description="Tell the member of each new to-do of a plan by an app message as well."
    )
    max_audience: int = Field(2000, ge=1, le=2000, description="Groups in one broadcast of one member.")
