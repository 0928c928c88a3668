# What works, but an operator should have decided: warnings of every plan, not errors.

check "entry_survives_its_region" {
  assert {
    condition     = var.dns_mode != "record" || !contains([var.site1.region, var.site2.region], "us-east-1")
    error_message = "Route 53 is changed in us-east-1 alone: while that region is lost with the site in it, siteward cannot move the public name. dns_mode = \"health-check\" can, or take another region."
  }
}

check "third_vote" {
  assert {
    condition     = var.witness != "none"
    error_message = "Without a witness a lost primary's site waits for a person (siteward failover --force)."
  }
}
