"""A release as SageMaker and CloudWatch take it: requests for boto3, Terraform, policies, and their application."""
