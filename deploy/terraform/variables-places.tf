# Where things are: two sites, and the place of an agent witness. The addresses are those of docs/cluster.example.yaml;
# in each subnet the service host is .10, the application host .20, the database host .30.
#
# No default is us-east-1. Route 53 is *changed* there alone (it answers queries everywhere): a site there would take the
# route53 witness, or with dns_mode = "record" the way to move the public name, down with it (W5).

variable "site1" {
  description = "The first site, where the database is primary at the beginning. kms_key: ARN of the key for its volumes; null: AWS's own EBS key. ami: an image of your own instead of Debian's."
  type = object({
    region            = optional(string, "eu-west-1")
    vpc_cidr          = optional(string, "172.20.0.0/16")
    subnet_cidr       = optional(string, "172.20.1.0/24")
    availability_zone = optional(string)
    kms_key           = optional(string)
    ami               = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.site1.region))
    error_message = "site1.region: a region such as eu-west-1."
  }
  validation {
    condition     = can(regex("^[0-9.]+/(1[6-9]|2[0-6])$", var.site1.vpc_cidr)) && try(cidrsubnet(var.site1.vpc_cidr, 0, 0) == var.site1.vpc_cidr, false)
    error_message = "site1.vpc_cidr: an IPv4 network of /16 to /26 without host bits, for example 172.20.0.0/16."
  }
  validation {
    condition     = !startswith(var.site1.vpc_cidr, "172.17.")
    error_message = "site1.vpc_cidr: 172.17.0.0/16 is Docker's own network on the application hosts."
  }
  validation {
    condition     = can(regex("^[0-9.]+/(1[6-9]|2[0-6])$", var.site1.subnet_cidr)) && try(cidrsubnet(var.site1.subnet_cidr, 0, 0) == var.site1.subnet_cidr, false)
    error_message = "site1.subnet_cidr: an IPv4 network of /16 to /26 without host bits, for example 172.20.1.0/24 (the last host is .30)."
  }
  validation {
    condition = try(
      tonumber(split("/", var.site1.subnet_cidr)[1]) >= tonumber(split("/", var.site1.vpc_cidr)[1]) &&
      cidrhost("${split("/", var.site1.subnet_cidr)[0]}/${split("/", var.site1.vpc_cidr)[1]}", 0) == cidrhost(var.site1.vpc_cidr, 0),
    true)
    error_message = "site1.subnet_cidr: has to lie in site1.vpc_cidr."
  }
  validation {
    condition     = var.site1.availability_zone == null || try(can(regex("^${var.site1.region}[a-z]$", var.site1.availability_zone)), false)
    error_message = "site1.availability_zone: a zone of site1.region, for example eu-west-1a; or null, then AWS chooses."
  }
  validation {
    condition     = var.site1.kms_key == null || try(can(regex("^arn:aws[a-z-]*:kms:${var.site1.region}:[0-9]{12}:key/", var.site1.kms_key)), false)
    error_message = "site1.kms_key: the ARN of a key in site1.region, arn:aws:kms:REGION:ACCOUNT:key/ID; or null."
  }
  validation {
    condition     = var.site1.ami == null || can(regex("^ami-[0-9a-f]{8,17}$", var.site1.ami))
    error_message = "site1.ami: the id of an image in site1.region, ami-0123...; or null for Debian's."
  }
}

variable "site2" {
  description = "The second site, where the standby is at the beginning. See site1."
  type = object({
    region            = optional(string, "eu-central-1")
    vpc_cidr          = optional(string, "172.21.0.0/16")
    subnet_cidr       = optional(string, "172.21.1.0/24")
    availability_zone = optional(string)
    kms_key           = optional(string)
    ami               = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.site2.region))
    error_message = "site2.region: a region such as eu-central-1."
  }
  validation {
    condition     = var.site2.region != var.site1.region
    error_message = "site2.region: both sites would be in one region, and losing it loses the service."
  }
  validation {
    condition     = can(regex("^[0-9.]+/(1[6-9]|2[0-6])$", var.site2.vpc_cidr)) && try(cidrsubnet(var.site2.vpc_cidr, 0, 0) == var.site2.vpc_cidr, false)
    error_message = "site2.vpc_cidr: an IPv4 network of /16 to /26 without host bits, for example 172.21.0.0/16."
  }
  validation {
    condition     = !startswith(var.site2.vpc_cidr, "172.17.")
    error_message = "site2.vpc_cidr: 172.17.0.0/16 is Docker's own network on the application hosts."
  }
  validation {
    condition     = can(regex("^[0-9.]+/(1[6-9]|2[0-6])$", var.site2.subnet_cidr)) && try(cidrsubnet(var.site2.subnet_cidr, 0, 0) == var.site2.subnet_cidr, false)
    error_message = "site2.subnet_cidr: an IPv4 network of /16 to /26 without host bits, for example 172.21.1.0/24 (the last host is .30)."
  }
  validation {
    condition = try(
      tonumber(split("/", var.site2.subnet_cidr)[1]) >= tonumber(split("/", var.site2.vpc_cidr)[1]) &&
      cidrhost("${split("/", var.site2.subnet_cidr)[0]}/${split("/", var.site2.vpc_cidr)[1]}", 0) == cidrhost(var.site2.vpc_cidr, 0),
    true)
    error_message = "site2.subnet_cidr: has to lie in site2.vpc_cidr."
  }
  validation {
    # Two networks overlap when they are the same up to the shorter prefix.
    condition = try(
      cidrhost("${split("/", var.site1.vpc_cidr)[0]}/${min([for cidr in [var.site1.vpc_cidr, var.site2.vpc_cidr] : tonumber(split("/", cidr)[1])]...)}", 0) !=
      cidrhost("${split("/", var.site2.vpc_cidr)[0]}/${min([for cidr in [var.site1.vpc_cidr, var.site2.vpc_cidr] : tonumber(split("/", cidr)[1])]...)}", 0),
    true)
    error_message = "site2.vpc_cidr: overlaps with site1.vpc_cidr; peered networks must not."
  }
  validation {
    condition     = var.site2.availability_zone == null || try(can(regex("^${var.site2.region}[a-z]$", var.site2.availability_zone)), false)
    error_message = "site2.availability_zone: a zone of site2.region, for example eu-central-1a; or null, then AWS chooses."
  }
  validation {
    condition     = var.site2.kms_key == null || try(can(regex("^arn:aws[a-z-]*:kms:${var.site2.region}:[0-9]{12}:key/", var.site2.kms_key)), false)
    error_message = "site2.kms_key: the ARN of a key in site2.region, arn:aws:kms:REGION:ACCOUNT:key/ID; or null."
  }
  validation {
    condition     = var.site2.ami == null || can(regex("^ami-[0-9a-f]{8,17}$", var.site2.ami))
    error_message = "site2.ami: the id of an image in site2.region, ami-0123...; or null for Debian's."
  }
}

variable "witness_site" {
  description = "The third place, for witness = agent. See site1."
  type = object({
    region            = optional(string, "eu-north-1")
    vpc_cidr          = optional(string, "172.22.0.0/16")
    subnet_cidr       = optional(string, "172.22.1.0/24")
    availability_zone = optional(string)
    kms_key           = optional(string)
    ami               = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.witness_site.region))
    error_message = "witness_site.region: a region such as eu-north-1."
  }
  validation {
    condition     = var.witness != "agent" || !contains([var.site1.region, var.site2.region], var.witness_site.region)
    error_message = "witness_site.region: is a site's; the third vote has to be in a third region, else losing that one loses two of three votes."
  }
  validation {
    condition     = can(regex("^[0-9.]+/(1[6-9]|2[0-6])$", var.witness_site.vpc_cidr)) && try(cidrsubnet(var.witness_site.vpc_cidr, 0, 0) == var.witness_site.vpc_cidr, false)
    error_message = "witness_site.vpc_cidr: an IPv4 network of /16 to /26 without host bits, for example 172.22.0.0/16."
  }
  validation {
    condition     = !startswith(var.witness_site.vpc_cidr, "172.17.")
    error_message = "witness_site.vpc_cidr: 172.17.0.0/16 is Docker's own network on the application hosts."
  }
  validation {
    condition     = can(regex("^[0-9.]+/(1[6-9]|2[0-6])$", var.witness_site.subnet_cidr)) && try(cidrsubnet(var.witness_site.subnet_cidr, 0, 0) == var.witness_site.subnet_cidr, false)
    error_message = "witness_site.subnet_cidr: an IPv4 network of /16 to /26 without host bits, for example 172.22.1.0/24."
  }
  validation {
    condition = try(
      tonumber(split("/", var.witness_site.subnet_cidr)[1]) >= tonumber(split("/", var.witness_site.vpc_cidr)[1]) &&
      cidrhost("${split("/", var.witness_site.subnet_cidr)[0]}/${split("/", var.witness_site.vpc_cidr)[1]}", 0) == cidrhost(var.witness_site.vpc_cidr, 0),
    true)
    error_message = "witness_site.subnet_cidr: has to lie in witness_site.vpc_cidr."
  }
  validation {
    condition = var.witness != "agent" || alltrue([
      for other in [var.site1.vpc_cidr, var.site2.vpc_cidr] : try(
        cidrhost("${split("/", other)[0]}/${min([for cidr in [other, var.witness_site.vpc_cidr] : tonumber(split("/", cidr)[1])]...)}", 0) !=
        cidrhost("${split("/", var.witness_site.vpc_cidr)[0]}/${min([for cidr in [other, var.witness_site.vpc_cidr] : tonumber(split("/", cidr)[1])]...)}", 0),
      true)
    ])
    error_message = "witness_site.vpc_cidr: overlaps with a site's vpc_cidr; peered networks must not."
  }
  validation {
    condition     = var.witness_site.availability_zone == null || try(can(regex("^${var.witness_site.region}[a-z]$", var.witness_site.availability_zone)), false)
    error_message = "witness_site.availability_zone: a zone of witness_site.region, for example eu-north-1a; or null, then AWS chooses."
  }
  validation {
    condition     = var.witness_site.kms_key == null || try(can(regex("^arn:aws[a-z-]*:kms:${var.witness_site.region}:[0-9]{12}:key/", var.witness_site.kms_key)), false)
    error_message = "witness_site.kms_key: the ARN of a key in witness_site.region, arn:aws:kms:REGION:ACCOUNT:key/ID; or null."
  }
  validation {
    condition     = var.witness_site.ami == null || can(regex("^ami-[0-9a-f]{8,17}$", var.witness_site.ami))
    error_message = "witness_site.ami: the id of an image in witness_site.region, ami-0123...; or null for Debian's."
  }
}
