# A VPC with one public subnet. Hosts have public addresses for what they fetch (packages, images, the Route 53 API);
# who may come in is up to their security groups. NAT gateways would cost more than all hosts together.

variable "name" {
  description = "Begins the name of everything here."
  type        = string
}

variable "place" {
  description = "vpc_cidr, subnet_cidr and availability_zone (null: AWS chooses)."
  type = object({
    vpc_cidr          = string
    subnet_cidr       = string
    availability_zone = optional(string)
  })
}

resource "aws_vpc" "this" {
  cidr_block           = var.place.vpc_cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = var.name }
}

# The group that AWS makes by itself lets its members talk about everything; here it lets nobody do anything.
resource "aws_default_security_group" "none" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-unused" }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = var.name }
}

resource "aws_subnet" "this" {
  vpc_id                  = aws_vpc.this.id
  cidr_block              = var.place.subnet_cidr
  availability_zone       = var.place.availability_zone
  map_public_ip_on_launch = true

  tags = { Name = var.name }
}

resource "aws_route_table" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = var.name }
}

resource "aws_route" "internet" {
  route_table_id         = aws_route_table.this.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table_association" "this" {
  subnet_id      = aws_subnet.this.id
  route_table_id = aws_route_table.this.id
}

output "vpc_id" {
  value = aws_vpc.this.id
}

output "subnet_id" {
  # Whoever is put here needs the way out at once.
  depends_on = [aws_route.internet, aws_route_table_association.this]
  value      = aws_subnet.this.id
}

output "route_table_id" {
  value = aws_route_table.this.id
}

output "vpc_cidr" {
  value = aws_vpc.this.cidr_block
}
