# What an operator decides. Required: service_name, admin_cidrs, ssh_public_key; the rest has a default.
# Places (regions and networks) are in variables-places.tf.

variable "cluster" {
  description = "Name of the cluster; in the name of everything that is created, and `cluster` of cluster.yaml."
  type        = string
  default     = "birthday"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}[a-z0-9]$", var.cluster))
    error_message = "cluster: 2 to 32 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen (IAM names allow no more)."
  }
  validation {
    condition     = var.cluster != "sg" && !startswith(var.cluster, "sg-")
    error_message = "cluster: names of security groups begin with it, and must not begin with sg-."
  }
}

variable "account_id" {
  description = "The AWS account to work in. With it, credentials of another account are refused."
  type        = string
  default     = null

  validation {
    condition     = var.account_id == null || can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id: the 12 digits of an AWS account, in quotes (see: aws sts get-caller-identity)."
  }
}

variable "tags" {
  description = "More tags for everything that is created; `cluster` and `managed-by` are set."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.tags) : !contains(["cluster", "managed-by", "Name"], key) && !startswith(lower(key), "aws:")])
    error_message = "tags: cluster, managed-by and Name are set already, and keys that begin with aws: belong to AWS."
  }
}

variable "service_name" {
  description = "The public name of the service, for example birthday.example.com."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.){2,}[a-z]([a-z0-9-]{0,61}[a-z0-9])$", var.service_name))
    error_message = "service_name: a full name of three labels or more in lower case without a final dot, for example birthday.example.com."
  }
}

variable "zone_id" {
  description = "Id of the existing public hosted zone that service_name lies in. Null: a zone is created, and its name servers have to be entered at the parent."
  type        = string
  default     = null

  validation {
    condition     = var.zone_id == null || can(regex("^Z[A-Z0-9]{1,31}$", var.zone_id))
    error_message = "zone_id: Z and capital letters and digits, without /hostedzone/ before it (see: aws route53 list-hosted-zones); or null, then a zone is created."
  }
}

variable "zone_name" {
  description = "Name of the zone that is created when zone_id is null. Null: service_name without its first label."
  type        = string
  default     = null

  validation {
    condition     = var.zone_name == null || can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$", var.zone_name))
    error_message = "zone_name: a full name in lower case without a final dot, for example example.com."
  }
  validation {
    condition     = var.zone_name == null || var.zone_id == null
    error_message = "zone_name: zone_id names an existing zone, which has its name already; give one of the two."
  }
  validation {
    condition     = var.zone_name == null || var.service_name == var.zone_name || endswith(var.service_name, ".${coalesce(var.zone_name, "-")}")
    error_message = "zone_name: service_name has to lie in that zone."
  }
}

variable "dns_mode" {
  description = "How the public name moves. record: siteward changes one A record through the Route 53 API. health-check: two failover records, chosen by health checks on /entry of the agents; nothing is changed at the time of the failure, but both sites' port 7400 is open to Route 53's checkers."
  type        = string
  default     = "record"
  nullable    = false

  validation {
    condition     = contains(["record", "health-check"], var.dns_mode)
    error_message = "dns_mode: \"record\" (siteward moves one record) or \"health-check\" (Route 53 chooses between two by health checks)."
  }
}

variable "dns_ttl" {
  description = "Seconds that resolvers may keep the public name."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.dns_ttl >= 1 && var.dns_ttl <= 300 && floor(var.dns_ttl) == var.dns_ttl
    error_message = "dns_ttl: whole seconds from 1 to 300; clients go to a lost site for that long."
  }
}

variable "health_check" {
  description = "For dns_mode = health-check: seconds between two checks of one checker, and how many in a row change its mind. 10 s costs extra at AWS."
  type = object({
    interval  = optional(number, 10)
    threshold = optional(number, 3)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains([10, 30], var.health_check.interval)
    error_message = "health_check.interval: 10 or 30 seconds; Route 53 knows no other."
  }
  validation {
    condition     = var.health_check.threshold >= 1 && var.health_check.threshold <= 10 && floor(var.health_check.threshold) == var.health_check.threshold
    error_message = "health_check.threshold: a whole number from 1 to 10."
  }
}

variable "witness" {
  description = "The third vote. route53: a TXT record in a zone of its own; agent: a small instance in a third region (witness_site); none: then a lost primary's site waits for a person."
  type        = string
  default     = "route53"
  nullable    = false

  validation {
    condition     = contains(["route53", "agent", "none"], var.witness)
    error_message = "witness: \"route53\", \"agent\" or \"none\"."
  }
  # W5
  validation {
    condition     = var.witness != "route53" || !contains([var.site1.region, var.site2.region], "us-east-1")
    error_message = "witness: Route 53 is changed in us-east-1 alone, so with a site there losing that region loses two of three votes (W5). Another region for that site; or witness = \"agent\" in a third region; or witness = \"none\", then a lost primary's site waits for a person."
  }
}

variable "admin_cidrs" {
  description = "Networks that may use SSH on every host and see HAProxy's statistics page: yours, as narrow as possible."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.admin_cidrs) >= 1 && length(var.admin_cidrs) <= 8
    error_message = "admin_cidrs: 1 to 8 networks; without one nobody, Ansible included, reaches the hosts."
  }
  validation {
    condition     = alltrue([for cidr in var.admin_cidrs : can(regex("^[0-9.]+/[0-9]+$", cidr)) && try(cidrsubnet(cidr, 0, 0) == cidr, false)])
    error_message = "admin_cidrs: IPv4 networks without host bits, for example 198.51.100.7/32 or 198.51.100.0/24."
  }
  validation {
    condition     = alltrue([for cidr in var.admin_cidrs : try(tonumber(split("/", cidr)[1]) >= 8, true)])
    error_message = "admin_cidrs: a network wider than /8 opens SSH to the world."
  }
}

variable "service_cidrs" {
  description = "Networks that may use the service."
  type        = list(string)
  default     = ["0.0.0.0/0"]
  nullable    = false

  validation {
    condition     = length(var.service_cidrs) >= 1 && length(var.service_cidrs) <= 8
    error_message = "service_cidrs: 1 to 8 networks; 0.0.0.0/0 is everybody."
  }
  validation {
    condition     = alltrue([for cidr in var.service_cidrs : can(regex("^[0-9.]+/[0-9]+$", cidr)) && try(cidrsubnet(cidr, 0, 0) == cidr, false)])
    error_message = "service_cidrs: IPv4 networks without host bits, for example 203.0.113.0/24 or 0.0.0.0/0."
  }
}

variable "monitoring_cidrs" {
  description = "Networks that may read /metrics, /health and /entry (port 7400, plain, no login)."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.monitoring_cidrs) <= 8
    error_message = "monitoring_cidrs: at most 8 networks."
  }
  validation {
    condition     = alltrue([for cidr in var.monitoring_cidrs : can(regex("^[0-9.]+/[0-9]+$", cidr)) && try(cidrsubnet(cidr, 0, 0) == cidr, false)])
    error_message = "monitoring_cidrs: IPv4 networks without host bits, for example 198.51.100.0/24."
  }
  validation {
    condition     = alltrue([for cidr in var.monitoring_cidrs : try(tonumber(split("/", cidr)[1]) >= 8, true)])
    error_message = "monitoring_cidrs: a network wider than /8 shows the inside of the cluster to the world."
  }
}

variable "ssh_public_key" {
  description = "Your public SSH key, as one line. The private half stays with you: Terraform never sees one."
  type        = string
  nullable    = false

  validation {
    condition     = !strcontains(var.ssh_public_key, "PRIVATE KEY")
    error_message = "ssh_public_key: that is a private key; it would end up in the state. Give the .pub file's content."
  }
  validation {
    condition     = can(regex("^(ssh-ed25519|ssh-rsa) [A-Za-z0-9+/]{60,}={0,2}( [^\\n]*)?\\n?$", var.ssh_public_key))
    error_message = "ssh_public_key: one line, ssh-ed25519 AAAA... or ssh-rsa AAAA... (EC2 takes no other kinds)."
  }
}

variable "ssh_user" {
  description = "Account that the image gives the key to; Debian's images: admin."
  type        = string
  default     = "admin"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z_][a-z0-9_-]{0,31}$", var.ssh_user)) && var.ssh_user != "root"
    error_message = "ssh_user: an account name, not root (Debian's images: admin; Ubuntu's: ubuntu)."
  }
}

variable "debian_release" {
  description = "Debian release of the hosts when they are created; later releases of the image replace nothing."
  type        = number
  default     = 12
  nullable    = false

  validation {
    condition     = contains([12, 13], var.debian_release)
    error_message = "debian_release: 12 (bookworm, PostgreSQL 15) or 13 (trixie, PostgreSQL 17)."
  }
}

variable "instance_types" {
  description = "EC2 instance types by what the host does. Graviton types (t4g, m7g, ...) get the arm64 image."
  type = object({
    service     = optional(string, "t3.small")
    application = optional(string, "t3.small")
    database    = optional(string, "t3.medium")
    witness     = optional(string, "t3.micro")
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for type in values(var.instance_types) : can(regex("^[a-z][a-z0-9-]*\\.(metal|nano|micro|small|medium|([0-9]+)?x?large|metal-[0-9]+xl)$", type))])
    error_message = "instance_types: EC2 types such as t3.small, m7i.large or t4g.medium."
  }
  validation {
    condition     = !endswith(var.instance_types.database, ".nano") && !endswith(var.instance_types.database, ".micro")
    error_message = "instance_types.database: nano and micro have too little memory for PostgreSQL, guard and fuse together."
  }
}

variable "volume_sizes" {
  description = "GiB of each host's encrypted volume by what the host does."
  type = object({
    service     = optional(number, 10)
    application = optional(number, 20)
    database    = optional(number, 40)
    witness     = optional(number, 8)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for size in values(var.volume_sizes) : size >= 8 && size <= 16384 && floor(size) == size])
    error_message = "volume_sizes: whole GiB from 8 (the image needs that) to 16384."
  }
}

variable "application_ports" {
  description = "Port of each instance of the application, the same at both sites."
  type        = list(number)
  default     = [8001, 8002, 8003]
  nullable    = false

  validation {
    condition     = length(var.application_ports) >= 1 && length(var.application_ports) <= 16 && length(distinct(var.application_ports)) == length(var.application_ports)
    error_message = "application_ports: 1 to 16 ports, each once."
  }
  validation {
    condition     = alltrue([for port in var.application_ports : port >= 1024 && port <= 32767 && floor(port) == port && !contains([5432, 7400, 7401, 7402], port)])
    error_message = "application_ports: from 1024 to 32767, and none of 5432, 7400, 7401 and 7402, which have an owner."
  }
}

variable "database" {
  description = "The application's database, its role and the name it shows itself by. Passwords are none of Terraform's business: Ansible makes them."
  type = object({
    name        = optional(string, "revolutdb")
    user        = optional(string, "dbuser")
    application = optional(string, "birthday")
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in [var.database.name, var.database.user] : can(regex("^[a-z_][a-z0-9_]{0,62}$", name))])
    error_message = "database: name and user are PostgreSQL names: lower-case letters, digits and _, at most 63."
  }
  validation {
    condition     = !contains(["postgres", "siteward_probe", "siteward_replication"], var.database.user)
    error_message = "database.user: the application has a role of its own; postgres, siteward_probe and siteward_replication have an owner."
  }
  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,63}$", var.database.application))
    error_message = "database.application: letters, digits, _ and -, at most 63."
  }
}
