"""What deploy, failover and destroy share: the inventory, a run of Ansible with its progress, SSH, a question."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time

DEPLOY = pathlib.Path(__file__).resolve().parent.parent
ANSIBLE = DEPLOY / "ansible"
STATE = DEPLOY.parent / ".state" / "deploy"
GROUPS = ("allsites-svc", "allsites-app", "allsites-db")


class Stop(Exception):
    """A reason to stop that a person has to mend: a sentence, an exit code, no stack."""

    def __init__(self, sentence, code=1):
        super().__init__(sentence)
        self.code = code


def say(text):
    print(text, file=sys.stderr, flush=True)


def need(program, why):
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if os.access(pathlib.Path(folder) / program, os.X_OK):
            return
    raise Stop(f"{program} is not installed here: {why}")


@contextlib.contextmanager
def patient():
    """Ctrl-C reaches the program that runs as well. It is waited for: Terraform, killed, would forget what it has just made."""
    pressed = []

    def wait(*_):
        pressed.append(True)
        os.write(2, b"interrupted: waiting until what runs has stopped\n")

    before = signal.signal(signal.SIGINT, wait)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt


class Inventory:
    def __init__(self, path):
        self.path = pathlib.Path(path).resolve()
        if not self.path.exists():
            raise Stop(f"there is no inventory {path}")
        need("ansible-inventory", "apt-get install ansible-core")
        words = ["ansible-inventory", "-i", str(ANSIBLE / "defaults.yaml"), "-i", str(self.path), "--list"]
        environment = {**os.environ, "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
        read = subprocess.run(words, cwd=ANSIBLE, env=environment, capture_output=True, text=True)
        if read.returncode != 0:
            raise Stop(f"{path}: {read.stderr.strip()}")
        self.data = json.loads(read.stdout)
        self.vars = self.data.get("_meta", {}).get("hostvars", {})
        for group in GROUPS:
            if not self.hosts(group):
                raise Stop(f"{path} names no host in {group}: docs/DEPLOY.md shows an inventory")

    def hosts(self, group):
        return sorted(self.data.get(group, {}).get("hosts", []))

    def cluster(self):
        for host in self.vars.values():
            name = host.get("siteward_cluster", {}).get("cluster")
            if name:
                return name
        raise Stop(f"{self.path} does not name the cluster: siteward_cluster.cluster is not set")


def ssh(inventory, host, command, stdin="", seconds=60):
    """One command on a host, by the ways that the inventory gives Ansible. Exit code 255: it was not reached."""
    need("ssh", "apt-get install openssh-client")
    its = inventory.vars[host]
    words = ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=4", "-o", "StrictHostKeyChecking=accept-new"]
    words += shlex.split(str(its.get("ansible_ssh_common_args", "")))
    if "ansible_ssh_private_key_file" in its:
        words += ["-i", its["ansible_ssh_private_key_file"]]
    if "ansible_port" in its:
        words += ["-p", str(its["ansible_port"])]
    user = f"{its['ansible_user']}@" if "ansible_user" in its else ""
    words += [user + its.get("ansible_host", host), "sudo " + shlex.join(command)]
    try:
        # Where Ansible runs: a relative path in the inventory means one file to both.
        return subprocess.run(words, cwd=ANSIBLE, input=stdin, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, 255, "", f"no answer within {seconds} s")


def wait_for_hosts(inventory, seconds=300, pause=5):
    """Machines that Terraform has made are running and still booting: until each of them lets the operator in, and sudo."""
    begun = time.monotonic()
    missing = sorted(inventory.vars)
    shown = None
    while True:
        with concurrent.futures.ThreadPoolExecutor(len(missing)) as pool:
            said = dict(zip(missing, pool.map(lambda host: ssh(inventory, host, ["true"], seconds=15), missing)))
        missing = [host for host in missing if said[host].returncode != 0]
        if not missing:
            return
        reasons = "\n".join(f"  {host}: {(said[host].stderr.strip().splitlines() or ['no answer'])[-1]}" for host in missing)
        others = [host for host in missing if "IDENTIFICATION HAS CHANGED" in said[host].stderr]
        if others:
            raise Stop(
                f"another key than known_hosts has for {', '.join(others)}: another machine had that address before, or somebody stands between. "
                f"Compare (deploy/terraform/README.md), then: " + "; ".join(f"ssh-keygen -R {inventory.vars[host].get('ansible_host', host)}" for host in others)
            )
        elapsed = time.monotonic() - begun
        if elapsed > seconds:
            raise Stop(f"after {seconds} s there is no way in to\n{reasons}\nAn SSH key that they know, and sudo, are needed; deploy may be run again")
        if missing != shown:
            say(f"{elapsed:6.0f} s  waiting for SSH: {', '.join(missing)}")
            shown = missing
        time.sleep(pause)


def play(playbook, inventory, variables=None, quiet=False, after="nothing that runs was taken away, and it may be run again"):
    """Runs a playbook; says each play as it begins. Returns how many tasks changed something. The whole log is kept."""
    need("ansible-playbook", "apt-get install ansible-core")
    STATE.mkdir(parents=True, exist_ok=True)
    log = STATE / f"{time.strftime('%Y%m%d-%H%M%S')}-{pathlib.Path(playbook).stem}.log"
    words = ["ansible-playbook", "-i", str(ANSIBLE / "defaults.yaml"), "-i", str(inventory.path), playbook]
    if variables:
        words += ["-e", json.dumps(variables)]
    known = "-o StrictHostKeyChecking=accept-new -o ControlMaster=auto -o ControlPersist=120s -o ServerAliveInterval=5"
    environment = {**os.environ, "ANSIBLE_SSH_ARGS": known, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg")}
    begun = time.monotonic()
    changed = 0
    with open(log, "w", encoding="utf8", buffering=1) as kept, patient():
        run = subprocess.Popen(words, cwd=ANSIBLE, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for line in run.stdout:
            kept.write(line)
            changed += sum(int(count) for count in re.findall(r"ok=\d+\s+changed=(\d+)", line))
            named = re.match(r"PLAY \[(.*)\]", line)
            if named and not quiet:
                say(f"{time.monotonic() - begun:6.0f} s  {named.group(1)}")
            elif re.match(r"(fatal|failed|\[ERROR\]|ERROR!)", line) or re.match(r'\s+"msg": ".*waits for a restart', line):
                say(f"          {line.strip()[:600]}")
        code = run.wait()
    if code != 0:
        raise Stop(f"{playbook} stopped; {after}. The whole log: {log}")
    return changed


def facts(inventory):
    """What plan.yml finds on each host that answers: host => dictionary."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["ansible-playbook", "-i", str(ANSIBLE / "defaults.yaml"), "-i", str(inventory.path), "plan.yml"]
        known = "-o StrictHostKeyChecking=accept-new -o ControlMaster=auto -o ControlPersist=120s -o ConnectTimeout=5"
        environment = {**os.environ, "ANSIBLE_SSH_ARGS": known, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_ANY_ERRORS_FATAL": "0", "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg")}
        words += ["-e", json.dumps({"plan_directory": folder})]
        run = subprocess.run(words, cwd=ANSIBLE, env=environment, capture_output=True, text=True)
        found = {each.stem: json.loads(each.read_text()) for each in pathlib.Path(folder).glob("*.json")}
    if not found:
        why = re.findall(r'^fatal: \[(\S+?)\].*?"msg": "(.*?[^\\])"', run.stdout, re.MULTILINE)
        said = "\n".join(f"  {host}: {text}" for host, text in why) or f"{run.stderr.strip()}\n{run.stdout.strip()}"[-800:]
        raise Stop(f"no host of {inventory.path} answers; an SSH key that they know, and sudo, are needed:\n{said}")
    return found


def ask(question, wanted):
    """A person's word, typed."""
    sys.stderr.write(f"{question}\n> ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != wanted:
        raise Stop("not confirmed: nothing was changed", 4)


def run_command(main):
    try:
        sys.exit(main())
    except Stop as stop:
        say(str(stop))
        sys.exit(stop.code)
    except KeyboardInterrupt:
        say("interrupted; it may be run again")
        sys.exit(130)
