"""Data products: protected tables, editions, dashboards, maps, heat maps, the OData feed."""
