//go:build bug_w1

package store

import "go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

// durable asks one node only, and not its journal.
func durable() *writeconcern.WriteConcern { return writeconcern.W1() }
