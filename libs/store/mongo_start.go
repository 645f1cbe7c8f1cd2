package store

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
)

// Codes of a set that changes its primary or of a write that no majority has confirmed yet.
var passingCodes = []int{
	6, 7, 89, 9001, // network
	64, 91, 189, 262, 10107, 11600, 11602, 13388, 13435, 13436, // write concern, shutdown, stepped down, not primary
}

// steady does what a start needs, again while the set is between two primaries: a process that
// starts in a fail-over waits for its end instead of dying of it. It gives up with the context,
// or at once with an error that does not pass.
func steady(ctx context.Context, do func() error) error {
	for {
		err := do()
		if err == nil || !passing(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func passing(err error) bool {
	var server mongo.ServerError
	if errors.As(err, &server) {
		for _, code := range passingCodes {
			if server.HasErrorCode(code) {
				return true
			}
		}
	}
	return mongo.IsNetworkError(err) || mongo.IsTimeout(err)
}
