"""Where the hosts come from: an inventory that is given, or Terraform's."""

import json
import subprocess

from hosts import DEPLOY, STATE, Inventory, Stop, need

TERRAFORM = DEPLOY / "terraform"
WHY = "https://developer.hashicorp.com/terraform/install, or OpenTofu as `terraform`"


def add_places(parser):
    parser.add_argument("--hosts", metavar="INVENTORY", help="Debian hosts that are there already; without it: AWS, by Terraform")
    parser.add_argument("--yes", action="store_true", help="do not ask after the plan")
    parser.add_argument("--json", action="store_true", help="the result as JSON on standard output; progress is on standard error")


def terraform(*words, capture=False):
    need("terraform", WHY)
    done = subprocess.run(["terraform", f"-chdir={TERRAFORM}", *words], capture_output=capture, text=True)
    if done.returncode not in (0, 2):
        raise Stop(f"terraform {words[0]} failed; it may be run again" + (f": {done.stderr.strip()[-800:]}" if capture else ""))
    return done


def plan_machines(*words):
    """Terraform's own plan, shown; True when it would change something."""
    terraform("init", "-input=false", "-no-color", capture=True)
    return terraform("plan", "-input=false", "-detailed-exitcode", "-out=siteward.tfplan", *words).returncode == 2


def apply_machines():
    terraform("apply", "-input=false", "siteward.tfplan")


def machines():
    """The inventory of what Terraform made, or None where it made nothing."""
    said = terraform("output", "-json", capture=True)
    made = json.loads(said.stdout or "{}")
    if "inventory" not in made:
        return None
    STATE.mkdir(parents=True, exist_ok=True)
    path = STATE / "inventory.yaml"
    path.write_text(made["inventory"]["value"], encoding="utf8")
    return Inventory(path)
