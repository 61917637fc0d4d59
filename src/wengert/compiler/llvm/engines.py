"""From text to object files, and from object files to functions that can be called.

The vectors are explicit, so LLVM has little left to improve: only loop counters move from the stack into
registers before code is generated. Several modules are compiled at the same time, each in a context of its
own.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from wengert.compiler.llvm.machine import Machine, available_threads, binding

_C_LIBRARY = (
    *("sin", "cos", "tan"),
    *("fma", "fmaf", "floor", "floorf", "ceil", "ceilf", "rint", "rintf", "trunc", "truncf"),
    *("memcpy", "memmove", "memset"),
)
"""Functions of the C library that native code may call: what no instruction of a lesser machine does."""


class NativeModule:
    """Native code in memory. It stays there for as long as this object, or a function of it, lives."""

    def __init__(self, objects: Sequence[bytes], machine: Machine) -> None:
        llvm = binding()
        _offer_c_library()
        empty = llvm.parse_assembly("")  # in the context that outlives every engine
        self._engine = llvm.create_mcjit_compiler(empty, target_machine(machine))
        self._files = [llvm.object_file.ObjectFileRef.from_data(data) for data in objects]
        for file in self._files:
            self._engine.add_object_file(file)
        self._engine.finalize_object()

    def address(self, name: str) -> int:
        """Where a function begins. Raises KeyError for a name that the module does not define."""
        address = int(self._engine.get_function_address(name))
        if not address:
            raise KeyError(name)
        return address

    def function(self, name: str, *types: Any) -> Callable[..., None]:
        """A function without a value, whose parameters have these ctypes. Other threads run meanwhile.

        Raises KeyError for a name that the module does not define.
        """
        function = ctypes.CFUNCTYPE(None, *types)(self.address(name))
        function.module = self  # type: ignore[attr-defined]  # the code lives as long as its callers
        return function


def compiled(texts: Sequence[str], machine: Machine) -> list[bytes]:
    """The object file of each module.

    Raises RuntimeError with LLVM's words for text that it does not understand.
    """
    workers = min(len(texts), available_threads())
    if workers <= 1:
        return [_object_file(text, machine) for text in texts]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda text: _object_file(text, machine), texts))


def _object_file(text: str, machine: Machine) -> bytes:
    llvm = binding()
    target = target_machine(machine)
    module = llvm.parse_assembly(text, llvm.create_context())
    module.triple, module.data_layout = target.triple, str(target.target_data)
    module.verify()
    builder = llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(speed_level=0))
    passes = llvm.create_new_module_pass_manager()
    passes.add_sroa_pass()
    passes.run(module, builder)
    return _emitted(target, module)


def target_machine(machine: Machine) -> Any:
    """LLVM's code generator for a machine."""
    target = binding().Target.from_triple(machine.triple)
    return target.create_target_machine(cpu=machine.cpu, features=machine.features, opt=2, jit=True)


def _emitted(target: Any, module: Any) -> bytes:
    """The object file of a module, without the lock that llvmlite holds around each of its calls.

    LLVM may work on several contexts at a time, and this is where nearly all of the time goes.
    """
    emit, start, size, release, release_text = _unlocked()
    error = ctypes.c_void_p()
    buffer = emit(_pointer(target), _pointer(module), 1, ctypes.byref(error))
    if not buffer:
        message = ctypes.string_at(error).decode(errors="replace") if error else "no object file was made"
        release_text(error)
        raise RuntimeError(message)
    try:
        return ctypes.string_at(start(buffer), size(buffer))
    finally:
        release(buffer)


def _pointer(reference: Any) -> ctypes.c_void_p:
    return ctypes.cast(reference._as_parameter_, ctypes.c_void_p)


@functools.cache
def _unlocked() -> tuple[Any, ...]:
    """llvmlite's functions that emit an object file, as its library exports them."""
    library = ctypes.CDLL(None, handle=binding().ffi.lib._handle)
    pointer = ctypes.c_void_p
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "LLVMPY_TargetMachineEmitToMemory": (
            pointer,
            [pointer, pointer, ctypes.c_int, ctypes.POINTER(pointer)],
        ),
        "LLVMPY_GetBufferStart": (pointer, [pointer]),
        "LLVMPY_GetBufferSize": (ctypes.c_size_t, [pointer]),
        "LLVMPY_DisposeMemoryBuffer": (None, [pointer]),
        "LLVMPY_DisposeString": (None, [pointer]),
    }
    functions = []
    for name, (result, parameters) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, parameters
        functions.append(function)
    return tuple(functions)


@functools.cache
def _offer_c_library() -> None:
    """Tell LLVM where the C library's functions are."""
    libraries = [ctypes.CDLL("ucrtbase")] if sys.platform == "win32" else [ctypes.CDLL(None)]
    if sys.platform.startswith("linux"):
        libraries.append(ctypes.CDLL("libm.so.6"))
    for name in _C_LIBRARY:
        for library in libraries:
            function = getattr(library, name, None)
            if function is not None:
                binding().add_symbol(name, ctypes.cast(function, ctypes.c_void_p).value)
                break


@functools.cache
def versions() -> str:
    """What made the object files: they are good for no other versions of it."""
    import llvmlite

    return f"llvmlite {llvmlite.__version__}, LLVM {'.'.join(map(str, binding().llvm_version_info))}"
