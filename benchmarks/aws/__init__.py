"""The same questions on AWS: the real provider's logic, over an API that stands in for AWS."""
