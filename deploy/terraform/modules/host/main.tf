# One EC2 instance with an encrypted volume.

variable "name" {
  description = "Host name, as cluster.yaml has it."
  type        = string
}

variable "name_tag" {
  description = "Name tag: the host name after the cluster's."
  type        = string
}

variable "address" {
  description = "Its fixed private address."
  type        = string
}

variable "instance_type" {
  type = string
}

variable "volume_size" {
  description = "GiB."
  type        = number
}

variable "ami" {
  description = "An image of the operator's own, or null for Debian's."
  type        = string
}

variable "debian_release" {
  type = number
}

variable "kms_key" {
  description = "ARN, or null for AWS's own EBS key."
  type        = string
}

variable "key_name" {
  type = string
}

variable "subnet_id" {
  type = string
}

variable "security_group_id" {
  type = string
}

variable "instance_profile" {
  description = "Name, or null: most hosts have no rights at AWS at all."
  type        = string
  default     = null
}

variable "termination_protection" {
  description = "Nobody ends it by hand in the console. Terraform itself still can (force_destroy)."
  type        = bool
  default     = false
}

locals {
  # Graviton families have a g after the generation: t4g, m7gd, c7gn, im4gn; and a1.
  architecture = can(regex("^(a1|[a-z]+[0-9]+g[a-z]*)\\.", var.instance_type)) ? "arm64" : "amd64"
}

# Debian's own account: https://wiki.debian.org/Cloud/AmazonEC2Image
data "aws_ami" "debian" {
  count       = var.ami == null ? 1 : 0
  owners      = ["136693071363"]
  most_recent = true

  filter {
    name   = "name"
    values = ["debian-${var.debian_release}-${local.architecture}-*"]
  }
  filter {
    name   = "virtualization-type"
    values = ["hvm"]
  }
}

resource "aws_instance" "this" {
  ami                    = coalesce(var.ami, one(data.aws_ami.debian[*].id))
  instance_type          = var.instance_type
  subnet_id              = var.subnet_id
  private_ip             = var.address
  vpc_security_group_ids = [var.security_group_id]
  key_name               = var.key_name
  iam_instance_profile   = var.instance_profile

  disable_api_termination = var.termination_protection
  force_destroy           = true

  # Only what has to be so before the first login; no secret, every process of the host can read it.
  user_data = <<-EOT
    #cloud-config
    hostname: ${var.name}
    manage_etc_hosts: localhost
    disable_root: true
    ssh_pwauth: false
    ssh_genkeytypes: [ed25519]
  EOT

  # One hop: a container does not reach it, so the application cannot take on the role of its host.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
    instance_metadata_tags      = "disabled"
  }

  root_block_device {
    encrypted   = true
    kms_key_id  = var.kms_key
    volume_type = "gp3"
    volume_size = var.volume_size

    tags = { Name = var.name_tag }
  }

  tags = { Name = var.name_tag }

  lifecycle {
    # A newer image, or another first boot, must never replace a host that holds data or a vote.
    ignore_changes = [ami, user_data]
  }
}

output "id" {
  value = aws_instance.this.id
}

output "address" {
  value = aws_instance.this.private_ip
}

output "public_address" {
  description = "Changes when the host is stopped and started; a service host has an Elastic IP instead."
  value       = aws_instance.this.public_ip
}

output "facts" {
  description = "What tests look at."
  value = {
    architecture = local.architecture
    encrypted    = aws_instance.this.root_block_device[0].encrypted
    http_tokens  = aws_instance.this.metadata_options[0].http_tokens
    hop_limit    = aws_instance.this.metadata_options[0].http_put_response_hop_limit
    profile      = var.instance_profile
    user_data    = aws_instance.this.user_data
  }
}
