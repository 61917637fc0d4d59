"""Writing one function, instruction after instruction."""

from __future__ import annotations

from wengert.compiler.llvm.values import Register


class Instructions:
    """The body of a function. ``lanes`` is the number of entries that its vectors hold."""

    def __init__(self, name: str, lanes: int) -> None:
        self.name = name
        self.lanes = lanes
        self.body: list[str] = []
        self.stack: list[str] = []
        self.parameters: list[Register] = []
        self.declarations: set[str] = set()
        self.count = 0

    def fresh(self) -> str:
        """A name that is not taken."""
        self.count += 1
        return f"%t{self.count}"

    def emit(self, instruction: str, type: str) -> Register:
        """An instruction that has a value."""
        name = self.fresh()
        self.body.append(f"  {name} = {instruction}")
        return Register(name, type)

    def do(self, instruction: str) -> None:
        """An instruction without a value."""
        self.body.append(f"  {instruction}")

    def parameter(self, type: str = "ptr") -> Register:
        """A further parameter of the function."""
        register = Register(f"%p{len(self.parameters)}", type)
        self.parameters.append(register)
        return register

    def call(self, function: str, type: str, *arguments: Register, flags: str = "") -> Register:
        """A call of a function that has a value; it is declared where it must be."""
        self.declarations.add(f"declare {type} @{function}({', '.join(a.type for a in arguments)})")
        words = f"call {flags} " if flags else "call "
        return self.emit(f"{words}{type} @{function}({', '.join(map(str, arguments))})", type)

    def run(self, function: Instructions, *arguments: Register) -> None:
        """Call another function of the same program."""
        self.do(f"call void @{function.name}({', '.join(map(str, arguments))})")

    def alloca(self, type: str, count: int = 1, align: int = 64) -> Register:
        """Memory on the stack, for as long as the function runs."""
        name = self.fresh()
        self.stack.append(f"  {name} = alloca {type}, i64 {count}, align {align}")
        return Register(name, "ptr")

    def labels(self, *words: str) -> tuple[str, ...]:
        """Names of blocks that are not taken."""
        self.count += 1
        return tuple(f"{word}{self.count}" for word in words)

    def begin(self, label: str) -> None:
        """What follows is the block of that name."""
        self.body.append(f"{label}:")

    # -- the whole
    # ----------------------------------------------------------------------------------------------------

    def declaration(self) -> str:
        """How another module announces the function."""
        return f"declare void @{self.name}({', '.join(p.type for p in self.parameters)})"

    def text(self) -> str:
        """The function's definition."""
        parameters = ", ".join(map(str, self.parameters))
        head = f"define void @{self.name}({parameters}) noinline #0 {{"
        return "\n".join(
            [head, "entry:", *self.stack, "  br label %start", "start:", *self.body, "  ret void", "}"]
        )
