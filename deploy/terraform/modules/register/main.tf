# The register witness: a public zone that holds one TXT record and nothing else (Q9), and that nobody delegates to: it
# is read and changed through the Route 53 API, never through DNS. Do not turn on accelerated recovery for it: a change
# that was accepted could be lost, and with it a vote.
#
# The record is not made here. `siteward init` CREATEs it with the first record of the cluster, after both agents have
# voted, and takes a record that is there already for another cluster's (Q0, W3).

variable "zone_name" {
  type = string
}

variable "cluster" {
  type = string
}

resource "aws_route53_zone" "this" {
  name    = var.zone_name
  comment = "siteward witness of ${var.cluster}: changed by its agents only"

  # At the end the record goes with the zone: Terraform does not know it.
  force_destroy = true
}

output "zone_id" {
  value = aws_route53_zone.this.zone_id
}

output "zone_arn" {
  value = aws_route53_zone.this.arn
}

output "record" {
  value = "register.${var.zone_name}"
}
