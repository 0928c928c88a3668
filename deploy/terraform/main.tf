# Two sites in two regions, peered; the public name; the third vote. docs/ARCHITECTURE.md has the picture.

locals {
  # As in cluster.yaml's defaults; what an operator can change here is var.application_ports.
  ports = {
    service     = 8000
    statistics  = 81
    application = var.application_ports
    database    = 5432
    metrics     = 7400
    agent       = 7401
    guard       = 7402
  }

  places  = { site1 = var.site1, site2 = var.site2 }
  numbers = { service = 10, application = 20, database = 30 }
  addresses = {
    for site, place in local.places : site => {
      for part, number in local.numbers : part => cidrhost(place.subnet_cidr, number)
    }
  }

  zone_name     = coalesce(var.zone_name, join(".", slice(split(".", var.service_name), 1, length(split(".", var.service_name)))))
  cluster_cidrs = concat([for place in local.places : place.vpc_cidr], var.witness == "agent" ? [var.witness_site.vpc_cidr] : [])
}

data "aws_partition" "current" {
  provider = aws.site1
}

module "dns" {
  source    = "./modules/dns"
  providers = { aws = aws.site1 }

  name         = var.cluster
  service_name = var.service_name
  zone_id      = var.zone_id
  zone_name    = local.zone_name
  mode         = var.dns_mode
  ttl          = var.dns_ttl
  health_check = var.health_check
  metrics_port = local.ports.metrics
  addresses = {
    site1 = module.site1.hosts.service.public_address
    site2 = module.site2.hosts.service.public_address
  }
}

module "register" {
  source    = "./modules/register"
  count     = var.witness == "route53" ? 1 : 0
  providers = { aws = aws.site1 }

  cluster   = var.cluster
  zone_name = "${var.cluster}-witness.${module.dns.zone.name}"
}

# Without a register, and with health checks, an agent has no business at AWS and its host no role.
module "role" {
  source    = "./modules/role"
  for_each  = var.witness == "route53" || var.dns_mode == "record" ? toset(["site1", "site2"]) : toset([])
  providers = { aws = aws.site1 }

  name      = "${var.cluster}-${each.key}-svc"
  partition = data.aws_partition.current.partition
  records = concat(
    # No UPSERT: it would win over a vote (W2).
    [for register in module.register : { label = "Register", zone_arn = register.zone_arn, name = register.record, type = "TXT", actions = ["CREATE", "DELETE"], watch = false }],
    [for mode in [var.dns_mode] : { label = "Entry", zone_arn = module.dns.zone.arn, name = var.service_name, type = "A", actions = ["UPSERT"], watch = true } if mode == "record"],
  )
}

module "site1" {
  source    = "./modules/site"
  providers = { aws = aws.site1 }

  site               = "site1"
  cluster            = var.cluster
  place              = var.site1
  others             = local.addresses.site2
  ports              = local.ports
  admin_cidrs        = var.admin_cidrs
  service_cidrs      = var.service_cidrs
  monitoring_cidrs   = var.monitoring_cidrs
  checked_by_route53 = var.dns_mode == "health-check"
  cluster_cidrs      = local.cluster_cidrs
  ssh_public_key     = var.ssh_public_key
  instance_types     = var.instance_types
  volume_sizes       = var.volume_sizes
  debian_release     = var.debian_release
  instance_profile   = try(module.role["site1"].instance_profile, null)
}

module "site2" {
  source    = "./modules/site"
  providers = { aws = aws.site2 }

  site               = "site2"
  cluster            = var.cluster
  place              = var.site2
  others             = local.addresses.site1
  ports              = local.ports
  admin_cidrs        = var.admin_cidrs
  service_cidrs      = var.service_cidrs
  monitoring_cidrs   = var.monitoring_cidrs
  checked_by_route53 = var.dns_mode == "health-check"
  cluster_cidrs      = local.cluster_cidrs
  ssh_public_key     = var.ssh_public_key
  instance_types     = var.instance_types
  volume_sizes       = var.volume_sizes
  debian_release     = var.debian_release
  instance_profile   = try(module.role["site2"].instance_profile, null)
}

module "peering" {
  source    = "./modules/peering"
  providers = { aws.requester = aws.site1, aws.accepter = aws.site2 }

  name            = "${var.cluster}-site1-site2"
  accepter_region = var.site2.region
  requester       = module.site1.network
  accepter        = module.site2.network
}

module "witness_agent" {
  source    = "./modules/witness-agent"
  count     = var.witness == "agent" ? 1 : 0
  providers = { aws = aws.witness }

  cluster = var.cluster
  place   = var.witness_site
  voters = merge([
    for site, addresses in local.addresses : { "${site}-svc" = addresses.service, "${site}-db" = addresses.database }
  ]...)
  agent_port       = local.ports.agent
  metrics_port     = local.ports.metrics
  admin_cidrs      = var.admin_cidrs
  monitoring_cidrs = var.monitoring_cidrs
  ssh_public_key   = var.ssh_public_key
  instance_type    = var.instance_types.witness
  volume_size      = var.volume_sizes.witness
  debian_release   = var.debian_release
}

module "peering_witness_site1" {
  source    = "./modules/peering"
  count     = var.witness == "agent" ? 1 : 0
  providers = { aws.requester = aws.witness, aws.accepter = aws.site1 }

  name            = "${var.cluster}-witness-site1"
  accepter_region = var.site1.region
  requester       = module.witness_agent[0].network
  accepter        = module.site1.network
}

module "peering_witness_site2" {
  source    = "./modules/peering"
  count     = var.witness == "agent" ? 1 : 0
  providers = { aws.requester = aws.witness, aws.accepter = aws.site2 }

  name            = "${var.cluster}-witness-site2"
  accepter_region = var.site2.region
  requester       = module.witness_agent[0].network
  accepter        = module.site2.network
}
