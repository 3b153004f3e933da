"""A hundred thousand of everything, measured in processes of their own."""
