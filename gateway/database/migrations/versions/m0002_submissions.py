"""Submissions, with the parts that are brought to the CRM one after the other."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID, _HASH, _TEXT = sa.String(32), sa.String(64), sa.String(200)
_MOMENT = sa.BigInteger
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "submission",
        sa.Column("seq", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("id", _ID, nullable=False, unique=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("who", sa.String(320), nullable=False),
        sa.Column("account_id", _TEXT, nullable=False),
        sa.Column("account_number", _TEXT),
        sa.Column("account_country", sa.String(8)),
        sa.Column("case_id", _TEXT, index=True),
        sa.Column("number", _TEXT),
        sa.Column("key_hash", _HASH),
        sa.Column("digest", _HASH, nullable=False),
        sa.Column("said", sa.Text),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("heard", sa.Boolean, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("error", sa.String(64)),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("tried_at", _MOMENT),
        sa.Column("due_at", _MOMENT),
        sa.Column("changed_at", _MOMENT, nullable=False, index=True),
        sa.Column("done_at", _MOMENT),
        sa.Column("holder", _TEXT, nullable=False),
        sa.Column("held_until", _MOMENT, nullable=False),
        sa.UniqueConstraint("who", "kind", "key_hash", name="uq_submission_key"),
    )
    op.create_index("ix_submission_state_account", "submission", ["state", "account_id"])
    op.create_index("ix_submission_repeat", "submission", ["who", "kind", "digest"])
    op.create_table(
        "submission_part",
        sa.Column(
            "submission_id",
            _ID,
            sa.ForeignKey("submission.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("deed", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("file_id", _HASH),
        sa.Column("filename", sa.Text),
        sa.Column("content_type", _TEXT),
        sa.Column("size", sa.BigInteger),
        sa.Column("crm_id", _TEXT),
        sa.Column("problem", sa.Text),
    )
