// Package toxic holds the tests that run the suite behind proxies which delay, cut and lose what
// goes to MongoDB, NATS, Redis and between services, and those that pause one of two replicas.
// It is a module of its own, so that no program depends on the proxy. The tests run with the
// build tag "faults".
package toxic
