"""Sensors: messages of devices in stores, taken in like every other event."""

from regulars.collect.sensors.topics import TopicRule, rule_for, sensor_event, topic_rules

__all__ = ["TopicRule", "rule_for", "sensor_event", "topic_rules"]
