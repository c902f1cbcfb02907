"""One module per outside system; each turns that system's errors into `muster.errors`."""
