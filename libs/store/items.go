package store

import (
	"context"
	"strconv"
)

type numbersKey struct{}

// WithItemNumbers returns a context in which the item with index i of the next batch has
// the key "<key>/<numbers[i]>" instead of "<key>/<i>": it stays the same whatever goes
// beside the item.
func WithItemNumbers(ctx context.Context, numbers []int64) context.Context {
	return context.WithValue(ctx, numbersKey{}, numbers)
}

// WithItem returns a context whose key is that of item i of a batch: "<key>/<i>", or as
// WithItemNumbers says.
func WithItem(ctx context.Context, item string) context.Context {
	if numbers, _ := ctx.Value(numbersKey{}).([]int64); numbers != nil {
		ctx = WithItemNumbers(ctx, nil) // an item's own items have none
		item = numbered(item, numbers)
	}
	c := CauseOf(ctx)
	c.Key += "/" + item
	return WithCause(ctx, c)
}

func numbered(item string, numbers []int64) string {
	switch i, err := strconv.Atoi(item); {
	case err != nil:
		return item // a name, not an index
	case i < 0 || i >= len(numbers):
		return "+" + item // never the key of another
	default:
		return strconv.FormatInt(numbers[i], 10)
	}
}
