"""The embedded identity service: people with a password, their sessions, invitations and mails."""
