terraform {
  # 1.9: validations that look at two variables, in Terraform and in OpenTofu alike.
  required_version = ">= 1.9.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.19.0, < 7.0.0"
    }
  }
}
