"""What things cost, measured: programs that print numbers and assert nothing."""
