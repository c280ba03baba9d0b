"""The WeCom simulator: an HTTP server that speaks the platform's side of WeCom (企业微信).

It stands alone. It imports nothing of the product and the product imports nothing of it, so that a misreading of
the platform cannot hide by being made twice. The client that works against it differs from production only in its
base URL.
"""

from simulator.app import create_app
from simulator.clock import SimClock
from simulator.config import BankSize, CallbackTarget, CallRules, RetryPlan, SimConfig

__all__ = ["BankSize", "CallRules", "CallbackTarget", "RetryPlan", "SimClock", "SimConfig", "create_app"]
