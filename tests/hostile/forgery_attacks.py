"""Bundles that write the output themselves, or meddle with what writes it."""

from tests.hostile.catalogue import SCORED, Family, attack
from tests.worker.sandbox.tools import original
from worker import weights

FORGERY = Family.FORGERY


def is_the_original(result):
    """The patch had no hold: what came out is what the network held."""
    tensors = weights.read(result.output, weights.layout_of(original()))
    assert all(tensor.equal(original()[key]) for key, tensor in tensors.items())


ATTACKS = (
    attack(
        "patched safetensors.save",
        FORGERY,
        """
import sys, types
for name in ("safetensors", "safetensors.torch", "safetensors.numpy"):
    fake = sys.modules[name] = types.ModuleType(name)
    fake.save = fake.save_file = fake.serialize = lambda *_, **__: b"forged"
def unlearning(net): pass
""",
        SCORED,
        check=is_the_original,
    ),
    attack(
        "patched runner that writes rubbish",
        FORGERY,
        "import __main__, inside\n__main__.write_weights = lambda *_: inside.leave(b'rubbish')\ndef unlearning(net): pass",
        "malformed_output",
    ),
    attack(
        "patched runner that calls a failure a success",
        FORGERY,
        """
import __main__, os
leave = os._exit
os._exit = lambda code: leave(0)
__main__.EXIT_REASONS.clear()
__main__.Ended.because = classmethod(lambda cls, reason: cls(0))
def unlearning(net): raise ValueError
""",
        "no_weights",
    ),
    attack(
        "a length beyond the slot",
        FORGERY,
        "import inside\ninside.leave(b'', (1 << 64) - 1)",
        "malformed_output",
    ),
    attack(
        "a length beyond what was written",
        FORGERY,
        "import inside\ninside.leave(b'rubbish', 5000)",
        "malformed_output",
    ),
    attack(
        "growing and shrinking the slot",
        FORGERY,
        """
import inside, os
size = os.fstat(inside.slot()).st_size
for other in (size + 1, 1 << 40, 0):
    try: os.ftruncate(inside.slot(), other)
    except OSError: continue
    os._exit(65)
try: os.pwrite(inside.slot(), b"x", size)
except OSError: pass
os.fstat(inside.slot()).st_size == size or os._exit(65)
def unlearning(net): pass
""",
        SCORED,
        check=is_the_original,
    ),
    attack(
        "sealing the slot against the host",
        FORGERY,
        """
import __main__, fcntl, inside
write = __main__.write_weights
def write_and_seal(*arguments):
    write(*arguments)
    fcntl.fcntl(inside.slot(), 1033, 1)  # F_ADD_SEALS, F_SEAL_SEAL
__main__.write_weights = write_and_seal
def unlearning(net): pass
""",
        SCORED,
        check=is_the_original,
    ),
    attack(
        "a mapping of the slot that a daemon keeps",
        FORGERY,
        """
import inside, mmap, os, time
held = mmap.mmap(inside.slot(), 0)
if os.fork() == 0:
    os.setsid()
    while True:
        time.sleep(1)
        held[0:8] = bytes(8)
def unlearning(net): pass
""",
        SCORED,
        check=is_the_original,
    ),
    attack(
        "rewriting the bundle for the next run",
        FORGERY,
        """
import os
for number in range(3, 64):
    try:
        if "memfd:input" in os.readlink(f"/proc/self/fd/{number}"): os.pwrite(number, b"forged", 0); os._exit(65)
    except OSError: pass
open("/tmp/bundle/submission.py", "w").write("forged")
def unlearning(net): pass
""",
        SCORED,
        then="import inside\ninside.report([line for line in open('/tmp/bundle/submission.py') if line.startswith('forged')])",
    ),
    attack(
        "a header of many objects",
        FORGERY,
        """
import inside, struct
text = b'{"a": [' + b"[]," * 300 + b"[]]}"
inside.leave(struct.pack("<Q", len(text)) + text)
""",
        "malformed_output",
        "wrong_keys",
    ),
    attack(
        "a tensor that lies about its shape",
        FORGERY,
        """
import torch
class Liar(torch.Tensor):
    shape = property(lambda self: self.said)
    def numel(self): return 1
    def detach(self): return self
    def to(self, *_): return self
    def contiguous(self): return self
def unlearning(net):
    state = dict(net.state_dict())
    key = next(iter(state))
    lie = torch.zeros(1).as_subclass(Liar)
    lie.said = tuple(state[key].shape)
    return {**state, key: lie}
""",
        "malformed_output",
        "raised",
    ),
    attack(
        "a state dict without an end",
        FORGERY,
        """
import collections.abc, torch
class Endless(collections.abc.Mapping):
    def __getitem__(self, key): return torch.zeros(1)
    def __len__(self): return 1
    def __iter__(self):
        while True: yield "x"
def unlearning(net): return Endless()
""",
        "over_cutoff",
        cutoff=2.0,
    ),
    attack(
        "a module with state, hooks and a class of its own",
        Family.GRADING,
        """
import torch
def unlearning(net):
    class Grown(type(net)):
        told = 3
        def state_dict(self, *words, **named):
            return torch.nn.Module.state_dict(self, *words, **named)
        def __reduce__(self): raise SystemError
        def __call__(self, images): raise SystemError
    net.register_forward_hook(lambda *_: torch.zeros(1, 3))
    net.register_forward_pre_hook(lambda *_: torch.zeros(1))
    net._register_state_dict_hook(lambda module, state, *_: state)
    net.remembered = [1, 2, 3]
    net.__class__ = Grown
    return net
""",
        SCORED,
        check=is_the_original,
    ),
    attack(
        "float64 returned in place of float32",
        Family.GRADING,
        "def unlearning(net): return {key: value.double() for key, value in net.state_dict().items()}",
        SCORED,
        check=is_the_original,
    ),
    attack(
        "extra keys returned",
        Family.GRADING,
        "def unlearning(net): return {**net.state_dict(), 'extra': net.state_dict()['0.bias']}",
        "wrong_keys",
    ),
    attack(
        "a larger architecture returned",
        Family.GRADING,
        """
import torch
def unlearning(net): return {key: torch.zeros(2, *value.shape) for key, value in net.state_dict().items()}
""",
        "wrong_shapes",
    ),
)
