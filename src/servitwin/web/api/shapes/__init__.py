"""Shapes of what the API takes and answers: the source of the OpenAPI document, and what tests check answers by."""
