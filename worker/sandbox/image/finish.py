"""Runs once while the sandbox image is built: make torchvision importable, then compile every module.

A module's source is never looked at again (`unchecked-hash`), which saves each start the time of a look at some thousand files.
"""

import compileall
import py_compile
import re
import shutil
import site
import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Finish the packages of the Python that runs this."""
    packages = Path(site.getsitepackages()[0])
    if not imports_torchvision():
        here = Path(__file__).parent
        shutil.copy(here / "torchvision_operators.py", packages)
        (packages / "torchvision_operators.pth").write_text("import torchvision_operators\n")
        if not imports_torchvision():
            sys.exit("torchvision cannot be imported, with declared operators neither")
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    for folder in (packages, Path(sys.base_prefix) / "lib" / f"python3.{sys.version_info.minor}"):
        compileall.compile_dir(
            folder, rx=re.compile(r"/tests?/"), quiet=2, workers=0, force=True, invalidation_mode=mode
        )


def imports_torchvision() -> bool:
    """Tell whether torchvision can be imported beside this torch."""
    return subprocess.run([sys.executable, "-c", "import torchvision"], check=False).returncode == 0


if __name__ == "__main__":
    main()
