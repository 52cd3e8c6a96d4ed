"""The message bus: nats-server with JetStream and its MQTT gateway."""
