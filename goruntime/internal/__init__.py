"""What packages net and os share and programs do not import.

Go: internal/poll/fd.go errClosing.
"""
