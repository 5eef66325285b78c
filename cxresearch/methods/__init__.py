"""One job, one module: pure functions from answers or moments to results."""
