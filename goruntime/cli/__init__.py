"""The command line: `goruntime run` and its sisters. docs/cli.md says what each does."""
