"""The same questions on Kubernetes: a real API server, a real node, real pods."""
