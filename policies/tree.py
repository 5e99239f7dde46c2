"""A tree of values as JSON and arrays, and back, exactly: types, memory order, generators, and what stands in two places included."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
WANTED = "None, booleans, numbers, texts, lists, tuples, dicts, NumPy arrays, generators and seed sequences"
Arrays = dict[str, NDArray[Any]]
SEED_PARTS = ("entropy", "spawn_key", "pool_size", "n_children_spawned")


@dataclass
class _Packing:
    """What was met so far; an array, generator or seed sequence that stands in two places is written once."""

    arrays: Arrays = field(default_factory=dict)
    objects: list[Any] = field(default_factory=list)
    met: dict[int, dict[str, Any]] = field(default_factory=dict)  # what stands for an object, by its id
    alive: list[Any] = field(default_factory=list)  # an id is of use only while its object lives

    def once(self, thing: Any, make: Any) -> dict[str, Any]:
        if id(thing) not in self.met:
            self.met[id(thing)] = make()
            self.alive.append(thing)
        return self.met[id(thing)]

    def pack(self, value: Any, where: str) -> Any:
        if value is None or isinstance(value, bool) or type(value) in (str, int):
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"$float": repr(value)}
        if type(value) is list:
            return [self.pack(one, f"{where}[{at}]") for at, one in enumerate(value)]
        if type(value) is tuple:
            return {"$tuple": [self.pack(one, f"{where}[{at}]") for at, one in enumerate(value)]}
        if type(value) is dict:
            return self._pack_dict(value, where)
        if type(value) is np.ndarray:
            return self.once(value, lambda: {"$array": self._add(value, where)})
        if isinstance(value, np.generic):
            return {"$scalar": self._add(np.asarray(value), where)}
        if isinstance(value, np.random.Generator):
            return self.once(value.bit_generator, lambda: self._pack_generator(value.bit_generator, where))
        if type(value) is np.random.SeedSequence:
            return self.once(value, lambda: self._pack_seed(value, where))
        raise TypeError(f"{where} is {value!r} of type {type(value).__name__}; a checkpoint holds {WANTED}")

    def _pack_dict(self, value: dict[Any, Any], where: str) -> Any:
        if all(type(key) is str and not key.startswith("$") for key in value):
            return {key: self.pack(one, f"{where}[{key!r}]") for key, one in value.items()}
        return {"$items": [[self.pack(key, f"a key of {where}"), self.pack(one, f"{where}[{key!r}]")] for key, one in value.items()]}

    def _pack_generator(self, bits: np.random.BitGenerator, where: str) -> dict[str, Any]:
        kind = type(bits).__name__
        if kind not in BIT_GENERATORS or type(bits) is not getattr(np.random, kind):
            raise TypeError(f"{where} is a generator over {kind}; a checkpoint holds those over {', '.join(BIT_GENERATORS)}")
        seed = bits.seed_seq if type(bits.seed_seq) is np.random.SeedSequence else None  # `spawn` goes on from it
        made = {"kind": kind, "state": self.pack(bits.state, where), "seed": self.pack(seed, where)}
        self.objects.append({"generator": made})
        return {"$object": len(self.objects) - 1}

    def _pack_seed(self, seed: np.random.SeedSequence, where: str) -> dict[str, Any]:
        self.objects.append({"seed": {name: self.pack(getattr(seed, name), where) for name in SEED_PARTS}})
        return {"$object": len(self.objects) - 1}

    def _add(self, array: NDArray[Any], where: str) -> str:
        if array.dtype.hasobject:
            raise TypeError(f"{where} is an array of Python objects; a checkpoint holds arrays of numbers and of texts")
        name = f"a{len(self.arrays)}"
        self.arrays[name] = array
        return name


@dataclass
class _Unpacking:
    arrays: Arrays
    objects: list[Any] = field(default_factory=list)

    def unpack(self, data: Any) -> Any:
        if isinstance(data, list):
            return [self.unpack(one) for one in data]
        if not isinstance(data, dict):
            return data
        if len(data) != 1 or not (mark := next(iter(data))).startswith("$"):
            return {key: self.unpack(one) for key, one in data.items()}
        held = data[mark]
        if mark == "$items":
            return {self.unpack(key): self.unpack(one) for key, one in held}
        if mark == "$tuple":
            return tuple(self.unpack(one) for one in held)
        if mark == "$float":
            return float(held)
        if mark == "$scalar":
            return self.arrays[held][()]
        if mark == "$array":
            return self.arrays[held]
        if mark == "$object":
            return self.objects[held]
        raise ValueError(f"unknown mark {mark!r}")

    def make(self, data: dict[str, Any]) -> Any:
        if "seed" in data:
            return np.random.SeedSequence(**self.unpack(data["seed"]))
        held = data["generator"]
        if held["kind"] not in BIT_GENERATORS:
            raise ValueError(f"unknown generator {held['kind']!r}")
        seed = self.unpack(held["seed"])
        bits = getattr(np.random, held["kind"])(0 if seed is None else seed)
        bits.state = self.unpack(held["state"])
        return np.random.Generator(bits)


def pack(value: Any) -> tuple[dict[str, Any], Arrays]:
    """Return the value as JSON values, and the arrays that they name.

    Raises:
        TypeError: something that cannot be written, with its place.
    """
    packing = _Packing()
    tree = packing.pack(value, "the state")
    return {"objects": packing.objects, "tree": tree}, packing.arrays


def unpack(data: dict[str, Any], arrays: Arrays) -> Any:
    """Return the value that `pack` made these of."""
    unpacking = _Unpacking(arrays)
    for one in data["objects"]:  # a seed sequence stands before the generator that was made of it
        unpacking.objects.append(unpacking.make(one))
    return unpacking.unpack(data["tree"])
