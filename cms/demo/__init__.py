"""The demo world: a school that does not exist, its pack of content and what loads it."""
