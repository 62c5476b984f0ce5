"""How it is watched: logs, metrics, traces, crash reports."""
