"""Identities with their sessions, invitations, resets and mails; and the audit, append only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID, _HASH, _EMAIL, _TEXT = sa.String(32), sa.String(64), sa.String(254), sa.String(200)
_MOMENT = sa.BigInteger
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_SQLITE_RULES = (
    "CREATE TRIGGER audit_event_no_{verb} BEFORE {verb} ON audit_event "
    "BEGIN SELECT RAISE(ABORT, 'the audit is append only'); END"
)
#: A row that takes another's place would delete it without a word to the trigger above.
_SQLITE_NO_REPLACE = (
    "CREATE TRIGGER audit_event_no_replace BEFORE INSERT ON audit_event "
    "WHEN EXISTS (SELECT 1 FROM audit_event WHERE id = NEW.id) "
    "BEGIN SELECT RAISE(ABORT, 'the audit is append only'); END"
)
_REFUSE = """
CREATE FUNCTION audit_event_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit is append only'; END $$
"""
_POSTGRESQL_RULE = """
CREATE TRIGGER audit_event_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event
FOR EACH STATEMENT EXECUTE FUNCTION audit_event_refuse()
"""


def upgrade() -> None:
    _people()
    _ways_in()
    _queues()
    _audit()


def _people() -> None:
    op.create_table(
        "identity_person",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("email", _EMAIL, nullable=False, unique=True),
        sa.Column("password_hash", sa.String(300), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("password_set_at", _MOMENT, nullable=False),
    )
    person = sa.ForeignKey("identity_person.id", ondelete="CASCADE")
    op.create_table(
        "identity_session",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("person_id", _ID, person, nullable=False, index=True),
        sa.Column("family_hash", _HASH, nullable=False, unique=True),
        sa.Column("refresh_hash", _HASH, nullable=False),
        sa.Column("started_at", _MOMENT, nullable=False),
        sa.Column("refreshed_at", _MOMENT, nullable=False),
        sa.Column("idle_until", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("access_until", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT, index=True),
        sa.Column("ended_because", sa.String(32)),
    )


def _ways_in() -> None:
    op.create_table(
        "identity_invitation",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("email", _EMAIL, nullable=False, index=True),
        sa.Column("token_hash", _HASH, unique=True),
        sa.Column("account_id", _TEXT, nullable=False),
        sa.Column("account_number", _TEXT),
        sa.Column("account_country", sa.String(8)),
        sa.Column("account_name", _TEXT, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("job_title", _TEXT),
        sa.Column("phone", _TEXT),
        sa.Column("invited_by", sa.String(320), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("used_at", _MOMENT),
        sa.Column("replaced_at", _MOMENT),
        sa.Column("claim", _ID),
        sa.Column("claimed_until", _MOMENT),
    )
    op.create_table(
        "identity_reset",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("email", _EMAIL, nullable=False, unique=True),
        sa.Column("code_hash", sa.String(300)),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("requested_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("proven_at", _MOMENT),
        sa.Column("token_hash", _HASH, unique=True),
        sa.Column("token_until", _MOMENT),
        sa.Column("used_at", _MOMENT),
    )


def _queues() -> None:
    op.create_table(
        "identity_attempt",
        sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("key", _HASH, nullable=False),
        sa.Column("at", _MOMENT, nullable=False, index=True),
    )
    op.create_index("ix_identity_attempt_key_at", "identity_attempt", ["key", "at"])
    op.create_table(
        "identity_outbox",
        sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("recipient", _EMAIL, nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("reference", _ID),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False, index=True),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
    )


def _audit() -> None:
    op.create_table(
        "audit_event",
        sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("at", _MOMENT, nullable=False, index=True),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(64), nullable=False),
        sa.Column("who", sa.String(320), nullable=False, index=True),
        sa.Column("whose", sa.String(320), nullable=False, index=True),
        sa.Column("what", sa.String(500), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("user_agent", sa.String(300), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(_SQLITE_RULES.format(verb=verb))
        op.execute(_SQLITE_NO_REPLACE)
    else:
        op.execute(_REFUSE)
        op.execute(_POSTGRESQL_RULE)
