"""What other rooms hold of security."""

from __future__ import annotations

from xinglin.engines.security.scopes import Scopes


class Security(Scopes):
    """The door of security: scopes of the house, of other processes and of sessions."""
