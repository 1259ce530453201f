"""Everything a developer types: set-up, checks, tests, the demo.  Standard library only, on any system.

    python dev.py demo        the whole job in ./demo            (Windows: py dev.py demo)
    python dev.py quick       checks and the fast tests, no servers
    python dev.py test        everything; decides what may land

Set-up is done by each command that needs it and costs nothing the second time: a stamp in .setup/ holds
the hash of what was installed.  It calls plain pip, so an index configured for pip is the one used.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
EXECUTABLE_SUFFIX = ".exe" if os.name == "nt" else ""
PYTHON = SCRIPTS / f"python{EXECUTABLE_SUFFIX}"
SETUP = ROOT / ".setup"
LOCK = ROOT / "requirements.lock"
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
OLDEST_PYTHON = (3, 11)
WORKERS = "2"
NOTHING: Mapping[str, str] = {}
UTF_8 = {"PYTHONUTF8": "1"}
SPELLED = (
    "src",
    "plugins",
    "tests",
    "tools",
    "docs",
    "dev.py",
    "README.md",
    "README.en.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
)


class Stop(Exception):  # noqa: N818 - it ends a command with a sentence, it is not a fault of the program
    """A reason to end, said in one line; `code` is the exit code."""

    def __init__(self, message: str, code: int = 2) -> None:
        super().__init__(message)
        self.code = code


# ── what is run ──────────────────────────────────────────────────────────────────────────────────────


def tool(name: str) -> str:
    """A program of the virtual environment."""
    return str(SCRIPTS / f"{name}{EXECUTABLE_SUFFIX}")


def run(command: Sequence[str], cwd: Path = ROOT, environment: Mapping[str, str] = NOTHING) -> int:
    """Run a command in the open, without an input; the exit code."""
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, check=False
    ).returncode


def must(command: Sequence[str], why: str) -> None:
    """Run a command that everything after it depends on."""
    if code := run(command):
        raise Stop(f"{why} (exit {code}): {' '.join(command)}", 1)


@dataclass
class Report:
    """What was run, how it ended, how long it took; what was left out and why."""

    results: list[tuple[str, int, float]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    setup_s: float = 0.0

    def step(
        self, name: str, command: Sequence[str], cwd: Path = ROOT, environment: Mapping[str, str] = NOTHING
    ) -> None:
        """Run one step; a failure is kept and the next steps still run, so that all is seen at once."""
        print(f"\n── {name}", flush=True)
        began = time.monotonic()
        code = run(command, cwd, environment)
        self.results.append((name, code, time.monotonic() - began))

    @property
    def failed(self) -> list[str]:
        """Names of the steps that did not end well."""
        return [name for name, code, _ in self.results if code]

    def close(self) -> int:
        """Print the summary; the exit code."""
        print("\n── summary")
        for name, code, seconds in self.results:
            print(f"  {'FAIL' if code else 'ok  '}  {name:<28} {seconds:7.1f} s")
        for line in self.left_out:
            print(f"  not run: {line}")
        spent = sum(seconds for _, _, seconds in self.results)
        print(f"  set-up {self.setup_s:.1f} s, checks and tests {spent:.1f} s")
        print(f"  {'FAILED: ' + ', '.join(self.failed) if self.failed else 'all is well'}", flush=True)
        return 1 if self.failed else 0


# ── set-up ───────────────────────────────────────────────────────────────────────────────────────────


def fingerprint() -> str:
    """Hash of everything that decides what set-up installs."""
    digest = hashlib.sha256(repr((sys.version_info[:2], str(ROOT))).encode())
    for path in (LOCK, ROOT / "pyproject.toml", *(plugin / "pyproject.toml" for plugin in PLUGINS)):
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()


def set_up() -> float:
    """Bring .venv to what requirements.lock says; seconds it took, 0 where nothing was to do."""
    stamp, wanted = SETUP / "venv", fingerprint()
    if PYTHON.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return 0.0
    if not LOCK.exists():
        raise Stop("requirements.lock is missing: restore it from version control")
    print("準備しています（初回のみ数分） / setting up, the first time takes a few minutes …", flush=True)
    began = time.monotonic()
    make_environment()
    pip = [str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"]
    must([*pip, "--require-hashes", "-r", str(LOCK)], "pip could not install requirements.lock")
    editable = [part for folder in (ROOT, *PLUGINS) for part in ("-e", str(folder))]
    must(
        [*pip, "--no-deps", "--no-build-isolation", *editable],
        "pip could not install the packages of this tree",
    )
    SETUP.mkdir(exist_ok=True)
    stamp.write_text(wanted, encoding="utf-8")
    spent = time.monotonic() - began
    print(f"準備ができました / set up in {spent:.1f} s", flush=True)
    return spent


def make_environment() -> None:
    """Create .venv unless a working one of the right version is there."""
    if PYTHON.exists():
        found = subprocess.run(
            [str(PYTHON), "-c", "import pip, sys; print(sys.version_info[:2])"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if found.returncode == 0 and found.stdout.strip() == str(sys.version_info[:2]):
            return
    if run([sys.executable, "-m", "venv", "--clear", str(VENV)]):
        raise Stop(
            "this Python cannot make virtual environments "
            "(on Debian and Ubuntu: apt-get install python3-venv), or .venv is in use: close what uses it"
        )


# ── real programs that some tests need ───────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Real:
    """A program that tests drive for real.  `marker`: the tests that cannot run without it."""

    title: str
    packages: tuple[str, ...]
    found: Callable[[], bool]
    marker: str = ""


def has_any(*names: str) -> bool:
    """Whether one of these commands is on the path."""
    return any(shutil.which(name) for name in names)


def has_office() -> bool:
    """LibreOffice, and the system's Python that can steer it."""
    system = shutil.which("python3", path="/usr/bin") or ""
    return has_any("soffice", "libreoffice") and bool(system) and not subprocess.run(
        [system, "-c", "import uno"], capture_output=True, check=False
    ).returncode  # fmt: skip


def has_font() -> bool:
    """BIZ UDGothic where Debian, Windows or a person puts fonts."""
    windows = Path(os.environ.get("WINDIR", "C:\\Windows")) / "Fonts"
    folders = (
        Path("/usr/share/fonts"),
        Path.home() / ".local/share/fonts",
        Path.home() / "Library/Fonts",
        windows,
    )
    return any(next(folder.rglob("BIZ*UD*"), None) for folder in folders if folder.is_dir())


def has_postgres() -> bool:
    """A server's programs where Debian puts them or on the path, or a server that the environment names."""
    debian = any(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return debian or has_any("postgres") or bool(os.environ.get("TICSSYNC_TEST_POSTGRES"))


REDMINES = {"5.0": "bookworm", "6.0": "trixie", "6.1": "forky"}
"""Versions that tests drive, and the Debian that ships each."""
CHROOTS = Path(os.environ.get("TICSSYNC_TEST_CHROOTS") or Path("/", "opt"))
"""Where Debian's other releases are unpacked, as redmine-NAME; kept between runs."""


def redmine_root(version: str) -> Path | None:
    """The root in which this version of Redmine is installed: the system's, a chroot's or none."""
    for root in (Path("/"), CHROOTS / f"redmine-{REDMINES[version]}"):
        found = subprocess.run(
            ["dpkg-query", f"--admindir={root / 'var/lib/dpkg'}", "-W", "-f", "${db:Status-Status} ${Version}", "redmine"],
            capture_output=True, text=True, check=False,
        ) if has_any("dpkg-query") else None  # fmt: skip
        if found and found.stdout.startswith(f"installed {version}."):
            return root
    return None


REAL = (
    Real(
        "LibreOffice with its Python bridge", ("libreoffice-calc-nogui", "python3-uno"), has_office, "office"
    ),
    Real(
        "Chromium", ("chromium",), lambda: has_any("chromium", "chromium-browser", "google-chrome"), "browser"
    ),
    Real("the font BIZ UDGothic", ("fonts-morisawa-bizud-gothic",), has_font),
    Real("pdftoppm", ("poppler-utils",), lambda: has_any("pdftoppm")),
    Real("PostgreSQL", ("postgresql",), has_postgres, "postgres"),
)


def real_programs(report: Report) -> list[str]:
    """Install what is missing where that can be done; markers of the tests that must be left out."""
    began = time.monotonic()
    missing = [real for real in REAL if not real.found()]
    if missing:
        apt_install(sorted({package for real in missing for package in real.packages}))
        missing = [real for real in missing if not real.found()]
    real_redmines(report)
    report.setup_s += time.monotonic() - began
    for real in missing:
        what = f"tests marked “{real.marker}”" if real.marker else "tests that look for it skip"
        report.left_out.append(f"{what}: {real.title} was not found ({' '.join(real.packages)})")
    return [real.marker for real in missing if real.marker]


def apt_install(packages: Sequence[str]) -> None:
    """As root on Debian: install, once per list.  Anything else, or a failure, leaves things as they are."""
    stamp, wanted = SETUP / "apt", " ".join(packages)
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    if os.name == "nt" or os.geteuid() != 0 or not has_any("apt-get"):
        return
    print(f"準備しています / installing with apt-get: {wanted}", flush=True)
    apt = [
        "apt-get",
        "-qq",
        "-o",
        "DPkg::Lock::Timeout=120",
        "-o",
        "Acquire::http::Timeout=60",
        "-o",
        "Acquire::Retries=2",
    ]
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run([*apt, "update"], environment=quiet)
    if run([*apt, "install", "-y", "--no-install-recommends", *packages], environment=quiet) == 0:
        SETUP.mkdir(exist_ok=True)
        stamp.write_text(wanted, encoding="utf-8")


REDMINE_ANSWERS = "\n".join(
    f"redmine redmine/{question}"
    for question in (
        "instances/default/dbconfig-install boolean false",
        "instances/default/database-type select sqlite3",
        "current-instances string default",
        "default-language select en",
    )
)
"""To what the package asks: no database and no instance of its own are set up."""
SILENT_SERVICES = 'mkdir -p "$1/usr/sbin"; printf "#!/bin/sh\\nexit 101\\n" > "$1/usr/sbin/policy-rc.d"; chmod +x "$1/usr/sbin/policy-rc.d"'
BUNDLERS = {"bookworm": {"BUNDLER_VERSION": "2.3.15"}}
"""Debian 12 has two Bundlers, and the newer one does not find Debian's gems: the package would not get ready."""
LIMIT_S = 600


def real_redmines(report: Report) -> None:
    """Install each Redmine that is missing, where that can be done; the tests of the others say why they skip."""
    missing = [version for version in REDMINES if redmine_root(version) is None]
    if missing and may_install():
        for version in missing:
            install_redmine(version)
    for version in missing:
        if redmine_root(version) is None:
            report.left_out.append(f"tests with Redmine {version} skip: it is not installed")


def may_install() -> bool:
    """Root on Debian."""
    release = Path("/etc/os-release")
    debian = release.exists() and "\nID=debian\n" in f"\n{release.read_text(encoding='utf-8')}\n"
    return os.name != "nt" and os.geteuid() == 0 and debian and has_any("apt-get")


def install_redmine(version: str) -> None:
    """Into the system where its Debian ships this version, else into a folder with the Debian that does."""
    suite = REDMINES[version]
    print(f"準備しています / installing Redmine {version} (Debian {suite}) …", flush=True)
    if f"VERSION_CODENAME={suite}\n" in Path("/etc/os-release").read_text(encoding="utf-8"):
        install_redmine_here(suite)
    else:
        unpack_redmine(suite)


def limited(command: Sequence[str], environment: Mapping[str, str] = NOTHING) -> int:
    """Run a command that may hang on a network, without a person to ask."""
    quiet = {"DEBIAN_FRONTEND": "noninteractive", **environment}
    return run(["timeout", "--kill-after=30", str(LIMIT_S), *command], environment=quiet)


def install_redmine_here(suite: str) -> None:
    """With apt-get; a package that did not get ready is taken away again, so that apt-get works on."""
    subprocess.run(["debconf-set-selections"], input=f"{REDMINE_ANSWERS}\n", text=True, check=False)
    apt = ["apt-get", "-qq", "-y", "-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=2"]
    limited([*apt, "update"])
    wanted = ["redmine", "redmine-sqlite", "puma", "ruby-pg"]
    if limited([*apt, "install", "--no-install-recommends", *wanted], BUNDLERS.get(suite, NOTHING)):
        limited([*apt, "purge", "redmine", "redmine-sqlite"])


def unpack_redmine(suite: str) -> None:
    """Another Debian in a folder of its own, 300 to 450 MB; a failure leaves no folder."""
    final = CHROOTS / f"redmine-{suite}"
    unfinished = final.with_name(f"{final.name}.unfinished")
    if final.exists():  # its Debian has moved on to another version: a person decides
        return
    if not has_any("mmdebstrap"):
        limited(["apt-get", "-qq", "-y", "install", "--no-install-recommends", "mmdebstrap"])
    mirror = debian_mirror()
    if not mirror or not has_any("mmdebstrap") or not remove_root(unfinished):
        return
    CHROOTS.mkdir(parents=True, exist_ok=True)
    answers = REDMINE_ANSWERS.replace("\n", '" "')
    code = limited([
        "mmdebstrap", "--quiet", "--variant=apt", "--mode=root", "--components=main",
        "--keyring=/usr/share/keyrings/debian-archive-keyring.gpg",
        '--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Check-Valid-Until "false"',
        "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
        f"--essential-hook={SILENT_SERVICES}",
        f'--essential-hook=printf "%s\\n" "{answers}" | chroot "$1" debconf-set-selections',
        "--include=redmine,redmine-sqlite,ruby-pg,tzdata,ca-certificates",
        suite, str(unfinished), mirror,
    ], BUNDLERS.get(suite, NOTHING))  # fmt: skip
    if code == 0:
        unfinished.rename(final)
    else:
        remove_root(unfinished)


def debian_mirror() -> str:
    """The mirror that this system's apt-get uses."""
    told = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE)"], capture_output=True, text=True, check=False
    )
    return next((line for line in told.stdout.splitlines() if "security" not in line), "")


def remove_root(folder: Path) -> bool:
    """Remove an unfinished root, unless something of this system is still mounted in it; whether it is gone."""
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    if any(Path(place).is_relative_to(folder) for place in mounted):
        print(f"{folder}: something is still mounted there, it is left as it is", file=sys.stderr)
        return False
    run(["rm", "-rf", "--one-file-system", str(folder)])
    return not folder.exists()


# ── the commands ─────────────────────────────────────────────────────────────────────────────────────


def checks(report: Report) -> None:
    """What reads the code without running it."""
    report.step("ruff", [tool("ruff"), "check", "--output-format", "concise", "."])
    report.step("mypy", [tool("mypy")])
    report.step("import rules", [tool("lint-imports")], environment=UTF_8)
    report.step("spelling", [tool("codespell"), *(name for name in SPELLED if (ROOT / name).exists())])


def declared_dependencies(report: Report) -> None:
    """Every import is declared and every declared dependency is used, package by package."""
    for folder in (ROOT, *PLUGINS):
        report.step(
            f"deptry {folder.name if folder != ROOT else 'ticssync'}",
            [tool("deptry"), "--no-ansi", "src"],
            cwd=folder,
        )


def pytest(*arguments: str) -> list[str]:
    """The test runner with its two workers."""
    return [str(PYTHON), "-m", "pytest", "-n", WORKERS, *arguments]


def skipped(junit: Path) -> list[str]:
    """Why tests skipped themselves, each reason once with its count."""
    if not junit.exists():
        return []
    reasons: dict[str, int] = {}
    for node in ET.parse(junit).iter("skipped"):  # noqa: S314 - our own test runner wrote it
        reason = node.get("message") or "no reason given"
        reasons[reason] = reasons.get(reason, 0) + 1
    return [f"{count} test(s): {reason}" for reason, count in sorted(reasons.items())]


def quick(_: argparse.Namespace) -> int:
    """Checks and the fast tests: no office program, no browser, no server, under three minutes."""
    report = Report(setup_s=set_up())
    checks(report)
    report.step(
        "tests", pytest("-m", "not office and not browser and not redmine and not postgres and not slow")
    )
    report.left_out.append(
        "tests marked office, browser, redmine, postgres and slow (they are part of `test`)"
    )
    return report.close()


def test(_: argparse.Namespace) -> int:
    """Everything: checks, all tests, dependencies."""
    report = Report(setup_s=set_up())
    everything(report)
    return report.close()


def coverage(_: argparse.Namespace) -> int:
    """Everything, counting the lines that the tests reach: a fifth slower, so that it is asked for by itself."""
    report = Report(setup_s=set_up())
    counted = [str(PYTHON), "-m", "coverage"]
    run([*counted, "erase"])
    everything(report, (*counted, "run"))
    run([*counted, "combine", "--quiet"])
    report.step("coverage", [*counted, "report"])
    return report.close()


def everything(report: Report, counted: Sequence[str] = ()) -> None:
    """The steps of `test`."""
    without = real_programs(report)
    checks(report)
    declared_dependencies(report)
    junit = SETUP / "junit.xml"
    junit.unlink(missing_ok=True)
    expression = " and ".join(f"not {marker}" for marker in without)
    tests = pytest(f"--junitxml={junit}", *(("-m", expression) if expression else ()))
    report.step("tests", [*counted, *tests[1:]] if counted else tests)
    report.left_out.extend(skipped(junit))


def lint(_: argparse.Namespace) -> int:
    """The checks alone."""
    report = Report(setup_s=set_up())
    checks(report)
    declared_dependencies(report)
    return report.close()


def demo(options: argparse.Namespace) -> int:
    """The whole job on the embedded defaults in a folder; ticssync itself decides about an old folder."""
    set_up()
    code = run([tool("ticssync"), "demo", options.folder, "--lang", options.lang], environment=UTF_8)
    print(f"\nticssync: {tool('ticssync')}")
    return code


def docs(_: argparse.Namespace) -> int:
    """Links, code blocks and commands in the documents are right."""
    report = Report(setup_s=set_up())
    report.step("documents", [str(PYTHON), "-m", "pytest", "-n0", "tests/house/test_docs.py"])
    return report.close()


def messages(options: argparse.Namespace) -> int:
    """Bring the message catalogues up to date with the code, and compile them."""
    set_up()
    merge = ["--merge", options.merge] if options.merge else []
    return run([str(PYTHON), "tools/messages.py", *merge], environment=UTF_8)


def lock(options: argparse.Namespace) -> int:
    """Write requirements.lock anew: versions and hashes, no addresses."""
    set_up()
    sources = ["pyproject.toml", *(str((plugin / "pyproject.toml").relative_to(ROOT)) for plugin in PLUGINS)]
    own = [
        part
        for name in ("ticssync", *(f"ticssync-{plugin.name}" for plugin in PLUGINS))
        for part in ("--no-emit-package", name)
    ]
    flags = ["--group", "dev", "--universal", "--generate-hashes", "--no-header", "--no-annotate", "--quiet"]
    upgrade = ["--upgrade"] if options.upgrade else []
    return run(
        [tool("uv"), "pip", "compile", *sources, *flags, *own, *upgrade, "--output-file", LOCK.name],
        environment=uv_index(),
    )


def uv_index() -> dict[str, str]:
    """uv does not read pip's configuration: the index that pip was given is handed on, outside the file."""
    known = subprocess.run(
        [str(PYTHON), "-m", "pip", "config", "get", "global.index-url"],
        capture_output=True,
        text=True,
        check=False,
    )
    index = os.environ.get("PIP_INDEX_URL") or known.stdout.strip()
    return {"UV_DEFAULT_INDEX": index} if index and "UV_DEFAULT_INDEX" not in os.environ else {}


def faults(_: argparse.Namespace) -> int:
    """Long: crash points, network faults, ten thousand histories, planted faults; writes benchmarks/FAULTS.md."""
    report = Report(setup_s=set_up())
    without = real_programs(report)
    found = SETUP / "faults"
    shutil.rmtree(found, ignore_errors=True)
    chosen = ("-m", " and ".join(f"not {marker}" for marker in without))
    told = {"TICSSYNC_FAULTS": "all", "TICSSYNC_FAULTS_OUT": str(found)}
    report.step("faults", pytest("tests/faults", *chosen), environment=told)
    # Each shard is its own test, so that two workers have their hands full to the end.
    report.step("histories", pytest("tests/property/test_machine.py", *chosen), environment=told)
    report.step("table", [str(PYTHON), "-m", "tests.faults.table", str(found)], environment=UTF_8)
    if (ROOT / "tests" / "planted" / "__main__.py").exists():
        report.step("planted faults", [str(PYTHON), "-m", "tests.planted", "--write"], environment=UTF_8)
    return report.close()


def bench(_: argparse.Namespace) -> int:
    """Long: measurements against the physical minimum."""
    if not (ROOT / "benchmarks" / "__main__.py").exists():
        raise Stop("the benchmarks come with a later version; nothing was run")
    report = Report(setup_s=set_up())
    report.step("benchmarks", [str(PYTHON), "-m", "benchmarks"])
    return report.close()


def setup(_: argparse.Namespace) -> int:
    """Only the set-up."""
    spent = set_up()
    print(f"set-up {spent:.1f} s" if spent else "everything is in place")
    return 0


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="dev.py", description="set-up, checks, tests and the demo of ticssync"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for function in (demo, quick, test, coverage, lint, docs, messages, lock, faults, bench, setup):
        command = commands.add_parser(function.__name__, help=(function.__doc__ or "").splitlines()[0])
        command.set_defaults(function=function)
        if function is demo:
            command.add_argument("folder", nargs="?", default="demo")
            command.add_argument("--lang", choices=("ja", "en"), default="ja")
        elif function is messages:
            command.add_argument(
                "--merge", metavar="FOLDER", help='fill translations from *.json: {"English": "日本語"}'
            )
        elif function is lock:
            command.add_argument("--upgrade", action="store_true", help="take the newest versions")
    return parser


def main() -> int:
    """Entry: exit code 0 fine, 1 something failed, 2 it cannot be done here."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    if sys.version_info < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        print(f"Python {oldest} or later is needed; this is {sys.version.split()[0]}", file=sys.stderr)
        return 2
    options = arguments().parse_args()
    try:
        return int(options.function(options))
    except Stop as stop:
        print(stop, file=sys.stderr)
        return stop.code
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
