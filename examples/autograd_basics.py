"""Gradients in ten minutes: what a tensor remembers, and how to ask it.

Follows the course of PyTorch's "A gentle introduction to torch.autograd", with its names, in our own words.

    python examples/autograd_basics.py
"""

from __future__ import annotations

import wengert


def one_training_step() -> tuple[float, float]:
    """A forward pass, a backward pass, an update: the loss before and after."""
    generator = wengert.manual_seed(0)
    data, labels = wengert.rand(8, 3, generator=generator), wengert.rand(8, 1, generator=generator)
    weight = wengert.randn(3, 1, generator=generator, requires_grad=True)

    loss = ((data @ weight - labels) ** 2).mean()
    loss.backward()  # fills weight.grad
    with wengert.no_grad():  # an update is not part of the function
        weight -= 0.1 * weight.grad
    after = ((data @ weight - labels) ** 2).mean()
    return loss.item(), after.item()


def gradient_of_a_vector() -> tuple[wengert.Tensor, wengert.Tensor]:
    """Q = 3a³ − b² has two entries, so backward needs the adjoint of each: here 1 and 1."""
    a = wengert.tensor([2.0, 3.0], requires_grad=True)
    b = wengert.tensor([6.0, 4.0], requires_grad=True)
    Q = 3 * a**3 - b**2
    Q.backward(gradient=wengert.tensor([1.0, 1.0]))
    assert (a.grad == 9 * a**2).all()  # ∂Q/∂a = 9a²
    assert (b.grad == -2 * b).all()  # ∂Q/∂b = −2b
    return a.grad, b.grad


def vector_jacobian_product() -> wengert.Tensor:
    """Backward never builds the Jacobian J of y = x²: it multiplies Jᵀ by the vector that it is given."""
    x = wengert.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x**2
    v = wengert.tensor([0.1, 1.0, 10.0])
    y.backward(v)
    J = wengert.jacobian(lambda x: x**2)(wengert.tensor([1.0, 2.0, 3.0]))
    assert wengert.allclose(x.grad, J.T @ v)
    return x.grad


def what_is_recorded() -> tuple[bool, bool]:
    """A result is recorded where one of its arguments requires a gradient, and not otherwise."""
    x, y = wengert.rand(5, 5), wengert.rand(5, 5)
    z = wengert.rand(5, 5, requires_grad=True)
    return (x + y).requires_grad, (x + z).requires_grad


def frozen_layer() -> tuple[bool, bool]:
    """Freezing a layer: only what still requires a gradient receives one."""
    features = wengert.randn(10, 4)
    frozen = wengert.randn(4, 4, requires_grad=True)
    head = wengert.randn(4, 2, requires_grad=True)
    frozen.requires_grad_(False)
    wengert.relu(features @ frozen).matmul(head).sum().backward()
    return frozen.grad is None, head.grad is not None


def the_graph_itself() -> str:
    """What the tape holds, as a table: the same rules that computed the gradient write its formulas."""
    points = wengert.tensor([2.0, 3.0]), wengert.tensor([6.0, 4.0])
    sheet = wengert.explain(lambda a, b: wengert.sum(3 * a**3 - b**2), *points)
    return sheet.to_text(width=100)


def main() -> None:
    before, after = one_training_step()
    print(f"one step of gradient descent: loss {before:.4f} → {after:.4f}")
    print("gradients of 3a³ − b²:", *gradient_of_a_vector())
    print("Jᵀv of x²:", vector_jacobian_product())
    print("recorded without and with requires_grad:", *what_is_recorded())
    print("frozen layer has no gradient, the head has one:", *frozen_layer())
    print(the_graph_itself())


if __name__ == "__main__":
    main()
