"""What every layer stands on: errors, the one source of choices, the event schema. Imports nothing of ours."""
