# One run for each validation: an input that breaks it and no other. Only the variables are loaded (tests/inputs has
# links to them), because a plan of everything would take a second each time.

variables {
  service_name   = "birthday.example.com"
  zone_id        = "Z0PUBLIC"
  admin_cidrs    = ["192.0.2.0/24"]
  ssh_public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHVt2jvTLPLHV9rTfyKp3aWcWnWKlCkAgiZ5mvn8sUeD operator@example"
}

run "cluster_in_capitals" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    cluster = "Birthday"
  }

  expect_failures = [var.cluster]
}

run "cluster_too_long" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    cluster = "a23456789012345678901234567890123"
  }

  expect_failures = [var.cluster]
}

run "cluster_like_a_group_id" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    cluster = "sg-birthday"
  }

  expect_failures = [var.cluster]
}

run "account_id_too_short" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    account_id = "12345"
  }

  expect_failures = [var.account_id]
}

run "tags_that_are_set" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    tags = { cluster = "other" }
  }

  expect_failures = [var.tags]
}

run "tags_of_aws" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    tags = { "aws:owner" = "me" }
  }

  expect_failures = [var.tags]
}

run "service_name_without_domain" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    service_name = "birthday"
    zone_id      = null
    zone_name    = null
  }

  expect_failures = [var.service_name]
}

run "service_name_with_final_dot" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    service_name = "birthday.example.com."
  }

  expect_failures = [var.service_name]
}

run "zone_id_with_path" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    zone_id = "/hostedzone/Z0PUBLIC"
  }

  expect_failures = [var.zone_id]
}

run "zone_name_of_one_label" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    zone_id   = null
    zone_name = "com"
  }

  expect_failures = [var.zone_name]
}

run "zone_name_beside_zone_id" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    zone_name = "example.com"
  }

  expect_failures = [var.zone_name]
}

run "zone_name_elsewhere" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    zone_id   = null
    zone_name = "example.org"
  }

  expect_failures = [var.zone_name]
}

run "dns_mode_unknown" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    dns_mode = "anycast"
  }

  expect_failures = [var.dns_mode]
}

run "dns_ttl_of_a_day" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    dns_ttl = 86400
  }

  expect_failures = [var.dns_ttl]
}

run "dns_ttl_of_nothing" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    dns_ttl = 0
  }

  expect_failures = [var.dns_ttl]
}

run "dns_ttl_not_whole" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    dns_ttl = 1.5
  }

  expect_failures = [var.dns_ttl]
}

run "health_check_interval" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    health_check = { interval = 20 }
  }

  expect_failures = [var.health_check]
}

run "health_check_threshold" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    health_check = { threshold = 11 }
  }

  expect_failures = [var.health_check]
}

run "witness_unknown" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    witness = "etcd"
  }

  expect_failures = [var.witness]
}

run "witness_with_site1_in_us_east_1" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    dns_mode = "health-check"
    site1    = { region = "us-east-1" }
  }

  expect_failures = [var.witness]
}

run "witness_with_site2_in_us_east_1" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    dns_mode = "health-check"
    site2    = { region = "us-east-1" }
  }

  expect_failures = [var.witness]
}

run "admin_cidrs_none" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    admin_cidrs = []
  }

  expect_failures = [var.admin_cidrs]
}

run "admin_cidrs_with_host_bits" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    admin_cidrs = ["192.0.2.7/24"]
  }

  expect_failures = [var.admin_cidrs]
}

run "admin_cidrs_without_length" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    admin_cidrs = ["192.0.2.7"]
  }

  expect_failures = [var.admin_cidrs]
}

run "admin_cidrs_ipv6" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    admin_cidrs = ["2001:db8::/32"]
  }

  expect_failures = [var.admin_cidrs]
}

run "admin_cidrs_everybody" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    admin_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.admin_cidrs]
}

run "admin_cidrs_half_the_world" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    admin_cidrs = ["128.0.0.0/1"]
  }

  expect_failures = [var.admin_cidrs]
}

run "service_cidrs_none" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    service_cidrs = []
  }

  expect_failures = [var.service_cidrs]
}

run "service_cidrs_with_host_bits" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    service_cidrs = ["10.0.0.1/8"]
  }

  expect_failures = [var.service_cidrs]
}

run "monitoring_cidrs_too_many" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    monitoring_cidrs = [for number in range(9) : "10.0.${number}.0/24"]
  }

  expect_failures = [var.monitoring_cidrs]
}

run "monitoring_cidrs_with_host_bits" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    monitoring_cidrs = ["10.0.0.1/24"]
  }

  expect_failures = [var.monitoring_cidrs]
}

run "monitoring_cidrs_everybody" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    monitoring_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.monitoring_cidrs]
}

run "ssh_private_key" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    ssh_public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHVt2jvTLPLHV9rTfyKp3aWcWnWKlCkAgiZ5mvn8sUeD PRIVATE KEY"
  }

  expect_failures = [var.ssh_public_key]
}

run "ssh_key_of_another_kind" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    ssh_public_key = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBHVt2jvTLPLHV9rTfyKp3aWcWnWKlCkA operator"
  }

  expect_failures = [var.ssh_public_key]
}

run "ssh_user_root" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    ssh_user = "root"
  }

  expect_failures = [var.ssh_user]
}

run "debian_release_too_old" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    debian_release = 11
  }

  expect_failures = [var.debian_release]
}

run "instance_type_without_size" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    instance_types = { service = "t3" }
  }

  expect_failures = [var.instance_types]
}

run "instance_type_misspelt" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    instance_types = { application = "t3.smal" }
  }

  expect_failures = [var.instance_types]
}

run "instance_type_too_small" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    instance_types = { database = "t3.micro" }
  }

  expect_failures = [var.instance_types]
}

run "volume_too_small" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    volume_sizes = { database = 4 }
  }

  expect_failures = [var.volume_sizes]
}

run "application_port_twice" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    application_ports = [8001, 8001]
  }

  expect_failures = [var.application_ports]
}

run "application_port_with_an_owner" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    application_ports = [7401]
  }

  expect_failures = [var.application_ports]
}

run "application_port_privileged" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    application_ports = [80]
  }

  expect_failures = [var.application_ports]
}

run "database_name" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    database = { name = "Revolut-DB" }
  }

  expect_failures = [var.database]
}

run "database_user_with_an_owner" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    database = { user = "postgres" }
  }

  expect_failures = [var.database]
}

run "database_application" {
  command = plan
  module {
    source = "./tests/inputs"
  }

  variables {
    database = { application = "the birthday" }
  }

  expect_failures = [var.database]
}
