"""Gates on the tree itself: who imports whom, what is committed, and what the scripts say."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("app", "audio", "ui", "resources")
LAYERS = ("audio", "app", "ui")
QT = {"PySide6", "shiboken6", "pyqtgraph"}
QUEUES = {"Queue", "LifoQueue", "PriorityQueue", "SimpleQueue"}


def sources(*packages: str) -> list[Path]:
    return sorted(path for package in packages for path in (ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(tree: ast.AST) -> Iterator[str]:
    """The top-level names that a piece of code imports from outside its own folder."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def imports_of(path: Path) -> set[str]:
    return set(imported(ast.parse(path.read_text(encoding="utf-8"))))


def allowed_upwards(path: Path) -> set[str]:
    """What the composition root may import against the direction: the screen, inside `main()`."""
    if name_of(path) != "app/__main__.py":
        return set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    mains = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "main"]
    outside = set(imported(ast.Module([n for n in tree.body if n not in mains], [])))
    return {"ui"} - outside


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_run_one_way(layer: str) -> None:
    above = set(LAYERS[LAYERS.index(layer) + 1 :])
    wrong = {name_of(p): imports_of(p) & above - allowed_upwards(p) for p in sources(layer)}
    assert not {path: names for path, names in wrong.items() if names}


@pytest.mark.parametrize(
    ("module", "only_in"),
    [
        ("pyaudio", r"audio/portaudio\.py"),
        ("elevenlabs", r"app/agents/.*"),
        ("PySide6", r"ui/.*"),
        ("pyqtgraph", r"nowhere"),
        ("tests", r"nowhere"),
    ],
)
def test_a_module_is_imported_in_its_one_place_only(module: str, only_in: str) -> None:
    users = [name_of(p) for p in sources(*PACKAGES) if module in imports_of(p)]
    assert [path for path in users if not re.fullmatch(only_in, path)] == []


@pytest.mark.parametrize(
    ("start", "unwanted"),
    [
        ("audio", QT | {"elevenlabs", "app", "ui", "resources"}),
        ("app.__main__", QT | {"elevenlabs", "ui"}),
        ("app.live.session", QT | {"ui"}),
    ],
)
def test_importing_it_loads_nothing_it_should_not_know(start: str, unwanted: set[str]) -> None:
    code = f"import sys, {start}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert set(loaded.stdout.split()) & unwanted == set()


def test_the_window_waits_for_nothing_that_reads_recordings() -> None:
    code = "import sys, ui.application; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    unwanted = {
        "app.bundles.bundle",
        "app.recordings.recording",
        "app.live.session",
        "app.recordings.sources",
    }
    assert set(loaded.stdout.split()) & unwanted == set()


def test_every_queue_is_bounded() -> None:
    unbounded = [
        f"{name_of(path)}:{node.lineno}"
        for path in sources("app", "audio", "ui")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and called_name(node) in QUEUES
        and not (node.args or node.keywords)
    ]
    assert unbounded == []


def test_no_test_sleeps_to_wait_for_something() -> None:
    sleepers = [
        f"{name_of(path)}:{node.lineno}"
        for path in sources("tests")
        if path.name.startswith("test_")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep"
    ]
    assert sleepers == []


def called_name(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2].partition("[")[0]


def test_every_folder_of_code_is_a_package() -> None:
    folders = {path.parent for path in sources("app", "audio", "ui")}
    assert [name_of(f) for f in folders if not (f / "__init__.py").exists()] == []


def test_tests_mirror_the_tree() -> None:
    folders = {path.parent for path in sources("tests") if path.name.startswith("test_")}
    mirrored = [f.relative_to(ROOT / "tests") for f in folders]
    inner = [f for f in mirrored if f.parts and f.parts[0] in PACKAGES]
    assert [f.as_posix() for f in inner if not (ROOT / f).is_dir()] == []


def committed() -> list[Path]:
    """Files that git tracks or would add; every file where there is no git."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    git = shutil.which("git") and subprocess.run(
        listing, cwd=ROOT, check=False, capture_output=True, text=True
    )
    if git and git.returncode == 0:
        found = [ROOT / name for name in git.stdout.split("\0") if name]
    else:
        found = [p for p in ROOT.rglob("*") if ".venv" not in p.parts and "_cache" not in str(p)]
    return [path for path in found if path.is_file()]


def test_nothing_of_one_machine_and_no_download_address_is_committed() -> None:
    # Written apart, so that this file does not hold what it looks for.
    places = "|".join(["root", "work", "opt" + "/pypi", "opt" + "/wheels", "home/[a-z]+"])
    addresses = "|".join(["files.python" + "hosted", "pypi" + r"\.org/simple"])
    wrong = re.compile(rf"(?<![\w.$}}/-])/(?:{places})/|{addresses}")
    found = []
    for path in committed():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if match := wrong.search(text):
            found.append(f"{name_of(path)}: {match.group()}")
    assert found == []


@pytest.mark.parametrize("name", ["", "-dev", "-build"])
def test_requirements_hold_versions_and_hashes_only(name: str) -> None:
    lines = (ROOT / f"requirements{name}.txt").read_text(encoding="utf-8").splitlines()
    line = re.compile(r"[a-z0-9-]+==[\w.]+( ; [^\\:]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?")
    assert [text for text in lines if not line.fullmatch(text)] == []


def test_the_locked_versions_are_the_same_for_running_and_testing() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^\S+==\S+", (ROOT / name).read_text(encoding="utf-8"), re.M))

    assert pins("requirements.txt") <= pins("requirements-dev.txt")


# --- The scripts, with a system of straw around them ----------------------------------------------

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="apt is Debian's")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A bare clone, and in `bin/` a Debian that lacks every package."""
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-build.txt"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    straw(tmp_path, "dpkg-query", "exit 1")
    straw(tmp_path, "apt-get", f'echo "$@" >> {tmp_path}/apt.log')
    straw(tmp_path, "sudo", f'echo sudo >> {tmp_path}/apt.log; exec "$@"')
    straw(tmp_path, "python3", f'[ "$1" = -m ] && exit 1; exec {sys.executable} "$@"')
    return tmp_path


def straw(clone: Path, command: str, script: str) -> None:
    path = clone / "bin" / command
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def run_script(clone: Path, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", *command],
        cwd=clone,
        env={"PATH": f"{clone}/bin:/usr/bin:/bin", **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@linux_only
def test_root_installs_what_is_missing_at_once_and_says_what(clone: Path) -> None:
    straw(clone, "id", "echo 0")
    answer = run_script(clone, "tools/bootstrap.sh", "run")
    update, install = (clone / "apt.log").read_text().splitlines()
    assert update.startswith("update")
    assert install.startswith("install --yes")
    assert {"portaudio19-dev", "libasound2-plugins", "libxcb-cursor0"} <= set(install.split())
    assert "pulseaudio" not in install.split()
    assert "portaudio19-dev" in answer.stdout


@linux_only
def test_tests_want_the_rig_as_well(clone: Path) -> None:
    straw(clone, "id", "echo 0")
    run_script(clone, "tools/bootstrap.sh", "test")
    install = (clone / "apt.log").read_text().splitlines()[1].split()
    assert {"portaudio19-dev", "pulseaudio", "xvfb", "espeak-ng"} <= set(install)


@linux_only
def test_nobody_is_given_sudo_without_being_asked(clone: Path) -> None:
    straw(clone, "id", "echo 1000")
    answer = run_script(clone, "tools/bootstrap.sh", "run")
    assert answer.returncode != 0
    assert "sudo sh -c 'apt-get update && apt-get install" in answer.stderr
    assert not (clone / "apt.log").exists()
    assert not (clone / ".venv").exists()


@linux_only
def test_an_old_python_gets_a_sentence(clone: Path) -> None:
    old = 'case "$1" in --version) echo Python 3.9.2 ;; *) exit 1 ;; esac'
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        straw(clone, name, old)
    answer = run_script(clone, "tools/bootstrap.sh", "run", SYSTEM_PACKAGES="skip")
    assert answer.returncode != 0
    assert "Python 3.11 or later is needed" in answer.stderr
    assert "Python 3.9.2" in answer.stderr


@linux_only
def test_without_a_display_the_command_line_is_named(clone: Path) -> None:
    answer = run_script(clone, "tools/run.sh")
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert "no display" in answer.stderr
    assert ".venv/bin/turnscope run --agent demo --mic" in answer.stderr


@linux_only
@pytest.mark.parametrize(
    ("variable", "arguments"),
    [("DISPLAY", []), ("WAYLAND_DISPLAY", []), ("QT_QPA_PLATFORM", []), ("NOTHING", ["devices"])],
)
def test_otherwise_the_program_starts(clone: Path, variable: str, arguments: list[str]) -> None:
    (clone / ".venv").mkdir()
    straw(clone, "turnscope", 'echo "started $*"')
    (clone / "bin").rename(clone / ".venv" / "bin")
    answer = run_script(clone, "tools/run.sh", *arguments, **{variable: ":0"})
    assert answer.stdout.strip() == f"started {' '.join(arguments)}".strip()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no sh")
@pytest.mark.parametrize(("rest", "patient", "code"), [(0, 0, 0), (1, 0, 1), (0, 2, 2)])
def test_the_tests_succeed_where_both_halves_do(rest, patient, code, tmp_path):
    (tmp_path / "tools").mkdir()
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    script = shutil.copy(ROOT / "tools" / "test.sh", tmp_path / "tools")
    python = tmp_path / ".venv" / "bin" / "python"
    halves = f'case "$*" in *"not patient"*) exit {rest};; *) exit {patient};; esac'
    python.write_text(f"#!/bin/sh\n{halves}\n")
    python.chmod(0o755)
    assert subprocess.run([script], capture_output=True, timeout=20, check=False).returncode == code
