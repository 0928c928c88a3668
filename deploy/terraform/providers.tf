# One provider a region. IAM and Route 53 belong to no region; what is made there goes through site1's.

locals {
  tags = merge({ cluster = var.cluster, managed-by = "terraform" }, var.tags)
  # With it, the credentials of another account are refused before anything is looked at.
  accounts = var.account_id == null ? null : [var.account_id]
}

provider "aws" {
  alias               = "site1"
  region              = var.site1.region
  allowed_account_ids = local.accounts

  default_tags {
    tags = local.tags
  }
}

provider "aws" {
  alias               = "site2"
  region              = var.site2.region
  allowed_account_ids = local.accounts

  default_tags {
    tags = local.tags
  }
}

# Used for witness = "agent" only.
provider "aws" {
  alias               = "witness"
  region              = var.witness_site.region
  allowed_account_ids = local.accounts

  default_tags {
    tags = local.tags
  }
}
