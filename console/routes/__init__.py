"""The pages' routes, a module a topic. They hold no business rules: they call the services the bot calls."""
