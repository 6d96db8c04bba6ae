"""Our gateway and those that a user would pick instead, side by side on the same upstream."""
