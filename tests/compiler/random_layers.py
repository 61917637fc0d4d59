"""Steps of random programs that take several rows: products, losses, images, factorisations, samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from random_steps import Steps

from wengert.ops import rows
from wengert.ops.op import Op

SAMPLES = [(op, case) for op in rows() for case in op.sample]
LOSSES = (
    *("mse_loss", "l1_loss", "huber_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"),
    *("cross_entropy", "cross_entropy", "softmax_residual", "pairwise_distances"),
)


class Layers(Steps):
    """Steps with inputs of their own."""

    def product(self) -> None:
        a = self.value(1, "f")
        shape = np.shape(self.values[a])
        row = self.one_of(
            ("matmul", "matmul", "matmul", "outer", "inner", "linear", "einsum", "tensordot", "kron")
        )
        columns = int(self.one_of(self.extents))
        dtype = str(self.values[a].dtype)
        if row == "matmul":
            choice = self.random.random()
            if choice < 0.2:
                b = self.input((shape[-1],), dtype)
            elif choice < 0.4 and len(shape) > 2:
                b = self.input(
                    (*(1 if self.chance(0.3) else n for n in shape[:-2]), shape[-1], columns), dtype
                )
            elif choice < 0.5 and len(shape) > 1:
                b = self.add("transpose", a) or a
            else:
                b = self.input((shape[-1], columns), dtype)
            other = [n for n, v in self.values.items() if np.ndim(v) > 1 and np.shape(v)[-2] == shape[-1]]
            if other and self.chance(0.4):
                b = self.one_of(other)
            if self.chance(0.2) and len(shape) == 2:
                left = self.input((columns, shape[0]), dtype)
                self.add(row, left, a)
            else:
                self.add(row, a, b)
        elif row == "linear":
            weight, bias = self.input((columns, shape[-1]), dtype), self.input((columns,), dtype)
            self.add(row, a, weight, bias)
        elif row == "einsum":
            subscripts, wanted = self.one_of(
                (
                    ("...i,ij->...j", (shape[-1], columns)),
                    ("...i,i->...", (shape[-1],)),
                    ("...i,ji", (columns, shape[-1])),
                )
            )
            self.add(row, a, self.input(wanted, dtype), subscripts=subscripts)
        elif row == "tensordot":
            self.add(row, a, self.input((shape[-1], columns), dtype), axes=1)
        elif row == "inner":
            self.add(row, a, self.input((columns, shape[-1]) if self.chance(0.5) else (shape[-1],), dtype))
        else:
            self.add(row, a, self.input((int(self.one_of((1, 2, 3))),), dtype))

    def loss(self) -> None:
        a = self.value(1, "f")
        shape = np.shape(self.values[a])
        reduction = self.one_of(("mean", "sum", "none"))
        row = self.one_of(LOSSES)
        if row in ("cross_entropy", "softmax_residual"):
            axis = int(self.random.integers(len(shape))) if self.chance(0.4) else len(shape) - 1
            if not shape[axis]:
                return
            labels = self.positions(tuple(n for k, n in enumerate(shape) if k != axis), shape[axis])
            self.values[labels] = self.inputs[labels] = np.abs(self.inputs[labels]) % shape[axis]
            params = {"reduction": reduction} if row == "cross_entropy" else {}
            self.add(row, a, labels, axis=axis, **params)
        elif row == "pairwise_distances":
            if len(shape) == 2:
                self.add(row, a, self.input((int(self.one_of((1, 3, 7))), shape[1])), ord=self.one_of((1, 2)))
        else:
            if row == "binary_cross_entropy":
                a = self.add("sigmoid", a) or a
            target = self.input(shape)
            if row.startswith("binary"):
                target = self.add("sigmoid", target) or target
            self.add(row, a, target, reduction=reduction)

    def image(self) -> None:
        channels, height, width = (int(self.one_of(c)) for c in ((1, 2, 3), (4, 5, 7), (4, 6, 9)))
        x = self.input((int(self.one_of((1, 2))), channels, height, width))
        if self.chance(0.6):
            kernel = self.input(
                (
                    int(self.one_of((1, 2, 5))),
                    channels,
                    int(self.one_of((1, 2, 3))),
                    int(self.one_of((1, 2, 3))),
                )
            )
            y = self.add("conv2d", x, kernel, stride=self.one_of((1, 2, (1, 2))), padding=self.one_of((0, 1)))
        else:
            row = self.one_of(("max_pool2d", "avg_pool2d"))
            y = self.add(
                row,
                x,
                kernel_size=self.one_of((2, 3)),
                stride=self.one_of((1, 2)),
                padding=self.one_of((0, 1)),
            )
        if y:
            self.add(self.one_of(("relu", "tanh", "negative")), y)

    def factorisation(self) -> None:
        n = int(self.one_of((1, 2, 3, 5)))
        a = self.input((n, n))
        across = self.add("transpose", a)
        gram = across and self.add("matmul", a, across)
        if not gram:
            return
        name = f"x{len(self.inputs)}"
        self.inputs[name] = self.values[name] = 3 * np.eye(n, dtype=self.values[gram].dtype)
        regular = self.add("add", gram, name)
        if regular:
            self.add(
                self.one_of(("inv", "det", "slogdet", "cholesky", "svd", "eigh", "solve", "trace")),
                *([regular] if self.chance(0.8) else [regular, self.input((n, 2))]),
            )

    def sample(self) -> None:
        """A sample call of any row of the table, with its own arguments as inputs."""
        op, case = self.one_of(SAMPLES)
        given = list(case.args)
        if op.arity is None and len(given) == 1:
            words: list[Any] = [[np.asarray(a) for a in given[0]]]
        else:
            arrays = len(given) if op.arity is None else op.arity
            words = [*(a if type(a) is str else np.asarray(a) for a in given[:arrays]), *given[arrays:]]
        args, params = op.bind(tuple(words), dict(case.params))
        names: list[Any] = []
        for a in args:
            array = np.asarray(a)
            name = f"x{len(self.inputs)}"
            self.inputs[name] = array.astype(self.dtype) if array.dtype.kind == "f" else array
            self.values[name] = self.inputs[name]
            names.append(name)
        self._sampled(op, names, dict(params))

    def _sampled(self, op: Op, names: list[Any], params: dict[str, Any]) -> None:
        made = self.add(op.name, *names, **params)
        if made and self.chance(0.5):
            self.add(self.one_of(("negative", "tanh", "square")), made)
