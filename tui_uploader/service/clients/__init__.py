"""Parts of the client of the engine, by subject, which `service.client` puts together."""
