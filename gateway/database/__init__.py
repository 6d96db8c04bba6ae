"""What the gateway itself keeps: one database, SQLite or PostgreSQL, and how its tables change."""
