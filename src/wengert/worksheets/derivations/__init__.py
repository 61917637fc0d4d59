"""The making of a derivation: the chain rule over symbols, each step with its name, and its printed forms."""
