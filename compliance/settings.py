"""The compliance section of the settings. Figures marked [P] in facts.md are defaults a bank may change."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field


class ComplianceSettings(BaseModel):
    """How cases are formed and how long they may wait."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case_window_minutes: int = Field(
        default=30,
        ge=1,
        le=1440,
        description="Findings of one conversation this close together (minutes) are one case.",
    )
    undo_seconds: int = Field(
        default=60, ge=0, le=3600, description="How long (seconds) a decision can be taken back by who made it."
    )
    urgent_minutes: int = Field(default=15, ge=1, description="Minutes until a person must have seen an urgent signal.")
    critical_workdays: int = Field(default=1, ge=1, description="Working days to decide a critical case.")
    high_workdays: int = Field(default=3, ge=1, description="Working days to decide a high case.")
    medium_workdays: int = Field(default=10, ge=1, description="Working days to decide any other case.")
    complaint_days: int = Field(default=15, ge=1, description="Calendar days to settle a complaint.")
    pull_limit: int = Field(
        default=500, ge=1, le=1000, description="Records fetched from the session archive at a time."
    )

    @property
    def case_window(self) -> timedelta:
        """Return the window as a duration."""
        return timedelta(minutes=self.case_window_minutes)

    @property
    def undo_window(self) -> timedelta:
        """Return the time for undoing as a duration."""
        return timedelta(seconds=self.undo_seconds)
