//go:build !bug_local_read

package store

import "go.mongodb.org/mongo-driver/v2/mongo"

// settled is a collection as reads see it: under the client's concern, which is majority. What
// is read is committed on, so it must not vanish.
func settled(c *mongo.Collection) *mongo.Collection { return c }
