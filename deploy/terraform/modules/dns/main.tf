# The public name: in a zone that exists or is created, as one record that siteward moves, or as two records between
# which Route 53 chooses by health checks.

variable "service_name" {
  type = string
}

variable "zone_id" {
  description = "An existing zone, or null."
  type        = string
}

variable "zone_name" {
  description = "The zone that is created when zone_id is null."
  type        = string
}

variable "mode" {
  description = "record or health-check"
  type        = string
}

variable "ttl" {
  type = number
}

variable "addresses" {
  description = "Public addresses of the service hosts by site."
  type        = object({ site1 = string, site2 = string })
}

variable "health_check" {
  type = object({ interval = number, threshold = number })
}

variable "metrics_port" {
  description = "Where the agents serve /entry."
  type        = number
}

variable "name" {
  description = "Begins the names of the health checks."
  type        = string
}

data "aws_route53_zone" "existing" {
  count   = var.zone_id == null ? 0 : 1
  zone_id = var.zone_id

  lifecycle {
    postcondition {
      condition     = self.private_zone != true
      error_message = "zone_id: ${var.zone_id} is a private zone; the service's name has to be a public one."
    }
    postcondition {
      condition     = var.service_name == trimsuffix(self.name, ".") || endswith(var.service_name, ".${trimsuffix(self.name, ".")}")
      error_message = "zone_id: ${var.zone_id} is the zone ${self.name}, and ${var.service_name} does not lie in it."
    }
  }
}

resource "aws_route53_zone" "created" {
  count   = var.zone_id == null ? 1 : 0
  name    = var.zone_name
  comment = "${var.name}: the service's name"
}

locals {
  zone = var.zone_id == null ? {
    id           = aws_route53_zone.created[0].zone_id
    arn          = aws_route53_zone.created[0].arn
    name         = aws_route53_zone.created[0].name
    name_servers = aws_route53_zone.created[0].name_servers
    } : {
    id           = data.aws_route53_zone.existing[0].zone_id
    arn          = data.aws_route53_zone.existing[0].arn
    name         = trimsuffix(data.aws_route53_zone.existing[0].name, ".")
    name_servers = data.aws_route53_zone.existing[0].name_servers
  }
}

# Terraform only makes it, pointing to site1. From then on it is siteward's, or a plan after a failover would send
# everybody back to the lost site.
resource "aws_route53_record" "entry" {
  count = var.mode == "record" ? 1 : 0

  zone_id = local.zone.id
  name    = var.service_name
  type    = "A"
  ttl     = var.ttl
  records = [var.addresses.site1]

  lifecycle {
    ignore_changes = [records, ttl]
  }
}

resource "aws_route53_health_check" "entry" {
  for_each = var.mode == "health-check" ? toset(["site1", "site2"]) : toset([])

  type              = "HTTP"
  ip_address        = var.addresses[each.key]
  port              = var.metrics_port
  resource_path     = "/entry"
  request_interval  = var.health_check.interval
  failure_threshold = var.health_check.threshold

  tags = { Name = "${var.name}-${each.key}-entry" }
}

# Checks and answers both belong to Route 53's data plane: this goes on while its API is lost. With both checks failing
# Route 53 answers with the primary one, site1.
resource "aws_route53_record" "failover" {
  for_each = aws_route53_health_check.entry

  zone_id         = local.zone.id
  name            = var.service_name
  type            = "A"
  ttl             = var.ttl
  records         = [var.addresses[each.key]]
  set_identifier  = each.key
  health_check_id = each.value.id

  failover_routing_policy {
    type = each.key == "site1" ? "PRIMARY" : "SECONDARY"
  }
}

output "zone" {
  value = local.zone
}

output "facts" {
  description = "What tests look at."
  value = {
    entry    = { for record in aws_route53_record.entry : record.name => record.records }
    failover = { for site, record in aws_route53_record.failover : site => record.failover_routing_policy[0].type }
    checks   = { for site, check in aws_route53_health_check.entry : site => "${check.ip_address}:${check.port}${check.resource_path}" }
  }
}
