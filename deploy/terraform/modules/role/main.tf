# The instance role of a service host: what its agent may do at AWS, and nothing else. The condition keys pin a right to
# change records to one name, one type and certain actions. They hold for sets of values, and `ForAllValues` is also
# true for an empty set; `Null` closes that door.

variable "name" {
  type = string
}

variable "partition" {
  description = "aws, aws-cn, aws-us-gov"
  type        = string
}

variable "records" {
  description = "The records it may change. label: begins the statements' ids; watch: it may ask whether a change has reached all name servers."
  type = list(object({
    label    = string
    zone_arn = string
    name     = string
    type     = string
    actions  = list(string)
    watch    = bool
  }))
}

locals {
  key = "route53:ChangeResourceRecordSets"

  statements = concat(
    flatten([
      for record in var.records : [
        {
          Sid      = "Read${record.label}"
          Effect   = "Allow"
          Action   = "route53:ListResourceRecordSets"
          Resource = record.zone_arn
        },
        {
          Sid      = "Change${record.label}"
          Effect   = "Allow"
          Action   = "route53:ChangeResourceRecordSets"
          Resource = record.zone_arn
          Condition = {
            "ForAllValues:StringEquals" = {
              "${local.key}NormalizedRecordNames" = [record.name]
              "${local.key}RecordTypes"           = [record.type]
              "${local.key}Actions"               = record.actions
            }
            Null = {
              "${local.key}NormalizedRecordNames" = "false"
              "${local.key}RecordTypes"           = "false"
              "${local.key}Actions"               = "false"
            }
          }
        },
      ]
    ]),
    [
      # A change has no owner that a policy could name.
      for record in var.records : {
        Sid      = "Watch${record.label}"
        Effect   = "Allow"
        Action   = "route53:GetChange"
        Resource = "arn:${var.partition}:route53:::change/*"
      } if record.watch
    ],
  )
}

resource "aws_iam_role" "this" {
  name        = var.name
  description = "The siteward agent on ${var.name}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name   = "route53"
  role   = aws_iam_role.this.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements })
}

resource "aws_iam_instance_profile" "this" {
  name = var.name
  role = aws_iam_role.this.name
}

output "instance_profile" {
  # A host that boots before its role may do something would find that out the hard way.
  depends_on = [aws_iam_role_policy.this]
  value      = aws_iam_instance_profile.this.name
}

output "policy" {
  value = aws_iam_role_policy.this.policy
}
