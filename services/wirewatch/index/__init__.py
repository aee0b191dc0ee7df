"""Standing queries by the million, held against articles. Pure: no Kafka, no clock, no network."""
