"""What deploy, failover and destroy share: the inventory, a run of Ansible with its progress, SSH, a question."""

import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time

DEPLOY = pathlib.Path(__file__).resolve().parent.parent
ANSIBLE = DEPLOY / "ansible"
STATE = DEPLOY.parent / ".state" / "deploy"


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


class Inventory:
    def __init__(self, path):
        self.path = pathlib.Path(path).resolve()
        if not self.path.exists():
            raise Stop(f"there is no inventory {path}")
        need("ansible-inventory", "apt-get install ansible-core")
        words = ["ansible-inventory", "-i", str(ANSIBLE / "defaults.yaml"), "-i", str(self.path), "--list"]
        read = subprocess.run(words, cwd=ANSIBLE, capture_output=True, text=True)
        if read.returncode != 0:
            raise Stop(f"{path}: {read.stderr.strip()}")
        self.data = json.loads(read.stdout)
        self.vars = self.data.get("_meta", {}).get("hostvars", {})

    def hosts(self, group):
        return sorted(self.data.get(group, {}).get("hosts", []))

    def cluster(self):
        for host in self.vars.values():
            return host.get("siteward_cluster", {}).get("cluster", "")
        raise Stop(f"{self.path} names no host")


def ssh(inventory, host, command, stdin="", seconds=60):
    """One command on a host, by the ways that the inventory gives Ansible. Exit code 255: it was not reached."""
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
        return subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, 255, "", f"no answer within {seconds} s")


def play(playbook, inventory, variables=None, quiet=False):
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
    with open(log, "w", encoding="utf8", buffering=1) as kept:
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
        raise Stop(f"{playbook} stopped; nothing that runs was taken away, and it may be run again. The whole log: {log}")
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
