"""Random one-P programs, each written in Go and in Python at once: real Go is the oracle.

Reading order: `syntax`, `generate` and the scenes (who writes the programs), `emit_go` and `emit_python` (the two texts
of a program), `machine`, `locks`, `contexts` and `reference` (what it must print, by the rules alone), `real_go` and
`in_process` (what real Go and goruntime print), `transcript` and `compare`, `shrink`. `python -m tests.random_programs`
drives it by hand.
"""
