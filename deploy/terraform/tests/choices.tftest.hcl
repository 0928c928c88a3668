# Nothing here reaches AWS: every provider is a mock, so `terraform test` needs no credentials and creates nothing.
mock_provider "aws" {
  alias = "site1"

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_ami" {
    defaults = { id = "ami-0123456789abcdef0" }
  }
  mock_data "aws_ec2_managed_prefix_list" {
    defaults = { id = "pl-0123456789abcdef0" }
  }
  mock_data "aws_route53_zone" {
    defaults = {
      name         = "example.com"
      arn          = "arn:aws:route53:::hostedzone/Z0PUBLIC"
      private_zone = false
      name_servers = ["ns-1.example.net"]
    }
  }
  mock_resource "aws_route53_zone" {
    defaults = {
      zone_id      = "Z0CREATED"
      arn          = "arn:aws:route53:::hostedzone/Z0CREATED"
      name_servers = ["ns-2.example.net"]
    }
  }
  mock_resource "aws_eip" {
    defaults = { public_ip = "203.0.113.10" }
  }
  mock_resource "aws_instance" {
    defaults = { public_ip = "203.0.113.20" }
  }
}

mock_provider "aws" {
  alias = "site2"

  mock_data "aws_ami" {
    defaults = { id = "ami-0123456789abcdef1" }
  }
  mock_data "aws_ec2_managed_prefix_list" {
    defaults = { id = "pl-0123456789abcdef1" }
  }
  mock_resource "aws_eip" {
    defaults = { public_ip = "198.51.100.10" }
  }
  mock_resource "aws_instance" {
    defaults = { public_ip = "198.51.100.20" }
  }
}

mock_provider "aws" {
  alias = "witness"

  mock_data "aws_ami" {
    defaults = { id = "ami-0123456789abcdef2" }
  }
  mock_resource "aws_instance" {
    defaults = { public_ip = "192.0.2.20" }
  }
}

variables {
  service_name   = "birthday.example.com"
  zone_id        = "Z0PUBLIC"
  admin_cidrs    = ["192.0.2.0/24"]
  ssh_public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHVt2jvTLPLHV9rTfyKp3aWcWnWKlCkAgiZ5mvn8sUeD operator@example"
}

# dns_mode = "health-check": Route 53 chooses between two records by asking the agents, and siteward moves no name.

run "health_check" {
  command = apply

  variables {
    dns_mode = "health-check"
  }

  assert {
    condition     = module.dns.facts.failover == { site1 = "PRIMARY", site2 = "SECONDARY" } && length(module.dns.facts.entry) == 0
    error_message = jsonencode(module.dns.facts)
  }
  assert {
    condition     = module.dns.facts.checks == { site1 = "203.0.113.10:7400/entry", site2 = "198.51.100.10:7400/entry" }
    error_message = jsonencode(module.dns.facts)
  }

  # Only Route 53's checkers get in besides.
  assert {
    condition     = module.site1.ingress["service: entry from the checkers of Route 53"] == "7400-7400 checkers" && length([for rule in values(module.site1.ingress) : rule if startswith(rule, "7400-")]) == 1
    error_message = jsonencode(module.site1.ingress)
  }

  assert {
    condition     = jsonencode(output.cluster.dns) == jsonencode({ kind = "none" })
    error_message = jsonencode(output.cluster.dns)
  }

  # The agents have no right to the public name left.
  assert {
    condition     = [for statement in jsondecode(module.role["site1"].policy).Statement : statement.Sid] == ["ReadRegister", "ChangeRegister"]
    error_message = module.role["site1"].policy
  }
}

run "without_a_register_no_role" {
  command = plan

  variables {
    dns_mode = "health-check"
    witness  = "agent"
  }

  assert {
    condition     = length(module.role) == 0 && module.site1.facts.service.profile == null
    error_message = "An agent with no business at AWS has no role."
  }
}

# The other two witnesses.

run "agent" {
  command = apply

  variables {
    witness = "agent"
  }

  assert {
    condition = module.witness_agent[0].ingress == {
      "witness: agent from site1-svc"  = "7401-7401 172.20.1.10/32"
      "witness: agent from site1-db"   = "7401-7401 172.20.1.30/32"
      "witness: agent from site2-svc"  = "7401-7401 172.21.1.10/32"
      "witness: agent from site2-db"   = "7401-7401 172.21.1.30/32"
      "witness: ssh from 192.0.2.0/24" = "22-22 192.0.2.0/24"
    }
    error_message = jsonencode(module.witness_agent[0].ingress)
  }
  assert {
    condition     = module.witness_agent[0].facts.encrypted && module.witness_agent[0].facts.http_tokens == "required" && module.witness_agent[0].facts.profile == null
    error_message = jsonencode(module.witness_agent[0].facts)
  }
  assert {
    condition     = length(module.register) == 0 && length(module.peering_witness_site1) == 1 && length(module.peering_witness_site2) == 1
    error_message = "An agent witness is peered with both sites, and there is no register."
  }
  assert {
    condition     = [for statement in jsondecode(module.role["site1"].policy).Statement : statement.Sid] == ["ReadEntry", "ChangeEntry", "WatchEntry"]
    error_message = module.role["site1"].policy
  }
  assert {
    condition     = jsonencode(output.cluster.witness) == jsonencode({ kind = "agent", agent = { host = "witness", address = "172.22.1.10" } })
    error_message = jsonencode(output.cluster.witness)
  }
  assert {
    condition     = yamldecode(output.inventory).all.children.witness.hosts == { witness = { ansible_host = "192.0.2.20", address = "172.22.1.10", site = "witness" } }
    error_message = output.inventory
  }
}

run "none" {
  command = plan

  variables {
    witness = "none"
  }

  assert {
    condition     = length(module.register) == 0 && length(module.witness_agent) == 0 && jsonencode(output.cluster.witness) == jsonencode({ kind = "none" })
    error_message = "Nothing is made for no witness."
  }

  # A warning for people, which a test has to expect.
  expect_failures = [check.third_vote]
}

# Allowed, with a warning: the third vote survives us-east-1, the way to move the name does not.
run "us_east_1_with_an_agent_witness" {
  command = plan

  variables {
    witness = "agent"
    site1   = { region = "us-east-1" }
  }

  expect_failures = [check.entry_survives_its_region]
}

run "us_east_1_with_health_checks" {
  command = plan

  variables {
    witness  = "agent"
    dns_mode = "health-check"
    site2    = { region = "us-east-1" }
  }
}
