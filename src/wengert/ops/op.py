"""What an operation is: a row of the rule table, and how a call of it finds the value that should answer.

A call looks at its arguments only. If one of them belongs to a running differentiation (a `Traced` value),
the one with the highest level answers. Otherwise the operation is evaluated in the richest number system
among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

TABLE: dict[str, Op] = {}
"""Every operation by name, in the order of the tables."""

ALIASES: dict[str, str] = {}
"""Other spellings of operations (``arcsin``), for NumPy's and PyTorch's names."""

PARAMETER_SPELLINGS = {"dim": "axis", "keepdim": "keepdims", "dims": "axes"}
"""PyTorch's spellings of the array API's parameters."""


class Traced:
    """A value above the number systems: it answers operations itself, through `record`.

    Every subclass has a ``level``: nested derivatives own different levels, so they never mix.
    """

    __slots__ = ()
    types: ClassVar[set[type]] = set()
    level: int

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        Traced.types.add(cls)

    @property
    def beneath(self) -> Any:
        """The value that this one adds a layer to."""
        raise NotImplementedError

    def record(self, op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        """Answer ``op(*args, **params)``, where this value has the highest level among the arguments."""
        raise NotImplementedError


def traced_level(value: object) -> int:
    """The level of a traced value; -1 for a value of a number system."""
    return value.level if isinstance(value, Traced) else -1


def bottom(value: Any) -> Any:
    """The value of a number system beneath every layer of differentiation, batching and tracing."""
    while (beneath := getattr(value, "beneath", None)) is not None:
        value = beneath
    return value


def untaped(value: Any) -> Any:
    """The value beneath every layer of differentiation and batching; a traced one stays on its graph."""
    while isinstance(value, Traced):
        value = value.beneath
    return value


def alike(args: tuple[Any, ...], result: Any) -> tuple[Any, ...]:
    """The arguments of an operation with Python numbers as the result's number system understands them:
    beside a fraction 0.1 is 1/10, and the logarithm of 2 has as many digits as the rest."""
    for a in args:
        if type(a) is float or type(a) is int:
            system = system_of(bottom(result))
            return args if system.lift is None else tuple(map(system.understood, args))
    return args


class Case:
    """One sample call of an operation: arguments as plain numbers or nested lists, and parameters."""

    __slots__ = ("args", "params")

    def __init__(self, *args: Any, **params: Any) -> None:
        self.args = args
        self.params = params

    def __repr__(self) -> str:
        words = [repr(a) for a in self.args] + [f"{k}={v!r}" for k, v in self.params.items()]
        return f"({', '.join(words)})"


def grid(*shape: int, shift: int = 3) -> Any:
    """A nested list of the given shape with distinct, exactly representable entries without any order."""
    counter = iter(range(10**6))

    def fill(extents: Sequence[int]) -> Any:
        if not extents:
            k = next(counter) + shift
            return ((7 * k) % 23) / 8 - 1.3125 + k / 64
        return [fill(extents[1:]) for _ in range(extents[0])]

    return fill(shape)


class Op:
    """A row of the rule table.

    ``arity`` is the number of array arguments, or None where they come as a list. ``parameters`` are the
    static settings with their defaults (``axis``, ``keepdims``), never differentiated. ``kink`` states the
    derivative that is chosen where none exists; ``domain`` says where the operation is defined.
    ``chain_rule`` is what a textbook calls the way back through it: one name, or one for each argument.
    ``batch`` says what the parameters become when the first argument gets a leading axis, for `vmap`. A row
    that serves other rows, or whose users call it elsewhere (`wengert.nn.functional`), is not ``public``.
    """

    differentiable = True
    over_axes = False
    """Whether it arranges or adds up entries, so that only arrays can do it."""

    batch: Callable[..., Any] | None = None
    public = True

    def __init__(
        self,
        name: str,
        *,
        arity: int | None,
        parameters: Mapping[str, Any] | None = None,
        tex: str | None = None,
        text: str | None = None,
        infix: str | None = None,
        precedence: int = 100,
        domain: str | None = None,
        kink: str | None = None,
        chain_rule: str | Sequence[str] = (),
        sample: Sequence[Case] = (),
        definition: Callable[..., Any] | None = None,
        aliases: Sequence[str] = (),
        batch: Callable[..., Any] | None = None,
        public: bool = True,
        doc: str = "",
    ) -> None:
        self.name = name
        self.arity = arity
        self.parameters: Mapping[str, Any] = parameters or {}
        self.tex = tex
        self.text = text
        self.infix = infix
        self.precedence = precedence
        self.domain = domain
        self.kink = kink
        self.chain_rule = (chain_rule,) if isinstance(chain_rule, str) else tuple(chain_rule)
        self.sample = sample
        self.definition = definition
        self.batch = batch
        self.public = public
        self.aliases = tuple(aliases)
        self.implementations: dict[str, Callable[..., Any]] = {}
        self.by_types: dict[tuple[type, ...], Callable[..., Any]] = {}
        self.__name__ = name
        self.__doc__ = self._described(doc)
        TABLE[name] = self
        ALIASES.update(dict.fromkeys(self.aliases, name))

    def _described(self, doc: str) -> str:
        """The docstring: what the row says in words, and its facts."""
        lines = [doc or f"The {type(self).__name__.lower()} operation {self.name!r} of the rule table.", ""]
        if self.parameters:
            lines.append(f"Parameters: {', '.join(f'{k}={v!r}' for k, v in self.parameters.items())}.")
        if self.domain:
            lines.append(f"Defined where {self.domain}.")
        if self.kink:
            lines.append(f"{self.kink[0].upper()}{self.kink[1:]}.")
        return "\n".join(lines).strip()

    def __repr__(self) -> str:
        return f"<operation {self.name}>"

    def __reduce__(self) -> Any:
        return (lookup, (self.name,))

    def __call__(self, *args: Any, **params: Any) -> Any:
        if len(args) == self.arity:
            if not params:
                return self.apply(args, self.parameters)
            if params.keys() == self.parameters.keys():
                return self.apply(args, params)
        args, settings = self.bind(args, params)
        return self.apply(args, settings)

    def apply(self, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        """Evaluate on arguments and complete parameters that are bound already."""
        known = self.by_types.get(tuple(map(type, args)))
        if known is not None:
            return known(*args, **params)
        top = None
        traced = Traced.types
        for a in args:
            if type(a) in traced and (top is None or a.level > top.level):
                top = a
        if top is not None:
            return top.record(self, args, params)
        return self.evaluate(args, params)

    def evaluate(self, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        """Evaluate in the richest number system among the arguments."""
        system = richest_system(args, self.name)
        implementation = self.implementations.get(system.name)
        if implementation is None:
            implementation = self.implementations[system.name] = system.implement(self)
        if len(args) <= 3:
            self.by_types[tuple(map(type, args))] = implementation
        return implementation(*args, **params)

    def bind(
        self, args: tuple[Any, ...], params: dict[str, Any]
    ) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        """Part the call's words into array arguments and parameters, and check their names."""
        if self.arity is None:
            arrays, rest = (
                (tuple(args[0]), args[1:]) if args and isinstance(args[0], (list, tuple)) else (args, ())
            )
        else:
            arrays, rest = args[: self.arity], args[self.arity :]
            if len(arrays) < self.arity:
                raise TypeError(f"{self.name}() takes {self.arity} array arguments, got {len(arrays)}")
        if not params and not rest:
            return arrays, self.parameters
        settings = dict(self.parameters)
        if len(rest) > len(settings):
            raise TypeError(
                f"{self.name}() takes at most {(self.arity or 1) + len(settings)} arguments, got {len(args)}"
            )
        settings.update(zip(settings, rest, strict=False))
        if params.keys() <= settings.keys():
            settings.update(params)
            return arrays, settings
        for word, setting in params.items():
            spelled = word if word in settings else PARAMETER_SPELLINGS.get(word, word)
            if spelled not in settings:
                known = ", ".join(settings) or "none"
                raise TypeError(f"{self.name}() has no parameter {word!r} (its parameters: {known})")
            settings[spelled] = setting
        return arrays, settings

    def vjp(
        self,
        adjoint: Any,
        args: tuple[Any, ...],
        result: Any,
        params: Mapping[str, Any],
        parents: Sequence[Any],
    ) -> Sequence[Any]:
        """The adjoint that each argument receives from the result's adjoint.

        ``parents`` holds None for an argument that wants none; None is returned there, and where nothing
        flows.
        """
        raise NotImplementedError

    def jvp(
        self, tangents: Sequence[Any], args: tuple[Any, ...], result: Any, params: Mapping[str, Any]
    ) -> Any:
        """The result's tangent, from the arguments' tangents (None: zero); None where it is zero."""
        raise NotImplementedError


def lookup(name: str) -> Op:
    """The operation of that name or alias; KeyError where the table has none."""
    return TABLE[ALIASES.get(name, name)]


class Later:
    """Operations of tables further down, by name: ``later.log(x)`` is looked up when a rule runs."""

    def __getattr__(self, name: str) -> Op:
        if name not in TABLE:
            raise AttributeError(f"the table has no operation {name!r}")
        op = TABLE[name]
        setattr(self, name, op)
        return op


later = Later()


class System:
    """A number system: it evaluates operations on plain values.

    ``namespaces`` are searched in order for a function of the operation's name, then the row's own definition
    serves.
    """

    lift: Callable[[Any], Any] | None = None
    """How a Python number is understood beside numbers of this system; None where that goes without
    saying."""

    boxed: ClassVar[Callable[[Any], Any] | None] = None
    """A number as an array without axes, once there are arrays."""

    def __init__(self, name: str, rank: int, *namespaces: object) -> None:
        self.name = name
        self.rank = rank
        self.namespaces = namespaces

    def implement(self, op: Op) -> Callable[..., Any]:
        """The function that evaluates ``op`` here. Raises `UnsupportedOperation` where there is none."""
        function = self.find(op)
        if function is not None:
            return self.adapt(op, function)
        if op.definition is not None:
            return op.definition if self.lift is None else self.lifted(op.definition)
        box = System.boxed
        if box is not None and self.lift is not None and op.over_axes:
            return lambda *args, **params: op.apply(tuple(map(box, args)), params)
        raise UnsupportedOperation(f"{self.name} numbers have no operation {op.name!r}")

    def lifted(self, definition: Callable[..., Any]) -> Callable[..., Any]:
        """The definition on arguments that all belong to this system."""
        return lambda *args, **params: definition(*map(self.understood, args), **params)

    def understood(self, a: Any) -> Any:
        """An argument, which is lifted into this system if it is a Python number."""
        return self.lift(a) if self.lift is not None and type(a) in (float, int) else a

    def find(self, op: Op) -> Callable[..., Any] | None:
        """The library's function of the operation's name."""
        for namespace in self.namespaces:
            function: Callable[..., Any] | None = getattr(namespace, op.name, None)
            if function is not None:
                return function
        return None

    def adapt(self, op: Op, function: Callable[..., Any]) -> Callable[..., Any]:
        """Fit a library's function to the operation's conventions."""
        return function

    def constant(self, text: str) -> Any:
        """The constant that the text names, as exactly as this number system can hold it."""
        raise NotImplementedError


class UnsupportedOperation(TypeError):
    """A number system cannot do an operation."""


SYSTEMS: dict[type, System] = {}
"""The number system of every type met so far."""

PROVIDERS: dict[str, Callable[[type], System | None]] = {}
"""For a library's name, the function that finds the number system of one of its types."""


def system_of(value: object, asking: str = "") -> System:
    """The number system that a value belongs to. Raises TypeError for what is no number, in the name
    of the operation that asks."""
    kind = type(value)
    system = SYSTEMS.get(kind)
    if system is None:
        for base in kind.__mro__:
            provider = PROVIDERS.get(base.__module__.partition(".")[0])
            system = provider(kind) if provider else None
            if system is not None:
                SYSTEMS[kind] = system
                return system
        hint = "; make it an array with wengert.tensor" if kind in (list, tuple) else ""
        who = f"{asking}: " if asking else ""
        raise TypeError(f"{who}expected a number or an array, got {kind.__name__}: {value!r:.80}{hint}")
    return system


def richest_system(args: Sequence[Any], asking: str) -> System:
    """The number system of highest rank among the arguments of the operation that asks."""
    best: System | None = None
    for a in args:
        system = SYSTEMS.get(type(a)) or system_of(a, asking)
        if best is None or system.rank > best.rank:
            best = system
    if best is None:
        raise TypeError(f"{asking}: expected at least one array argument, got none")
    return best


def rows() -> Iterator[Op]:
    """Every operation of the table."""
    return iter(TABLE.values())
