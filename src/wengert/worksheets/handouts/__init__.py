"""The making of a handout: chains of equations with numbers put in, and the document around them."""
