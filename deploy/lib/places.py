"""Where the hosts come from: an inventory that is given, or Terraform's."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from hosts import DEPLOY, STATE, Inventory, Stop, ask, need, patient, say

TERRAFORM = DEPLOY / "terraform"
WHY = "https://developer.hashicorp.com/terraform/install, or OpenTofu as `terraform`"
# What Terraform said at the last deployment: for the day when its state cannot be read.
LAST = STATE / "inventory.yaml"


def add_places(parser):
    parser.add_argument("--hosts", metavar="INVENTORY", help="Debian hosts that are there already; without it: AWS, by Terraform")
    parser.add_argument("--yes", action="store_true", help="do not ask after the plan")
    parser.add_argument("--json", action="store_true", help="the result as JSON on standard output; progress is on standard error")


def terraform(*words, capture=False, seconds=None):
    need("terraform", WHY)
    # Standard output is for the result.
    out, err = (subprocess.PIPE, subprocess.PIPE) if capture else (sys.stderr, None)
    line = ["terraform", f"-chdir={TERRAFORM}", *words]
    try:
        with patient():
            done = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=out, stderr=err, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise Stop(f"terraform {words[0]} did not end within {seconds} s") from None
    if done.returncode not in ((0, 2) if words[0] == "plan" else (0,)):
        raise Stop(f"terraform {words[0]} failed; it may be run again" + (f": {done.stderr.strip()[-800:]}" if capture else ""))
    return done


def read(*words, seconds=None):
    said = terraform(*words, capture=True, seconds=seconds).stdout
    try:
        return json.loads(said or "{}")
    except ValueError:
        raise Stop(f"terraform {words[0]} said something else than JSON: {said.strip()[:200]}") from None


def prepare():
    """Providers and the place of the state, without which a fresh checkout knows of nothing."""
    say("terraform init (the first time it fetches 0.7 GB)")
    terraform("init", "-input=false", "-no-color", capture=True)


class Plan:
    """A plan of Terraform's, for one apply."""

    def __init__(self, file):
        self.file = file
        self.content = read("show", "-json", file)

    def makes(self, part=""):
        """Whether there will be a host with nothing on it."""
        return any("create" in change["actions"] and part in address for address, change in instances(self.content))

    def apply(self):
        terraform("apply", "-input=false", self.file)


@contextlib.contextmanager
def planned(*words):
    """Terraform's own plan, shown; None when it would change nothing. In a file of this run's own: while one command waits for an
    answer another may plan, and what a person has read is what is applied."""
    with tempfile.TemporaryDirectory(prefix="siteward-") as folder:
        file = str(pathlib.Path(folder) / "siteward.tfplan")
        try:
            changes = terraform("plan", "-input=false", "-detailed-exitcode", f"-out={file}", *words).returncode == 2
        except Stop as stop:
            if list(TERRAFORM.glob("*.tfvars*")) != [TERRAFORM / "terraform.tfvars.example"]:
                raise
            raise Stop(f"{stop}. There is no deploy/terraform/terraform.tfvars: copy terraform.tfvars.example and change it") from None
        yield Plan(file) if changes else None


def instances(plan):
    found = [each for each in plan.get("resource_changes", []) if each["type"] == "aws_instance" and each.get("mode") != "data"]
    return [(each["address"], each["change"]) for each in found]


def endangered(plan):
    """What of a plan's JSON takes running hosts away, or down: name => what happens to it."""
    found = {}
    for address, change in instances(plan):
        before, after = change.get("before") or {}, change.get("after") or {}
        name = (before.get("tags") or {}).get("Name") or address
        if "delete" in change["actions"]:
            found[name] = "is replaced, its disk is lost" if "create" in change["actions"] else "is removed, its disk is lost"
        elif "update" in change["actions"] and before.get("instance_type") != after.get("instance_type"):
            found[name] = f"is stopped, to become {after.get('instance_type')}"
    return found


def resources(values):
    """All that Terraform manages in a state's JSON."""
    found, modules = [], [(values or {}).get("root_module", {})]
    while modules:
        module = modules.pop()
        found += [each for each in module.get("resources", []) if each.get("mode") == "managed"]
        modules += module.get("child_modules", [])
    return found


def cluster_of(plan):
    """The cluster's name: the tag of what is there, which survives an apply or a destroy that stopped halfway, as outputs do not."""
    there = resources(plan.get("prior_state", {}).get("values"))
    tags = [each.get("values", {}).get("tags_all") or {} for each in there]
    names = {each["cluster"] for each in tags if each.get("managed-by") == "terraform" and each.get("cluster")}
    return names.pop() if len(names) == 1 else plan["variables"]["cluster"]["value"]


def confirm(plan, yes):
    """A person's word for a plan; for one that takes hosts away the cluster's name, which no option replaces."""
    takes = endangered(plan.content)
    if not takes:
        if not yes:
            ask("Make these machines? Type: yes", "yes")
        return
    say("\n".join(["This plan does not only make machines:", *(f"  {name} {what}" for name, what in sorted(takes.items()))]))
    if yes:
        raise Stop("--yes is not enough for that: nothing was changed. Without --yes the name of the cluster is asked for", 4)
    cluster = cluster_of(plan.content)
    ask(f"Type the name of the cluster ({cluster}) to do it all the same", cluster)


def is_empty():
    """Whether Terraform manages nothing, by its state: there are no outputs before the first apply has come to its end."""
    return not resources(read("show", "-json").get("values"))


def machines(seconds=None):
    """The inventory of what Terraform made, or None where its outputs name none."""
    made = read("output", "-json", seconds=seconds)
    if "inventory" not in made:
        return None
    STATE.mkdir(parents=True, exist_ok=True)
    new = LAST.with_suffix(".new")
    new.write_text(made["inventory"]["value"], encoding="utf8")
    os.replace(new, LAST)
    return Inventory(LAST)


def machines_or_last():
    """The same in an emergency: a state that cannot be read, in a bucket of a lost region for example, is no reason to stop."""
    reason = "Terraform's state names no hosts"
    try:
        found = machines(seconds=30)
    except Stop as stop:
        found, reason = None, str(stop)
        if not LAST.exists():
            prepare()
            found = machines(seconds=60)
    if found is None and LAST.exists():
        at = time.strftime("%Y-%m-%d %H:%M", time.localtime(LAST.stat().st_mtime))
        say(f"{reason}\nThe hosts of the last deployment, {at}: {LAST}")
        found = Inventory(LAST)
    return found
