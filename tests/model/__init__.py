"""Random programs and random operations against naive models, with every structure checked at every step."""
