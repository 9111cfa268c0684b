"""first tables"""

from alembic import op
import sqlalchemy as sa

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("facts", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_at"), ["at"], unique=False)

    op.create_table(
        "change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("golden_id", sa.String(length=26), nullable=False),
        sa.Column("entity", sa.String(length=10), nullable=False),
        sa.Column("op", sa.String(length=10), nullable=False),
        sa.Column("path", sa.String(length=120), nullable=True),
        sa.Column("old", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("new", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("system_id", sa.Integer(), nullable=True),
        sa.Column("object", sa.String(length=80), nullable=True),
        sa.Column("remote_id", sa.String(length=120), nullable=True),
        sa.Column("rule", sa.String(length=60), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("cause_id", sa.Integer(), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
    )
    with op.batch_alter_table("change", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_change_golden_id_id"), ["golden_id", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_change_run_id_golden_id"), ["run_id", "golden_id"], unique=False
        )

    op.create_table(
        "erasure",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("golden_id", sa.String(length=26), nullable=False),
        sa.Column("entity", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("digests", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("own", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("certificate", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
    )
    with op.batch_alter_table("erasure", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_erasure_golden_id"), ["golden_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_erasure_state"), ["state"], unique=False)

    op.create_table(
        "golden",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("entity", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("values", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("provenance", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("search", sa.String(length=340), nullable=False),
        sa.Column("parent_id", sa.String(length=26), nullable=True),
        sa.Column("merged_into", sa.String(length=26), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_golden")),
    )
    with op.batch_alter_table("golden", schema=None) as batch_op:
        batch_op.create_index(
            "ix_golden_listed", ["entity", "state", "name", "stage", "search"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_golden_entity_state_updated_at"),
            ["entity", "state", "updated_at"],
            unique=False,
        )
        batch_op.create_index(
            "ix_golden_held",
            ["held_until"],
            unique=False,
            sqlite_where=sa.text("held_until IS NOT NULL"),
            postgresql_where=sa.text("held_until IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_golden_parent_id"), ["parent_id"], unique=False)

    op.create_table(
        "hub_state",
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("value", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_hub_state")),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("facts", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("progress", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_token", sa.String(length=26), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_state_due_at"), ["state", "due_at"], unique=False)
        batch_op.create_index(
            "uq_job_open",
            ["kind", "subject"],
            unique=True,
            sqlite_where=sa.text("state IN ('waiting', 'running')"),
            postgresql_where=sa.text("state IN ('waiting', 'running')"),
        )

    op.create_table(
        "plan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("systems", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("progress", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("summary", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("basis", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
    )
    op.create_table(
        "quality_day",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("facts", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_quality_day")),
    )
    op.create_table(
        "quality",
        sa.Column("golden_id", sa.String(length=26), nullable=False),
        sa.Column("entity", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("completeness", sa.Integer(), nullable=False),
        sa.Column("issues", sa.Integer(), nullable=False),
        sa.Column("fresh_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["golden_id"],
            ["golden.id"],
            name=op.f("fk_quality_golden_id_golden"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("golden_id", name=op.f("pk_quality")),
    )
    with op.batch_alter_table("quality", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_quality_entity_completeness"), ["entity", "completeness"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_quality_entity_fresh_at"), ["entity", "fresh_at"], unique=False
        )

    op.create_table(
        "system",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("state_reason", sa.Text(), nullable=False),
        sa.Column("state_hint", sa.Text(), nullable=False),
        sa.Column("settings", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("credentials", sa.LargeBinary(), nullable=True),
        sa.Column("tenant", sa.String(length=200), nullable=False),
        sa.Column("tenant_label", sa.String(length=200), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=True),
        sa.Column("token_epoch", sa.Integer(), nullable=False),
        sa.Column("token_lease", sa.DateTime(timezone=True), nullable=True),
        sa.Column("poll_seconds", sa.Double(), nullable=True),
        sa.Column("delete_policy", sa.String(length=12), nullable=False),
        sa.Column("clock_offset", sa.Double(), nullable=False),
        sa.Column("hold_in", sa.Boolean(), nullable=False),
        sa.Column("hold_out", sa.Boolean(), nullable=False),
        sa.Column("calls_read", sa.BigInteger(), nullable=False),
        sa.Column("calls_write", sa.BigInteger(), nullable=False),
        sa.Column("records_written", sa.BigInteger(), nullable=False),
        sa.Column("hook_key", sa.String(length=40), nullable=False),
        sa.Column("hook_state", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("hook_due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("polled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_system")),
        sa.UniqueConstraint("name", name=op.f("uq_system_name")),
    )
    op.create_table(
        "user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(length=120), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("login", name=op.f("uq_user_login")),
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_api_token_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_token_digest")),
    )
    op.create_table(
        "candidate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("first_id", sa.String(length=26), nullable=False),
        sa.Column("second_id", sa.String(length=26), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("weights", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("decided_by", sa.String(length=120), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["first_id"], ["golden.id"], name=op.f("fk_candidate_first_id")),
        sa.ForeignKeyConstraint(["second_id"], ["golden.id"], name=op.f("fk_candidate_second_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_candidate")),
        sa.UniqueConstraint("first_id", "second_id", name=op.f("uq_candidate_first_id_second_id")),
    )
    with op.batch_alter_table("candidate", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_candidate_second_id"), ["second_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_candidate_state_score"), ["state", "score"], unique=False
        )

    op.create_table(
        "cursor",
        sa.Column("system_id", sa.Integer(), nullable=False),
        sa.Column("object", sa.String(length=80), nullable=False),
        sa.Column("position", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("polled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unkeyed", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("unkeyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.String(length=26), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["system.id"], name=op.f("fk_cursor_system_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("system_id", "object", name=op.f("pk_cursor")),
    )
    op.create_table(
        "dead_letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("system_id", sa.Integer(), nullable=False),
        sa.Column("direction", sa.String(length=3), nullable=False),
        sa.Column("object", sa.String(length=80), nullable=False),
        sa.Column("remote_id", sa.String(length=120), nullable=True),
        sa.Column("golden_id", sa.String(length=26), nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("field", sa.String(length=120), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("remote_code", sa.String(length=80), nullable=False),
        sa.Column("payload", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("traceback", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["system.id"], name=op.f("fk_dead_letter_system_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letter")),
    )
    with op.batch_alter_table("dead_letter", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dead_letter_golden_id"), ["golden_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_dead_letter_state_system_id"), ["state", "system_id"], unique=False
        )

    op.create_table(
        "dirty",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("system_id", sa.Integer(), nullable=False),
        sa.Column("golden_id", sa.String(length=26), nullable=False),
        sa.Column("entity", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("cause_id", sa.Integer(), nullable=True),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.String(length=26), nullable=True),
        sa.Column("waiting_for", sa.String(length=60), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["golden_id"], ["golden.id"], name=op.f("fk_dirty_golden_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["system_id"], ["system.id"], name=op.f("fk_dirty_system_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dirty")),
        sa.UniqueConstraint("golden_id", "system_id", name=op.f("uq_dirty_golden_id_system_id")),
    )
    with op.batch_alter_table("dirty", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_dirty_system_id_lane_due_at"),
            ["system_id", "lane", "due_at"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_dirty_system_id_lane_entity_due_at"),
            ["system_id", "lane", "entity", "due_at"],
            unique=False,
        )
        batch_op.create_index(
            "ix_dirty_waiting",
            ["system_id", "waiting_for"],
            unique=False,
            sqlite_where=sa.text("waiting_for <> ''"),
            postgresql_where=sa.text("waiting_for <> ''"),
        )

    op.create_table(
        "erasure_return",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("erasure_id", sa.String(length=26), nullable=False),
        sa.Column("system_id", sa.Integer(), nullable=False),
        sa.Column("object", sa.String(length=80), nullable=False),
        sa.Column("remote_id", sa.String(length=120), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["erasure_id"],
            ["erasure.id"],
            name=op.f("fk_erasure_return_erasure_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["system_id"],
            ["system.id"],
            name=op.f("fk_erasure_return_system_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_return")),
        sa.UniqueConstraint(
            "erasure_id",
            "system_id",
            "object",
            "remote_id",
            name=op.f("uq_erasure_return_erasure_id_system_id_object_remote_id"),
        ),
    )
    op.create_table(
        "erasure_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("erasure_id", sa.String(length=26), nullable=False),
        sa.Column("system_id", sa.Integer(), nullable=True),
        sa.Column("system", sa.String(length=40), nullable=False),
        sa.Column("entity", sa.String(length=10), nullable=False),
        sa.Column("object", sa.String(length=80), nullable=False),
        sa.Column("remote_id", sa.String(length=120), nullable=True),
        sa.Column("hub_key", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["erasure_id"],
            ["erasure.id"],
            name=op.f("fk_erasure_step_erasure_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["system_id"],
            ["system.id"],
            name=op.f("fk_erasure_step_system_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_step")),
    )
    with op.batch_alter_table("erasure_step", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_erasure_step_erasure_id"), ["erasure_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_erasure_step_state_due_at"), ["state", "due_at"], unique=False
        )

    op.create_table(
        "guard",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("system_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("direction", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("decided_by", sa.String(length=120), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["system.id"], name=op.f("fk_guard_system_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guard")),
    )
    with op.batch_alter_table("guard", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_guard_state"), ["state"], unique=False)

    op.create_table(
        "inbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("system_id", sa.Integer(), nullable=False),
        sa.Column("object", sa.String(length=80), nullable=False),
        sa.Column("remote_id", sa.String(length=120), nullable=True),
        sa.Column("delivery_id", sa.String(length=200), nullable=False),
        sa.Column("payload", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("version", sa.String(length=120), nullable=True),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.String(length=26), nullable=True),
        sa.Column("waiting_for", sa.String(length=60), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["system_id"], ["system.id"], name=op.f("fk_inbox_system_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint(
            "system_id", "delivery_id", name=op.f("uq_inbox_system_id_delivery_id")
        ),
    )
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_inbox_done",
            ["done_at"],
            unique=False,
            sqlite_where=sa.text("state = 'done'"),
            postgresql_where=sa.text("state = 'done'"),
        )
        batch_op.create_index(
            "ix_inbox_waiting",
            ["system_id", "lane", "due_at"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )

    op.create_table(
        "link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("golden_id", sa.String(length=26), nullable=False),
        sa.Column("system_id", sa.Integer(), nullable=False),
        sa.Column("object", sa.String(length=80), nullable=False),
        sa.Column("remote_id", sa.String(length=120), nullable=True),
        sa.Column("hub_key", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("shadow", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("pushed", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("pushing", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("version", sa.String(length=120), nullable=True),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("doubt_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["golden_id"], ["golden.id"], name=op.f("fk_link_golden_id")),
        sa.ForeignKeyConstraint(
            ["system_id"], ["system.id"], name=op.f("fk_link_system_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link")),
        sa.UniqueConstraint(
            "system_id", "object", "remote_id", name=op.f("uq_link_system_id_object_remote_id")
        ),
    )
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_link_golden_id_system_id"), ["golden_id", "system_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_link_system_id_hub_key"), ["system_id", "hub_key"], unique=False
        )
        batch_op.create_index(
            "ix_link_unheard",
            ["system_id", "object"],
            unique=False,
            sqlite_where=sa.text("pushing IS NOT NULL"),
            postgresql_where=sa.text("pushing IS NOT NULL"),
        )
        batch_op.create_index(
            "ux_link_primary",
            ["golden_id", "system_id", "object"],
            unique=True,
            sqlite_where=sa.text("is_primary AND state IN ('live', 'in_doubt')"),
            postgresql_where=sa.text("is_primary AND state IN ('live', 'in_doubt')"),
        )

    op.create_table(
        "mapping",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("system_id", sa.Integer(), nullable=False),
        sa.Column("object", sa.String(length=80), nullable=False),
        sa.Column("entity", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["system.id"], name=op.f("fk_mapping_system_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mapping")),
        sa.UniqueConstraint(
            "system_id", "object", "version", name=op.f("uq_mapping_system_id_object_version")
        ),
    )
    op.create_table(
        "match_key",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("golden_id", sa.String(length=26), nullable=False),
        sa.Column("family", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(
            ["golden_id"], ["golden.id"], name=op.f("fk_match_key_golden_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", "golden_id", name=op.f("pk_match_key")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("match_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_match_key_golden_id"), ["golden_id"], unique=False)

    op.create_table(
        "merge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("winner_id", sa.String(length=26), nullable=False),
        sa.Column("loser_id", sa.String(length=26), nullable=False),
        sa.Column("undo", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["loser_id"], ["golden.id"], name=op.f("fk_merge_loser_id")),
        sa.ForeignKeyConstraint(["winner_id"], ["golden.id"], name=op.f("fk_merge_winner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merge")),
    )
    with op.batch_alter_table("merge", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_merge_loser_id"), ["loser_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_merge_winner_id"), ["winner_id"], unique=False)

    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("system_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counts", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["system.id"], name=op.f("fk_run_system_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_run_started_at"), ["started_at"], unique=False)

    op.create_table(
        "staged",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("system_id", sa.Integer(), nullable=False),
        sa.Column("object", sa.String(length=80), nullable=False),
        sa.Column("remote_id", sa.String(length=120), nullable=False),
        sa.Column("payload", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("version", sa.String(length=120), nullable=True),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plan.id"], name=op.f("fk_staged_plan_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["system_id"], ["system.id"], name=op.f("fk_staged_system_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staged")),
        sa.UniqueConstraint(
            "plan_id",
            "system_id",
            "object",
            "remote_id",
            name=op.f("uq_staged_plan_id_system_id_object_remote_id"),
        ),
    )
    with op.batch_alter_table("staged", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_staged_plan_id_id"), ["plan_id", "id"], unique=False
        )

    op.create_table(
        "conflict",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("golden_id", sa.String(length=26), nullable=False),
        sa.Column("link_id", sa.Integer(), nullable=True),
        sa.Column("system_id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(length=120), nullable=False),
        sa.Column("base", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("ours", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("theirs", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("proposal", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("rule", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("decision", sa.String(length=8), nullable=False),
        sa.Column("decided_by", sa.String(length=120), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["golden_id"], ["golden.id"], name=op.f("fk_conflict_golden_id")),
        sa.ForeignKeyConstraint(
            ["link_id"], ["link.id"], name=op.f("fk_conflict_link_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["system_id"], ["system.id"], name=op.f("fk_conflict_system_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conflict")),
    )
    with op.batch_alter_table("conflict", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_conflict_golden_id"), ["golden_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_conflict_state_created_at"), ["state", "created_at"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("conflict", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_conflict_state_created_at"))
        batch_op.drop_index(batch_op.f("ix_conflict_golden_id"))

    op.drop_table("conflict")
    with op.batch_alter_table("staged", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_staged_plan_id_id"))

    op.drop_table("staged")
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_run_started_at"))

    op.drop_table("run")
    with op.batch_alter_table("merge", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_merge_winner_id"))
        batch_op.drop_index(batch_op.f("ix_merge_loser_id"))

    op.drop_table("merge")
    with op.batch_alter_table("match_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_match_key_golden_id"))

    op.drop_table("match_key")
    op.drop_table("mapping")
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.drop_index(
            "ux_link_primary",
            sqlite_where=sa.text("is_primary AND state IN ('live', 'in_doubt')"),
            postgresql_where=sa.text("is_primary AND state IN ('live', 'in_doubt')"),
        )
        batch_op.drop_index(batch_op.f("ix_link_system_id_hub_key"))
        batch_op.drop_index(batch_op.f("ix_link_golden_id_system_id"))

    op.drop_table("link")
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_inbox_waiting",
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )
        batch_op.drop_index(
            "ix_inbox_done",
            sqlite_where=sa.text("state = 'done'"),
            postgresql_where=sa.text("state = 'done'"),
        )

    op.drop_table("inbox")
    with op.batch_alter_table("guard", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_guard_state"))

    op.drop_table("guard")
    with op.batch_alter_table("erasure_step", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_erasure_step_state_due_at"))
        batch_op.drop_index(batch_op.f("ix_erasure_step_erasure_id"))

    op.drop_table("erasure_step")
    op.drop_table("erasure_return")
    with op.batch_alter_table("dirty", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_dirty_waiting",
            sqlite_where=sa.text("waiting_for <> ''"),
            postgresql_where=sa.text("waiting_for <> ''"),
        )
        batch_op.drop_index(batch_op.f("ix_dirty_system_id_lane_entity_due_at"))
        batch_op.drop_index(batch_op.f("ix_dirty_system_id_lane_due_at"))

    op.drop_table("dirty")
    with op.batch_alter_table("dead_letter", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_dead_letter_state_system_id"))
        batch_op.drop_index(batch_op.f("ix_dead_letter_golden_id"))

    op.drop_table("dead_letter")
    op.drop_table("cursor")
    with op.batch_alter_table("candidate", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_candidate_state_score"))
        batch_op.drop_index(batch_op.f("ix_candidate_second_id"))

    op.drop_table("candidate")
    op.drop_table("api_token")
    op.drop_table("user")
    op.drop_table("system")
    op.drop_table("plan")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_job_open",
            sqlite_where=sa.text("state IN ('waiting', 'running')"),
            postgresql_where=sa.text("state IN ('waiting', 'running')"),
        )
        batch_op.drop_index(batch_op.f("ix_job_state_due_at"))

    op.drop_table("job")
    op.drop_table("hub_state")
    with op.batch_alter_table("golden", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_golden_parent_id"))
        batch_op.drop_index(
            "ix_golden_held",
            sqlite_where=sa.text("held_until IS NOT NULL"),
            postgresql_where=sa.text("held_until IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_golden_entity_state_updated_at"))
        batch_op.drop_index("ix_golden_listed")

    with op.batch_alter_table("quality", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quality_entity_fresh_at"))
        batch_op.drop_index(batch_op.f("ix_quality_entity_completeness"))

    op.drop_table("quality")
    op.drop_table("quality_day")
    op.drop_table("golden")
    with op.batch_alter_table("erasure", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_erasure_state"))
        batch_op.drop_index(batch_op.f("ix_erasure_golden_id"))

    op.drop_table("erasure")
    with op.batch_alter_table("change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_change_run_id_golden_id"))
        batch_op.drop_index(batch_op.f("ix_change_golden_id_id"))

    op.drop_table("change")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_at"))

    op.drop_table("audit")
