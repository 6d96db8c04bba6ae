"""Files, from a portal's page to the CRM and back: sent in the request or beforehand, read by links,
with the upstream calls that it takes."""

from __future__ import annotations

pytestmark = __import__("pytest").mark.anyio
