"""Where a model becomes a sampler: the only place in which lowering, updates and backends meet."""
