# ruff: noqa: PLC0415 - torch comes in only inside the sandbox, so that the host can read EXIT_REASONS cheaply
"""The one file of ours that lives inside a sandbox: it meets the participant's code.

It prepares everything that costs time (torch, the model, the data), says READY, and waits. GO brings the seed, the
bundle and the output slot. Before the first byte of the participant's is imported, the control socket is closed:
from then on nothing but the output slot and the exit code leaves the sandbox, and neither is believed.
It imports nothing of ours and is started as `python -I -B /runner.py SETTINGS`, SETTINGS being a JSON object.
"""

import base64
import contextlib
import ctypes
import errno
import faulthandler
import importlib.util
import inspect
import io
import json
import math
import os
import random
import resource
import socket
import stat
import struct
import sys
import time
import traceback
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

T = TypeVar("T")

EXIT_REASONS: dict[int, str] = {
    64: "import_failed",
    65: "entry_function_missing",
    66: "unknown_argument_at_run",
    67: "raised",
    68: "memory_limit",
    69: "wrong_return_type",
    70: "wrong_keys",
    71: "wrong_shapes",
}
"""Exit code of a run that failed -> reason code. 0 means that weights were left, or `no_weights`; others, `died`."""

READY, TAKEN, FAULT = b"READY", b"TAKEN", b"FAULT "
LENGTH_BYTES = 8

KNOWN_ARGUMENTS: dict[str, str] = {
    "net": "net",
    "model": "net",
    "retain_loader": "retain",
    "retain": "retain",
    "forget_loader": "forget",
    "forget": "forget",
    "val_loader": "validation",
    "validation_loader": "validation",
    "validation": "validation",
    "class_weights": "class_weights",
    "device": "device",
}
BY_POSITION = ("net", "retain", "forget", "validation")
DTYPES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint8": "U8",
    "bool": "BOOL",
}
"""numpy's names of dtypes -> those of the safetensors format."""


class Ended(Exception):  # noqa: N818 - a way for a run to end, not always an error
    """The run is over; `code` is the exit code to leave with, `detail` what a log may say beyond it."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail

    @classmethod
    def because(cls, reason: str, detail: str = "") -> "Ended":
        """Make the one whose exit code stands for this reason."""
        return cls(next(code for code, known in EXIT_REASONS.items() if known == reason), detail)


@dataclass(frozen=True)
class Stage:
    """Everything that is ready before GO."""

    entry_function: str
    arguments: dict[str, Any]
    layout: dict[str, tuple[str, tuple[int, ...]]]  # key -> numpy dtype name, shape
    bundle_folder: Path


@dataclass(frozen=True)
class Go:
    """What GO brings: a seed, a last limit of processor time for each process, and two memory files.

    On public data, where prints are shown, also a pipe for them.
    """

    seed: int
    cpu_seconds: int
    bundle_fd: int
    output_fd: int
    log_fd: int | None = None


def main() -> None:
    """Prepare, wait for GO, run, and leave with an exit code of EXIT_REASONS."""
    settings = json.loads(sys.argv[1])
    control = connect(settings["control"])
    try:
        confine(settings, control.fileno())
        stage = prepare(settings)
        control.send(READY)
        go = receive(control)
        most = go.cpu_seconds + math.ceil(time.process_time())  # what getting ready took is nobody's to pay
        resource.setrlimit(resource.RLIMIT_CPU, (most, most))
        control.send(TAKEN)
    except BaseException:  # noqa: BLE001 - whatever it is, it is ours, and the host should read it
        with contextlib.suppress(OSError):
            control.send(FAULT + traceback.format_exc()[-4000:].encode())
        os._exit(1)
    control.close()
    code = 1
    try:
        code = participate(stage, go)
    finally:
        os._exit(code)  # no clean-up of the participant's: their threads and exit handlers end here


def prepare(settings: dict[str, Any]) -> Stage:
    """Load torch, the model and the data, and touch every slow path once."""
    import torch
    import torch._dynamo  # optimisers import it on their first step: seconds that are nobody's to pay

    torch.set_num_threads(settings["threads"])
    torch.set_num_interop_threads(1)
    os.environ.clear()
    folder = Path(settings["material"])
    described = json.loads((folder / "material.json").read_text(encoding="utf-8"))
    device = torch.device(settings["device"])
    net, layout = load_model(folder, device)
    arguments = {"net": net, "device": device, **load_data(folder, described, device)}
    warm_up(net, arguments["retain"], device, image_field(described))
    return Stage(described["entry_function"], arguments, layout, Path(settings["bundle_folder"]))


def connect(control: int | str) -> socket.socket:
    """Return the line to the host: a descriptor that came with us, or a path to connect to."""
    if isinstance(control, int):
        return socket.socket(fileno=control)
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    line.connect(control)
    return line


def confine(settings: dict[str, Any], control: int) -> None:
    """Silence the standard streams, drop stray descriptors, lower the limits for good, and find the packages."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.closerange(3, control)
    os.closerange(control + 1, 1024)
    for name, value in settings["rlimits"].items():
        resource.setrlimit(getattr(resource, name), (value, value))
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(settings["threads"])  # read when the libraries load; gone before GO
    sys.path = [path for path in sys.path if not path.endswith("site-packages")] + [settings["packages"]]
    if "filter" in settings:
        install_filter(base64.b64decode(settings["filter"]))


def install_filter(program: bytes) -> None:
    """Have the kernel refuse system calls from here on, for good, in this process and all that it starts."""

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))

    instructions = ctypes.create_string_buffer(program, len(program))
    described = Program(len(program) // 8, ctypes.addressof(instructions))
    libc = ctypes.CDLL(None, use_errno=True)
    no_new_privileges, set_filter, filter_mode = 38, 22, 2
    if libc.prctl(no_new_privileges, 1, 0, 0, 0) or libc.prctl(
        set_filter, filter_mode, ctypes.byref(described), 0, 0
    ):
        raise OSError(ctypes.get_errno(), "the system call filter could not be installed")


def load_model(folder: Path, device: Any) -> tuple[Any, dict[str, tuple[str, tuple[int, ...]]]]:
    """Build the competition's model with the original's weights; return it with the layout they have."""
    import numpy as np
    import torch

    module = import_file(
        "_lethe_competition_model", folder / "model.py"
    )  # a participant's own model.py stays theirs
    with np.load(folder / "original.npz", allow_pickle=False) as archive:
        arrays = {key: archive[key] for key in archive.files}
    net = module.build_model()
    net.load_state_dict({key: torch.from_numpy(array) for key, array in arrays.items()})
    layout = {key: (arrays[key].dtype.name, arrays[key].shape) for key in net.state_dict()}
    return net.to(device).eval(), layout


def load_data(folder: Path, described: dict[str, Any], device: Any) -> dict[str, Any]:
    """Make the three loaders and the class weights."""
    import numpy as np
    import torch

    with np.load(folder / "material.npz", allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    counts = np.bincount(arrays["retain_labels"].astype(np.int64), minlength=described["n_classes"])
    inverse = 1.0 / np.maximum(counts, 1)
    weights = torch.tensor(inverse / inverse.mean(), dtype=torch.float32, device=device)
    return {
        "retain": make_loader(arrays, "retain", described, shuffle=True),
        "forget": make_loader(arrays, "forget", described, shuffle=True),
        "validation": make_loader(arrays, "val", described, shuffle=False),
        "class_weights": weights,
    }


def fields_of(described: dict[str, Any]) -> dict[str, str]:
    """Return the parts of a batch: their names there (of no meaning in tuples) and those of their arrays."""
    return (
        described["fields"] if described["batch_kind"] == "dict" else {"image": "images", "label": "labels"}
    )


def image_field(described: dict[str, Any]) -> Any:
    """Return what a batch's images are found under: a name in dicts, a place in tuples."""
    fields = fields_of(described)
    name = next(name for name, source in fields.items() if source == "images")
    return name if described["batch_kind"] == "dict" else list(fields).index(name)


def make_loader(arrays: Mapping[str, Any], part: str, described: dict[str, Any], *, shuffle: bool) -> Any:
    """Make a DataLoader over one part; batches are (image, label) tuples or dicts, as the competition says."""
    import torch

    fields = fields_of(described)
    columns = {name: as_column(arrays[f"{part}_{source}"]) for name, source in fields.items()}

    class Examples(torch.utils.data.Dataset[Any]):
        def __len__(self) -> int:
            return len(arrays[f"{part}_labels"])

        def __getitem__(self, index: int) -> Any:
            item = {name: column[index] for name, column in columns.items()}
            return item if described["batch_kind"] == "dict" else tuple(item.values())

    return torch.utils.data.DataLoader(Examples(), batch_size=described["batch_size"], shuffle=shuffle)


def as_column(array: Any) -> Any:
    """Return tensors for images and floats, plain numbers for labels and ids (they serve as keys), strings as they are."""
    import torch

    return array.tolist() if array.ndim == 1 and array.dtype.kind != "f" else torch.from_numpy(array)


def warm_up(net: Any, loader: Any, device: Any, image: Any) -> None:
    """Train a throw-away copy on one batch: the first step of a fresh process is slow, and nobody's to pay."""
    import copy

    import torch

    clone = copy.deepcopy(net).train()
    images = next(iter(loader))[image]
    optimizer = torch.optim.SGD(clone.parameters(), lr=0.01, momentum=0.9)
    logits = clone(images.to(device))
    loss = torch.nn.functional.cross_entropy(
        logits, torch.zeros(len(logits), dtype=torch.long, device=device)
    )
    torch.autograd.backward(loss)
    optimizer.step()


def receive(control: socket.socket) -> Go:
    """Block until GO; its descriptors are the bundle, the output slot and, where there is a log, a pipe."""
    message, descriptors, _, _ = socket.recv_fds(control, 65536, 3)
    if not message or len(descriptors) not in {2, 3}:
        raise EOFError("the host went away")
    said = json.loads(message)
    return Go(said["seed"], said["cpu_seconds"], *descriptors)


def participate(stage: Stage, go: Go) -> int:
    """Import the participant's module, call it, write what it returned; return the exit code."""
    if go.log_fd is not None:
        open_log(go.log_fd)
    try:
        module = guarded("import_failed", lambda: import_submission(stage, go))
        entry = getattr(module, stage.entry_function, None)
        if not callable(entry):
            raise Ended.because("entry_function_missing", f"submission.py has no {stage.entry_function}()")
        guarded("raised", lambda: seed_everything(go.seed))  # after the import: published methods seed there
        result = guarded("raised", lambda: call(entry, stage.arguments))
        tensors = guarded("raised", lambda: to_layout(result, stage))
        guarded("raised", lambda: write_weights(tensors, stage.layout, go.output_fd))
    except Ended as ended:
        if go.log_fd is not None:
            tell(ended)
        return ended.code
    return 0


def open_log(log_fd: int) -> None:
    """Let what is printed go into the pipe at once: a process that is killed has no time to empty its buffers."""
    for descriptor in (1, 2):
        os.dup2(log_fd, descriptor)
    os.close(log_fd)
    sys.stdout, sys.stderr = (unbuffered(descriptor) for descriptor in (1, 2))
    faulthandler.enable()


def unbuffered(descriptor: int) -> io.TextIOWrapper:
    """Return a text stream that writes straight to a descriptor."""
    raw = io.FileIO(descriptor, "w", closefd=False)
    return io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", write_through=True)


def tell(ended: Ended) -> None:
    """Print why the run ended, as Python would: the participant's traceback, or what was wrong with what came back."""
    with contextlib.suppress(BaseException):  # the participant's exception may not even be printable
        if ended.__cause__ is not None:
            traceback.print_exception(theirs(ended.__cause__), file=sys.stderr)
        elif ended.detail:
            print(f"Lethe: {ended.detail}", file=sys.stderr)


def theirs(error: BaseException) -> BaseException:
    """Take our own frames off a traceback's beginning."""
    ours = {__file__, "<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>"}
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename in ours:
        trace = trace.tb_next
    return error if trace is None else error.with_traceback(trace)


def guarded(reason: str, step: Callable[[], T]) -> T:
    """Run a step of the participant's; any way it fails becomes Ended, with `reason` unless memory ran out."""
    try:
        return step()
    except Ended:
        raise
    except (
        SystemExit
    ) as left:  # sys.exit(): nothing to blame but no weights; with a status: an exit code of its own
        raise Ended(0 if left.code in (None, 0) else 1) from left
    except BaseException as error:
        raise (Ended.because("memory_limit") if out_of_memory(error) else Ended.because(reason)) from error


def out_of_memory(error: BaseException) -> bool:
    """Tell whether this, or what it came from, is a failed allocation of Python's, C++'s, torch's or the system's."""
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    if isinstance(error, RuntimeError) and any(
        sign in str(error) for sign in ("can't allocate memory", "bad_alloc")
    ):
        return True
    return error.__cause__ is not None and error.__cause__ is not error and out_of_memory(error.__cause__)


def import_submission(stage: Stage, go: Go) -> ModuleType:
    """Unpack the bundle where the participant may write, and import submission.py with its neighbours in reach."""
    with os.fdopen(go.bundle_fd, "rb") as file:
        bundle = file.read()
    stage.bundle_folder.mkdir()
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        archive.extractall(stage.bundle_folder, [entry for entry in archive.infolist() if is_wanted(entry)])
    os.chdir(stage.bundle_folder)
    sys.path.insert(0, str(stage.bundle_folder))
    seed_everything(go.seed)
    return import_file("submission", stage.bundle_folder / "submission.py")


def is_wanted(entry: zipfile.ZipInfo) -> bool:
    """Tell plain files and folders from links, and from what systems leave behind: compiled code that nobody checked."""
    parts = entry.filename.rstrip("/").split("/")
    junk = parts[0] == "__MACOSX" or "__pycache__" in parts or parts[-1] == ".DS_Store"
    plain = stat.S_IFMT(entry.external_attr >> 16) in (0, stat.S_IFREG, stat.S_IFDIR)
    return plain and not junk and not parts[-1].endswith((".pyc", ".pyo"))


def import_file(name: str, path: Path) -> ModuleType:
    """Import this very file: a package folder or an extension module of the same name would come first by name."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def seed_everything(seed: int) -> None:
    """Seed random, numpy and torch on every device."""
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - participants use the global generator
    torch.manual_seed(seed)
    if torch.cuda.is_available():
        torch.cuda.manual_seed_all(seed)


def call(entry: Callable[..., Any], available: Mapping[str, Any]) -> Any:
    """Call the entry function with what it asks for, by name, else by position."""
    positional, named = match_arguments(entry, available)
    return entry(*positional, **named)


def match_arguments(
    entry: Callable[..., Any], available: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Match by name in any order if any name is known; else four by position. Raises Ended for what cannot be met."""
    by_position = [available[name] for name in BY_POSITION]
    try:
        parameters = list(inspect.signature(entry).parameters.values())
    except (TypeError, ValueError):  # a callable without a readable signature
        return by_position, {}
    plain = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if any(p.name in KNOWN_ARGUMENTS for p in plain):
        return match_by_name(plain, available)
    places = [p for p in plain if p.kind is not p.KEYWORD_ONLY]
    room = len(places) >= 4 or any(p.kind is p.VAR_POSITIONAL for p in parameters)
    rest = [*places[4:], *(p for p in plain if p.kind is p.KEYWORD_ONLY)]
    if not room or any(p.default is p.empty for p in rest):
        raise Ended.because(
            "unknown_argument_at_run", "the entry function cannot be called with four arguments"
        )
    return by_position, {}


def match_by_name(
    plain: list[inspect.Parameter], available: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Give every known parameter its value; unknown ones keep their defaults, and must have one."""
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for parameter in plain:
        if parameter.name in KNOWN_ARGUMENTS:
            value = available[KNOWN_ARGUMENTS[parameter.name]]
        elif parameter.default is not parameter.empty:
            value = parameter.default
        else:
            raise Ended.because("unknown_argument_at_run", f"no value is known for {parameter.name}")
        if parameter.kind is parameter.POSITIONAL_ONLY:
            positional.append(value)
        else:
            named[parameter.name] = value
    return positional, named


def to_layout(result: Any, stage: Stage) -> dict[str, Any]:
    """Cast what was returned (None: the network changed in place) to the reference's keys, dtypes and order."""
    import torch

    returned = stage.arguments["net"] if result is None else result
    state = returned.state_dict() if isinstance(returned, torch.nn.Module) else returned
    if not isinstance(state, Mapping) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise Ended.because("wrong_return_type", f"the entry function returned {type(result).__name__}")
    if set(state) != set(stage.layout):
        lacking, more = (
            sorted(set(stage.layout) - set(state)),
            sorted(map(str, set(state) - set(stage.layout))),
        )
        raise Ended.because("wrong_keys", f"missing weights: {lacking}; unknown ones: {more}")
    for key, (_, shape) in stage.layout.items():
        if tuple(state[key].shape) != shape:
            raise Ended.because("wrong_shapes", f"{key} has shape {tuple(state[key].shape)}, not {shape}")
    return {
        key: state[key].detach().to("cpu", getattr(torch, dtype)).contiguous()
        for key, (dtype, _) in stage.layout.items()
    }


def write_weights(
    tensors: dict[str, Any], layout: dict[str, tuple[str, tuple[int, ...]]], output_fd: int
) -> None:
    """Write a safetensors payload into the slot; its length comes last, so a half-written one counts as none."""
    header: dict[str, Any] = {}
    end = 0
    for key, tensor in tensors.items():
        dtype, shape = layout[key]
        begin, end = end, end + tensor.numel() * tensor.element_size()
        header[key] = {"dtype": DTYPES[dtype], "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    place = write_at(output_fd, LENGTH_BYTES, struct.pack("<Q", len(text)) + text)
    for tensor in tensors.values():
        place = write_at(output_fd, place, tensor.numpy().tobytes())
    write_at(output_fd, 0, struct.pack("<Q", place - LENGTH_BYTES))


def write_at(descriptor: int, place: int, data: bytes) -> int:
    """Write all of `data` at `place`; return the place after it."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, place)
        view, place = view[written:], place + written
    return place


if __name__ == "__main__":
    main()
