# Who talks to whom. Within the site a rule names the source's security group; across the peering the one address of the
# source host, because a group of another region cannot be named. Nothing but the service's port is open to everybody.
# Answers need no rule: groups are stateful, and to AWS the ICMP message that 9001 bytes are too many for the peering, which
# carries 8500, is one. A host talks to itself without one, and DNS, the metadata service and Amazon's time service are
# not subject to any.

locals {
  # The sentences become descriptions at AWS, which takes no apostrophes there.
  # [to, what, first port, last port, parts of both sites that may, networks that may]
  flows = concat(
    [
      ["service", "service", var.ports.service, var.ports.service, ["service"], var.service_cidrs],
      ["service", "statistics", var.ports.statistics, var.ports.statistics, ["service"], var.admin_cidrs],
      # Agents: votes, state, orders of the CLI (on a service host). Guards: the lease (L1).
      ["service", "agent", var.ports.agent, var.ports.agent, ["service", "database"], []],
      # Probes and commit probes of the agents; the applications; replication.
      ["database", "postgresql", var.ports.database, var.ports.database, ["service", "application", "database"], []],
      # The other guard (L8), the agents, the CLI.
      ["database", "guard", var.ports.guard, var.ports.guard, ["service", "database"], []],
    ],
    # The balancers and the agents' readiness probes.
    [for port in var.ports.application : ["application", "instance ${port}", port, port, ["service"], []]],
    # The agents' forced command on application and database hosts; people, and Ansible, everywhere.
    [for part in ["application", "database"] : [part, "ssh", 22, 22, ["service"], var.admin_cidrs]],
    [["service", "ssh", 22, 22, [], var.admin_cidrs]],
    [for part in ["service", "database"] : [part, "metrics", var.ports.metrics, var.ports.metrics, [], var.monitoring_cidrs]],
  )

  from_parts = merge([
    for flow in local.flows : merge([
      for source in flow[4] : merge(
        # A part is one host: it does not come to itself over the network.
        source == flow[0] ? {} : {
          "${flow[0]}: ${flow[1]} from ${source} here" = { to = flow[0], from_port = flow[2], to_port = flow[3], group = source, cidr = null }
        },
        {
          "${flow[0]}: ${flow[1]} from ${source} there" = { to = flow[0], from_port = flow[2], to_port = flow[3], group = null, cidr = "${var.others[source]}/32" }
        },
      )
    ]...)
  ]...)

  from_networks = merge([
    for flow in local.flows : {
      for cidr in flow[5] :
      "${flow[0]}: ${flow[1]} from ${cidr}" => { to = flow[0], from_port = flow[2], to_port = flow[3], group = null, cidr = cidr }
    }
  ]...)

  ingress = merge(local.from_parts, local.from_networks)

  # Out: to the cluster anything; to the world what package mirrors, image registries, the Route 53 API and time
  # servers need.
  out_world = { http = ["tcp", 80], https = ["tcp", 443], ntp = ["udp", 123] }
  egress = merge([
    for part in keys(local.hosts) : merge(
      { for cidr in var.cluster_cidrs : "${part}: to ${cidr}" => { from = part, protocol = "-1", port = null, cidr = cidr } },
      { for what, door in local.out_world : "${part}: ${what}" => { from = part, protocol = door[0], port = door[1], cidr = "0.0.0.0/0" } },
    )
  ]...)
}

resource "aws_security_group" "part" {
  for_each = local.hosts

  name        = "${var.cluster}-${each.value.host}"
  description = "${each.value.host} of ${var.cluster}"
  vpc_id      = module.network.vpc_id

  tags = { Name = "${var.cluster}-${each.value.host}" }
}

resource "aws_vpc_security_group_ingress_rule" "flow" {
  for_each = local.ingress

  security_group_id            = aws_security_group.part[each.value.to].id
  description                  = each.key
  ip_protocol                  = "tcp"
  from_port                    = each.value.from_port
  to_port                      = each.value.to_port
  referenced_security_group_id = each.value.group == null ? null : aws_security_group.part[each.value.group].id
  cidr_ipv4                    = each.value.cidr
}

resource "aws_vpc_security_group_egress_rule" "flow" {
  for_each = local.egress

  security_group_id = aws_security_group.part[each.value.from].id
  description       = each.key
  ip_protocol       = each.value.protocol
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.cidr
}

# AWS keeps the list of its health checkers' addresses itself.
data "aws_ec2_managed_prefix_list" "checkers" {
  count = var.checked_by_route53 ? 1 : 0
  name  = "com.amazonaws.${var.place.region}.route53-healthchecks"
}

resource "aws_vpc_security_group_ingress_rule" "checkers" {
  count = var.checked_by_route53 ? 1 : 0

  security_group_id = aws_security_group.part["service"].id
  description       = "service: entry from the checkers of Route 53"
  ip_protocol       = "tcp"
  from_port         = var.ports.metrics
  to_port           = var.ports.metrics
  prefix_list_id    = data.aws_ec2_managed_prefix_list.checkers[0].id
}
