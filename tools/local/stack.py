#!/usr/bin/env python3
"""The local stack: an AWS emulator and a local SES on this machine with Postroom deployed to them.

Everything it installs or writes is in .local/ of the checkout: after `stop`, removing that folder leaves no trace.
Only the standard library is used: this file runs before anything is installed.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import build

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tools" / "local"
LOCAL = ROOT / ".local"
LOGS = LOCAL / "logs"
BIN = LOCAL / "bin"
# Where `sam deploy` finds the template (`samconfig.toml`).
BUILD = LOCAL / "sam-build"
STATE = LOCAL / "stack.json"
OUTPUTS = LOCAL / "outputs.json"
# The digest of the deployed debug build.
DEPLOYED = LOCAL / "deployed"

STACK_NAME = "postroom"
REGION = "us-east-1"
DEFAULT_PORT = 4566
# The local SES has the port after it.
PORT_VARIABLE = "POSTROOM_LOCAL_PORT"
# The length of SES's second. SES allows one call a second of most operations.
SES_SECOND = "0.005"
# For the emulator to answer: long, as waiting ends when it does.
START_SECONDS = 180
# "release" deploys the functions as an AWS account would get them. The default takes a third of the time to build,
# a twentieth after a change, and checks integer overflow.
BUILD_VARIABLE = "POSTROOM_LOCAL_BUILD"
BUILD_MODES = ("debug", "release")
# Every process of the stack inherits this variable; it tells ours from a stranger that got a process id of ours.
MARK = "POSTROOM_LOCAL_STACK"

# environment -> the programs that become visible in .local/bin. The rest of it stays off the PATH.
ENVIRONMENTS = {
    "aws": ["ministack", "pytest"],
    "sam": ["sam", "cargo-lambda", "cfn-lint"],
}
# Installed only when one of its programs is asked for: the stack itself does not need them.
ON_DEMAND = {
    "checkov": ["checkov"],
    "nextest": ["cargo-nextest"],
}


class Problem(Exception):
    """Something the person at the keyboard can put right; the message says how."""


# Commands


def setup() -> None:
    """Install the tools the local stack needs, unless the same versions are there already."""
    require_machine()
    for directory in (LOGS, BIN):
        directory.mkdir(parents=True, exist_ok=True)
    for name, programs in ENVIRONMENTS.items():
        install_environment(name, programs)


def start() -> None:
    """Start the emulator and the local SES, unless they run already on the port asked for."""
    setup()
    state = read_state()
    if state and members(state["groups"]):
        if is_running(state) and state["port"] == wanted_port(state) and state["version"] == version():
            return
        stop()
    port = wanted_port(None)
    require_free_port(port)
    require_free_port(port + 1)

    (LOCAL / "tmp").mkdir(exist_ok=True)
    say(f"Starting the local AWS on port {port}, the local SES on port {port + 1}")
    emulator_env = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        # Policies and roles count as they do on AWS, so the stack tests find a permission that is missing.
        "AUTH": "true",
        "MINISTACK_REGION": REGION,
        "TMPDIR": str(LOCAL / "tmp"),
    }
    emulator = launch("ministack", [BIN / "ministack"], environment(port) | emulator_env, LOCAL)
    command = [python_of("aws"), "-m", "ses", "--port", str(port + 1), "--second", SES_SECOND]
    ses = launch("ses", command, environment(port), TOOLS)
    STATE.write_text(json.dumps({"groups": [emulator.pid, ses.pid], "port": port, "version": version()}))
    OUTPUTS.unlink(missing_ok=True)
    DEPLOYED.unlink(missing_ok=True)
    wait_until_healthy(emulator, f"http://127.0.0.1:{port}/_ministack/health", LOGS / "ministack.log")
    wait_until_healthy(ses, f"http://127.0.0.1:{port + 1}/_local_ses/health", LOGS / "ses.log")


def deploy() -> None:
    """Build the functions and the command line, and deploy the template to the emulator."""
    require_machine()
    # Downloads wait for the network and the compiler for the processor, so they run side by side.
    with concurrent.futures.ThreadPoolExecutor(max_workers=1) as beside:
        started = beside.submit(start)
        if build_mode() == "debug":
            run("Building", build.debug_command(), environment(), stream=True)
        started.result()
    env = environment()
    if build_mode() == "release":
        for name, command, directory in build.release_commands():
            # The same command, in the same place, that `sam build` runs: sam would hide cargo's progress.
            run(f"Building {name}", command, env, directory, stream=True)
        run("Packaging", ["sam", "build", "--config-env", "local"], env)
        run("Building postroomctl", build.command_line_command(), env, stream=True)
        digest = None
    else:
        digest = build.digest_of_debug_build()
    link(BIN / "postroomctl", build.binary("postroomctl"))
    if digest is None or not is_deployed(digest, env):
        deploy_build(digest, env)
    run("Setting up the local SES", [python_of("aws"), TOOLS / "ses_resources.py"], environment())


def deploy_build(digest: str | None, env: dict[str, str]) -> None:
    """Deploy what was built, and remember its digest."""
    DEPLOYED.unlink(missing_ok=True)
    if digest:
        build.lay_out(BUILD)
    run("Patching the templates", [python_of("sam"), TOOLS / "patch_template.py", BUILD], env)
    run("Deploying", ["sam", "deploy", "--config-env", "local", "--region", REGION], env)
    OUTPUTS.write_text(json.dumps(read_outputs(env), indent=2) + "\n")
    if digest:
        DEPLOYED.write_text(digest)


def is_deployed(digest: str, env: dict[str, str]) -> bool:
    """Whether the running emulator has a stack of exactly this build. `sam deploy` takes 13 s to find that out."""
    if not DEPLOYED.exists() or DEPLOYED.read_text() != digest:
        return False
    try:
        current = read_outputs(env)
    except subprocess.CalledProcessError:
        return False  # The stack was deleted.
    if current != outputs():
        return False
    say("Deployed already: nothing changed since")
    return True


def demo() -> None:
    """Deploy, let mail bounce and be complained about, let a mail arrive, and show what became of them."""
    deploy()
    # -u: its lines and those of the commands it runs come in order, in a pipe too.
    if subprocess.run([python_of("aws"), "-u", TOOLS / "demo.py"], env=environment(), cwd=ROOT).returncode != 0:
        raise Problem(f"the demo failed; the functions' log is {short(LOGS / 'ministack.log')}")
    port_note = "" if current_port() == DEFAULT_PORT else f"{PORT_VARIABLE}={current_port()} "
    print(
        f"""
Go on from here
  eval "$(tools/local/stack.py env)"    postroomctl, cargo-lambda, sam and the stack's variables for this shell
  postroomctl suppression get ADDRESS   why an address must not be mailed
  cargo lambda watch                    runs the functions from source and rebuilds them when you save
  cargo lambda invoke feedback --data-file events/feedback/bounce-permanent-general.json
                                        in a second shell, after the same eval; the first one waits for the compiler
  {port_note}make demo{' ' * max(1, 29 - len(port_note))}again, with what you changed
  make stop                             ends the local stack"""
    )


def stop() -> None:
    """End the emulator, the local SES and every function that was started, and nothing else."""
    state = read_state()
    if not state:
        say("The local stack is not running")
        return
    for sign, seconds in ((signal.SIGTERM, 10), (signal.SIGKILL, 30)):
        if not members(state["groups"]):
            break
        for group in state["groups"]:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, sign)
        deadline = time.monotonic() + seconds
        while members(state["groups"]) and time.monotonic() < deadline:
            time.sleep(0.1)
    if left := members(state["groups"]):
        raise Problem(f"these processes of the local stack do not end: {', '.join(map(str, left))}")
    STATE.unlink(missing_ok=True)
    OUTPUTS.unlink(missing_ok=True)
    DEPLOYED.unlink(missing_ok=True)
    shutil.rmtree(LOCAL / "tmp", ignore_errors=True)
    say("Stopped the local stack")


def status() -> None:
    """Say what runs where."""
    state = read_state()
    if not state or not is_running(state):
        print("not running")
        return
    for name, group, port in zip(("ministack", "ses"), state["groups"], (state["port"], state["port"] + 1)):
        log = short(LOGS / f"{name}.log")
        print(f"{name:<10} running on http://127.0.0.1:{port} (process {group}), log {log}")
    for name, value in outputs().items():
        print(f"  {name:<20} {value}")


def show_environment(as_json: bool) -> None:
    """Print the variables that point a shell at the local stack."""
    ours = {name: value for name, value in environment().items() if os.environ.get(name) != value}
    if as_json:
        print(json.dumps(ours))
        return
    for name, value in sorted(ours.items()):
        print(f"export {name}={shlex.quote(value)}")


def execute(command: list[str]) -> None:
    """Run a command with the tools and variables of the local stack."""
    with alone():
        setup()
        for name, programs in ON_DEMAND.items():
            if command[:1] and command[0] in programs:
                install_environment(name, programs)
    env = environment()
    if not command or not shutil.which(command[0], path=env["PATH"]):
        raise Problem(f"no such command: {' '.join(command) or '(none given)'}")
    sys.stdout.flush()
    os.execvpe(command[0], command, env)


# Tools


def require_machine() -> None:
    if sys.platform != "linux":
        raise Problem("the local stack runs the functions as they are built for Lambda, so it needs Linux (or WSL)")
    if sys.version_info < (3, 10):
        raise Problem(f"the local stack needs Python 3.10 or newer; {sys.executable} is {sys.version.split()[0]}")
    if not shutil.which("cargo"):
        raise Problem("cargo is not on the PATH: install Rust from https://rustup.rs")
    if not any(map(shutil.which, ("cc", "gcc", "clang"))):
        raise Problem("a C compiler is needed to link Rust programs: apt install build-essential")


def install_environment(name: str, programs: list[str]) -> None:
    stamp = LOCAL / name / "requirements.sha256"
    requirements = stamp_of(name)
    if stamp.exists() and stamp.read_text() == requirements:
        return
    try:
        import ensurepip  # noqa: F401  Debian leaves it out of its python3.
        import venv  # noqa: F401
    except ImportError:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise Problem(f"python3 cannot make virtual environments: apt install python{version}-venv") from None
    python = python_of(name)
    state = read_state()
    if name == "aws" and state and members(state["groups"]):
        stop()
    shutil.rmtree(LOCAL / name, ignore_errors=True)
    env = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    run(f"Preparing Python for {name}", [sys.executable, "-m", "venv", LOCAL / name], env)
    wanted = TOOLS / f"requirements-{name}.txt"
    run(f"Installing {', '.join(programs)}", [python, "-m", "pip", "install", "--requirement", wanted], env)
    for program in programs:
        link(BIN / program, LOCAL / name / "bin" / program)
    for zig in (LOCAL / name).glob("lib/python*/site-packages/ziglang/zig"):
        link(BIN / "zig", zig)
    stamp.write_text(requirements)


def link(path: pathlib.Path, target: pathlib.Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def stamp_of(name: str) -> str:
    requirements = (TOOLS / f"requirements-{name}.txt").read_bytes()
    # The interpreter and the place count too: a virtual environment survives a change of neither.
    return hashlib.sha256(requirements + sys.version.encode() + str(LOCAL).encode()).hexdigest()


def python_of(name: str) -> pathlib.Path:
    return LOCAL / name / "bin" / "python"


def build_mode() -> str:
    mode = os.environ.get(BUILD_VARIABLE) or BUILD_MODES[0]
    if mode not in BUILD_MODES:
        raise Problem(f"{BUILD_VARIABLE} is {mode!r}; it must be {' or '.join(BUILD_MODES)}")
    return mode


# The emulator


def environment(port: int | None = None) -> dict[str, str]:
    """The caller's environment, turned to the emulator and away from every real AWS account."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_"))}
    if str(BIN) not in env["PATH"].split(os.pathsep):
        env["PATH"] = f"{BIN}{os.pathsep}{env['PATH']}"
    port = port or current_port()
    env |= {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        # The functions inherit these from the emulator.
        "AWS_ENDPOINT_URL_SES": f"http://127.0.0.1:{port + 1}",
        "AWS_ENDPOINT_URL_SESV2": f"http://127.0.0.1:{port + 1}",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": ",".join(filter(None, (env.get("NO_PROXY"), "127.0.0.1,localhost"))),
        "SAM_CLI_TELEMETRY": "0",
    }
    if table := outputs().get("TableName"):
        env |= {"TABLE_NAME": table, "POSTROOM_TABLE": table}
    return env


def outputs() -> dict[str, str]:
    return json.loads(OUTPUTS.read_text()) if OUTPUTS.exists() else {}


def read_outputs(env: dict[str, str]) -> dict[str, str]:
    script = (
        "import boto3, json, sys;"
        "stack = boto3.client('cloudformation').describe_stacks(StackName=sys.argv[1])['Stacks'][0];"
        "print(json.dumps({o['OutputKey']: o['OutputValue'] for o in stack['Outputs']}))"
    )
    answer = subprocess.run([python_of("aws"), "-c", script, STACK_NAME], env=env, check=True, capture_output=True)
    return json.loads(answer.stdout)


def read_state() -> dict | None:
    return json.loads(STATE.read_text()) if STATE.exists() else None


def is_running(state: dict) -> bool:
    return set(state["groups"]) <= set(members(state["groups"]))


def members(groups: list[int]) -> list[int]:
    """The living processes of this checkout's stack that belong to one of these process groups."""
    mark = f"{MARK}={ROOT}".encode()
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        # A process may end while it is looked at, and other people's processes cannot be looked at.
        with contextlib.suppress(OSError, ValueError):
            pid = int(entry.name)
            if os.getpgid(pid) in groups and mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(pid)
    return found


def current_port() -> int:
    state = read_state()
    return state["port"] if state else wanted_port(None)


def wanted_port(state: dict | None) -> int:
    text = os.environ.get(PORT_VARIABLE)
    if not text:
        return state["port"] if state else DEFAULT_PORT
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise Problem(f"{PORT_VARIABLE} is {text!r}; it must be a port number")
    return int(text)


def require_free_port(port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise Problem(
                f"port {port} is in use by another program, perhaps the local stack of another checkout.\n"
                f"  Stop that program, or choose another port: {PORT_VARIABLE}={port + 100} make demo"
            )


def launch(name: str, command: list, env: dict[str, str], cwd: pathlib.Path) -> subprocess.Popen:
    """Start a program of the stack in the background; its output goes to a log of its name."""
    with (LOGS / f"{name}.log").open("wb") as output:
        return subprocess.Popen(
            command,
            env=env | {MARK: str(ROOT)},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Its own process group, which `stop` ends as a whole: the functions run as children of the emulator.
            start_new_session=True,
        )


def version() -> str:
    """What runs: the installed programs and the source of the local SES."""
    sources = sorted((TOOLS / "ses").rglob("*.py"))
    return stamp_of("aws") + hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def wait_until_healthy(process: subprocess.Popen, url: str, log: pathlib.Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Problem(f"a program of the local stack ended at once\n{tail(log)}")
        with contextlib.suppress(OSError, urllib.error.URLError):
            # No proxy: the address is this machine's.
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(url, timeout=10):
                return
        time.sleep(0.2)
    raise Problem(f"{url} does not answer after {START_SECONDS} s\n{tail(log)}")


# Running and telling


def run(
    label: str,
    command: list[str | pathlib.Path],
    env: dict[str, str],
    cwd: pathlib.Path = ROOT,
    stream: bool = False,
) -> None:
    """Run a step. Its output goes to a log, and with `stream` to the terminal too; silence is broken now and then."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{label.lower().replace(', ', ' ').replace(' ', '-')}.log"
    say(label)
    started = last_word = time.monotonic()
    over = threading.Event()

    def heartbeat() -> None:
        nonlocal last_word
        while not over.wait(1):
            if time.monotonic() - last_word > 20:
                last_word = time.monotonic()
                print(f"   ... {last_word - started:.0f} s, still at it", flush=True)

    threading.Thread(target=heartbeat, daemon=True).start()
    try:
        with log.open("wb") as file:
            process = subprocess.Popen(
                command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            for line in process.stdout:
                file.write(line)
                file.flush()
                if stream:
                    last_word = time.monotonic()
                    print("   " + line.decode(errors="replace").strip("\n"), flush=True)
            code = process.wait()
    finally:
        over.set()
    if code != 0:
        seen = f"  The whole log: {short(log)}" if stream else tail(log)
        raise Problem(f"{label[0].lower()}{label[1:]} failed (exit status {code})\n{seen}")
    seconds = time.monotonic() - started
    if seconds > 5:
        print(f"   {seconds:.0f} s", flush=True)


def tail(log: pathlib.Path, lines: int = 25) -> str:
    text = log.read_text(errors="replace").splitlines()[-lines:]
    return "\n".join(["", *(f"  | {line}" for line in text), "", f"  The whole log: {short(log)}"])


def short(path: pathlib.Path) -> pathlib.Path:
    return path.relative_to(ROOT)


def say(text: str) -> None:
    print(f"== {text}", flush=True)


@contextlib.contextmanager
def alone():
    """One at a time: `make demo` and `make test` in two terminals would build and deploy over each other."""
    LOCAL.mkdir(exist_ok=True)
    with (LOCAL / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another run in this checkout")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


COMMANDS = {
    "setup": setup,
    "start": start,
    "deploy": deploy,
    "demo": demo,
    "stop": stop,
    "status": status,
    "env": show_environment,
    "exec": execute,
}
# These change the stack.
EXCLUSIVE = {"setup", "start", "deploy", "demo", "stop"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="stack.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, function in COMMANDS.items():
        command = commands.add_parser(name, help=function.__doc__.splitlines()[0])
        if function is execute:
            command.add_argument("arguments", nargs=argparse.REMAINDER, metavar="COMMAND ARGUMENT...")
        if function is show_environment:
            command.add_argument("--json", dest="arguments", action="store_true", help="as JSON, for programs")
    options = parser.parse_args()
    arguments = [options.arguments] if "arguments" in options else []
    try:
        with alone() if options.command in EXCLUSIVE else contextlib.nullcontext():
            COMMANDS[options.command](*arguments)
    except Problem as problem:
        print(f"\nstack.py: {problem}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"\nstack.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstack.py: interrupted; `make stop` ends what was started", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
