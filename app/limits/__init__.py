"""What may be asked and what it may cost: rates and budgets over shared counters."""
