"""One module a page: what its template, which has the same name, needs."""
