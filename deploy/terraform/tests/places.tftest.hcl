# One run for each validation: an input that breaks it and no other. Only the variables are loaded (tests/inputs has
# links to them), because a plan of everything would take a second each time.

variables {
  service_name   = "birthday.example.com"
  zone_id        = "Z0PUBLIC"
  admin_cidrs    = ["192.0.2.0/24"]
  ssh_public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHVt2jvTLPLHV9rTfyKp3aWcWnWKlCkAgiZ5mvn8sUeD operator@example"
}

run "site1_region" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site1 = { region = "eu-west-1a" }
  }

  expect_failures = [var.site1]
}

run "site1_vpc_too_wide" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site1 = { vpc_cidr = "172.16.0.0/12" }
  }

  expect_failures = [var.site1]
}

run "site1_vpc_with_host_bits" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site1 = { vpc_cidr = "172.20.1.0/16" }
  }

  expect_failures = [var.site1]
}

run "site1_vpc_of_docker" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site1 = { vpc_cidr = "172.17.0.0/16", subnet_cidr = "172.17.1.0/24" }
  }

  expect_failures = [var.site1]
}

run "site1_subnet_too_small" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site1 = { subnet_cidr = "172.20.1.0/27" }
  }

  expect_failures = [var.site1]
}

run "site1_subnet_with_host_bits" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site1 = { subnet_cidr = "172.20.1.1/24" }
  }

  expect_failures = [var.site1]
}

run "site1_subnet_outside" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site1 = { subnet_cidr = "10.0.1.0/24" }
  }

  expect_failures = [var.site1]
}

run "site1_subnet_wider_than_vpc" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site1 = { vpc_cidr = "172.20.0.0/24", subnet_cidr = "172.20.0.0/16" }
  }

  expect_failures = [var.site1]
}

run "site1_zone_of_another_region" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site1 = { availability_zone = "eu-central-1a" }
  }

  expect_failures = [var.site1]
}

run "site1_key_of_another_region" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site1 = { kms_key = "arn:aws:kms:eu-central-1:123456789012:key/0123" }
  }

  expect_failures = [var.site1]
}

run "site1_ami" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site1 = { ami = "debian-12" }
  }

  expect_failures = [var.site1]
}

run "site2_region" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site2 = { region = "eu-central-1a" }
  }

  expect_failures = [var.site2]
}

run "site2_vpc_too_wide" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site2 = { vpc_cidr = "172.16.0.0/12" }
  }

  expect_failures = [var.site2]
}

run "site2_vpc_with_host_bits" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site2 = { vpc_cidr = "172.21.1.0/16" }
  }

  expect_failures = [var.site2]
}

run "site2_vpc_of_docker" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site2 = { vpc_cidr = "172.17.0.0/16", subnet_cidr = "172.17.1.0/24" }
  }

  expect_failures = [var.site2]
}

run "site2_subnet_too_small" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site2 = { subnet_cidr = "172.21.1.0/27" }
  }

  expect_failures = [var.site2]
}

run "site2_subnet_with_host_bits" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site2 = { subnet_cidr = "172.21.1.1/24" }
  }

  expect_failures = [var.site2]
}

run "site2_subnet_outside" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site2 = { subnet_cidr = "10.0.1.0/24" }
  }

  expect_failures = [var.site2]
}

run "site2_subnet_wider_than_vpc" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site2 = { vpc_cidr = "172.21.0.0/24", subnet_cidr = "172.21.0.0/16" }
  }

  expect_failures = [var.site2]
}

run "site2_zone_of_another_region" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site2 = { availability_zone = "eu-west-1a" }
  }

  expect_failures = [var.site2]
}

run "site2_key_of_another_region" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site2 = { kms_key = "arn:aws:kms:eu-west-1:123456789012:key/0123" }
  }

  expect_failures = [var.site2]
}

run "site2_ami" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site2 = { ami = "debian-12" }
  }

  expect_failures = [var.site2]
}

run "witness_site_region" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    witness_site = { region = "eu-north-1a" }
  }

  expect_failures = [var.witness_site]
}

run "witness_site_vpc_too_wide" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    witness_site = { vpc_cidr = "172.16.0.0/12" }
  }

  expect_failures = [var.witness_site]
}

run "witness_site_vpc_with_host_bits" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    witness_site = { vpc_cidr = "172.22.1.0/16" }
  }

  expect_failures = [var.witness_site]
}

run "witness_site_vpc_of_docker" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    witness_site = { vpc_cidr = "172.17.0.0/16", subnet_cidr = "172.17.1.0/24" }
  }

  expect_failures = [var.witness_site]
}

run "witness_site_subnet_too_small" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    witness_site = { subnet_cidr = "172.22.1.0/27" }
  }

  expect_failures = [var.witness_site]
}

run "witness_site_subnet_with_host_bits" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    witness_site = { subnet_cidr = "172.22.1.1/24" }
  }

  expect_failures = [var.witness_site]
}

run "witness_site_subnet_outside" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    witness_site = { subnet_cidr = "10.0.1.0/24" }
  }

  expect_failures = [var.witness_site]
}

run "witness_site_subnet_wider_than_vpc" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    witness_site = { vpc_cidr = "172.22.0.0/24", subnet_cidr = "172.22.0.0/16" }
  }

  expect_failures = [var.witness_site]
}

run "witness_site_zone_of_another_region" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    witness_site = { availability_zone = "eu-west-1a" }
  }

  expect_failures = [var.witness_site]
}

run "witness_site_key_of_another_region" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    witness_site = { kms_key = "arn:aws:kms:eu-west-1:123456789012:key/0123" }
  }

  expect_failures = [var.witness_site]
}

run "witness_site_ami" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    witness_site = { ami = "debian-12" }
  }

  expect_failures = [var.witness_site]
}

run "site2_in_the_same_region" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site2 = { region = "eu-west-1" }
  }

  expect_failures = [var.site2]
}

run "site2_overlaps" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site2 = { vpc_cidr = "172.20.0.0/16", subnet_cidr = "172.20.2.0/24" }
  }

  expect_failures = [var.site2]
}

run "site2_overlaps_in_part" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    site2 = { vpc_cidr = "172.20.128.0/20", subnet_cidr = "172.20.128.0/24" }
  }

  expect_failures = [var.site2]
}

run "witness_in_the_region_of_a_site" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    witness      = "agent"
    witness_site = { region = "eu-central-1" }
  }

  expect_failures = [var.witness_site]
}

run "witness_overlaps_site1" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    witness      = "agent"
    witness_site = { vpc_cidr = "172.20.64.0/24", subnet_cidr = "172.20.64.0/24" }
  }

  expect_failures = [var.witness_site]
}

run "witness_overlaps_site2" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    witness      = "agent"
    witness_site = { vpc_cidr = "172.21.0.0/16", subnet_cidr = "172.21.2.0/24" }
  }

  expect_failures = [var.witness_site]
}
