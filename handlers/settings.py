"""The section of the settings that belongs to the conversation. `console/settings.py` joins all sections."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class HandlersSettings(BaseModel):
    """How the assistant speaks, and where it stops guessing."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    language: Literal["zh", "en"] = Field(default="zh", description="Language of the assistant's own sentences")
    bank_name: str = Field(default="示范银行", min_length=1, description="The bank's name, as customers know it")
    hotline: str = Field(default="96000", min_length=3, description="Service number given to customers in need")
    public_url: str = Field(
        default="http://127.0.0.1:8000", description="Address of the console, as members reach it; no slash at its end"
    )
    intent_threshold: float = Field(
        default=0.45, ge=0, le=1, description="Below this confidence an intent is not acted on"
    )
    knowledge_owner: str = Field(
        default="", description="Member who receives questions that no script answers; empty: nobody"
    )
    duty_staff: str = Field(
        default="", description="Member who takes customers without a manager of their own; empty: nobody"
    )
    kf_transfer: bool = Field(
        default=True,
        description="Give 微信客服 sessions to a servicer when a person is needed; false: a to-do and a card only",
    )
    kf_menu: tuple[str, ...] = Field(
        default=(), max_length=9, description="Scripts (ids) that the menu of the 微信客服 welcome offers"
    )
    question_minutes: int = Field(
        default=15, ge=1, le=1440, description="How long an open question of the assistant waits for its answer"
    )
