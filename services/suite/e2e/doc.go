// Package e2e holds the end-to-end tests: whole orders walked over the public API only, on the
// suite in one process with its embedded engines, and on one process a service with MongoDB,
// Redis and NATS. What runs are the programs that are shipped.
package e2e
