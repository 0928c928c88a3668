output "hosts" {
  description = "By part: host name, private address, public address (the service host's is an Elastic IP)."
  value = {
    for part, host in local.hosts : part => {
      host           = host.host
      address        = local.addresses[part]
      public_address = part == "service" ? aws_eip.service.public_ip : module.host[part].public_address
    }
  }
}

output "network" {
  value = {
    vpc_id         = module.network.vpc_id
    vpc_cidr       = module.network.vpc_cidr
    route_table_id = module.network.route_table_id
  }
}

output "ingress" {
  description = "Every rule by which something gets in: its sentence, and what it lets in."
  value = merge(
    { for key, rule in local.ingress : key => "${rule.from_port}-${rule.to_port} ${coalesce(rule.group, rule.cidr)}" },
    { for rule in aws_vpc_security_group_ingress_rule.checkers : rule.description => "${rule.from_port}-${rule.to_port} checkers" },
  )
}

output "facts" {
  description = "What tests look at."
  value       = { for part, host in module.host : part => host.facts }
}
