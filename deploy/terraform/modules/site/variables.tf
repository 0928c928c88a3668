variable "site" {
  description = "site1 or site2"
  type        = string
}

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

variable "others" {
  description = "Private addresses of the other site's hosts by part."
  type        = object({ service = string, application = string, database = string })
}

variable "ports" {
  description = "Who listens where; application is a list."
  type = object({
    service     = number
    statistics  = number
    application = list(number)
    database    = number
    metrics     = number
    agent       = number
    guard       = number
  })
}

variable "admin_cidrs" {
  type = list(string)
}

variable "service_cidrs" {
  type = list(string)
}

variable "monitoring_cidrs" {
  type = list(string)
}

variable "checked_by_route53" {
  description = "Route 53's health checkers may read /entry."
  type        = bool
}

variable "cluster_cidrs" {
  description = "The VPCs of the whole cluster."
  type        = list(string)
}

variable "ssh_public_key" {
  type = string
}

variable "instance_types" {
  type = object({ service = string, application = string, database = string })
}

variable "volume_sizes" {
  type = object({ service = number, application = number, database = number })
}

variable "debian_release" {
  type = number
}

variable "instance_profile" {
  description = "Of the service host, or null."
  type        = string
}
