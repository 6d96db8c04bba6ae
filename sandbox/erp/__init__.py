"""An SAP-shaped ERP over SQLite: `app` answers OData, `seed` fills the tables."""

from sandbox.erp.seeding import seed
from sandbox.erp.server import app

__all__ = ["app", "seed"]
