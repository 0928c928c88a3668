# What the next step needs: an inventory for Ansible with everything in it, and its parts one by one.
# No output is a secret, because Terraform is given none.

locals {
  hosts = merge(
    { site1 = module.site1.hosts, site2 = module.site2.hosts },
    var.witness == "agent" ? { witness = { witness = module.witness_agent[0].host } } : {},
  )

  # origin.md's groups; the witness only where there is a host for it.
  groups = merge(
    {
      for group, part in { "allsites-svc" = "service", "allsites-app" = "application", "allsites-db" = "database" } :
      group => [for site in ["site1", "site2"] : merge(local.hosts[site][part], { site = site })]
    },
    var.witness == "agent" ? { witness = [merge(local.hosts.witness.witness, { site = "witness" })] } : {},
  )

  cluster_file = {
    cluster = var.cluster
    sites = {
      for site, place in local.places : site => {
        region      = place.region
        service     = { host = local.hosts[site].service.host, address = local.hosts[site].service.address }
        application = { host = local.hosts[site].application.host, address = local.hosts[site].application.address, instances = var.application_ports }
        database    = { host = local.hosts[site].database.host, address = local.hosts[site].database.address, port = local.ports.database }
      }
    }
    witness = merge(
      { kind = var.witness },
      var.witness == "route53" ? { route53 = { hostedZoneId = module.register[0].zone_id, name = module.register[0].record } } : {},
      var.witness == "agent" ? { agent = { host = module.witness_agent[0].host.host, address = module.witness_agent[0].host.address } } : {},
    )
    database = { name = var.database.name }
    dns = merge(
      { kind = var.dns_mode == "record" ? "route53" : "none" },
      {
        for key, value in {
          route53   = { hostedZoneId = module.dns.zone.id, name = var.service_name }
          ttl       = "${var.dns_ttl}s"
          addresses = { for site in ["site1", "site2"] : site => local.hosts[site].service.public_address }
        } : key => value if var.dns_mode == "record"
      },
    )
  }

  site_env = {
    for site in ["site1", "site2"] : site => {
      dbhost    = local.hosts[site].database.address
      dbport    = tostring(local.ports.database)
      dbname    = var.database.name
      dbuser    = var.database.user
      dbappname = var.database.application
    }
  }
}

output "inventory" {
  description = "terraform output -raw inventory > inventory.yaml"
  value = templatefile("${path.module}/templates/inventory.yaml.tftpl", {
    cluster      = var.cluster
    user         = var.ssh_user
    cluster_file = local.cluster_file
    site_env     = local.site_env
    groups       = local.groups
  })
}

output "cluster" {
  description = "What Terraform knows of cluster.yaml, as values."
  value       = local.cluster_file
}

output "cluster_yaml" {
  description = "The same as text: terraform output -raw cluster_yaml"
  value       = templatefile("${path.module}/templates/cluster.yaml.tftpl", { yaml = trimspace(yamlencode(local.cluster_file)) })
}

output "site1_env" {
  description = "site1.env without its secrets: terraform output -raw site1_env"
  value       = templatefile("${path.module}/templates/site.env.tftpl", { site = "site1", env = local.site_env.site1 })
}

output "site2_env" {
  description = "site2.env without its secrets."
  value       = templatefile("${path.module}/templates/site.env.tftpl", { site = "site2", env = local.site_env.site2 })
}

output "hosts" {
  description = "Host name => where to reach it."
  value = {
    for host in flatten([for site in values(local.hosts) : values(site)]) :
    host.host => { address = host.address, public_address = host.public_address }
  }
}

output "url" {
  description = "Where the service is."
  value       = "http://${var.service_name}:${local.ports.service}/"
}

output "name_servers" {
  description = "Of the zone of the public name. A zone that was created here answers only once these are entered at its parent."
  value       = module.dns.zone.name_servers
}
