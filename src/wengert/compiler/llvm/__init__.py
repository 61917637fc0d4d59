"""Native code: LLVM's intermediate representation as text, made for the machine at hand."""
