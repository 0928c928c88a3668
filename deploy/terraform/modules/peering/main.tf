# Two VPCs of two regions: the connection, its acceptance, and the route to each other. Security groups cannot name a
# group of another region, so across it they name addresses.

variable "name" {
  type = string
}

variable "accepter_region" {
  type = string
}

variable "requester" {
  description = "The VPC that asks."
  type        = object({ vpc_id = string, vpc_cidr = string, route_table_id = string })
}

variable "accepter" {
  description = "The VPC that is asked."
  type        = object({ vpc_id = string, vpc_cidr = string, route_table_id = string })
}

resource "aws_vpc_peering_connection" "this" {
  provider = aws.requester

  vpc_id      = var.requester.vpc_id
  peer_vpc_id = var.accepter.vpc_id
  peer_region = var.accepter_region
  auto_accept = false

  tags = { Name = var.name }
}

resource "aws_vpc_peering_connection_accepter" "this" {
  provider = aws.accepter

  vpc_peering_connection_id = aws_vpc_peering_connection.this.id
  auto_accept               = true

  tags = { Name = var.name }
}

# A route to a connection that is not accepted yet is refused: hence the accepter's id on both sides.
resource "aws_route" "there" {
  provider = aws.requester

  route_table_id            = var.requester.route_table_id
  destination_cidr_block    = var.accepter.vpc_cidr
  vpc_peering_connection_id = aws_vpc_peering_connection_accepter.this.id
}

resource "aws_route" "back" {
  provider = aws.accepter

  route_table_id            = var.accepter.route_table_id
  destination_cidr_block    = var.requester.vpc_cidr
  vpc_peering_connection_id = aws_vpc_peering_connection_accepter.this.id
}

output "id" {
  value = aws_vpc_peering_connection.this.id
}
