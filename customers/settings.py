"""The section `customers` of the settings."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field


class CustomersSettings(BaseModel):
    """How the copy of the platform's customers is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    risk_tag_group: str = Field(
        "风险评级", description="Corp tag group that holds the risk level; tags begin C1 to C5."
    )
    tier_tag_group: str = Field("资产层级", description="Corp tag group that holds the asset tier.")
    stage_tag_group: str = Field("客户阶段", description="Corp tag group that holds the stage of the relation.")
    resume_within: timedelta = Field(
        timedelta(hours=6),
        description="An interrupted full sync younger than this goes on where it stopped; an older one begins anew.",
    )
    sync_concurrency: int = Field(
        4, ge=1, le=16, description="Members whose customers or groups a full sync reads side by side."
    )
    sync_lease_seconds: int = Field(
        60, ge=5, description="A full sync whose node is silent for longer is taken over by another, in seconds."
    )
    group_settle_seconds: float = Field(
        2, ge=0, description="How long after its event a group is read anew: details settle late, in seconds."
    )
