"""A CRM that speaks as Salesforce does, over the rows that the sandbox keeps."""

from sandbox.crm.app import app
from sandbox.crm.seeding import seed

__all__ = ["app", "seed"]
