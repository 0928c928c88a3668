# The agent witness: one small host in a third region, peered with both sites. It votes and grants; it calls nobody.

variable "cluster" {
  type = string
}

variable "place" {
  type = object({
    region            = string
    vpc_cidr          = string
    subnet_cidr       = string
    availability_zone = string
    kms_key           = string
    ami               = string
  })
}

variable "voters" {
  description = "Who may ask it: host name => private address, of both agents and both guards."
  type        = map(string)
}

variable "agent_port" {
  type = number
}

variable "metrics_port" {
  type = number
}

variable "admin_cidrs" {
  type = list(string)
}

variable "monitoring_cidrs" {
  type = list(string)
}

variable "ssh_public_key" {
  type = string
}

variable "instance_type" {
  type = string
}

variable "volume_size" {
  type = number
}

variable "debian_release" {
  type = number
}

locals {
  host    = "witness"
  address = cidrhost(var.place.subnet_cidr, 10)

  ingress = merge(
    { for name, address in var.voters : "witness: agent from ${name}" => { port = var.agent_port, cidr = "${address}/32" } },
    { for cidr in var.admin_cidrs : "witness: ssh from ${cidr}" => { port = 22, cidr = cidr } },
    { for cidr in var.monitoring_cidrs : "witness: metrics from ${cidr}" => { port = var.metrics_port, cidr = cidr } },
  )
  egress = { http = ["tcp", 80], https = ["tcp", 443], ntp = ["udp", 123] }
}

module "network" {
  source = "../network"

  name  = "${var.cluster}-witness"
  place = var.place
}

resource "aws_key_pair" "operator" {
  key_name   = "${var.cluster}-witness"
  public_key = trimspace(var.ssh_public_key)
}

resource "aws_security_group" "this" {
  name        = "${var.cluster}-witness"
  description = "witness of ${var.cluster}"
  vpc_id      = module.network.vpc_id

  tags = { Name = "${var.cluster}-witness" }
}

resource "aws_vpc_security_group_ingress_rule" "flow" {
  for_each = local.ingress

  security_group_id = aws_security_group.this.id
  description       = each.key
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.cidr
}

resource "aws_vpc_security_group_egress_rule" "flow" {
  for_each = local.egress

  security_group_id = aws_security_group.this.id
  description       = "witness: ${each.key}"
  ip_protocol       = each.value[0]
  from_port         = each.value[1]
  to_port           = each.value[1]
  cidr_ipv4         = "0.0.0.0/0"
}

module "host" {
  source = "../host"

  name              = local.host
  name_tag          = "${var.cluster}-${local.host}"
  address           = local.address
  instance_type     = var.instance_type
  volume_size       = var.volume_size
  ami               = var.place.ami
  debian_release    = var.debian_release
  kms_key           = var.place.kms_key
  key_name          = aws_key_pair.operator.key_name
  subnet_id         = module.network.subnet_id
  security_group_id = aws_security_group.this.id
}

output "host" {
  value = {
    host           = local.host
    address        = local.address
    public_address = module.host.public_address
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
  value       = { for key, rule in local.ingress : key => "${rule.port}-${rule.port} ${rule.cidr}" }
}

output "facts" {
  description = "What tests look at."
  value       = module.host.facts
}
