"""What the rows are measured on: a deployment, its goods, a server, a load, and how a result is told."""
