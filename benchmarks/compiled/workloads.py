"""The workloads W1 to W6: who takes part, and what is to be reached."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmarks.compiled.demo import Demo
from benchmarks.compiled.functions import ALL, TWO, Autoencoder, Chain, PhaseRetrieval
from benchmarks.compiled.networks import Network
from benchmarks.races import Budget, Contender, Outcome, Settings, race, report_race
from benchmarks.report import Report

SOURCE, EAGER = "wengert, NumPy source", "wengert, eager"
BOUND = "wengert, bound to its arrays"
TORCH, TORCH_COMPILED = "PyTorch eager", "torch.compile"
TORCH_FUNCTIONAL = "PyTorch eager, torch.func"
JAX, SCAN, STEPS = "JAX jit", "JAX lax.scan", "JAX jit, step by step"
CASADI, AUTOGRAD, TINYGRAD = "CasADi", "autograd", "tinygrad"
SCIKIT_LEARN, MICROGRAD = "scikit-learn", "micrograd"


def _contenders(ours: str, peers: str, **makers: tuple[str, str]) -> list[Contender]:
    """Our three programs, the eager one first as the reference; then the peers, package=(name, function)."""
    own = {EAGER: "eager", SOURCE: "numpy_source", "wengert": "native"}
    found = [Contender(name, "", f"benchmarks.compiled.{ours}:{make}") for name, make in own.items()]
    for key, (name, make) in makers.items():
        peer = key.partition("__")[0].replace("_", ".")
        found.append(Contender(name, peer, f"benchmarks.compiled.{peers}:{make}"))
    return found


TRAINING = _contenders(
    "networks",
    "network_peers",
    torch=(TORCH, "torch_eager"),
    torch_compile=(TORCH_COMPILED, "torch_compiled"),
    jax=(SCAN, "jax_scan"),
    jax__steps=(STEPS, "jax_steps"),
    sklearn=(SCIKIT_LEARN, "scikit_learn"),
    autograd=(AUTOGRAD, "autograd"),
    tinygrad=(TINYGRAD, "tinygrad"),
)

DERIVATIVES = [
    *_contenders(
        "functions",
        "function_peers",
        torch=(TORCH, "torch_eager"),
        torch__func=(TORCH_FUNCTIONAL, "torch_functional"),
        torch_compile=(TORCH_COMPILED, "torch_compiled"),
        jax=(JAX, "jax_compiled"),
        autograd=(AUTOGRAD, "autograd"),
        casadi=(CASADI, "casadi"),
        tinygrad=(TINYGRAD, "tinygrad"),
    ),
    Contender(BOUND, "", "benchmarks.compiled.functions:bound"),
]

NUMBERS = [
    *_contenders(
        "demo",
        "demo",
        torch=("PyTorch eager, batched", "torch_eager"),
        jax=("JAX jit, batched", "jax_compiled"),
        micrograd=(MICROGRAD, "micrograd"),
    ),
    Contender("wengert, tensors", "", "benchmarks.compiled.demo:tensors"),
    Contender("wengert.scalar, eager", "", "benchmarks.compiled.demo:scalar_network"),
]

SMALL = Network((16, 64, 7), 32, 10_000, "Adam")
IMAGES = Network((784, 256, 128, 64, 10), 64, 20_000, "Adam", images=True)
MOMENTUM = {"lr": 0.05, "momentum": 0.9}

LOSS_TOLERANCES = {"first losses": 1e-3, "mean loss": 2e-2}
"""Single precision, sums in another order, and the mean over hundreds of steps."""


def _fewer_rows(network: Network, settings: Settings) -> Network:
    return replace(network, rows=4 * network.batch) if settings.quick else network


def _named(contenders: list[Contender], *without: str) -> list[Contender]:
    return [contender for contender in contenders if contender.name not in without]


def small_network(settings: Settings) -> Report:
    """W1: the overhead of a step."""
    outcome = race(_fewer_rows(SMALL, settings), TRAINING, settings, LOSS_TOLERANCES)
    budgets = [
        Budget("W1: ≥ 2.3× JAX scan", 2.3, (SCAN,)),
        Budget("W1: ≥ 40× PyTorch eager", 40, (TORCH,)),
    ]
    return report_race("W1 compiled: MLP 16-64-7, Adam, batches of 32, an epoch of 312", outcome, budgets)


def image_network(settings: Settings, optimizer: str, batch: int) -> Report:
    """W2: matrix products and the optimizer, on images of FashionMNIST's shape."""
    network = replace(IMAGES, batch=batch, optimizer=optimizer)
    if optimizer == "SGD":
        network = replace(network, settings=MOMENTUM)
    whole = (optimizer, batch) == ("Adam", 64)  # who is slow there is slow in the other three
    contenders = TRAINING if whole else _named(TRAINING, TORCH_COMPILED, STEPS, AUTOGRAD, TINYGRAD)
    outcome = race(_fewer_rows(network, settings), contenders, settings, LOSS_TOLERANCES)
    name = f"{optimizer}{' with momentum' if optimizer == 'SGD' else ''}, batches of {batch}"
    budgets = [
        Budget(f"W2, {name}: ≥ 1.2× JAX scan", 1.2, (SCAN,)),
        Budget(f"W2, {name}: ≥ 2.5× PyTorch eager", 2.5, (TORCH,)),
    ]
    return report_race(
        f"W2 compiled: MLP 784-256-128-64-10, {name}, an epoch of 20,000 rows", outcome, budgets
    )


def phase_retrieval(settings: Settings) -> Report:
    """W3: value, gradient and Hessian."""
    outcome = race(PhaseRetrieval(), _named(DERIVATIVES, TINYGRAD), settings, dict.fromkeys(ALL, 1e-9))
    budgets = [
        *_in_both_ways("W3: ≥ 12× CasADi", 12, (CASADI,)),
        *_in_both_ways("W3: ≥ 25× JAX", 25, (JAX,)),
        *_in_both_ways("W3: ≥ 400× PyTorch eager", 400, (TORCH, TORCH_FUNCTIONAL)),
        _source_budget("W3", outcome),
    ]
    title = "W3 compiled: phase retrieval, n = 20, m = 100: value, gradient and Hessian, float64"
    return report_race(title, outcome, budgets, "us")


def autoencoder(settings: Settings) -> Report:
    """W4: value and gradient."""
    outcome = race(
        Autoencoder(), _named(DERIVATIVES, TINYGRAD, TORCH_FUNCTIONAL), settings, dict.fromkeys(ALL, 1e-9)
    )
    budgets = [
        Budget("W4: ≥ 4.5× JAX", 4.5, (JAX,)),
        Budget("W4: ≥ 7× PyTorch eager", 7, (TORCH,)),
        _source_budget("W4", outcome),
    ]
    title = "W4 compiled: tied autoencoder 500×100→10: value and gradient, float64"
    return report_race(title, outcome, budgets, "us")


def chain(settings: Settings) -> Report:
    """W5: value and gradient of a chain of elementwise functions."""
    problem: Any = Chain(1000) if settings.quick else Chain()
    outcome = race(problem, _named(DERIVATIVES, CASADI, TORCH_FUNCTIONAL), settings, dict.fromkeys(TWO, 1e-5))
    budgets = [
        Budget("W5: ≥ 2× JAX", 2, (JAX,)),
        Budget("W5: ≥ 3× PyTorch eager", 3, (TORCH,)),
    ]
    title = f"W5 compiled: elementwise chain, {problem.rows:,} numbers, value and gradient, float32"
    return report_race(title, outcome, budgets)


def demo(settings: Settings) -> Report:
    """W6: micrograd's demo, all points at once."""
    outcome = race(Demo(), NUMBERS, settings, {"losses": 1e-9})
    budgets = [
        Budget("W6: ≥ 2× batched JAX", 2, ("JAX jit, batched",)),
        Budget("W6: ≥ 2,000× micrograd", 2000, (MICROGRAD,)),
    ]
    return report_race(
        "W6 compiled: micrograd's demo, one step of 100 points, float64", outcome, budgets, "us"
    )


def _in_both_ways(text: str, factor: float, against: tuple[str, ...]) -> list[Budget]:
    """For a function so small that the checks of a call take longer than the function."""
    bound = Budget(f"{text}, bound to its arrays", factor, against, BOUND)
    return [bound, Budget(f"{text}, called", factor, against)]


def _source_budget(workload: str, outcome: Outcome) -> Budget:
    peers = tuple(name for name in outcome.times if not name.startswith("wengert")) or (JAX,)
    return Budget(f"{workload}, NumPy source alone: ≥ 1.5× every peer", 1.5, peers, SOURCE)
