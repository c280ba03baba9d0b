"""Access tokens: one per secret, the same one inside its lifetime (91039)."""

import secrets

from simulator.clock import SimClock
from simulator.config import SimConfig
from simulator.errors import ApiError
from simulator.state import AccessToken
from simulator.world import World


class TokenDesk:
    """Issues and judges tokens of the corp's three secrets."""

    def __init__(self, config: SimConfig, world: World, clock: SimClock) -> None:
        self._config = config
        self._world = world
        self._clock = clock

    def issue(self, corp_id: str, secret: str) -> AccessToken:
        """Return the living token of a secret, or a new one.

        Raises:
            ApiError: 40013 for another corp, 40001 for a wrong secret.
        """
        if corp_id != self._config.corp_id:
            raise ApiError(40013)
        app = self.app_of(secret)
        if app is None:
            raise ApiError(40001, "invalid credential: secret is wrong")
        living = self._find_living(app)
        if living is not None:
            return living
        # real tokens are long and callers must reserve 512 bytes: make ours long, too
        token = secrets.token_urlsafe(144)
        expires_at = self._clock.now() + self._config.token_ttl_seconds
        return self._world.tokens.put(AccessToken(token, app, expires_at))

    def app_of(self, secret: str) -> str | None:
        """Say whose secret this is: "app", "kf", "archive", or None."""
        known = {
            self._config.app_secret: "app",
            self._config.kf_secret: "kf",
            self._config.archive_secret: "archive",
        }
        return known.get(secret)

    def check(self, token: str | None) -> str:
        """Return the app a token belongs to.

        Raises:
            ApiError: 41001 without a token, 40014 for an unknown and 42001 for an expired one.
        """
        if not token:
            raise ApiError(41001)
        known = self._world.tokens.find(token)
        if known is None or known.revoked:
            raise ApiError(40014)
        if known.expires_at <= self._clock.now():
            raise ApiError(42001)
        return known.app

    def revoke(self, token: str) -> None:
        """End a token's life before its time; unknown ones are none of our business."""
        known = self._world.tokens.find(token)
        if known is not None:
            known.revoked = True
            self._world.tokens.put(known)

    def revoke_all(self) -> int:
        """End the life of all tokens, as after a change of secrets; return how many lived."""
        living = [row for row in self._world.tokens.rows.values() if self._lives(row)]
        for row in living:
            self.revoke(row.token)
        return len(living)

    def _lives(self, token: AccessToken) -> bool:
        return not token.revoked and token.expires_at > self._clock.now()

    def _find_living(self, app: str) -> AccessToken | None:
        newest_first = reversed(self._world.tokens.rows.values())
        return next((token for token in newest_first if token.app == app and self._lives(token)), None)
