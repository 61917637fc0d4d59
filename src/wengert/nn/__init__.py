"""Neural networks with PyTorch's names: modules that hold parameters, layers, losses, and how weights start.

A model is a `Module`: it finds its parameters by its attributes, and calling it runs ``forward``.

>>> import wengert
>>> from wengert import nn
>>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
>>> x, y = wengert.ones(16, 4), wengert.zeros(16, 1)
>>> ((model(x) - y) ** 2).mean().backward()
>>> model[0].weight.grad.shape
(8, 4)
"""

from wengert.nn import functional, init, utils
from wengert.nn.activations import (
    ELU,
    GELU,
    SELU,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from wengert.nn.containers import ModuleDict, ModuleList, ParameterList, Sequential
from wengert.nn.convolution import Conv2d, ConvTranspose2d
from wengert.nn.dropout import Dropout
from wengert.nn.embedding import Embedding
from wengert.nn.linear import Bilinear, Flatten, Identity, Linear, Unflatten
from wengert.nn.losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    GaussianNLLLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
)
from wengert.nn.module import Module
from wengert.nn.normalization import BatchNorm1d, BatchNorm2d, LayerNorm
from wengert.nn.parameter import Parameter
from wengert.nn.pooling import AdaptiveAvgPool2d, AvgPool2d, MaxPool2d

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "AdaptiveAvgPool2d",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Bilinear",
    "Conv2d",
    "ConvTranspose2d",
    "CrossEntropyLoss",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianNLLLoss",
    "Hardtanh",
    "HuberLoss",
    "Identity",
    "KLDivLoss",
    "L1Loss",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "MSELoss",
    "MaxPool2d",
    "Mish",
    "Module",
    "ModuleDict",
    "ModuleList",
    "NLLLoss",
    "PReLU",
    "Parameter",
    "ParameterList",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Softplus",
    "Tanh",
    "Unflatten",
    "functional",
    "init",
    "utils",
]
