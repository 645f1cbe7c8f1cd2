//go:build !bug_w1

package store

import "go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

// durable is what every write waits for. A server that is killed, or loses its majority, takes
// back what less was asked of.
func durable() *writeconcern.WriteConcern {
	journaled := true
	return &writeconcern.WriteConcern{W: "majority", Journal: &journaled}
}
