# Nothing here reaches AWS: the provider is a mock.
mock_provider "aws" {
  alias = "site1"

  mock_data "aws_route53_zone" {
    defaults = { name = "example.com" }
  }
}

# An existing zone is looked at before anything is made in it.

variables {
  service_name = "birthday.example.com"
  zone_id      = "Z0PUBLIC"
  name         = "birthday"
  zone_name    = "example.com"
  mode         = "record"
  ttl          = 10
  addresses    = { site1 = "203.0.113.10", site2 = "198.51.100.10" }
  health_check = { interval = 10, threshold = 3 }
  metrics_port = 7400
}

run "name_in_zone" {
  command   = plan
  providers = { aws = aws.site1 }
  module {
    source = "./modules/dns"
  }

  assert {
    condition     = output.zone.id == "Z0PUBLIC"
    error_message = jsonencode(output.zone)
  }
}

run "name_elsewhere" {
  command   = plan
  providers = { aws = aws.site1 }
  module {
    source = "./modules/dns"
  }

  variables {
    service_name = "birthday.example.org"
  }

  expect_failures = [data.aws_route53_zone.existing]
}

run "name_that_only_ends_alike" {
  command   = plan
  providers = { aws = aws.site1 }
  module {
    source = "./modules/dns"
  }

  variables {
    service_name = "birthday.anexample.com"
  }

  expect_failures = [data.aws_route53_zone.existing]
}
