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

# The default: a route53 witness, one record that siteward moves, an existing zone.

run "defaults" {
  command = plan

  # Every way in, by the sentence of its rule. What is not listed is closed.
  assert {
    condition = module.site1.ingress == {
      "service: service from 0.0.0.0/0"               = "8000-8000 0.0.0.0/0"
      "service: service from service there"           = "8000-8000 172.21.1.10/32"
      "service: statistics from service there"        = "81-81 172.21.1.10/32"
      "service: statistics from 192.0.2.0/24"         = "81-81 192.0.2.0/24"
      "service: agent from service there"             = "7401-7401 172.21.1.10/32"
      "service: agent from database here"             = "7401-7401 database"
      "service: agent from database there"            = "7401-7401 172.21.1.30/32"
      "service: ssh from 192.0.2.0/24"                = "22-22 192.0.2.0/24"
      "application: instance 8001 from service here"  = "8001-8001 service"
      "application: instance 8001 from service there" = "8001-8001 172.21.1.10/32"
      "application: instance 8002 from service here"  = "8002-8002 service"
      "application: instance 8002 from service there" = "8002-8002 172.21.1.10/32"
      "application: instance 8003 from service here"  = "8003-8003 service"
      "application: instance 8003 from service there" = "8003-8003 172.21.1.10/32"
      "application: ssh from service here"            = "22-22 service"
      "application: ssh from service there"           = "22-22 172.21.1.10/32"
      "application: ssh from 192.0.2.0/24"            = "22-22 192.0.2.0/24"
      "database: postgresql from service here"        = "5432-5432 service"
      "database: postgresql from service there"       = "5432-5432 172.21.1.10/32"
      "database: postgresql from application here"    = "5432-5432 application"
      "database: postgresql from application there"   = "5432-5432 172.21.1.20/32"
      "database: postgresql from database there"      = "5432-5432 172.21.1.30/32"
      "database: guard from service here"             = "7402-7402 service"
      "database: guard from service there"            = "7402-7402 172.21.1.10/32"
      "database: guard from database there"           = "7402-7402 172.21.1.30/32"
      "database: ssh from service here"               = "22-22 service"
      "database: ssh from service there"              = "22-22 172.21.1.10/32"
      "database: ssh from 192.0.2.0/24"               = "22-22 192.0.2.0/24"
    }
    error_message = "Ways into site1: ${jsonencode(module.site1.ingress)}"
  }

  # Both sites are open alike, each from the other.
  assert {
    condition     = [for rule in values(module.site2.ingress) : replace(rule, "172.20.", "172.21.")] == values(module.site1.ingress) && keys(module.site1.ingress) == keys(module.site2.ingress)
    error_message = "Ways into site2: ${jsonencode(module.site2.ingress)}"
  }

  assert {
    condition = alltrue(flatten([
      for facts in [module.site1.facts, module.site2.facts] : [
        for host in facts : host.encrypted && host.http_tokens == "required" && host.hop_limit == 1
      ]
    ]))
    error_message = "Every volume is encrypted, and every host has IMDSv2 with one hop."
  }

  assert {
    condition     = length(module.witness_agent) == 0 && length(module.register) == 1 && length(module.peering_witness_site1) == 0
    error_message = "The default witness is a register."
  }

  assert {
    condition     = !contains([var.site1.region, var.site2.region, var.witness_site.region], "us-east-1")
    error_message = "No default is us-east-1 (W5)."
  }
}

run "applied" {
  command = apply

  assert {
    condition = jsondecode(module.role["site1"].policy).Statement == [
      {
        Sid      = "ReadRegister"
        Effect   = "Allow"
        Action   = "route53:ListResourceRecordSets"
        Resource = "arn:aws:route53:::hostedzone/Z0CREATED"
      },
      {
        Sid      = "ChangeRegister"
        Effect   = "Allow"
        Action   = "route53:ChangeResourceRecordSets"
        Resource = "arn:aws:route53:::hostedzone/Z0CREATED"
        Condition = {
          "ForAllValues:StringEquals" = {
            "route53:ChangeResourceRecordSetsNormalizedRecordNames" = ["register.birthday-witness.example.com"]
            "route53:ChangeResourceRecordSetsRecordTypes"           = ["TXT"]
            "route53:ChangeResourceRecordSetsActions"               = ["CREATE", "DELETE"]
          }
          Null = {
            "route53:ChangeResourceRecordSetsNormalizedRecordNames" = "false"
            "route53:ChangeResourceRecordSetsRecordTypes"           = "false"
            "route53:ChangeResourceRecordSetsActions"               = "false"
          }
        }
      },
      {
        Sid      = "ReadEntry"
        Effect   = "Allow"
        Action   = "route53:ListResourceRecordSets"
        Resource = "arn:aws:route53:::hostedzone/Z0PUBLIC"
      },
      {
        Sid      = "ChangeEntry"
        Effect   = "Allow"
        Action   = "route53:ChangeResourceRecordSets"
        Resource = "arn:aws:route53:::hostedzone/Z0PUBLIC"
        Condition = {
          "ForAllValues:StringEquals" = {
            "route53:ChangeResourceRecordSetsNormalizedRecordNames" = ["birthday.example.com"]
            "route53:ChangeResourceRecordSetsRecordTypes"           = ["A"]
            "route53:ChangeResourceRecordSetsActions"               = ["UPSERT"]
          }
          Null = {
            "route53:ChangeResourceRecordSetsNormalizedRecordNames" = "false"
            "route53:ChangeResourceRecordSetsRecordTypes"           = "false"
            "route53:ChangeResourceRecordSetsActions"               = "false"
          }
        }
      },
      {
        Sid      = "WatchEntry"
        Effect   = "Allow"
        Action   = "route53:GetChange"
        Resource = "arn:aws:route53:::change/*"
      },
    ]
    error_message = "The role may do something else: ${module.role["site1"].policy}"
  }
  assert {
    condition     = module.role["site1"].policy == module.role["site2"].policy
    error_message = "Both agents may have to do the same."
  }

  assert {
    condition = alltrue(flatten([
      for facts in [module.site1.facts, module.site2.facts] : [for part, host in facts : (host.profile != null) == (part == "service")]
    ]))
    error_message = "Only service hosts have a role."
  }

  assert {
    condition     = module.dns.facts.entry == { "birthday.example.com" = toset(["203.0.113.10"]) } && length(module.dns.facts.failover) == 0
    error_message = "One record, pointing to site1: ${jsonencode(module.dns.facts)}"
  }

  assert {
    condition = output.cluster.dns == {
      kind      = "route53"
      route53   = { hostedZoneId = "Z0PUBLIC", name = "birthday.example.com" }
      ttl       = "10s"
      addresses = { site1 = "203.0.113.10", site2 = "198.51.100.10" }
    }
    error_message = "dns: ${jsonencode(output.cluster.dns)}"
  }
  assert {
    condition     = output.cluster.witness == { kind = "route53", route53 = { hostedZoneId = "Z0CREATED", name = "register.birthday-witness.example.com" } }
    error_message = "witness: ${jsonencode(output.cluster.witness)}"
  }
  assert {
    condition     = jsonencode(yamldecode(output.cluster_yaml)) == jsonencode(output.cluster)
    error_message = "cluster_yaml says something else than cluster."
  }

  assert {
    condition = yamldecode(output.inventory).all.children == {
      allsites-svc = { hosts = {
        site1-svc = { ansible_host = "203.0.113.10", address = "172.20.1.10", site = "site1" }
        site2-svc = { ansible_host = "198.51.100.10", address = "172.21.1.10", site = "site2" }
      } }
      allsites-app = { hosts = {
        site1-app = { ansible_host = "203.0.113.20", address = "172.20.1.20", site = "site1" }
        site2-app = { ansible_host = "198.51.100.20", address = "172.21.1.20", site = "site2" }
      } }
      allsites-db = { hosts = {
        site1-db = { ansible_host = "203.0.113.20", address = "172.20.1.30", site = "site1" }
        site2-db = { ansible_host = "198.51.100.20", address = "172.21.1.30", site = "site2" }
      } }
    }
    error_message = output.inventory
  }
  assert {
    condition = jsonencode(yamldecode(output.inventory).all.vars) == jsonencode({
      ansible_user     = "admin"
      siteward_cluster = output.cluster
      site_env = {
        site1 = { dbhost = "172.20.1.30", dbport = "5432", dbname = "revolutdb", dbuser = "dbuser", dbappname = "birthday" }
        site2 = { dbhost = "172.21.1.30", dbport = "5432", dbname = "revolutdb", dbuser = "dbuser", dbappname = "birthday" }
      }
    })
    error_message = output.inventory
  }

  assert {
    condition     = strcontains(output.site2_env, "\ndbhost=172.21.1.30\n") && !strcontains(output.site2_env, "dbpass=")
    error_message = output.site2_env
  }
}

run "graviton_gets_arm64" {
  command = plan

  variables {
    instance_types = { service = "t4g.small", application = "m7i-flex.large", database = "im4gn.large" }
  }

  assert {
    condition     = { for part, host in module.site1.facts : part => host.architecture } == { service = "arm64", application = "amd64", database = "arm64" }
    error_message = jsonencode(module.site1.facts)
  }
}

run "service_for_some" {
  command = plan

  variables {
    service_cidrs    = ["10.0.0.0/8"]
    monitoring_cidrs = ["10.1.0.0/16"]
  }

  assert {
    condition     = length([for rule in values(module.site1.ingress) : rule if endswith(rule, " 0.0.0.0/0")]) == 0
    error_message = "Nothing is open to everybody then."
  }
  assert {
    condition     = module.site1.ingress["database: metrics from 10.1.0.0/16"] == "7400-7400 10.1.0.0/16"
    error_message = jsonencode(module.site1.ingress)
  }
}

run "zone_is_created" {
  command = plan

  variables {
    zone_id = null
  }

  assert {
    condition     = module.dns.zone.name == "example.com"
    error_message = "The zone is the name's parent."
  }
}

