"""One module for each kind of store that documents can be written to."""
