"""What an operator does with it: transcripts, export, statistics, diagnostics, switches."""
