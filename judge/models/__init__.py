"""Chat models of the providers: one file an API, each a pure translation and a connection by the vendor's SDK."""
