"""`make check`: everything that can be told without running the program, one line a step."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
PYTHON = str(BIN / "python")
TYPED = [
    *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("*/services*")),
    *(name for name in ("performance/scoring.py",) if (ROOT / name).exists()),
    "core",
]
# For the deploy check: the settings of a production server, with nothing behind them.
PRODUCTION = {
    "LOCAL": "0",
    "DEBUG": "0",
    "SECRET_KEY": "check-" + "0123456789abcdef" * 4,
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "ALLOWED_HOSTS": "crm.example.com",
}
STEPS = {
    "ruff check": [BIN / "ruff", "check", "--no-cache", "."],
    "ruff format": [BIN / "ruff", "format", "--no-cache", "--check", "."],
    "djlint": [BIN / "djlint", "templates", "--lint", "--quiet"],
    "layers": [BIN / "lint-imports", "--no-cache"],
    "mypy": [PYTHON, "-m", "mypy", *TYPED],
    "migrations": [PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"],
    "deployment": [PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
    "translations": [PYTHON, "tools/messages.py", "check"],
}


def run(name: str, command: list) -> bool:
    """Run one step; what it said is shown only when it failed."""
    started = time.monotonic()
    env = os.environ | {"LOCAL": "1"} | (PRODUCTION if name == "deployment" else {})
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    word = "ok" if done.returncode == 0 else "FAILED"
    print(f"{name:14} {word:7} {time.monotonic() - started:5.1f} s", flush=True)
    if done.returncode:
        print(done.stdout.rstrip(), flush=True)
    return done.returncode == 0


def known_holes() -> bool:
    """Ask for published vulnerabilities of the locked packages, where that service answers."""
    started = time.monotonic()
    command = [BIN / "pip-audit", "--disable-pip", "--require-hashes", "--progress-spinner=off"]
    command += ["--timeout=10", "--format=json", "-r", ROOT / "requirements.txt"]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    packages = json.loads(done.stdout)["dependencies"] if done.stdout.startswith("{") else []
    asked = [package for package in packages if "skip_reason" not in package]
    holes = [
        f"{package['name']} {package['version']}: {hole['id']}, mended in {hole['fix_versions']}"
        for package in asked
        for hole in package["vulns"]
    ]
    word = "FAILED" if holes else "ok" if asked else "skipped: its service does not answer"
    print(f"{'pip-audit':14} {word:7} {time.monotonic() - started:5.1f} s", *holes, sep="\n")
    return not holes


def main() -> int:
    # All steps run even after one failed: a person mends them in one go.
    results = [run(name, command) for name, command in STEPS.items()] + [known_holes()]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
