"""What a process takes from itself before it loads foreign code; nothing of it can be taken back.

Linux only. Landlock (kernel 5.13) forbids writing and bounds reading, a network namespace leaves no network, a process
namespace ends what the code starts, resource limits bound memory, time and file sizes. What the kernel does not offer
is told, so that whoever runs an FMU knows how far the walls reach.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Sequence

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
_NO_NEW_PRIVS = 38
_PATH_BENEATH = 1
_EXECUTE, _WRITE, _READ, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_ALL_OF_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}  # later versions: 16 bits, with ioctl
_NEWUSER, _NEWPID, _NEWNET = 0x10000000, 0x20000000, 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def limit(cpu_s: int, memory_mb: int) -> None:
    """Bounds of the kernel on CPU time, memory, files and core dumps; a write to any file ends the process."""
    size = memory_mb * 2**20
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
    resource.setrlimit(resource.RLIMIT_DATA, (size, size))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)


def isolate() -> dict[str, str]:
    """Leave the network and the other processes behind; how each was done.

    It forks twice: the first process of the new process namespace only waits (it would not hear signals that end
    others), the second one returns from here. All that this one ever starts ends when the first one ends, and each
    ends as the one that it waits for: with its exit code, or 128 and the number of its signal.
    """
    for flags in (_NEWNET | _NEWPID, _NEWUSER | _NEWNET | _NEWPID):
        if _libc.unshare(flags) == 0:
            break
    else:
        return {"network": "not restricted", "processes": "process group"}
    for _ in ("first of the namespace", "the one that goes on"):
        child = os.fork()
        if child:
            _, status = os.waitpid(child, 0)
            os._exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status))
        _libc.prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    return {"network": "none (namespace)", "processes": "namespace"}


def forbid_files(readable: Sequence[str], scratch: str) -> str:
    """Only these places may be read, and only ``scratch`` may get new files (of no content); how it was done."""
    abi = _libc.syscall(_CREATE_RULESET, None, 0, 1)
    if abi < 1:
        return "size 0 only (no Landlock in this kernel)"
    every = _ALL_OF_ABI.get(abi, (1 << 16) - 1)
    network = 3 if abi >= 4 else 0  # bind and connect of TCP
    # struct landlock_ruleset_attr: handled_access_fs, handled_access_net (from ABI 4 on)
    attributes = struct.pack("=QQ", every, network) if abi >= 4 else struct.pack("=Q", every)
    rules = _libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if rules < 0:
        return "size 0 only (Landlock refused)"
    for path in readable:
        _allow(rules, path, (_EXECUTE | _READ | _READ_DIR) & every)
    _allow(rules, scratch, every & ~_EXECUTE)
    _libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    if _libc.syscall(_RESTRICT_SELF, rules, 0) != 0:
        return "size 0 only (Landlock refused)"
    os.close(rules)
    return "none may be written (Landlock)"


def _allow(rules: int, path: str, access: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there cannot be read
    if not os.path.isdir(path):
        access &= _EXECUTE | _READ | _WRITE
    rule = struct.pack("=Qi", access, place)  # struct landlock_path_beneath_attr, packed
    _libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, rule, 0)
    os.close(place)


def places_to_read(folder: str) -> list[str]:
    """What a process of Python needs to read while it runs an FMU: libraries, and the FMU itself."""
    system = ["/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/urandom", "/dev/zero"]
    return [*system, sys.prefix, sys.base_prefix, folder]


def is_linux() -> bool:
    """Whether the walls exist at all."""
    return platform.system() == "Linux"
