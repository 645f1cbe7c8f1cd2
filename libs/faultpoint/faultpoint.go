// Package faultpoint names the places where a crash must be survivable, so that
// tests can crash exactly there. Without the build tag "faults" a point does
// nothing and costs nothing, and release binaries hold no trace of it.
//
// With the tag, the environment variable FAULT says what happens at which point,
// entries separated by commas:
//
//	C4:kill          SIGKILL to this process at the first pass, told on standard error
//	C4:kill:n=3      at the third pass
//	C3:delay=2s      sleep at every pass (or, with n=, at that one)
//	C3:err=unavailable   Hit returns a fault of that kind
//	X3@returns:kill  only where code of that name passes: a part of the function's full name
//
// Passes count by entry: n=3 of X3@returns is the third time that code passes.
package faultpoint

// The points. The framework owns most of them, so that no handler can forget one.
const (
	C1 = "C1" // command: after the fingerprint
	C2 = "C2" // command: after the lock in Redis
	C3 = "C3" // command: before the commit
	C4 = "C4" // command: after the commit, before the answer
	C5 = "C5" // command: after the answer, before the snapshot
	R1 = "R1" // relay: before publishing
	R2 = "R2" // relay: after publishing, before the position is recorded
	N1 = "N1" // consumer: after its commit, before the acknowledgement
	N2 = "N2" // consumer: between dead letter and acknowledgement
	X1 = "X1" // several aggregates: between the intent and the claims, and between claims
	X2 = "X2" // several aggregates: between the claims and the decision
	X3 = "X3" // several aggregates: between the decision and what follows from it, and within that
	E1 = "E1" // document: inside it, a portion handed over and not yet recorded
	E2 = "E2" // document: all of it handed over, before its completion is recorded
	S1 = "S1" // shutdown: readiness is off
	S2 = "S2" // shutdown: servers have stopped
	S3 = "S3" // shutdown: consumers and loops have stopped
	S4 = "S4" // shutdown: databases are closed
)
