"""carriers and controls"""

import sqlalchemy as sa
from alembic import op

import cms.core.db

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alert_routes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("lang", sa.String(length=8), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("last_told_at", cms.core.db.UTCDateTime(), nullable=True),
        sa.Column("last_fault", sa.String(length=300), nullable=False),
        sa.Column("created_at", cms.core.db.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_routes")),
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=160), nullable=False),
        sa.Column("open_cause", sa.String(length=160), nullable=True),
        sa.Column("message", sa.String(length=300), nullable=False),
        sa.Column("params", cms.core.db.Json, nullable=False),
        sa.Column("path", sa.String(length=300), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", cms.core.db.UTCDateTime(), nullable=False),
        sa.Column("last_at", cms.core.db.UTCDateTime(), nullable=False),
        sa.Column("settled_at", cms.core.db.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("open_cause", name=op.f("uq_alerts_open_cause")),
    )
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alerts_settled_at"), ["settled_at"], unique=False)

    op.create_table(
        "carrier_tokens",
        sa.Column("realm", sa.String(length=160), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("expires_at", cms.core.db.UTCDateTime(), nullable=True),
        sa.Column("refreshing_until", cms.core.db.UTCDateTime(), nullable=True),
        sa.Column("refreshed_at", cms.core.db.UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("last_fault", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("realm", name=op.f("pk_carrier_tokens")),
    )
    op.create_table(
        "carrier_uploads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("realm", sa.String(length=160), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.String(length=500), nullable=False),
        sa.Column("uploaded_at", cms.core.db.UTCDateTime(), nullable=False),
        sa.Column("expires_at", cms.core.db.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_uploads")),
        sa.UniqueConstraint(
            "realm", "sha256", "purpose", name=op.f("uq_carrier_uploads_realm_sha256_purpose")
        ),
    )
    with op.batch_alter_table("carrier_uploads", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_carrier_uploads_expires_at"), ["expires_at"], unique=False
        )

    op.create_table(
        "utm_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("medium", sa.String(length=120), nullable=False),
        sa.Column("campaign", sa.String(length=120), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_utm_rules")),
        sa.UniqueConstraint("channel", name=op.f("uq_utm_rules_channel")),
    )
    op.create_table(
        "alert_notices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alert_id", sa.Integer(), nullable=False),
        sa.Column("route_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", cms.core.db.UTCDateTime(), nullable=False),
        sa.Column("told_at", cms.core.db.UTCDateTime(), nullable=True),
        sa.Column("fault", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["alert_id"],
            ["alerts.id"],
            name=op.f("fk_alert_notices_alert_id_alerts"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["route_id"],
            ["alert_routes.id"],
            name=op.f("fk_alert_notices_route_id_alert_routes"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_notices")),
        sa.UniqueConstraint(
            "alert_id", "route_id", name=op.f("uq_alert_notices_alert_id_route_id")
        ),
    )
    with op.batch_alter_table("alert_notices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_notices_route_id"), ["route_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_alert_notices_state_next_at"), ["state", "next_at"], unique=False
        )

    op.create_table(
        "blackouts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("calendar_id", sa.Integer(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("starts_at", cms.core.db.UTCDateTime(), nullable=False),
        sa.Column("ends_at", cms.core.db.UTCDateTime(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", cms.core.db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["channel_accounts.id"],
            name=op.f("fk_blackouts_account_id_channel_accounts"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["calendar_id"],
            ["calendars.id"],
            name=op.f("fk_blackouts_calendar_id_calendars"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=op.f("fk_blackouts_created_by_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blackouts")),
    )
    with op.batch_alter_table("blackouts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_blackouts_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_blackouts_calendar_id"), ["calendar_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_blackouts_created_by_id"), ["created_by_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_blackouts_ends_at"), ["ends_at"], unique=False)

    op.create_table(
        "carrier_calls",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("content", cms.core.db.Json, nullable=False),
        sa.Column("received_at", cms.core.db.UTCDateTime(), nullable=False),
        sa.Column("handled_at", cms.core.db.UTCDateTime(), nullable=True),
        sa.Column("fault", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["channel_accounts.id"],
            name=op.f("fk_carrier_calls_account_id_channel_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_calls")),
        sa.UniqueConstraint("account_id", "key", name=op.f("uq_carrier_calls_account_id_key")),
    )
    with op.batch_alter_table("carrier_calls", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_carrier_calls_handled_at_id"), ["handled_at", "id"], unique=False
        )

    op.create_table(
        "stops",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("at", cms.core.db.UTCDateTime(), nullable=False),
        sa.Column("lifted_at", cms.core.db.UTCDateTime(), nullable=True),
        sa.Column("lifted_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["channel_accounts.id"],
            name=op.f("fk_stops_account_id_channel_accounts"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["by_id"], ["users.id"], name=op.f("fk_stops_by_id_users")),
        sa.ForeignKeyConstraint(
            ["lifted_by_id"], ["users.id"], name=op.f("fk_stops_lifted_by_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stops")),
    )
    with op.batch_alter_table("stops", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stops_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_stops_by_id"), ["by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_stops_lifted_at"), ["lifted_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_stops_lifted_by_id"), ["lifted_by_id"], unique=False)

    op.create_table(
        "subscribers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("token", sa.String(length=40), nullable=False),
        sa.Column("added_at", cms.core.db.UTCDateTime(), nullable=False),
        sa.Column("left_at", cms.core.db.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["channel_accounts.id"],
            name=op.f("fk_subscribers_account_id_channel_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscribers")),
        sa.UniqueConstraint(
            "account_id", "address", name=op.f("uq_subscribers_account_id_address")
        ),
        sa.UniqueConstraint("token", name=op.f("uq_subscribers_token")),
    )
    op.create_table(
        "carrier_figures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column("metric", sa.String(length=40), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("fetched_at", cms.core.db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["publication_id"],
            ["publications.id"],
            name=op.f("fk_carrier_figures_publication_id_publications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_figures")),
        sa.UniqueConstraint(
            "publication_id",
            "metric",
            "on",
            name=op.f("uq_carrier_figures_publication_id_metric_on"),
        ),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.String(length=160), nullable=False),
        sa.Column("employee", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("sent_at", cms.core.db.UTCDateTime(), nullable=True),
        sa.Column("updated_at", cms.core.db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["publication_id"],
            ["publications.id"],
            name=op.f("fk_deliveries_publication_id_publications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint(
            "publication_id", "recipient", name=op.f("uq_deliveries_publication_id_recipient")
        ),
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_deliveries_publication_id_state"),
            ["publication_id", "state"],
            unique=False,
        )

    op.create_table(
        "employee_tasks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column("employee", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("confirmed_at", cms.core.db.UTCDateTime(), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("proof_media_id", sa.Integer(), nullable=True),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", cms.core.db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["users.id"], name=op.f("fk_employee_tasks_decided_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["proof_media_id"], ["media.id"], name=op.f("fk_employee_tasks_proof_media_id_media")
        ),
        sa.ForeignKeyConstraint(
            ["publication_id"],
            ["publications.id"],
            name=op.f("fk_employee_tasks_publication_id_publications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_employee_tasks")),
        sa.UniqueConstraint(
            "publication_id", "employee", name=op.f("uq_employee_tasks_publication_id_employee")
        ),
    )
    with op.batch_alter_table("employee_tasks", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_employee_tasks_decided_by_id"), ["decided_by_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_employee_tasks_proof_media_id"), ["proof_media_id"], unique=False
        )

    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("act", sa.String(32), nullable=False, server_default="send"))

    with op.batch_alter_table("calendars", schema=None) as batch_op:
        batch_op.add_column(sa.Column("quiet_from", sa.Time(), nullable=True))
        batch_op.add_column(sa.Column("quiet_until", sa.Time(), nullable=True))

    with op.batch_alter_table("channel_accounts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sealed", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(
            sa.Column("secrets_changed_at", cms.core.db.UTCDateTime(), nullable=True)
        )
        batch_op.add_column(sa.Column("callback_token", sa.String(length=40), nullable=True))
        batch_op.add_column(
            sa.Column("fault_parts", cms.core.db.Json, nullable=False, server_default="{}")
        )
        batch_op.add_column(sa.Column("last_fault_at", cms.core.db.UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("tested_at", cms.core.db.UTCDateTime(), nullable=True))
        batch_op.add_column(
            sa.Column("test_result", sa.String(length=300), nullable=False, server_default="")
        )
        batch_op.add_column(
            sa.Column("test_parts", cms.core.db.Json, nullable=False, server_default="{}")
        )
        batch_op.add_column(sa.Column("retired_at", cms.core.db.UTCDateTime(), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_channel_accounts_callback_token"), ["callback_token"], unique=True
        )

    with op.batch_alter_table("pools", schema=None) as batch_op:
        batch_op.add_column(sa.Column("most_per_day", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("most_per_week", sa.Integer(), nullable=True))

    with op.batch_alter_table("publications", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("reason_parts", cms.core.db.Json, nullable=False, server_default="{}")
        )
        batch_op.add_column(
            sa.Column("carrier_facts", cms.core.db.Json, nullable=False, server_default="{}")
        )
        batch_op.add_column(sa.Column("expected", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(
            sa.Column("confirmed", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(sa.Column("confirm_by", cms.core.db.UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("poll_at", cms.core.db.UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("polls", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("wish", sa.String(32), nullable=True))
        batch_op.add_column(sa.Column("wish_at", cms.core.db.UTCDateTime(), nullable=True))
        batch_op.add_column(
            sa.Column("wish_tries", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(sa.Column("wish_text", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("wish_by_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("amended_at", cms.core.db.UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("withdrawn_at", cms.core.db.UTCDateTime(), nullable=True))
        batch_op.drop_index(batch_op.f("ix_publications_account_id"))
        batch_op.create_index(
            batch_op.f("ix_publications_account_id_state_due_at"),
            ["account_id", "state", "due_at"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_publications_poll_at"), ["poll_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_publications_wish_at"), ["wish_at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_publications_wish_by_id"), ["wish_by_id"], unique=False
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_publications_wish_by_id_users"), "users", ["wish_by_id"], ["id"]
        )

    with op.batch_alter_table("tracked_links", schema=None) as batch_op:
        batch_op.add_column(sa.Column("alias", sa.String(length=60), nullable=True))
        batch_op.add_column(
            sa.Column("written", sa.String(length=60), nullable=False, server_default="")
        )
        batch_op.add_column(sa.Column("expires_at", cms.core.db.UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("checked_at", cms.core.db.UTCDateTime(), nullable=True))
        batch_op.add_column(
            sa.Column("check", sa.String(32), nullable=False, server_default="unknown")
        )
        batch_op.add_column(
            sa.Column("check_note", sa.String(length=300), nullable=False, server_default="")
        )
        batch_op.create_index(batch_op.f("ix_tracked_links_alias"), ["alias"], unique=True)


def downgrade() -> None:
    with op.batch_alter_table("tracked_links", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tracked_links_alias"))
        batch_op.drop_column("check_note")
        batch_op.drop_column("check")
        batch_op.drop_column("checked_at")
        batch_op.drop_column("expires_at")
        batch_op.drop_column("written")
        batch_op.drop_column("alias")

    with op.batch_alter_table("publications", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_publications_wish_by_id_users"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_publications_wish_by_id"))
        batch_op.drop_index(batch_op.f("ix_publications_wish_at"))
        batch_op.drop_index(batch_op.f("ix_publications_poll_at"))
        batch_op.drop_index(batch_op.f("ix_publications_account_id_state_due_at"))
        batch_op.create_index(
            batch_op.f("ix_publications_account_id"), ["account_id"], unique=False
        )
        batch_op.drop_column("withdrawn_at")
        batch_op.drop_column("amended_at")
        batch_op.drop_column("wish_by_id")
        batch_op.drop_column("wish_text")
        batch_op.drop_column("wish_tries")
        batch_op.drop_column("wish_at")
        batch_op.drop_column("wish")
        batch_op.drop_column("polls")
        batch_op.drop_column("poll_at")
        batch_op.drop_column("confirm_by")
        batch_op.drop_column("confirmed")
        batch_op.drop_column("expected")
        batch_op.drop_column("carrier_facts")
        batch_op.drop_column("reason_parts")

    with op.batch_alter_table("pools", schema=None) as batch_op:
        batch_op.drop_column("most_per_week")
        batch_op.drop_column("most_per_day")

    with op.batch_alter_table("channel_accounts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_channel_accounts_callback_token"))
        batch_op.drop_column("retired_at")
        batch_op.drop_column("test_parts")
        batch_op.drop_column("test_result")
        batch_op.drop_column("tested_at")
        batch_op.drop_column("last_fault_at")
        batch_op.drop_column("fault_parts")
        batch_op.drop_column("callback_token")
        batch_op.drop_column("secrets_changed_at")
        batch_op.drop_column("sealed")

    with op.batch_alter_table("calendars", schema=None) as batch_op:
        batch_op.drop_column("quiet_until")
        batch_op.drop_column("quiet_from")

    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.drop_column("act")

    with op.batch_alter_table("employee_tasks", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_employee_tasks_proof_media_id"))
        batch_op.drop_index(batch_op.f("ix_employee_tasks_decided_by_id"))

    op.drop_table("employee_tasks")
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deliveries_publication_id_state"))

    op.drop_table("deliveries")
    op.drop_table("carrier_figures")
    op.drop_table("subscribers")
    with op.batch_alter_table("stops", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_stops_lifted_by_id"))
        batch_op.drop_index(batch_op.f("ix_stops_lifted_at"))
        batch_op.drop_index(batch_op.f("ix_stops_by_id"))
        batch_op.drop_index(batch_op.f("ix_stops_account_id"))

    op.drop_table("stops")
    with op.batch_alter_table("carrier_calls", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_carrier_calls_handled_at_id"))

    op.drop_table("carrier_calls")
    with op.batch_alter_table("blackouts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_blackouts_ends_at"))
        batch_op.drop_index(batch_op.f("ix_blackouts_created_by_id"))
        batch_op.drop_index(batch_op.f("ix_blackouts_calendar_id"))
        batch_op.drop_index(batch_op.f("ix_blackouts_account_id"))

    op.drop_table("blackouts")
    with op.batch_alter_table("alert_notices", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alert_notices_state_next_at"))
        batch_op.drop_index(batch_op.f("ix_alert_notices_route_id"))

    op.drop_table("alert_notices")
    op.drop_table("utm_rules")
    with op.batch_alter_table("carrier_uploads", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_carrier_uploads_expires_at"))

    op.drop_table("carrier_uploads")
    op.drop_table("carrier_tokens")
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alerts_settled_at"))

    op.drop_table("alerts")
    op.drop_table("alert_routes")
