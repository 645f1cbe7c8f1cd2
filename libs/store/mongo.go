package store

import (
	"context"
	"errors"
)

func openMongo(ctx context.Context, cfg Config, opt Options) (engine, error) {
	return nil, errors.New("soon")
}
