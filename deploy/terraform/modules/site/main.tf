# One site: its network, three hosts, and who may talk to them (flows.tf).

locals {
  hosts = {
    service     = { host = "${var.site}-svc", number = 10 }
    application = { host = "${var.site}-app", number = 20 }
    database    = { host = "${var.site}-db", number = 30 }
  }
  addresses = { for part, host in local.hosts : part => cidrhost(var.place.subnet_cidr, host.number) }
}

module "network" {
  source = "../network"

  name  = "${var.cluster}-${var.site}"
  place = var.place
}

resource "aws_key_pair" "operator" {
  key_name   = "${var.cluster}-${var.site}"
  public_key = trimspace(var.ssh_public_key)
}

module "host" {
  source   = "../host"
  for_each = local.hosts

  name              = each.value.host
  name_tag          = "${var.cluster}-${each.value.host}"
  address           = local.addresses[each.key]
  instance_type     = var.instance_types[each.key]
  volume_size       = var.volume_sizes[each.key]
  ami               = var.place.ami
  debian_release    = var.debian_release
  kms_key           = var.place.kms_key
  key_name          = aws_key_pair.operator.key_name
  subnet_id         = module.network.subnet_id
  security_group_id = aws_security_group.part[each.key].id

  instance_profile       = each.key == "service" ? var.instance_profile : null
  termination_protection = each.key == "database"
}

# The service's address stays when the host is stopped, replaced or repaired: DNS and health checks name it.
resource "aws_eip" "service" {
  domain = "vpc"

  tags = { Name = "${var.cluster}-${var.site}-svc" }
}

resource "aws_eip_association" "service" {
  allocation_id = aws_eip.service.id
  instance_id   = module.host["service"].id
}
