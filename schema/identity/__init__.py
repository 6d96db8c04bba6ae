"""Getting in: sign-in, sessions, forgotten passwords, invitations, one's own profile."""
