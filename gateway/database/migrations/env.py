"""Runs migrations on the connection that `gateway.database.migrate` opened; Alembic loads this."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
