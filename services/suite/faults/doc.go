// Package faults holds the tests that break the running suite: killed at every crash point
// of a command, killed for real under load, its cache emptied, its bus wiped. They run with
// the build tag "faults".
package faults
