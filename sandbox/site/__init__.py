"""A WordPress-shaped news site over SQLite: `app` answers wp/v2, `seed` fills the tables."""

from sandbox.site.seeding import seed
from sandbox.site.server import app

__all__ = ["app", "seed"]
